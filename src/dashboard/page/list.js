// The list of series.

const drawList = () => {
  const find = rows.find.trim().toLowerCase();
  let list = G.chosen;
  if (find)
    list = list.filter(
      i =>
        D.levels.some((levels, k) => levels[D.codes[k][i]].toLowerCase().includes(find)) ||
        nameOf(i).toLowerCase().includes(find),
    );
  const columns = [
    'total',
    ...(overlap().none ? [] : ['change']),
    ...(M ? ['forecast'] : []),
    ...(D.errors ? ['error'] : []),
  ];
  const sort = columns.includes(S.sort) || S.sort === 'name' ? S.sort : 'total';
  const key = sort === 'name' ? null : measure('series', sort, list).value;
  const top =
    sort === 'name'
      ? Array.from(S.falling ? list.slice(0, rows.list) : list.slice(-rows.list).reverse())
      : best(key, list, rows.list, S.falling);
  if (sort !== 'name' && top.length < Math.min(rows.list, list.length))
    for (const i of list) {
      if (top.length >= rows.list) break;
      if (key[i] !== key[i]) top.push(i);
    }
  const shown = Object.fromEntries(columns.map(what => [what, measure('series', what, top)]));
  $('list-say').textContent =
    `${plural(list.length, 'series', 'series')}${find ? ' found' : ''}, ${H.steps[S.from]} to ${H.steps[S.to]}. ` +
    'Click a name to show that series alone.';
  const head = (what, text, number) => {
    const on = sort === what;
    return el(
      'th',
      { scope: 'col', class: number ? 'n' : null, 'aria-sort': on ? (S.falling ? 'descending' : 'ascending') : null },
      el(
        'button',
        {
          type: 'button',
          dir: 'auto',
          'data-sort': what,
          onclick: () => {
            if (on) S.falling = !S.falling;
            else {
              S.sort = what;
              S.falling = true;
            }
            drawList();
            remember();
            refocus('#list', `[data-sort="${what}"]`);
          },
        },
        text + (on ? (S.falling ? ' ↓' : ' ↑') : ''),
      ),
    );
  };
  const names = { total: TARGET, change: 'Change', forecast: 'Forecast', error: 'Error' };
  const body = top.map(i =>
    el(
      'tr',
      {},
      el(
        'th',
        { scope: 'row' },
        el(
          'button',
          { type: 'button', class: 'open', dir: 'auto', title: nameOf(i), onclick: () => open('series', i) },
          cut(nameOf(i), 60),
        ),
      ),
      ...columns.map(what => {
        const v = shown[what].value[i],
          base = shown[what].base[i];
        return el('td', { class: 'n' }, what === 'change' ? percent(share(v + base, base), true) : showing(what, v));
      }),
    ),
  );
  $('list').replaceChildren(
    el(
      'table',
      {},
      el('thead', {}, el('tr', {}, head('name', 'Series'), ...columns.map(what => head(what, names[what], true)))),
      el('tbody', {}, ...body),
    ),
    ...(list.length > top.length
      ? [
          el(
            'button',
            {
              type: 'button',
              class: 'more',
              onclick: () => {
                rows.list += 50;
                drawList();
              },
            },
            `Show more of ${whole(list.length)}`,
          ),
        ]
      : []),
  );
};
const listRows = () => {
  const columns = ['total', 'change', ...(M ? ['forecast'] : []), ...(D.errors ? ['error'] : [])],
    got = columns.map(what => measure('series', what, G.chosen));
  return {
    head: [...H.keys, H.target, 'change', ...(M ? ['forecast'] : []), ...(D.errors ? ['error_percent'] : [])],
    rows: Array.from(G.chosen, i => [...H.keys.map((_, k) => D.levels[k][D.codes[k][i]]), ...got.map(g => g.value[i])]),
  };
};
