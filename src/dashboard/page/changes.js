// What happens after a change? What it touches is drawn at once; what lies below the window waits until it is seen.

const LATER = { compare: drawCompare, map: drawMap, orders: drawOrders, list: drawList };
const stale = new Set(),
  inView = new Set();
const flush = () => {
  for (const id of [...stale])
    if (inView.has(id)) {
      stale.delete(id);
      LATER[id]();
    }
};
let waiting = 0;
const later = () => {
  if (!waiting)
    waiting = setTimeout(() => {
      waiting = 0;
      flush();
      sayMain();
      speak();
    }, 120);
};
let spoken = '';
const speak = text => {
  const said =
    text ||
    [...$('figures').querySelectorAll('.figure')]
      .slice(0, 2)
      .map(f =>
        [
          f.querySelector('h2').textContent,
          f.querySelector('b').textContent,
          ...[...f.querySelectorAll('p')].map(p => p.textContent),
        ].join(', '),
      )
      .join('. ');
  const whole_ = text || `${selected()}. ${said}.`;
  if (whole_ !== spoken) $('live').textContent = spoken = whole_;
};
const render = what => {
  if (what !== 'range') {
    gather();
    drawStrip();
    controls();
    drawMain();
  } else moveMain();
  drawWindow();
  figures();
  drawRank();
  sayMain();
  Object.keys(LATER).forEach(id => stale.add(id));
  later();
};
const act = (change, push = true) => {
  change();
  render('all');
  remember(push);
};
let frame = 0;
const setRange = (a, b, again) => {
  a = clamp(Math.round(a), 0, STEPS - 1);
  b = clamp(Math.round(b), 0, STEPS - 1);
  if (a > b) [a, b] = [b, a];
  if (a === S.from && b === S.to && !again) return;
  S.from = a;
  S.to = b;
  // One answer per frame, however often a pointer moves.
  if (!frame)
    frame = requestAnimationFrame(() => {
      frame = 0;
      render('range');
      settle();
    });
};
let settling = 0;
const settle = () => {
  clearTimeout(settling);
  settling = setTimeout(() => remember(false), 250);
};
const setFilter = (k, codes) =>
  act(() => {
    S.filters[k] = codes && codes.size && codes.size < D.levels[k].length ? codes : null;
    rows.rank = 12;
    rows.list = 25;
  });
// Opens a value of a column, or a series: it becomes the selection, and the ranking goes one level down.
const open = (by, g) => {
  act(() => {
    if (by === 'series') for (let k = 0; k < H.identifying; k++) S.filters[k] = new Set([D.codes[k][g]]);
    else S.filters[by] = new Set([g]);
    const next = H.keys.findIndex((_, k) => k < H.identifying && !(S.filters[k] && S.filters[k].size === 1));
    if (by === S.rankBy || by === 'series') S.rankBy = next >= 0 ? next : H.identifying ? H.identifying - 1 : S.rankBy;
    rows.rank = 12;
    rows.list = 25;
  });
};
const setTheme = () => {
  if (S.theme) document.documentElement.dataset.theme = S.theme;
  else delete document.documentElement.dataset.theme;
  dye();
  $('theme').textContent = ink.dark ? 'Light' : 'Dark';
};
