// What did somebody choose, and how does that become an address and come back from one?

// The first column that tells anything apart; a panel without keys is ranked by its only series.
const FIRST = H.keys.length
  ? Math.max(
      0,
      H.sizes.findIndex(size => size > 1),
    )
  : 'series';
const fresh = () => ({
  filters: H.keys.map(() => null), // A long history begins with its last two seasons.
  from: H.season > 1 && T > 3.5 * H.season ? T - 2 * H.season : Math.max(0, T - 400),
  to: STEPS - 1,
  models: new Set(M ? [H.main] : []),
  main: H.main,
  levels: new Set(H.levels.map((_, l) => l)),
  rankBy: FIRST,
  rankWhat: 'total',
  turned: false,
  compare: T > H.season && H.season > 1 ? 'before' : 'previous',
  other: -1,
  mapModel: H.main,
  mapBy: FIRST,
  mapWhat: 'size',
  sort: 'total',
  falling: true,
  plain: new Set(),
  theme: '',
});
let S = fresh();
let D = null; // the unpacked numbers
let G = null; // what the selection comes to
let rows = { rank: 12, list: 25, find: '' };

const encode = () => {
  const base = fresh(),
    parts = [],
    put = (name, value) => parts.push(name + '=' + encodeURIComponent(value));
  S.filters.forEach(
    (on, k) => on && put('k' + k, [...on].map(code => D.levels[k][code].replace(/[\\,]/g, '\\$&')).join(',')),
  );
  if (S.from !== base.from) put('from', H.steps[S.from]);
  if (S.to !== base.to) put('to', H.steps[S.to]);
  if (M && (S.models.size !== 1 || !S.models.has(H.main))) put('models', [...S.models].join('.'));
  if (S.main !== base.main) put('main', S.main);
  if (S.levels.size !== base.levels.size) put('bands', [...S.levels].join('.'));
  for (const name of [
    'rankBy',
    'rankWhat',
    'turned',
    'compare',
    'mapModel',
    'mapBy',
    'mapWhat',
    'sort',
    'falling',
    'theme',
  ])
    if (S[name] !== base[name]) put(name, S[name]);
  if (S.compare === 'dates' && S.other >= 0) put('other', H.steps[S.other]);
  if (S.plain.size) put('table', [...S.plain].join('.'));
  return parts.join('&');
};
const decode = text => {
  const state = fresh(),
    got = new Map();
  for (const part of text.replace(/^#/, '').split('&')) {
    const at = part.indexOf('=');
    if (at > 0)
      try {
        got.set(part.slice(0, at), decodeURIComponent(part.slice(at + 1)));
      } catch {
        /* not a link of ours */
      }
  }
  const list = (name, most) =>
    (got.get(name) || '')
      .split('.')
      .filter(one => /^\d+$/.test(one))
      .map(Number)
      .filter(one => one < most);
  H.keys.forEach((_, k) => {
    if (!got.has('k' + k)) return;
    const names = got.get('k' + k).match(/(?:\\.|[^,\\])+|^$/g) || [];
    const codes = names.map(name => D.places[k].get(name.replace(/\\(.)/g, '$1'))).filter(code => code !== undefined);
    if (codes.length) state.filters[k] = new Set(codes);
  });
  for (const end of ['from', 'to'])
    if (got.has(end)) {
      const step = stepAt(got.get(end));
      if (step >= 0) state[end] = step;
    }
  if (state.from > state.to) [state.from, state.to] = [state.to, state.from];
  if (got.has('models')) state.models = new Set(list('models', M));
  if (got.has('main')) state.main = list('main', M)[0] ?? state.main;
  if (got.has('bands')) state.levels = new Set(list('bands', H.levels.length));
  for (const name of ['rankBy', 'mapBy'])
    if (got.has(name))
      state[name] = got.get(name) === 'series' ? 'series' : (list(name, H.keys.length)[0] ?? state[name]);
  if (got.has('mapModel')) state.mapModel = list('mapModel', M)[0] ?? state.mapModel;
  const one = (name, allowed) => {
    if (allowed.includes(got.get(name))) state[name] = got.get(name);
  };
  one('rankWhat', ['total', 'change', 'forecast', 'error']);
  one('mapWhat', ['size', 'side']);
  one('theme', ['light', 'dark']);
  one('compare', ['before', 'previous', 'dates', 'seasons']);
  one('sort', ['total', 'change', 'forecast', 'error', 'name']);
  for (const name of ['turned', 'falling']) if (got.has(name)) state[name] = got.get(name) === 'true';
  if (got.has('other')) state.other = stepAt(got.get('other'));
  state.plain = new Set(
    (got.get('table') || '').split('.').filter(name => ['main', 'compare', 'map', 'orders'].includes(name)),
  );
  return state;
};
// Filters make a step of the browser's history, so that its back button is an undo; ranges do not, there are too many.
let steps = 0;
const remember = push => {
  const hash = '#' + encode();
  if (hash === (location.hash || '#')) return;
  try {
    history[push ? 'pushState' : 'replaceState']({ steps: push ? ++steps : steps }, '', hash);
  } catch {
    location.replace(hash);
  }
  $('undo').disabled = !steps;
};
