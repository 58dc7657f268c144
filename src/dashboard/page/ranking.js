// The ranking of the values of a column.

const RANKS = { total: TARGET, change: 'change', forecast: 'forecast', error: 'forecast error' };
const showing = (what, value) =>
  what === 'error' ? percent(value) : what === 'change' ? (value > 0 ? '+' : '') + about(value) : about(value);
let ranked = null;
const drawRank = () => {
  const by = S.rankBy,
    what = S.rankWhat,
    { value, base, members } = measure(by, what, G.chosen);
  const there = by === 'series' ? G.chosen : Array.from(members.keys()).filter(g => members[g]);
  const top = best(value, there, rows.rank, !S.turned),
    name = g => (by === 'series' ? nameOf(g) : D.levels[by][g]);
  ranked = { by, what, value, base, there };
  let all = 0,
    most = 0,
    least = 0;
  for (const g of there) if (value[g] === value[g]) all += value[g];
  for (const g of top) {
    most = Math.max(most, value[g]);
    least = Math.min(least, value[g]);
  }
  const scale = most - least || 1;
  const titles = {
    total: S.turned ? `Lowest ${TARGET}` : `Highest ${TARGET}`,
    change: S.turned ? 'Largest decreases' : 'Largest increases',
    forecast: S.turned ? 'Lowest forecasts' : 'Highest forecasts',
    error: S.turned ? 'Smallest forecast errors' : 'Largest forecast errors',
  };
  $('rank-title').textContent = titles[what];
  const dates =
    what === 'forecast'
      ? aheadRange()
          .map(t => H.steps[t])
          .join(' to ')
      : what === 'error'
        ? plural(H.folds.length, 'test period')
        : what === 'change'
          ? `compared with ${compared()}`
          : `${H.steps[S.from]} to ${H.steps[Math.min(S.to, T - 1)]}`;
  const values =
    by === 'series' ? plural(there.length, 'series', 'series') : `${plural(there.length, 'value')} of ${NAMES[by]}`;
  const first = () => (what === 'error' ? percent(value[top[0]]) : money(showing(what, value[top[0]])));
  $('rank-say').textContent = top.length
    ? `${values}, ${dates}. ${S.turned ? 'Lowest' : 'Highest'}: ${cut(named(by, top[0]), 40)}, ${first()}.`
    : 'Nothing to rank in this selection.';
  const sharing = (what === 'total' || what === 'forecast') && all > 0 && least >= 0;
  const body = top.map(g => {
    const bar = el('i', { class: value[g] < 0 ? 'minus' : null });
    bar.style.left = (100 * (Math.min(0, value[g]) - least)) / scale + '%';
    bar.style.width = (100 * Math.abs(value[g])) / scale + '%';
    const extra = sharing
      ? percent((100 * value[g]) / all)
      : what === 'change'
        ? percent(share(value[g] + base[g], base[g]), true)
        : '';
    return el(
      'tr',
      {},
      el(
        'th',
        { scope: 'row' },
        el(
          'button',
          { type: 'button', class: 'open', dir: 'auto', 'data-open': g, title: name(g), onclick: () => open(by, g) },
          cut(name(g), 44),
        ),
      ),
      el('td', { class: 'b', 'aria-hidden': 'true' }, el('span', { class: 'meter' }, bar)),
      el('td', { class: 'n' }, showing(what, value[g])),
      el('td', { class: 'n' }, extra),
    );
  });
  const head = el(
    'tr',
    {},
    el('th', { scope: 'col', dir: 'auto' }, by === 'series' ? 'Series' : NAMES[by]),
    el('td', { 'aria-hidden': 'true' }),
    el(
      'th',
      { scope: 'col', class: 'n' },
      what === 'total' ? TARGET : RANKS[what][0].toUpperCase() + RANKS[what].slice(1),
    ),
    sharing || what === 'change' ? el('th', { scope: 'col', class: 'n' }, sharing ? 'Share' : 'Change') : el('td', {}),
  );
  const focused =
    document.activeElement && document.activeElement.dataset && document.activeElement.closest('#rank')
      ? document.activeElement.dataset.open
      : null;
  $('rank').replaceChildren(
    ...(top.length ? [el('table', {}, el('thead', {}, head), el('tbody', {}, ...body))] : []),
    ...(there.length > top.length && top.length
      ? [
          el(
            'button',
            {
              type: 'button',
              class: 'more',
              onclick: () => {
                rows.rank += 30;
                drawRank();
              },
            },
            `Show more of ${whole(there.length)}`,
          ),
        ]
      : []),
  );
  if (focused !== null) {
    const again = $('rank').querySelector(`[data-open="${focused}"]`) || $('rank').querySelector('.open');
    if (again) again.focus({ preventScroll: true });
  }
};
const rankRows = () => {
  const { by, what, value, base, there } = ranked,
    order = best(value, there, there.length, !S.turned);
  return {
    head: [by === 'series' ? 'Series' : NAMES[by], RANKS[what], ...(what === 'change' ? ['compared with'] : [])],
    rows: order.map(g => [
      by === 'series' ? nameOf(g) : D.levels[by][g],
      value[g],
      ...(what === 'change' ? [base[g]] : []),
    ]),
  };
};
