// The figures above the first chart.

const figures = () => {
  const cards = [],
    card = (title, number, ...lines) => cards.push([title, number, lines.filter(Boolean)]);
  const last = Math.min(S.to, T - 1);
  let total = NaN;
  for (let t = S.from; t <= last; t++)
    if (G.sales[t] === G.sales[t]) total = total === total ? total + G.sales[t] : G.sales[t];
  const change_ = () => {
    let now = 0,
      then = 0,
      seen = 0;
    const by = shift();
    for (let t = Math.max(S.from, by); t <= last; t++) {
      const y = G.sales[t - by],
        x = G.sales[t];
      if (x === x && y === y) {
        now += x;
        then += y;
        seen++;
      }
    }
    return seen ? [share(now, then), seen, last - S.from + 1] : null;
  };
  const moved = (value, words) =>
    Number.isFinite(value) &&
    el('p', {}, el('span', { class: value >= 0 ? 'up' : 'down' }, percent(value, true)), ` on ${words}`);
  if (last >= S.from) {
    const c = change_();
    card(
      TARGET,
      money(about(total)),
      `${H.steps[S.from]} to ${H.steps[last]}`,
      c && moved(c[0], compared() + (c[1] < c[2] ? ` (last ${plural(c[1], H.noun)})` : '')),
    );
  } else card(TARGET, NONE, 'The selected dates are in the future');
  if (M) {
    const { a, b, sum, ends } = aheadTotal(S.main),
      model = H.models[S.main];
    const at = ends && S.levels.size ? Math.min(...S.levels) : 0;
    card(
      `Forecast, ${plural(b - a + 1, H.noun)}`,
      money(about(sum)),
      `${H.steps[a]} to ${H.steps[b]}, ${model}`,
      ends && Number.isFinite(ends[at][0])
        ? `${level(H.levels[at])} interval: ${money(about(ends[at][0]))} to ${money(about(ends[at][1]))}`
        : null,
    );
    let now = 0,
      then = 0,
      seen = 0;
    const by = H.season > 1 ? H.season : b - a + 1;
    for (let t = a; t <= b; t++) {
      const x = valueAt(t),
        y = t - by >= 0 && t - by < T ? G.sales[t - by] : NaN;
      if (x === x && y === y) {
        now += x;
        then += y;
        seen++;
      }
    }
    if (seen)
      card(
        'Forecast vs history',
        percent(share(now, then), true),
        `on ${H.season > 1 ? H.before : 'the preceding period'}: ${money(about(now))} vs ${money(about(then))}`,
      );
  }
  const error = M && errorOf(S.main, G.chosen);
  if (error && Number.isFinite(error.size))
    card(
      'Forecast error',
      percent(error.size),
      `of ${TARGET}, over ${plural(H.folds.length, 'test period')}`,
      leaning(error.side),
    );
  card(
    'Series',
    whole(G.chosen.length),
    G.chosen.length === N ? 'all' : `of ${whole(N)}`,
    selected() === 'All series' ? null : cut(selected(), 60),
  );
  if (D.orders) {
    let units = 0,
      items = 0;
    ordersShown().forEach(o => {
      const v = D.orders.order[o];
      if (v > 0) {
        units += v;
        items++;
      }
    });
    card(
      'To order',
      H.unit ? `${about(units)}\u00a0${H.unit}` : about(units),
      `${H.unit ? '' : 'units '}of ${plural(items, 'item')}`,
    );
  }
  $('figures').replaceChildren(
    ...cards.map(([title, number, lines]) =>
      el(
        'div',
        { class: 'figure' },
        el('h2', { dir: 'auto' }, title),
        el('b', {}, number),
        ...lines.map(line => (typeof line === 'string' ? el('p', { dir: 'auto' }, line) : line)),
      ),
    ),
  );
};
