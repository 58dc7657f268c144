// The page at work: unpacks its numbers, answers filters and ranges, draws, speaks, remembers.
//
// A panel is a matrix, so there is no database here. Sales lie in one typed array, series after series; beside it are the
// sums of each series from its beginning, so that the total over any dates is one subtraction. A filter is a bit set over
// series. What a change touches is drawn at once; what lies below the window is drawn when it comes into view.
(() => {
'use strict';
const NONCE = document.currentScript.nonce;
const H = JSON.parse(document.getElementById('head').textContent);
const $ = id => document.getElementById(id);
const T = H.history, STEPS = H.steps.length, N = H.series, A = H.ahead, M = H.models.length;
const F = M ? STEPS - A : 0;
const COLOURS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9', '#8a6fd1', '#7a7a00'];
const DARK = ['#56b4e9', '#ff9d5c', '#2fc597', '#e59ac4', '#f0b93a', '#8fd0f5', '#b49cf0', '#c9c94a'];
const WORDS = text => text.replace(/_+/g, ' ').trim() || text;
const TARGET = WORDS(H.target), NAMES = H.keys.map(WORDS);
const plural = (n, one, many = one + 's') => `${whole(n)} ${n === 1 ? one : many}`;

// ---------------------------------------------------------------------------------------------- numbers and dates
const formats = new Map();
const digits = (value, most, least = 0) => {
  const key = most * 20 + least;
  if (!formats.has(key)) formats.set(key, new Intl.NumberFormat('en-US', { maximumFractionDigits: most, minimumFractionDigits: least }));
  // No minus before a zero.
  return formats.get(key).format(Number(value.toFixed(Math.min(most, 12))) + 0).replace('-', '−');
};
const NONE = '–';
const whole = value => Number.isFinite(value) ? digits(value, 0) : NONE;
let decimals = 0; // those of the sales
// Sales as they are stored; totals of thousands need no cents, except where each digit is asked for.
const exact = value => Number.isFinite(value) ? digits(value, decimals, Math.abs(value) < 1e9 ? decimals : 0) : NONE;
// About four significant digits.
const about = value => {
  if (!Number.isFinite(value)) return NONE;
  const size = Math.abs(value);
  if (size >= 1e15 || (size > 0 && size < 1e-4)) return value.toExponential(2).replace(/-/g, '−');
  return digits(value, size >= 1000 || size === 0 ? 0 : Math.min(6, Math.max(0, 3 - Math.floor(Math.log10(size)))));
};
const percent = (value, signed) => !Number.isFinite(value) ? NONE :
  (signed && value > 0 ? '+' : '') + digits(value, Math.abs(value) < 9.95 ? 1 : 0) + ' %';
const level = value => digits(100 * value, 2) + ' %';
const short = value => {
  const size = Math.abs(value);
  for (const [unit, name] of [[1e9, 'bn'], [1e6, 'm'], [1e3, 'k']]) if (size >= unit * 10) return about(value / unit) + ' ' + name;
  return about(value);
};
// Milliseconds for dates, numbers for numbered steps: what the axis of a chart understands.
const X = H.steps.map(text => H.dated ? Date.parse(text.length > 10 ? text.replace(' ', 'T') + 'Z' : text + 'T00:00Z') : Number(text));
const stepAt = text => {
  text = String(text).trim();
  const exactly = H.steps.indexOf(text);
  if (exactly >= 0) return exactly;
  const x = H.dated ? Date.parse(/^\d{4}$/.test(text) ? text + '-01-01' : /^\d{4}-\d{2}$/.test(text) ? text + '-01' : text.replace(' ', 'T') + (text.length > 10 ? 'Z' : '')) : Number(text);
  return text === '' || Number.isNaN(x) ? -1 : nearest(x);
};
const nearest = x => {
  let low = 0, high = STEPS - 1;
  while (low < high) { const middle = (low + high) >> 1; if (X[middle] < x) low = middle + 1; else high = middle; }
  return low > 0 && x - X[low - 1] < X[low] - x ? low - 1 : low;
};
const clamp = (value, low, high) => Math.max(low, Math.min(high, value));

// ------------------------------------------------------------------------------------------------------- unpacking
const bytesOf = text => {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(text);
  const letters = atob(text), out = new Uint8Array(letters.length);
  for (let i = 0; i < letters.length; i++) out[i] = letters.charCodeAt(i);
  return out;
};
const inflate = async (id, format = 'deflate') => {
  const stream = new Blob([bytesOf($('data-' + id).textContent)]).stream().pipeThrough(new DecompressionStream(format));
  return new Uint8Array(await new Response(stream).arrayBuffer());
};
const json = async id => JSON.parse(new TextDecoder().decode(await inflate(id)));
// Planes of bytes back into integers; see pack.rs.
const matrix = async id => {
  const head = H.blocks[id], raw = await inflate(id), { rows, columns, planes } = head, cells = rows * columns;
  const exponents = new Int8Array(raw.buffer, raw.byteOffset, head.exponents);
  let at = head.exponents, missing = null;
  if (head.missing) {
    const bits = raw.subarray(at, at + Math.ceil(cells / 8));
    at += bits.length;
    missing = new Uint8Array(cells);
    for (let i = 0; i < cells; i++) missing[i] = bits[i >> 3] >> (i & 7) & 1;
  }
  const Kind = head.most < 128 ? Int8Array : head.most < 32768 ? Int16Array : head.most < 2 ** 31 ? Int32Array : Float64Array;
  const out = new Kind(cells), plane = Array.from({ length: planes }, (_, p) => raw.subarray(at + p * cells, at + (p + 1) * cells));
  const [b0, b1, b2, b3] = plane;
  const code = planes === 0 ? () => 0 : planes === 1 ? i => b0[i] : planes === 2 ? i => b0[i] | b1[i] << 8 :
    planes === 3 ? i => b0[i] | b1[i] << 8 | b2[i] << 16 : planes === 4 ? i => (b0[i] | b1[i] << 8 | b2[i] << 16 | b3[i] << 24) >>> 0 :
    i => plane.reduce((sum, bytes, p) => sum + bytes[i] * 256 ** p, 0);
  const back = planes <= 4 ? z => (z >>> 1) ^ -(z & 1) : z => z % 2 ? -(z + 1) / 2 : z / 2;
  if (head.turned) {
    let place = 0;
    for (let c = 0; c < columns; c++) for (let r = 0, i = c; r < rows; r++, i += columns, place++) {
      const value = back(code(place));
      out[i] = head.difference && c ? out[i - 1] + value : value;
    }
  } else if (head.difference) {
    for (let r = 0, i = 0; r < rows; r++) for (let c = 0, before = 0; c < columns; c++, i++) out[i] = before += back(code(i));
  } else for (let i = 0; i < cells; i++) out[i] = back(code(i));
  return { rows, columns, cells: out, missing, exponents };
};
// By division where the power is negative: 12345 / 100 is 123.45, 12345 · 0.01 need not be.
const scaled = (value, exponent) => exponent < 0 ? value / 10 ** -exponent : value * 10 ** exponent;
const reals = ({ rows, columns, cells, missing, exponents }) => {
  const out = new Float64Array(rows * columns);
  for (let r = 0, i = 0; r < rows; r++) {
    const e = exponents.length > 1 ? exponents[r] : exponents[0] || 0;
    for (let c = 0; c < columns; c++, i++) out[i] = missing && missing[i] ? NaN : scaled(cells[i], e);
  }
  return out;
};

// ------------------------------------------------------------------------------------------------------- the state
// The first column that tells anything apart; a panel without keys is ranked by its only series.
const FIRST = H.keys.length ? Math.max(0, H.sizes.findIndex(size => size > 1)) : 'series';
const fresh = () => ({
  filters: H.keys.map(() => null), // A long history begins with its last two seasons.
  from: H.season > 1 && T > 3.5 * H.season ? T - 2 * H.season : Math.max(0, T - 400), to: STEPS - 1,
  models: new Set(M ? [H.main] : []), main: H.main, levels: new Set(H.levels.map((_, l) => l)),
  rankBy: FIRST, rankWhat: 'total', turned: false, compare: T > H.season && H.season > 1 ? 'before' : 'previous', other: -1,
  mapModel: H.main, mapBy: FIRST, mapWhat: 'size', sort: 'total', falling: true, plain: new Set(), theme: '',
});
let S = fresh();
let D = null;      // the unpacked numbers
let G = null;      // what the selection comes to
let rows = { rank: 12, list: 25, find: '' };

const encode = () => {
  const base = fresh(), parts = [], put = (name, value) => parts.push(name + '=' + encodeURIComponent(value));
  S.filters.forEach((on, k) => on && put('k' + k, [...on].map(code => D.levels[k][code].replace(/[\\,]/g, '\\$&')).join(',')));
  if (S.from !== base.from) put('from', H.steps[S.from]);
  if (S.to !== base.to) put('to', H.steps[S.to]);
  if (M && (S.models.size !== 1 || !S.models.has(H.main))) put('models', [...S.models].join('.'));
  if (S.main !== base.main) put('main', S.main);
  if (S.levels.size !== base.levels.size) put('bands', [...S.levels].join('.'));
  for (const name of ['rankBy', 'rankWhat', 'turned', 'compare', 'mapModel', 'mapBy', 'mapWhat', 'sort', 'falling', 'theme'])
    if (S[name] !== base[name]) put(name, S[name]);
  if (S.compare === 'dates' && S.other >= 0) put('other', H.steps[S.other]);
  if (S.plain.size) put('table', [...S.plain].join('.'));
  return parts.join('&');
};
const decode = text => {
  const state = fresh(), got = new Map();
  for (const part of text.replace(/^#/, '').split('&')) {
    const at = part.indexOf('=');
    if (at > 0) try { got.set(part.slice(0, at), decodeURIComponent(part.slice(at + 1))); } catch { /* not a link of ours */ }
  }
  const list = (name, most) => (got.get(name) || '').split('.').filter(one => /^\d+$/.test(one)).map(Number).filter(one => one < most);
  H.keys.forEach((_, k) => {
    if (!got.has('k' + k)) return;
    const names = got.get('k' + k).match(/(?:\\.|[^,\\])+|^$/g) || [];
    const codes = names.map(name => D.places[k].get(name.replace(/\\(.)/g, '$1'))).filter(code => code !== undefined);
    if (codes.length) state.filters[k] = new Set(codes);
  });
  for (const end of ['from', 'to']) if (got.has(end)) { const step = stepAt(got.get(end)); if (step >= 0) state[end] = step; }
  if (state.from > state.to) [state.from, state.to] = [state.to, state.from];
  if (got.has('models')) state.models = new Set(list('models', M));
  if (got.has('main')) state.main = list('main', M)[0] ?? state.main;
  if (got.has('bands')) state.levels = new Set(list('bands', H.levels.length));
  for (const name of ['rankBy', 'mapBy']) if (got.has(name)) state[name] = got.get(name) === 'series' ? 'series' : list(name, H.keys.length)[0] ?? state[name];
  if (got.has('mapModel')) state.mapModel = list('mapModel', M)[0] ?? state.mapModel;
  const one = (name, allowed) => { if (allowed.includes(got.get(name))) state[name] = got.get(name); };
  one('rankWhat', ['total', 'change', 'forecast', 'error']); one('mapWhat', ['size', 'side']); one('theme', ['light', 'dark']);
  one('compare', ['before', 'previous', 'dates', 'seasons']); one('sort', ['total', 'change', 'forecast', 'error', 'name']);
  for (const name of ['turned', 'falling']) if (got.has(name)) state[name] = got.get(name) === 'true';
  if (got.has('other')) state.other = stepAt(got.get('other'));
  state.plain = new Set((got.get('table') || '').split('.').filter(name => ['main', 'compare', 'map', 'orders'].includes(name)));
  return state;
};
// Filters make a step of the browser's history, so that its back button is an undo; ranges do not, there are too many.
let steps = 0;
const remember = push => {
  const hash = '#' + encode();
  if (hash === (location.hash || '#')) return;
  try { history[push ? 'pushState' : 'replaceState']({ steps: push ? ++steps : steps }, '', hash); } catch { location.replace(hash); }
  $('undo').disabled = !steps;
};

// ---------------------------------------------------------------------------------------------------- the selection
const bits = words => new Uint32Array(words);
const masks = H.keys.map(() => ({ on: undefined, bits: null }));
// The series that one column's filter lets through; kept until that filter changes.
const mask = k => {
  const on = S.filters[k], kept = masks[k];
  if (kept.on !== on) {
    kept.on = on;
    if (on) {
      const allowed = new Uint8Array(D.levels[k].length), codes = D.codes[k];
      on.forEach(code => { allowed[code] = 1; });
      kept.bits = bits((N + 31) >> 5);
      for (let i = 0; i < N; i++) kept.bits[i >> 5] |= allowed[codes[i]] << (i & 31);
    }
  }
  return on ? kept.bits : null;
};
const select = except => {
  const all = bits((N + 31) >> 5).fill(0xffffffff);
  H.keys.forEach((_, k) => { const one = k === except ? null : mask(k); if (one) for (let w = 0; w < all.length; w++) all[w] &= one[w]; });
  const chosen = new Int32Array(N);
  let count = 0;
  for (let w = 0; w < all.length; w++) for (let word = all[w] >>> 0, i = w * 32; word; word >>>= 1, i++) if (word & 1 && i < N) chosen[count++] = i;
  return chosen.subarray(0, count);
};
// Sums over the chosen series, step by step; NaN where none of them has a value. Exact integers are added as integers; where
// most series are chosen, those that are not are taken from the total instead, which is as exact and faster.
const addUp = chosen => {
  const { cells, missing, factor, factors } = D.sales;
  const invert = !factors && chosen.length > N / 2 && D.all;
  if (chosen.length === N && D.all) return { sum: D.all.sum.slice(), count: D.all.count.slice() };
  let list = chosen;
  if (invert) {
    const on = new Uint8Array(N);
    list = new Int32Array(N - chosen.length);
    chosen.forEach(i => { on[i] = 1; });
    for (let i = 0, at = 0; i < N; i++) if (!on[i]) list[at++] = i;
  }
  const sum = new Float64Array(T), count = new Float64Array(T);
  for (const i of list) {
    const from = i * T, times = factors ? factors[i] : 1;
    if (missing) for (let t = 0; t < T; t++) { sum[t] += cells[from + t] * times; count[t] += 1 - missing[from + t]; }
    else if (factors) for (let t = 0; t < T; t++) sum[t] += cells[from + t] * times;
    else for (let t = 0; t < T; t++) sum[t] += cells[from + t];
  }
  if (!missing) count.fill(list.length);
  if (!factors) for (let t = 0; t < T; t++) sum[t] = scaled(sum[t], factor);
  if (invert) for (let t = 0; t < T; t++) {
    // In the smallest unit both are integers.
    const unit = 10 ** Math.max(0, -factor);
    sum[t] = Math.round((D.all.sum[t] - sum[t]) * unit) / unit;
    count[t] = D.all.count[t] - count[t];
  }
  return { sum, count };
};
// The sales of a series from step a to step b, both included.
const sold = (i, a, b) => {
  b = Math.min(b, T - 1);
  if (b < a) return 0;
  const at = i * (T + 1), value = D.prefix[at + b + 1] - D.prefix[at + a];
  return D.sales.factors ? value * D.sales.factors[i] : scaled(value, D.sales.factor);
};
// Its forecast over steps a to b of the calendar.
const foretold = (m, i, a, b) => {
  a = Math.max(a, A);
  if (!M || b < a) return 0;
  const at = i * (F + 1);
  return D.models[m].prefix[at + b - A + 1] - D.models[m].prefix[at + a - A];
};
const gather = () => {
  const chosen = select(-1), { sum, count } = addUp(chosen);
  const sales = sum;
  for (let t = 0; t < T; t++) if (!count[t]) sales[t] = NaN;
  const models = D.models.map(model => {
    const mean = new Float64Array(F).fill(NaN);
    let have = 0;
    for (const i of chosen) {
      let any = 0;
      for (let h = 0, at = i * F; h < F; h++, at++) {
        const value = model.mean[at];
        if (value === value) { mean[h] = mean[h] === mean[h] ? mean[h] + value : value; any = 1; }
      }
      have += any;
    }
    return { mean, have };
  });
  G = { chosen, sales, count, models, bands: new Map() };
};
const only = () => {
  const on = S.filters.map((f, k) => f && k).filter(k => k !== null);
  return on.length === 1 && S.filters[on[0]].size === 1 ? { k: on[0], code: [...S.filters[on[0]]][0] } : null;
};
// Which precomputed total is selected: everything, or one value of one column; −1 if none is.
const group = () => {
  if (!H.joint) return -1;
  if (G.chosen.length === N) return 0;
  const one = only();
  if (!one || !H.grouped.includes(one.k)) return -1;
  let at = 1;
  for (const k of H.grouped) { if (k === one.k) return at + one.code; at += H.sizes[k]; }
  return -1;
};
// The ends of the intervals of the selected total by a model, level by level; or why there are none. See data.rs.
const bands = m => {
  if (!G.bands.has(m)) G.bands.set(m, makeBands(m));
  return G.bands.get(m);
};
const makeBands = m => {
  const L = H.levels.length, model = D.models[m], mean = G.models[m].mean;
  if (!L) return { why: 'This forecast has no intervals.' };
  if (!G.chosen.length) return { why: '' };
  const pair = make => H.levels.map((_, l) => [0, 1].map(end => Float64Array.from({ length: F }, (_, h) => make(l, end, h))));
  if (G.chosen.length === 1) {
    const at = G.chosen[0] * F;
    return { ends: pair((l, end, h) => model.mean[at + h] + model.bounds[l][end][at + h]) };
  }
  const g = group();
  if (g >= 0 && D.groups) {
    const at = (l, end) => ((m * groupCount + g) * L + l) * 2 + end;
    return { ends: pair((l, end, h) => D.groups[at(l, end) * F + h]), whole: H.levels.map((_, l) => [D.sums[at(l, 0)], D.sums[at(l, 1)]]) };
  }
  if (!H.paths.count) return { why: 'No interval is shown for this selection: those of single series do not add up. Select one series, or one value of one filter.' };
  if (!D.paths[m]) return { why: 'The interval of this selection is being prepared.' };
  const mix = together(m);
  return { mix, ends: pair((l, end, h) => mean[h] + (end ? 1 : -1) * mix.width(l, end, h, h)) };
};
const groupCount = 1 + H.grouped.reduce((sum, k) => sum + H.sizes[k], 0);
// Combines the half-widths of the chosen series by their mean correlation along stored joint paths.
const together = m => {
  const K = H.paths.count, codes = D.paths[m].cells, model = D.models[m], L = H.levels.length;
  const sums = new Float64Array(K * F), own = new Float64Array(F), ownSd = new Float64Array(F), ownVar = new Float64Array(F);
  const wide = H.levels.map(() => [0, 1].map(() => [new Float64Array(F), new Float64Array(F)]));
  for (const i of G.chosen) for (let h = 0; h < F; h++) {
    const at = i * F + h, low = model.bounds[0][0][at], high = model.bounds[0][1][at];
    if (!(high - low >= 0)) continue;
    for (let l = 0; l < L; l++) for (let end = 0; end < 2; end++) {
      const w = Math.abs(model.bounds[l][end][at]);
      wide[l][end][0][h] += w; wide[l][end][1][h] += w * w;
    }
    const unit = (high - low) / 2 / H.paths.deviate * H.paths.unit;
    let squares = 0;
    for (let n = 0, c = i * K * F + h; n < K; n++, c += F) { const code = codes[c]; sums[n * F + h] += code * unit; squares += code * code; }
    own[h] += unit * unit * squares / K;
    // Sheppard's correction: whole units blur a deviation by a twelfth of a squared unit.
    const clear = unit * Math.sqrt(Math.max(0, squares / K - 1 / 12));
    ownSd[h] += clear; ownVar[h] += clear * clear;
  }
  const add = (values, a, b) => { let sum = 0; for (let h = a; h <= b; h++) sum += values[h]; return sum; };
  const correlation = (a, b) => {
    let sum = 0, squares = 0;
    for (let n = 0; n < K; n++) { const one = add(sums.subarray(n * F, n * F + F), a, b); sum += one; squares += one * one; }
    const variance = (squares - sum * sum / K) / (K - 1), apart = add(ownVar, a, b), room = add(ownSd, a, b) ** 2 - apart;
    return room > apart * 1e-9 ? clamp((variance - add(own, a, b)) / room, -apart / room, 1) : 1;
  };
  const kept = new Map();
  return { width: (l, end, a, b) => {
    const key = a * F + b;
    if (!kept.has(key)) kept.set(key, correlation(a, b));
    const rho = kept.get(key);
    return Math.sqrt(Math.max(0, (1 - rho) * add(wide[l][end][1], a, b) + rho * add(wide[l][end][0], a, b) ** 2));
  } };
};
// The forecast steps that figures are about: those in the range, all of them if there are none.
const aheadRange = () => S.to >= Math.max(A, 0) && S.to >= T ? [Math.max(S.from, T, A), S.to] : [Math.max(T, A), STEPS - 1];
const aheadTotal = m => {
  const [a, b] = aheadRange();
  let sum = NaN;
  for (let t = a; t <= b; t++) { const v = G.models[m].mean[t - A]; if (v === v) sum = sum === sum ? sum + v : v; }
  const band = bands(m);
  let ends = null;
  if (band.ends) {
    if (a === b) ends = H.levels.map((_, l) => [band.ends[l][0][a - A], band.ends[l][1][a - A]]);
    else if (band.whole && a === A && b === STEPS - 1) ends = band.whole;
    else if (H.paths.count && D.paths[m]) {
      const mix = band.mix || (band.mix = together(m));
      ends = H.levels.map((_, l) => [sum - mix.width(l, 0, a - A, b - A), sum + mix.width(l, 1, a - A, b - A)]);
    }
  }
  return { a, b, sum, ends };
};
// The other period: as many steps, so many steps earlier; only steps that both have.
const shift = () => {
  const wide = S.to - S.from + 1;
  if (S.compare === 'dates' && S.other >= 0) return S.from - S.other;
  return S.compare === 'previous' ? wide : H.season > 1 ? H.season : wide;
};
const overlap = () => {
  let by = shift(), a = S.from, b = S.to;
  // Nothing lies before the whole history: its second half is compared with its first.
  if (S.compare === 'previous' && b - by < 0) { by = Math.floor((b - a + 1) / 2); b = a + 2 * by - 1; a += by; }
  if (a - by < 0) a = by;
  if (b - by > T - 1) b = by + T - 1;
  if (!M) b = Math.min(b, T - 1);
  return { by, a: Math.max(a, 0), b, none: b < a || by === 0 };
};
const valueAt = t => t < T ? G.sales[t] : M ? G.models[S.main].mean[t - A] : NaN;
const change = () => {
  const { by, a, b, none } = overlap();
  let now = 0, then = 0, seen = 0;
  for (let t = a; t <= b && !none; t++) { const x = valueAt(t), y = valueAt(t - by); if (x === x && y === y) { now += x; then += y; seen++; } }
  return { by, a, b, now, then, seen };
};
const share = (now, then) => then ? 100 * (now - then) / Math.abs(then) : NaN;
const compared = () => ({ before: H.before, previous: 'the period before', dates: S.other >= 0 ? 'the chosen dates' : H.before, seasons: H.before })[S.compare];
const errorOf = (m, list) => {
  if (!D.errors) return null;
  const E = D.errors, folds = H.folds.length;
  let off = 0, side = 0, actual = 0;
  for (const i of list) for (let f = 0, at = i * folds; f < folds; f++, at++) {
    const e = E.models[m].absolute[at];
    if (e === e) { off += e; side += E.models[m].signed[at]; actual += E.actual[at]; }
  }
  return { size: actual ? 100 * off / actual : NaN, side: actual ? 100 * side / actual : NaN };
};
// A number per value of a column, or per series.
const measure = (by, what, list) => {
  const levels = by === 'series' ? N : D.levels[by].length, codes = by === 'series' ? null : D.codes[by];
  const value = new Float64Array(levels), base = new Float64Array(levels), members = new Int32Array(levels);
  const { by: back, a, b, none } = overlap(), [fa, fb] = aheadRange(), folds = H.folds ? H.folds.length : 0;
  for (const i of list) {
    const g = codes ? codes[i] : i;
    members[g]++;
    if (what === 'total') value[g] += sold(i, S.from, S.to);
    else if (what === 'forecast') value[g] += foretold(S.main, i, fa, fb);
    else if (what === 'change') {
      if (none) continue;
      value[g] += sold(i, a, b) + (b >= T ? foretold(S.main, i, Math.max(T, a), b) : 0);
      base[g] += sold(i, a - back, b - back);
    } else for (let f = 0, at = i * folds; f < folds; f++, at++) {
      const e = D.errors.models[S.main].absolute[at];
      if (e === e) { value[g] += e; base[g] += D.errors.actual[at]; }
    }
  }
  if (what === 'change') for (let g = 0; g < levels; g++) value[g] -= base[g];
  if (what === 'error') for (let g = 0; g < levels; g++) value[g] = base[g] ? 100 * value[g] / base[g] : NaN;
  return { value, base, members };
};
// The places of the k greatest (or least) values without sorting all of them.
const best = (value, candidates, k, falling) => {
  const better = falling ? (x, y) => x > y : (x, y) => x < y, heap = [];
  const worse = (p, q) => { const x = value[p], y = value[q]; return x === y ? p > q : better(y, x); };
  const sink = at => {
    for (;;) {
      let next = at;
      for (const child of [2 * at + 1, 2 * at + 2]) if (child < heap.length && worse(heap[child], heap[next])) next = child;
      if (next === at) return;
      [heap[at], heap[next]] = [heap[next], heap[at]];
      at = next;
    }
  };
  for (const p of candidates) {
    if (value[p] !== value[p]) continue;
    if (heap.length < k) {
      heap.push(p);
      for (let at = heap.length - 1, up; at && worse(heap[at], heap[up = (at - 1) >> 1]); at = up) [heap[at], heap[up]] = [heap[up], heap[at]];
    } else if (k && worse(heap[0], p)) { heap[0] = p; sink(0); }
  }
  return heap.sort((p, q) => worse(p, q) ? 1 : -1);
};
const nameOf = i => H.identifying ? NAMES.slice(0, H.identifying).map((name, k) => `${name} ${D.levels[k][D.codes[k][i]]}`).join(', ') : TARGET;
// A bare number says little: `Store 4`.
const named = (by, g) => by === 'series' ? nameOf(g) : /^[\d.]*$/.test(D.levels[by][g]) ? `${NAMES[by]} ${D.levels[by][g]}` : D.levels[by][g];
const selected = () => S.filters.map((on, k) => on && (on.size === 1 ? `${NAMES[k]} ${D.levels[k][[...on][0]]}` : `${plural(on.size, 'value')} of ${NAMES[k]}`)).filter(Boolean).join(', ') || 'All series';

// ---------------------------------------------------------------------------------------------------------- drawing
const el = (tag, attributes = {}, ...children) => {
  const out = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith('on')) out.addEventListener(name.slice(2), value);
    else if (value === true) out.setAttribute(name, '');
    else if (value !== false && value !== undefined && value !== null) out.setAttribute(name, value);
  }
  out.append(...children);
  return out;
};
// Text for Plotly, which reads tags and entities.
const tame = text => String(text).replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
const cut = (text, most = 26) => { const letters = [...text]; return letters.length > most ? letters.slice(0, most - 1).join('') + '…' : text; };
let ink = {};
const isDark = () => document.documentElement.dataset.theme ? document.documentElement.dataset.theme === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches;
const dye = () => {
  const style = getComputedStyle(document.documentElement), dark = isDark();
  ink = Object.fromEntries(['ink', 'soft', 'rule', 'edge', 'paper', 'accent', 'tint'].map(name => [name, style.getPropertyValue('--' + name).trim()]));
  // The model that is shown first has the colour of the page.
  ink.models = H.models.map((_, m) => (dark ? DARK : COLOURS)[(m === H.main ? 0 : m < H.main ? m + 1 : m) % COLOURS.length]);
  ink.dark = dark;
};
const clear = (colour, share) => { const n = parseInt(colour.slice(1), 16); return `rgba(${n >> 16},${n >> 8 & 255},${n & 255},${share})`; };
const layout = more => ({
  margin: { l: 62, r: 12, t: 12, b: 36 }, showlegend: false, paper_bgcolor: ink.paper, plot_bgcolor: ink.paper, hovermode: 'x unified',
  font: { family: '"Open Sans","Segoe UI",Helvetica,Arial,sans-serif', size: 12, color: ink.soft },
  hoverlabel: { bgcolor: ink.paper, bordercolor: ink.edge, font: { color: ink.ink, size: 12 }, namelength: 28 }, dragmode: 'zoom', ...more,
});
const axis = more => ({ gridcolor: ink.rule, linecolor: ink.edge, zerolinecolor: ink.edge, zeroline: false, automargin: false, fixedrange: true, ...more });
const CONFIG = { displayModeBar: false, responsive: true, scrollZoom: false, showTips: false, doubleClick: false };
const width = id => Math.max(200, $(id).clientWidth);
// At most the least and the greatest value per pixel of a line, so that extremes survive.
const thin = (from, to, value, pixels) => {
  const out = [], many = to - from + 1;
  if (many <= 2 * pixels) { for (let t = from; t <= to; t++) out.push(t); return out; }
  for (let p = 0; p < pixels; p++) {
    const a = from + Math.floor(many * p / pixels), b = from + Math.floor(many * (p + 1) / pixels);
    let low = -1, high = -1;
    for (let t = a; t < b; t++) { const v = value(t); if (v !== v) continue; if (low < 0 || v < value(low)) low = t; if (high < 0 || v > value(high)) high = t; }
    if (low >= 0) out.push(...(low === high ? [low] : low < high ? [low, high] : [high, low]));
    else out.push(a);
  }
  return out;
};
const fineness = values => { let most = 0; for (const v of values) if (Math.abs(v) > most) most = Math.abs(v); return most >= 1000 ? 0 : most >= 10 ? 2 : 3; };
const drawn = new Set();
const plot = (id, traces, how) => {
  if (!window.Plotly) return;
  if (drawn.has(id)) window.Plotly.react(id, traces, how, CONFIG);
  else {
    $(id).textContent = '';
    window.Plotly.newPlot(id, traces, how, CONFIG);
    drawn.add(id);
    if (id === 'main') {
      $(id).on('plotly_relayout', event => {
        // Only what a person does; what the page asks for carries no single ends.
        const a = event['xaxis.range[0]'], b = event['xaxis.range[1]'];
        if (a === undefined) return;
        const at = x => nearest(H.dated ? (typeof x === 'number' ? x : Date.parse(String(x).replace(' ', 'T').replace(/(\.\d{3})\d*/, '$1') + (String(x).length > 10 ? 'Z' : ''))) : Number(x));
        setRange(at(a), at(b), true);
      });
      $(id).addEventListener('dblclick', () => setRange(0, STEPS - 1));
    }
    if (id === 'map') $(id).on('plotly_click', event => openRow(event.points[0].pointIndex[0]));
    if (id === 'orders') $(id).on('plotly_click', event => openOrder(event.points[0].pointIndex));
  }
};
const xRange = () => {
  const a = X[S.from], b = X[S.to], gap = STEPS > 1 ? (X[STEPS - 1] - X[0]) / (STEPS - 1) : 1;
  return [a - gap * .6, b + gap * .6];
};
const yRange = () => {
  let low = Infinity, high = -Infinity;
  const see = v => { if (v === v) { if (v < low) low = v; if (v > high) high = v; } };
  for (let t = S.from; t <= S.to; t++) {
    if (t < T) see(G.sales[t]);
    if (t >= A && M) for (const m of S.models) { see(G.models[m].mean[t - A]); }
    if (t >= A && M && S.models.has(S.main)) { const b = bands(S.main); if (b.ends) S.levels.forEach(l => { see(b.ends[l][0][t - A]); see(b.ends[l][1][t - A]); }); }
  }
  if (low > high) return [0, 1];
  if (low > 0 && low < .6 * high) low = 0;
  const room = (high - low || Math.abs(high) || 1) * .06;
  return [low === 0 ? 0 : low - room, high + room];
};
const xAxis = () => axis({ type: H.dated ? 'date' : 'linear', range: xRange(), fixedrange: false, showgrid: false, ticks: 'outside', tickcolor: ink.edge, nticks: width('main') < 500 ? 5 : 10, hoverformat: H.dated ? (H.steps[0].length > 10 ? '%Y-%m-%d %H:%M' : '%Y-%m-%d') : undefined });
// Half a step in pixels: nearer than that a line may answer, further off it would tell the value of another date.
const reach = (id, steps) => Math.max(1, Math.ceil(.55 * (width(id) - 74) / Math.max(1, steps)));
const drawMain = () => {
  if (S.plain.has('main')) return plainMain();
  const pixels = width('main'), at = thin(0, T - 1, t => G.sales[t], T > 6 * pixels ? pixels * Math.ceil(T / Math.max(1, S.to - S.from + 1)) : T);
  const fine = (decimal => `,.${decimal}f`);
  const traces = [];
  const line = (x, y, name, more) => ({ type: 'scatter', mode: 'lines', x, y, name, hovertemplate: `%{y:${fine(more.fine ?? 0)}}`, ...more.trace });
  // A band is one closed line: half as many traces as two ends, which is what a redrawing costs. Its numbers are told with the mean.
  let told = null;
  if (M && S.models.has(S.main)) {
    const b = bands(S.main), colour = ink.models[S.main], on = [...S.levels].sort((p, q) => q - p);
    if (b.ends && on.length) {
      told = Array.from({ length: F }, (_, h) => on.map(l => `<br>${level(H.levels[l])}: ${about(b.ends[l][0][h])} to ${about(b.ends[l][1][h])}`).reverse().join(''));
      for (const l of on) {
        const [low, high] = b.ends[l], there = Array.from({ length: F }, (_, h) => h).filter(h => low[h] === low[h] && high[h] === high[h]), back = [...there].reverse();
        traces.push({ type: 'scatter', mode: 'lines', name: level(H.levels[l]), x: [...there, ...back].map(h => X[A + h]), y: [...there.map(h => high[h]), ...back.map(h => low[h])],
          fill: 'toself', fillcolor: clear(colour, l ? .13 : .24), line: { width: 0, color: colour }, hoverinfo: 'skip' });
      }
    }
  }
  const dots = (n, enough) => n < enough ? 'lines+markers' : 'lines';
  traces.push(line(at.map(t => X[t]), at.map(t => G.sales[t]), tame(TARGET), { fine: decimals, trace: { mode: dots(T, 40), marker: { size: 5 }, line: { width: 1.6, color: ink.ink } } }));
  for (const m of S.models) traces.push(line(X.slice(A), Array.from(G.models[m].mean), tame(H.models[m]), { fine: fineness(G.models[m].mean),
    trace: { ...(m === S.main && told ? { customdata: told, hovertemplate: `%{y:${fine(fineness(G.models[m].mean))}}%{customdata}` } : {}), mode: dots(F, 40), marker: { size: m === S.main ? 5 : 4 }, line: { width: m === S.main ? 2.4 : 1.6, color: ink.models[m], dash: m === S.main ? 'solid' : 'dot' } } }));
  const shapes = M && T < STEPS && T > 0 ? [{ type: 'line', x0: (X[T - 1] + X[T]) / 2, x1: (X[T - 1] + X[T]) / 2, y0: 0, y1: 1, yref: 'paper', line: { color: ink.edge, width: 1, dash: 'dot' } }] : [];
  plot('main', traces, layout({ xaxis: xAxis(), yaxis: axis({ range: yRange(), tickformat: '~s', nticks: 7 }), shapes, hoverdistance: reach('main', S.to - S.from + 1.2) }));
};
// A range moves the axes alone: the lines stay what they are.
const moveMain = () => {
  if (S.plain.has('main')) return plainMain();
  if (!drawn.has('main')) return drawMain();
  window.Plotly.relayout('main', { 'xaxis.range': xRange(), 'yaxis.range': yRange(), hoverdistance: reach('main', S.to - S.from + 1.2) });
};
const sayMain = () => {
  const band = M && bands(S.main), parts = [`${selected()}: ${plural(G.chosen.length, 'series', 'series')}, ${H.steps[S.from]} to ${H.steps[S.to]}.`];
  if (M) {
    const short = G.chosen.length - G.models[S.main].have;
    if (short > 0) parts.push(`${H.models[S.main]} has no forecast for ${whole(short)} of them.`);
    if (band.why) parts.push(band.why);
    else if (band.mix && band.ends && group() < 0 && G.chosen.length > 1) parts.push(`The interval of this selection is estimated from ${H.paths.count} joint sample paths, within about ${whole(100 / Math.sqrt(2 * (H.paths.count - 1)))} % of its width.`);
  }
  $('main-say').textContent = parts.join(' ');
};
const mainRows = () => {
  const head = [H.noun[0].toUpperCase() + H.noun.slice(1), TARGET], rows = [], shown = [...S.models];
  const b = M && bands(S.main);
  shown.forEach(m => head.push(H.models[m]));
  const on = b && b.ends && S.models.has(S.main) ? [...S.levels] : [];
  on.forEach(l => head.push(`${level(H.levels[l])} from`, `${level(H.levels[l])} to`));
  for (let t = S.from; t <= S.to; t++) {
    const row = [H.steps[t], t < T ? G.sales[t] : NaN];
    shown.forEach(m => row.push(t >= A ? G.models[m].mean[t - A] : NaN));
    on.forEach(l => row.push(t >= A ? b.ends[l][0][t - A] : NaN, t >= A ? b.ends[l][1][t - A] : NaN));
    rows.push(row);
  }
  return { head, rows };
};
const MOST = 400;
const table = (id, { head, rows }, show = about) => {
  const body = rows.slice(-MOST).map(row => el('tr', {}, ...row.map((value, c) => c === 0 ? el('th', { scope: 'row', dir: 'auto' }, String(value)) :
    el('td', typeof value === 'number' ? { class: 'n' } : { dir: 'auto' }, typeof value === 'number' ? show(value, c) : String(value)))));
  const numeric = c => rows.length && typeof rows[0][c] === 'number';
  const out = el('table', {}, el('thead', {}, el('tr', {}, ...head.map((text, c) => el('th', { scope: 'col', class: numeric(c) ? 'n' : null, dir: 'auto' }, text)))), el('tbody', {}, ...body));
  $(id).replaceChildren(out, ...(rows.length > MOST ? [el('p', { class: 'say' }, `The last ${whole(MOST)} of ${whole(rows.length)} rows; the download has all of them.`)] : []));
};
const plainMain = () => table('main-plain', mainRows(), (value, c) => c === 1 ? exact(value) : about(value));

const drawStrip = () => {
  const canvas = $('strip-line'), w = $('strip').clientWidth, h = $('strip').clientHeight, scale = Math.min(2, devicePixelRatio || 1);
  canvas.width = w * scale; canvas.height = h * scale;
  const pen = canvas.getContext('2d');
  pen.scale(scale, scale);
  let low = Infinity, high = -Infinity;
  for (let t = 0; t < STEPS; t++) { const v = valueAt(t); if (v < low) low = v; if (v > high) high = v; }
  if (low > 0 && low < high * .6) low = 0;
  const y = v => high > low ? h - 5 - (h - 10) * (v - low) / (high - low) : h / 2;
  const stroke = (a, b, colour) => {
    pen.beginPath(); pen.strokeStyle = colour; pen.lineWidth = 1.2;
    let on = false;
    for (const t of thin(a, b, valueAt, w)) { const v = valueAt(t); if (v !== v) { on = false; continue; } pen[on ? 'lineTo' : 'moveTo'](place(t) * w, y(v)); on = true; }
    pen.stroke();
  };
  if (T) stroke(0, T - 1, ink.soft);
  if (M && T < STEPS) stroke(Math.max(0, T - 1), STEPS - 1, ink.models[S.main]);
};
const place = t => STEPS > 1 ? .01 + .98 * t / (STEPS - 1) : .5;
const drawWindow = () => {
  const a = 100 * place(S.from), b = 100 * place(S.to);
  $('window').style.left = a + '%'; $('window').style.width = b - a + '%';
  for (const [id, t, low, high] of [['thumb-a', S.from, 0, S.to], ['thumb-b', S.to, S.from, STEPS - 1]]) {
    const thumb = $(id);
    thumb.style.left = 100 * place(t) + '%';
    thumb.setAttribute('aria-valuemin', low); thumb.setAttribute('aria-valuemax', high);
    thumb.setAttribute('aria-valuenow', t); thumb.setAttribute('aria-valuetext', H.steps[t]);
  }
  if (document.activeElement !== $('from')) $('from').value = H.steps[S.from] ?? '';
  if (document.activeElement !== $('to')) $('to').value = H.steps[S.to] ?? '';
};

const figures = () => {
  const cards = [], card = (title, number, ...lines) => cards.push([title, number, lines.filter(Boolean)]);
  const last = Math.min(S.to, T - 1);
  let total = NaN;
  for (let t = S.from; t <= last; t++) if (G.sales[t] === G.sales[t]) total = total === total ? total + G.sales[t] : G.sales[t];
  const change_ = () => {
    let now = 0, then = 0, seen = 0;
    const by = shift();
    for (let t = Math.max(S.from, by); t <= last; t++) { const y = G.sales[t - by], x = G.sales[t]; if (x === x && y === y) { now += x; then += y; seen++; } }
    return seen ? [share(now, then), seen, last - S.from + 1] : null;
  };
  const moved = (value, words) => Number.isFinite(value) && el('p', {}, el('span', { class: value >= 0 ? 'up' : 'down' }, percent(value, true)), ` on ${words}`);
  if (last >= S.from) {
    const c = change_();
    card(TARGET, about(total), `${H.steps[S.from]} to ${H.steps[last]}`, c && moved(c[0], compared() + (c[1] < c[2] ? ` (last ${plural(c[1], H.noun)})` : '')));
  } else card(TARGET, NONE, 'The chosen dates lie ahead');
  if (M) {
    const { a, b, sum, ends } = aheadTotal(S.main), model = H.models[S.main];
    const at = ends && S.levels.size ? Math.min(...S.levels) : 0;
    card(`Forecast, ${plural(b - a + 1, H.noun)}`, about(sum), `${H.steps[a]} to ${H.steps[b]}, ${model}`,
      ends ? `${level(H.levels[at])} likely: ${about(ends[at][0])} to ${about(ends[at][1])}` : null);
    let now = 0, then = 0, seen = 0;
    const by = H.season > 1 ? H.season : b - a + 1;
    for (let t = a; t <= b; t++) { const x = valueAt(t), y = t - by >= 0 && t - by < T ? G.sales[t - by] : NaN; if (x === x && y === y) { now += x; then += y; seen++; } }
    if (seen) card('Forecast against history', percent(share(now, then), true), `on ${H.season > 1 ? H.before : 'the period before'}: ${about(now)} against ${about(then)}`);
  }
  const error = M && errorOf(S.main, G.chosen);
  if (error && Number.isFinite(error.size)) card('Error in past tests', percent(error.size),
    `of sales, in ${plural(H.folds.length, 'test period')}`, `on balance ${percent(Math.abs(error.side))} too ${error.side >= 0 ? 'high' : 'low'}`);
  card('Series', whole(G.chosen.length), G.chosen.length === N ? 'all of them' : `of ${whole(N)}`, selected() === 'All series' ? null : cut(selected(), 60));
  if (D.orders) {
    let units = 0, items = 0;
    ordersShown().forEach(o => { const v = D.orders.order[o]; if (v > 0) { units += v; items++; } });
    card('To order', about(units), `units of ${plural(items, 'item')}`);
  }
  $('figures').replaceChildren(...cards.map(([title, number, lines]) => el('div', { class: 'figure' }, el('h2', { dir: 'auto' }, title), el('b', {}, number),
    ...lines.map(line => typeof line === 'string' ? el('p', { dir: 'auto' }, line) : line))));
};

const RANKS = { total: 'sales', change: 'change', forecast: 'forecast', error: 'error in past tests' };
const showing = (what, value) => what === 'error' ? percent(value) : what === 'change' ? (value > 0 ? '+' : '') + about(value) : about(value);
let ranked = null;
const drawRank = () => {
  const by = S.rankBy, what = S.rankWhat, { value, base, members } = measure(by, what, G.chosen);
  const there = by === 'series' ? G.chosen : Array.from(members.keys()).filter(g => members[g]);
  const top = best(value, there, rows.rank, !S.turned), name = g => by === 'series' ? nameOf(g) : D.levels[by][g];
  ranked = { by, what, value, base, there };
  const noun = by === 'series' ? 'series' : NAMES[by];
  let all = 0, most = 0, least = 0;
  for (const g of there) if (value[g] === value[g]) all += value[g];
  for (const g of top) { most = Math.max(most, value[g]); least = Math.min(least, value[g]); }
  const scale = most - least || 1;
  const titles = { total: 'Who sells most', change: 'What changed most', forecast: 'Where sales are expected', error: 'Where the forecast errs most' };
  $('rank-title').textContent = titles[what];
  const dates = what === 'forecast' ? aheadRange().map(t => H.steps[t]).join(' to ') : what === 'error' ? `${plural(H.folds.length, 'test period')}` : what === 'change' ? `against ${compared()}` : `${H.steps[S.from]} to ${H.steps[Math.min(S.to, T - 1)]}`;
  $('rank-say').textContent = top.length ? `${whole(there.length)} ${there.length === 1 ? 'value' : 'values'} of ${noun === 'series' ? 'the series' : noun}, ${dates}. ${S.turned ? 'Lowest' : 'Highest'}: ${cut(named(by, top[0]), 40)}, ${showing(what, value[top[0]])}.` : 'Nothing to rank in this selection.';
  const sharing = (what === 'total' || what === 'forecast') && all > 0 && least >= 0;
  const body = top.map(g => {
    const bar = el('i', { class: value[g] < 0 ? 'minus' : null });
    bar.style.left = 100 * (Math.min(0, value[g]) - least) / scale + '%';
    bar.style.width = 100 * Math.abs(value[g]) / scale + '%';
    const extra = sharing ? percent(100 * value[g] / all) : what === 'change' ? percent(share(value[g] + base[g], base[g]), true) : '';
    return el('tr', {}, el('th', { scope: 'row' }, el('button', { type: 'button', class: 'open', dir: 'auto', 'data-open': g, title: name(g), onclick: () => open(by, g) }, cut(name(g), 44))),
      el('td', { class: 'b', 'aria-hidden': 'true' }, el('span', { class: 'meter' }, bar)), el('td', { class: 'n' }, showing(what, value[g])), el('td', { class: 'n' }, extra));
  });
  const head = el('tr', {}, el('th', { scope: 'col', dir: 'auto' }, by === 'series' ? 'Series' : NAMES[by]), el('td', { 'aria-hidden': 'true' }), el('th', { scope: 'col', class: 'n' }, RANKS[what][0].toUpperCase() + RANKS[what].slice(1)),
    sharing || what === 'change' ? el('th', { scope: 'col', class: 'n' }, sharing ? 'Share' : 'Change') : el('td', {}));
  const focused = document.activeElement && document.activeElement.dataset && document.activeElement.closest('#rank') ? document.activeElement.dataset.open : null;
  $('rank').replaceChildren(...(top.length ? [el('table', {}, el('thead', {}, head), el('tbody', {}, ...body))] : []),
    ...(there.length > top.length && top.length ? [el('button', { type: 'button', class: 'more', onclick: () => { rows.rank += 30; drawRank(); } }, `Show more of ${whole(there.length)}`)] : []));
  if (focused !== null) { const again = $('rank').querySelector(`[data-open="${focused}"]`) || $('rank').querySelector('.open'); if (again) again.focus({ preventScroll: true }); }
};
const rankRows = () => {
  const { by, what, value, base, there } = ranked, order = best(value, there, there.length, !S.turned);
  return { head: [by === 'series' ? 'Series' : NAMES[by], RANKS[what], ...(what === 'change' ? ['compared with'] : [])],
    rows: order.map(g => [by === 'series' ? nameOf(g) : D.levels[by][g], value[g], ...(what === 'change' ? [base[g]] : [])]) };
};

// Seasons laid over each other, or two periods.
const compareLines = () => {
  const lines = [];
  if (S.compare === 'seasons' && H.season > 1) {
    const P = H.season, first = Math.max(0, Math.floor((STEPS - 1) / P) - 4) * P;
    // Years begin with the calendar's year where steps have dates, so that lines bear its number.
    const year = t => H.steps[t].slice(0, 4), yearly = H.dated && ['week', 'month', 'quarter'].includes(H.noun);
    const cycles = new Map();
    for (let t = yearly ? 0 : first; t < STEPS; t++) {
      const key = yearly ? year(t) : String(Math.floor(t / P));
      if (!cycles.has(key)) cycles.set(key, []);
      cycles.get(key).push(t);
    }
    const kept = [...cycles].slice(-5);
    kept.forEach(([key, list]) => {
      const full = yearly ? Math.floor((Date.parse(H.steps[list[0]].slice(0, 10)) - Date.UTC(+key, 0, 1)) / 864e5 / (365.25 / P)) : list[0] % P;
      lines.push({ name: yearly ? key : `from ${H.steps[list[0]]}`, points: list.map((t, k) => ({ x: full + k + 1, t, v: valueAt(t) })) });
    });
    return { lines, season: true };
  }
  const { by, a, b, none } = overlap();
  if (none) return { lines, season: false };
  const now = [], then = [];
  for (let t = a; t <= b; t++) { now.push({ x: t - a + 1, t, v: valueAt(t) }); then.push({ x: t - a + 1, t: t - by, v: valueAt(t - by) }); }
  lines.push({ name: `${H.steps[a - by]} to ${H.steps[b - by]}`, points: then }, { name: `${H.steps[a]} to ${H.steps[b]}`, points: now });
  return { lines, season: false };
};
let lines = null;
const drawCompare = () => {
  lines = compareLines();
  $('compare-when').hidden = S.compare !== 'dates';
  const dates = S.compare === 'dates';
  if (dates && document.activeElement !== $('compare-from')) $('compare-from').value = S.other >= 0 ? H.steps[S.other] : '';
  const c = change();
  $('compare-say').textContent = !lines.lines.length ? 'The chosen dates have nothing to be compared with.' : lines.season ? `Seasons of ${plural(H.season, H.noun)} over each other, the forecast included: ${lines.lines.map(l => l.name).join(', ')}.` :
    c.seen ? `${H.steps[c.a]} to ${H.steps[c.b]}${c.b >= T ? ' (forecast included)' : ''}: ${about(c.now)} against ${about(c.then)}, ${percent(share(c.now, c.then), true)}.` : 'No step has a value in both periods.';
  if (S.plain.has('compare')) return table('compare-plain', compareRows());
  const many = lines.lines.length, tones = lines.season ? (ink.dark ? ['#4a5661', '#6f7d8a', '#9ba8b4', '#c9d2da'] : ['#c3ccd4', '#9aa7b3', '#6c7a87', '#48545f']).slice(5 - many) : [ink.edge];
  const pixels = width('compare');
  // The axis counts steps; it bears the dates of the later period.
  const now = lines.season || !many ? [] : lines.lines[many - 1].points, every = Math.max(1, Math.ceil(now.length / Math.max(2, Math.floor(pixels / 95))));
  const ticks = now.length ? { tickvals: now.filter((_, k) => k % every === 0).map(p => p.x), ticktext: now.filter((_, k) => k % every === 0).map(p => H.steps[p.t]) } : {};
  if (!many) return plot('compare', [], layout({ xaxis: axis({ visible: false }), yaxis: axis({ visible: false }), annotations: [{ text: 'Nothing to compare', xref: 'paper', yref: 'paper', x: .5, y: .5, showarrow: false, font: { size: 14, color: ink.soft } }] }));
  plot('compare', lines.lines.map((line, k) => {
    const last = k === many - 1, p = thin(0, line.points.length - 1, i => line.points[i].v, pixels).map(i => line.points[i]);
    return { type: 'scatter', mode: p.length < 30 ? 'lines+markers' : 'lines', marker: { size: 5 }, name: tame(lines.season ? line.name : last ? 'now' : 'then'), x: p.map(q => q.x), y: p.map(q => q.v),
      text: p.map(q => H.steps[q.t] + (q.t >= T ? ', forecast' : '')), hovertemplate: `%{y:,.${fineness(p.map(q => q.v))}f}  (%{text})`, line: { width: last ? 2.4 : 1.6, color: last ? ink.accent : tones[Math.min(k, tones.length - 1)] } };
  }), layout({ xaxis: axis({ title: { text: lines.season ? `${H.noun} of the season` : 'dates of the later period', standoff: 6 }, showgrid: false, ticks: 'outside', tickcolor: ink.edge, nticks: 8, hoverformat: 'd', ...ticks }),
    yaxis: axis({ tickformat: '~s', nticks: 6 }), hoverdistance: reach('compare', Math.max(...lines.lines.map(l => l.points.length))), margin: { l: 62, r: 26, t: lines.season ? 26 : 12, b: 46 }, showlegend: lines.season, legend: { orientation: 'h', y: 1.12, x: 0, font: { color: ink.soft } } }));
};
const compareRows = () => {
  const most = Math.max(0, ...lines.lines.map(l => l.points.length)), at = lines.lines.map(l => new Map(l.points.map(p => [p.x, p])));
  const places = [...new Set(lines.lines.flatMap(l => l.points.map(p => p.x)))].sort((a, b) => a - b);
  return { head: [`${H.noun} no.`, ...lines.lines.flatMap(l => lines.season ? [l.name] : ['date', l.name])],
    rows: most ? places.map(x => [String(x), ...at.flatMap(l => { const p = l.get(x); return lines.season ? [p ? p.v : NaN] : [p ? H.steps[p.t] : '', p ? p.v : NaN]; })]) : [] };
};

let cells = null;
const ROWS = 24;
const mapCells = () => {
  const m = S.mapModel, by = S.mapBy, E = D.errors, folds = H.folds.length;
  const size = by === 'series' ? N : D.levels[by].length, codes = by === 'series' ? null : D.codes[by];
  const off = new Float64Array(size * folds), side = new Float64Array(size * folds), actual = new Float64Array(size * folds), weight = new Float64Array(size).fill(NaN);
  for (const i of G.chosen) {
    const g = codes ? codes[i] : i;
    for (let f = 0, at = i * folds; f < folds; f++, at++) {
      const e = E.models[m].absolute[at];
      if (e !== e) continue;
      off[g * folds + f] += e; side[g * folds + f] += E.models[m].signed[at]; actual[g * folds + f] += E.actual[at];
      weight[g] = (weight[g] || 0) + e;
    }
  }
  const there = []; for (let g = 0; g < size; g++) if (weight[g] === weight[g]) there.push(g);
  const top = best(weight, there, ROWS, true);
  const value = (g, f) => { const at = g * folds + f; return actual[at] ? 100 * (S.mapWhat === 'size' ? off : side)[at] / actual[at] : NaN; };
  return { by, top, there, weight, value, off, actual, folds, name: g => named(by, g) };
};
const drawMap = () => {
  if (!D.errors) return;
  cells = mapCells();
  const { top, there, value, name, folds } = cells;
  $('map').style.height = clamp(70 + 19 * top.length, 140, 900) + 'px';
  const e = errorOf(S.mapModel, G.chosen);
  $('map-say').textContent = top.length ? `${H.models[S.mapModel]}: ${percent(e.size)} of sales on average over ${plural(folds, 'test period')}, on balance ${percent(Math.abs(e.side))} too ${e.side >= 0 ? 'high' : 'low'}. ${there.length > top.length ? `The ${top.length} of ${whole(there.length)} rows with the most error; ` : ''}the row at the top costs most.` : 'No test period has this selection.';
  if (S.plain.has('map')) return table('map-plain', mapRows(), value => percent(value, S.mapWhat === 'side'));
  const label = width('map') < 500 ? 12 : 26;
  const longest = Math.max(2, ...top.map(g => Math.min(label, [...name(g)].length)));
  const z = top.map(g => H.folds.map((_, f) => value(g, f))), seen = z.flat().filter(Number.isFinite).map(Math.abs).sort((a, b) => a - b);
  // One wild cell must not leave all others pale.
  const most = seen.length ? Math.max(1e-9, seen[Math.floor(.95 * (seen.length - 1))]) : 1;
  const least = seen.length ? Math.min(.8 * seen[Math.floor(.02 * seen.length)], .9 * most) : 0;
  const blues = ink.dark ? [[0, '#22292f'], [.5, '#5c4a33'], [1, '#f0a64a']] : [[0, '#fbf8f3'], [.5, '#f6cd90'], [1, '#c4600c']];
  const sides = ink.dark ? [[0, '#56b4e9'], [.5, '#20282f'], [1, '#ff9d5c']] : [[0, '#0072b2'], [.5, '#f6f6f4'], [1, '#c24e00']];
  plot('map', [{ type: 'heatmap', z, x: H.folds.map((_, f) => f), y: top.map((_, r) => r), zmin: S.mapWhat === 'size' ? least : -most, zmax: most, colorscale: S.mapWhat === 'size' ? blues : sides, xgap: 1, ygap: 1, hoverongaps: false,
    text: top.map(g => H.folds.map((fold, f) => `${tame(cut(name(g), 60))}<br>${tame(fold)}<br>${S.mapWhat === 'size' ? 'error' : 'balance'} ${percent(value(g, f), S.mapWhat === 'side')}<br>${TARGET_HTML} ${about(cells.actual[g * folds + f])}`)), hovertemplate: '%{text}<extra></extra>',
    colorbar: { thickness: 12, ticksuffix: ' %', outlinewidth: 0, tickfont: { color: ink.soft }, nticks: 5, len: 1 } }],
  layout({ hovermode: 'closest', dragmode: false, margin: { l: 22 + 7 * longest, r: 10, t: 8, b: 44 },
    xaxis: axis({ tickvals: H.folds.map((_, f) => f).filter(f => f % Math.ceil(folds / (width('map') < 500 ? 3 : 8)) === 0), ticktext: H.folds.map(tame).filter((_, f) => f % Math.ceil(folds / (width('map') < 500 ? 3 : 8)) === 0), showgrid: false }),
    yaxis: axis({ tickvals: top.map((_, r) => r), ticktext: top.map(g => tame(cut(name(g), label))), autorange: 'reversed', showgrid: false, type: 'linear' }) }));
};
const TARGET_HTML = tame(TARGET);
const mapRows = () => ({ head: [cells.by === 'series' ? 'Series' : NAMES[cells.by], ...H.folds], rows: best(cells.weight, cells.there, cells.there.length, true).map(g => [cells.name(g), ...H.folds.map((_, f) => cells.value(g, f))]) });
const openRow = r => { if (cells && cells.top[r] !== undefined) open(cells.by, cells.top[r]); };

const ordersShown = () => {
  if (G.orders) return G.orders;
  const on = new Uint8Array(N), O = D.orders;
  G.chosen.forEach(i => { on[i] = 1; });
  return G.orders = O.series.map((_, o) => o).filter(o => O.series[o] === null ? G.chosen.length === N : on[O.series[o]]);
};
const ORDER_BARS = 20;
let ordersTop = [];
const orderRows = () => { const O = D.orders, list = ordersShown(); return { head: ['Item', 'To order', 'In stock and on the way', 'Order up to', 'Expected demand', 'Risk of running out', 'Why'],
  rows: best(Float64Array.from(O.order, v => v ?? NaN), list, list.length, true).map(o => [O.items[o], O.order[o] ?? NaN, O.position[o] ?? NaN, O.level[o] ?? NaN, O.mean[o] ?? NaN, O.risk[o] === null ? NaN : 100 * O.risk[o], O.reason[o]]) }; };
const drawOrders = () => {
  if (!D.orders) return;
  const O = D.orders, list = ordersShown();
  ordersTop = best(Float64Array.from(O.order, v => v ?? NaN), list, ORDER_BARS, true);
  $('orders-say').textContent = `${H.orders} Shown: ${plural(list.length, 'item')}${list.length > ordersTop.length ? `, the ${ordersTop.length} largest orders in the chart` : ''}.`;
  if (S.plain.has('orders')) return table('orders-plain', orderRows(), (value, c) => c === 5 ? percent(value) : about(value));
  $('orders').style.height = clamp(90 + 24 * ordersTop.length, 160, 640) + 'px';
  const y = ordersTop.map((_, r) => r), bar = (name, x, color) => ({ type: 'bar', orientation: 'h', name, x, y, marker: { color }, hovertemplate: '%{x:,.0f}', width: .7 });
  plot('orders', [bar('In stock and on the way', ordersTop.map(o => O.position[o]), ink.edge), bar('To order', ordersTop.map(o => O.order[o]), ink.accent),
    { type: 'scatter', mode: 'markers', name: 'Expected demand', x: ordersTop.map(o => O.mean[o]), y, marker: { symbol: 'line-ns', size: 16, line: { width: 3, color: ink.ink } }, hovertemplate: '%{x:,.1f}' }],
  layout({ barmode: 'stack', hovermode: 'y unified', dragmode: false, showlegend: true, legend: { orientation: 'h', x: 0, y: 1.02, yanchor: 'bottom', font: { color: ink.soft } }, margin: { l: width('orders') < 500 ? 100 : 210, r: 16, t: 34, b: 30 },
    xaxis: axis({ nticks: 6, tickformat: ',~s' }), yaxis: axis({ tickvals: y, ticktext: ordersTop.map(o => tame(cut(O.items[o], width('orders') < 500 ? 13 : 28))), autorange: 'reversed', showgrid: false }) }));
};
const openOrder = r => { const i = D.orders.series[ordersTop[r]]; if (i !== null && i !== undefined) open('series', i); };

const drawList = () => {
  const find = rows.find.trim().toLowerCase();
  let list = G.chosen;
  if (find) list = list.filter(i => D.levels.some((levels, k) => levels[D.codes[k][i]].toLowerCase().includes(find)) || nameOf(i).toLowerCase().includes(find));
  const columns = ['total', ...(overlap().none ? [] : ['change']), ...(M ? ['forecast'] : []), ...(D.errors ? ['error'] : [])];
  const sort = columns.includes(S.sort) || S.sort === 'name' ? S.sort : 'total';
  const key = sort === 'name' ? null : measure('series', sort, list).value;
  const top = sort === 'name' ? Array.from(S.falling ? list.slice(0, rows.list) : list.slice(-rows.list).reverse()) : best(key, list, rows.list, S.falling);
  if (sort !== 'name' && top.length < Math.min(rows.list, list.length)) for (const i of list) { if (top.length >= rows.list) break; if (key[i] !== key[i]) top.push(i); }
  const shown = Object.fromEntries(columns.map(what => [what, measure('series', what, top)]));
  $('list-say').textContent = `${plural(list.length, 'series', 'series')}${find ? ' found' : ''}, ${H.steps[S.from]} to ${H.steps[S.to]}. Select a name to open it.`;
  const head = (what, text, number) => {
    const on = sort === what;
    return el('th', { scope: 'col', class: number ? 'n' : null, 'aria-sort': on ? (S.falling ? 'descending' : 'ascending') : null }, el('button', { type: 'button', dir: 'auto', 'data-sort': what,
      onclick: () => { if (on) S.falling = !S.falling; else { S.sort = what; S.falling = true; } drawList(); remember(); refocus('#list', `[data-sort="${what}"]`); } }, text + (on ? (S.falling ? ' ↓' : ' ↑') : '')));
  };
  const names = { total: TARGET, change: 'Change', forecast: 'Forecast', error: 'Error' };
  const body = top.map(i => el('tr', {}, el('th', { scope: 'row' }, el('button', { type: 'button', class: 'open', dir: 'auto', title: nameOf(i), onclick: () => open('series', i) }, cut(nameOf(i), 60))),
    ...columns.map(what => { const v = shown[what].value[i], base = shown[what].base[i];
      return el('td', { class: 'n' }, what === 'change' ? percent(share(v + base, base), true) : showing(what, v)); })));
  $('list').replaceChildren(el('table', {}, el('thead', {}, el('tr', {}, head('name', 'Series'), ...columns.map(what => head(what, names[what], true)))), el('tbody', {}, ...body)),
    ...(list.length > top.length ? [el('button', { type: 'button', class: 'more', onclick: () => { rows.list += 50; drawList(); } }, `Show more of ${whole(list.length)}`)] : []));
};
const listRows = () => {
  const columns = ['total', 'change', ...(M ? ['forecast'] : []), ...(D.errors ? ['error'] : [])], got = columns.map(what => measure('series', what, G.chosen));
  return { head: [...H.keys, H.target, 'change', ...(M ? ['forecast'] : []), ...(D.errors ? ['error_percent'] : [])], rows: Array.from(G.chosen, i => [...H.keys.map((_, k) => D.levels[k][D.codes[k][i]]), ...got.map(g => g.value[i])]) };
};
const refocus = (within, what) => { const found = document.querySelector(`${within} ${what}`); if (found) found.focus({ preventScroll: true }); };

// ------------------------------------------------------------------------------------------------- what people change
// What a change touches at once, and what can wait until it is seen.
const LATER = { compare: drawCompare, map: drawMap, orders: drawOrders, list: drawList };
const stale = new Set(), inView = new Set();
const flush = () => { for (const id of [...stale]) if (inView.has(id)) { stale.delete(id); LATER[id](); } };
let waiting = 0;
const later = () => { if (!waiting) waiting = setTimeout(() => { waiting = 0; flush(); sayMain(); speak(); }, 120); };
let spoken = '';
const speak = text => {
  const said = text || [...$('figures').querySelectorAll('.figure')].slice(0, 2).map(f => [f.querySelector('h2').textContent, f.querySelector('b').textContent, ...[...f.querySelectorAll('p')].map(p => p.textContent)].join(', ')).join('. ');
  const whole_ = text || `${selected()}. ${said}.`;
  if (whole_ !== spoken) $('live').textContent = spoken = whole_;
};
const render = what => {
  if (what !== 'range') { gather(); drawStrip(); controls(); drawMain(); } else moveMain();
  drawWindow(); figures(); drawRank();
  sayMain();
  Object.keys(LATER).forEach(id => stale.add(id));
  later();
};
const act = (change, push = true) => { change(); render('all'); remember(push); };
let frame = 0;
const setRange = (a, b, again) => {
  a = clamp(Math.round(a), 0, STEPS - 1); b = clamp(Math.round(b), 0, STEPS - 1);
  if (a > b) [a, b] = [b, a];
  if (a === S.from && b === S.to && !again) return;
  S.from = a; S.to = b;
  // One answer per frame, however often a pointer moves.
  if (!frame) frame = requestAnimationFrame(() => { frame = 0; render('range'); settle(); });
};
let settling = 0;
const settle = () => { clearTimeout(settling); settling = setTimeout(() => remember(false), 250); };
const setFilter = (k, codes) => act(() => { S.filters[k] = codes && codes.size && codes.size < D.levels[k].length ? codes : null; rows.rank = 12; rows.list = 25; });
// Opens a value of a column, or a series: it becomes the selection, and the ranking goes one level down.
const open = (by, g) => {
  act(() => {
    if (by === 'series') for (let k = 0; k < H.identifying; k++) S.filters[k] = new Set([D.codes[k][g]]);
    else S.filters[by] = new Set([g]);
    const next = H.keys.findIndex((_, k) => k < H.identifying && !(S.filters[k] && S.filters[k].size === 1));
    if (by === S.rankBy || by === 'series') S.rankBy = next >= 0 ? next : H.identifying ? H.identifying - 1 : S.rankBy;
    rows.rank = 12; rows.list = 25;
  });
};
const setTheme = () => {
  if (S.theme) document.documentElement.dataset.theme = S.theme; else delete document.documentElement.dataset.theme;
  dye();
  $('theme').textContent = ink.dark ? 'Light' : 'Dark';
};

const controls = () => {
  const crumbs = [el('button', { type: 'button', onclick: () => act(() => { S.filters = H.keys.map(() => null); S.rankBy = FIRST; }) }, 'All')];
  const on = S.filters.map((f, k) => [f, k]).filter(([f]) => f);
  on.forEach(([f, k], at) => {
    const text = f.size === 1 ? `${NAMES[k]} ${cut(D.levels[k][[...f][0]], 40)}` : `${NAMES[k]}: ${whole(f.size)} values`;
    crumbs.push(el('i', { 'aria-hidden': 'true' }, '›'), at < on.length - 1 ? el('button', { type: 'button', dir: 'auto', onclick: () => act(() => { on.slice(at + 1).forEach(([, later]) => { S.filters[later] = null; }); S.rankBy = on[at + 1][1]; }) }, text) : el('b', { dir: 'auto', 'aria-current': 'true' }, text));
  });
  if (!on.length) crumbs[0] = el('b', { 'aria-current': 'true' }, 'All series');
  const focused = document.activeElement && document.activeElement.closest('#crumbs');
  $('crumbs').replaceChildren(...crumbs);
  if (focused) ($('crumbs').querySelector('button') || $('main-title')).focus({ preventScroll: true });
  H.keys.forEach((_, k) => {
    const button = $('filter' + k), f = S.filters[k];
    button.textContent = f ? `${NAMES[k]}: ${f.size === 1 ? cut(D.levels[k][[...f][0]], 22) : whole(f.size)}` : `${NAMES[k]}: all`;
    button.toggleAttribute('data-on', !!f);
  });
  H.models.forEach((_, m) => { $('model' + m).setAttribute('aria-pressed', S.models.has(m)); $('model' + m).querySelector('i').style.background = ink.models[m]; });
  H.levels.forEach((_, l) => { if (M) $('band' + l).setAttribute('aria-pressed', S.levels.has(l)); });
  if (M > 1) $('by-model').value = S.main;
  $('rank-by').value = S.rankBy; $('rank-what').value = S.rankWhat; $('rank-turn').setAttribute('aria-pressed', S.turned);
  $('compare-with').value = S.compare;
  if (D.errors) { $('map-model').value = S.mapModel; $('map-by').value = S.mapBy; $('map-what').value = S.mapWhat; }
  for (const id of ['main', 'compare', 'map', 'orders']) {
    const plain = S.plain.has(id);
    $(id).hidden = plain; $(id + '-plain').hidden = !plain;
    $('view-' + id).textContent = plain ? 'Chart' : 'Table';
  }
};

// A list of boxes with a search; it shows at most so many at a time.
const BOXES = 200;
const filterList = k => {
  const pop = $('pop' + k), find = pop.querySelector('input[type=search]').value.trim().toLowerCase(), f = S.filters[k];
  const counts = new Int32Array(D.levels[k].length);
  for (const i of select(k)) counts[D.codes[k][i]]++;
  const hits = [];
  D.levels[k].forEach((name, code) => { if ((!find || name.toLowerCase().includes(find)) && (counts[code] || (f && f.has(code)))) hits.push(code); });
  // What is chosen stands first, so that it can be taken back without a search.
  if (f) hits.sort((p, q) => f.has(q) - f.has(p) || p - q);
  pop.querySelector('ul').replaceChildren(...hits.slice(0, BOXES).map(code => el('li', {}, el('label', {}, el('input', { type: 'checkbox', checked: !!(f && f.has(code)), value: code, onchange: event => {
    const next = new Set(S.filters[k] || []);
    if (event.target.checked) next.add(code); else next.delete(code);
    setFilter(k, next);
  } }), el('bdi', {}, D.levels[k][code] === '' ? '(empty)' : cut(D.levels[k][code], 120))))));
  pop.querySelector('p').textContent = hits.length > BOXES ? `The first ${BOXES} of ${whole(hits.length)}; type to find others.` : hits.length ? '' : 'Nothing is called so.';
};
const build = () => {
  H.keys.forEach((_, k) => {
    const pop = el('div', { class: 'pop', id: 'pop' + k, popover: 'auto', role: 'dialog', 'aria-label': `Filter by ${NAMES[k]}` });
    const search = el('input', { type: 'search', 'aria-label': `Find a value of ${NAMES[k]}`, placeholder: 'Find', oninput: () => filterList(k) });
    search.addEventListener('keydown', event => { if (event.key === 'Enter') { const first = pop.querySelector('li input'); if (first) { const code = first.value; first.click(); filterList(k); const again = pop.querySelector(`li input[value="${code}"]`); if (again) again.focus(); } } });
    pop.append(search, el('div', { class: 'row' }, el('button', { type: 'button', onclick: () => { setFilter(k, null); filterList(k); } }, 'All'), el('button', { type: 'button', onclick: () => pop.hidePopover() }, 'Done')), el('ul'), el('p'));
    const button = el('button', { type: 'button', class: 'filter', id: 'filter' + k, popovertarget: 'pop' + k, 'aria-haspopup': 'dialog', dir: 'auto' });
    pop.addEventListener('beforetoggle', event => {
      if (event.newState !== 'open') return;
      search.value = ''; filterList(k);
      const box = button.getBoundingClientRect();
      pop.style.left = clamp(box.left, 8, Math.max(8, innerWidth - 320)) + 'px';
      pop.style.top = clamp(box.bottom + 4, 8, Math.max(8, innerHeight - 430)) + 'px';
    });
    pop.addEventListener('toggle', event => { if (event.newState === 'open') search.focus(); else if (document.activeElement === document.body) button.focus(); });
    $('filters').append(button, pop);
  });
  if (!H.keys.length) $('filters').hidden = true;
  const spans = [['All', () => [0, STEPS - 1]]];
  const year = Math.min(T, H.season > 1 ? H.season : 12);
  if (T > year && H.season > 1) spans.push([({ 'the year before': 'Last year', 'the week before': 'Last week', 'the day before': 'Last day' })[H.before] || `Last ${plural(year, H.noun)}`, () => [T - year, T - 1]]);
  if (T > 13 && year > 13) spans.push([`Last ${plural(13, H.noun)}`, () => [T - 13, T - 1]]);
  if (M) spans.push(['Ahead', () => [Math.max(0, T - 2 * F), STEPS - 1]]);
  $('spans').append(...spans.map(([text, range]) => el('button', { type: 'button', onclick: () => setRange(...range()) }, text)));
  H.models.forEach((name, m) => $('models').append(el('button', { type: 'button', class: 'chip', id: 'model' + m, dir: 'auto', onclick: () => act(() => {
    if (S.models.has(m)) S.models.delete(m); else S.models.add(m);
    if (!S.models.has(S.main) && S.models.size) S.main = Math.min(...S.models);
  }, false) }, el('i'), cut(name, 32))));
  if (M > 1) $('models').append(el('label', {}, 'figures by ', el('select', { id: 'by-model', onchange: event => act(() => { S.main = S.mapModel = +event.target.value; S.models.add(S.main); }, false) }, ...H.models.map((name, m) => el('option', { value: m }, cut(name, 40))))));
  if (M) H.levels.forEach((value, l) => $('bands').append(el('button', { type: 'button', id: 'band' + l, class: 'chip', onclick: () => act(() => { if (S.levels.has(l)) S.levels.delete(l); else S.levels.add(l); }, false) }, `${level(value)} interval`)));
  const columns = [...NAMES.map((name, k) => [k, name]), ['series', 'single series']];
  const fill = (id, options) => $(id).append(...options.map(([value, text]) => el('option', { value }, cut(text, 40))));
  fill('rank-by', columns); fill('map-by', columns);
  fill('rank-what', Object.entries(RANKS).filter(([what]) => what !== 'forecast' && what !== 'error' || M && (what === 'forecast' || H.folds)));
  fill('compare-with', [...(H.season > 1 ? [['before', `the same dates of ${H.before}`]] : []), ['previous', 'the period just before'], ['dates', 'chosen dates'], ...(H.season > 1 ? [['seasons', 'all seasons']] : [])]);
  fill('map-model', H.models.map((name, m) => [m, name]));
  const pick = (id, name, number) => $(id).addEventListener('change', event => act(() => { const v = event.target.value; S[name] = number && v !== 'series' ? +v : v; if (name.startsWith('rank')) rows.rank = 12; if (v === 'dates' && S.other < 0) S.other = Math.max(0, S.from - H.season); }, false));
  pick('rank-by', 'rankBy', true); pick('rank-what', 'rankWhat'); pick('compare-with', 'compare'); pick('map-model', 'mapModel', true); pick('map-by', 'mapBy', true); pick('map-what', 'mapWhat');
  $('rank-turn').addEventListener('click', () => act(() => { S.turned = !S.turned; }, false));
  const dates = (id, set) => {
    const input = $(id), commit = () => { const step = stepAt(input.value); if (step >= 0) set(step); input.value = step >= 0 ? H.steps[step] : input.value; input.setAttribute('aria-invalid', step < 0); };
    input.addEventListener('change', commit);
    input.addEventListener('keydown', event => {
      const by = { ArrowUp: 1, ArrowDown: -1 }[event.key];
      if (by) { event.preventDefault(); const step = clamp(Math.max(0, stepAt(input.value)) + by, 0, STEPS - 1); input.value = H.steps[step]; set(step); }
    });
  };
  dates('from', step => setRange(step, Math.max(step, S.to))); dates('to', step => setRange(Math.min(step, S.from), step));
  dates('compare-from', step => act(() => { S.other = step; }, false));
  $('undo').addEventListener('click', () => history.back());
  $('reset').addEventListener('click', () => act(() => { const { theme } = S; S = fresh(); S.theme = theme; rows = { rank: 12, list: 25, find: '' }; $('list-find').value = ''; }));
  $('link').addEventListener('click', async () => {
    remember(false);
    let done = false;
    try { await navigator.clipboard.writeText(location.href); done = true; } catch {
      const field = el('textarea', { 'aria-hidden': 'true' }); field.value = location.href; document.body.append(field); field.select();
      try { done = document.execCommand('copy'); } catch { /* the address bar has it */ }
      field.remove(); $('link').focus();
    }
    speak(done ? 'The link to this view is copied.' : 'The address of this page is the link to this view.');
    $('link').textContent = done ? 'Copied' : 'See address bar';
    setTimeout(() => { $('link').textContent = 'Copy link'; }, 1500);
  });
  $('theme').addEventListener('click', () => { S.theme = isDark() ? 'light' : 'dark'; setTheme(); render('all'); remember(false); });
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => { setTheme(); render('all'); });
  const keys = $('keys');
  $('help').addEventListener('click', () => keys.showModal());
  document.addEventListener('keydown', event => { if (event.key === '?' && !/^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName) && !keys.open) keys.showModal(); });
  $('list-find').addEventListener('input', event => { rows.find = event.target.value; rows.list = 25; drawList(); });
  // Each chart can be read as a table and taken along.
  const files = { main: ['history-and-forecast', mainRows], rank: ['ranking', rankRows], compare: ['periods', compareRows], map: ['errors', mapRows], orders: ['orders', orderRows], list: ['series', listRows] };
  for (const [id, [file, rowsOf]] of Object.entries(files)) {
    const views = $('card-' + id).querySelector('.views'), title = $(id + '-title');
    if (LATER[id] !== drawList && id !== 'rank') views.append(el('button', { type: 'button', id: 'view-' + id, 'aria-describedby': id + '-title', onclick: () => act(() => { if (S.plain.has(id)) S.plain.delete(id); else S.plain.add(id); }, false) }, 'Table'));
    views.append(el('button', { type: 'button', id: 'csv-' + id, 'aria-describedby': id + '-title', onclick: () => { if (LATER[id] && stale.has(id)) { stale.delete(id); LATER[id](); } download(`${file}.csv`, rowsOf()); speak(`${title.textContent}: the data are saved as ${file}.csv.`); } }, 'Save data'));
  }
  keyCharts();
  handles();
  const watch = new IntersectionObserver(entries => { for (const e of entries) { const id = e.target.id.slice(5); if (e.isIntersecting) inView.add(id); else inView.delete(id); } flush(); }, { rootMargin: '120px' });
  Object.keys(LATER).forEach(id => watch.observe($('card-' + id)));
  let seen = innerWidth;
  addEventListener('resize', () => { drawStrip(); if (innerWidth !== seen) { seen = innerWidth; clearTimeout(settling); settling = setTimeout(() => render('all'), 150); } });
  addEventListener('popstate', () => { steps = history.state ? history.state.steps || 0 : 0; $('undo').disabled = !steps; S = decode(location.hash); setTheme(); render('all'); });
  addEventListener('hashchange', () => { if ('#' + encode() !== location.hash) { S = decode(location.hash); setTheme(); render('all'); } });
};
const download = (file, { head, rows }) => {
  // A text that a spreadsheet would take for a formula is kept from being one.
  const cell = value => typeof value === 'number' ? (Number.isFinite(value) ? String(Number(value.toPrecision(12))) : '') : /[",\r\n]/.test(value) || /^[=+@\t]/.test(value) || /^-\D/.test(value) ? `"${(/^[=+@\t-]/.test(value) ? "'" : '') + value.replace(/"/g, '""')}"` : value;
  const text = '\ufeff' + [head, ...rows].map(row => row.map(cell).join(',')).join('\r\n') + '\r\n';
  const url = URL.createObjectURL(new Blob([text], { type: 'text/csv' })), link = el('a', { href: url, download: file });
  document.body.append(link); link.click(); link.remove();
  setTimeout(() => URL.revokeObjectURL(url), 5000);
};

// ------------------------------------------------------------------------------------------- by keyboard and pointer
const keyCharts = () => {
  const mark = (id, points) => { if (window.Plotly && drawn.has(id)) try { window.Plotly.Fx.hover(id, points); } catch { /* outside the axes */ } };
  const clean = id => { if (window.Plotly && drawn.has(id)) window.Plotly.Fx.unhover(id); };
  let at = null;
  $('main').addEventListener('keydown', event => {
    const wide = S.to - S.from + 1, far = Math.max(1, Math.round(wide / 10));
    const move = { ArrowRight: 1, ArrowLeft: -1, PageDown: far, PageUp: -far, Home: -STEPS, End: STEPS }[event.key];
    if (move) {
      event.preventDefault();
      at = clamp(at !== null || Math.abs(move) === STEPS ? (at ?? S.from) + move : move > 0 ? S.from : S.to, S.from, S.to);
      const words = [H.steps[at]];
      if (at < T) words.push(`${TARGET} ${exact(G.sales[at])}`);
      if (M && at >= A) for (const m of S.models) words.push(`${H.models[m]} ${about(G.models[m].mean[at - A])}`);
      const band = M && at >= A && S.models.has(S.main) ? bands(S.main) : null;
      if (band && band.ends) S.levels.forEach(l => words.push(`${level(H.levels[l])} from ${about(band.ends[l][0][at - A])} to ${about(band.ends[l][1][at - A])}`));
      mark('main', { xval: X[at] });
      speak(words.join(', '));
    } else if (event.key === '+' || event.key === '=') { event.preventDefault(); zoom(.6); }
    else if (event.key === '-') { event.preventDefault(); zoom(1 / .6); }
    else if (event.key === '0') { event.preventDefault(); setRange(0, STEPS - 1); }
  });
  const zoom = by => {
    const wide = Math.max(2, (S.to - S.from + 1) * by), middle = at !== null && at >= S.from && at <= S.to ? at : (S.from + S.to) / 2, part = (middle - S.from) / Math.max(1, S.to - S.from);
    setRange(middle - wide * part, middle + wide * (1 - part));
  };
  let x = 0;
  $('compare').addEventListener('keydown', event => {
    const move = { ArrowRight: 1, ArrowLeft: -1, Home: -1e9, End: 1e9, PageDown: 10, PageUp: -10 }[event.key];
    if (!move || !lines || !lines.lines.length) return;
    event.preventDefault();
    const places = [...new Set(lines.lines.flatMap(l => l.points.map(p => p.x)))].sort((a, b) => a - b);
    x = clamp(x + move, 0, places.length - 1);
    mark('compare', { xval: places[x] });
    speak(lines.lines.map(l => l.points.find(p => p.x === places[x])).filter(Boolean).map(p => `${H.steps[p.t]}${p.t >= T ? ', forecast' : ''}: ${about(p.v)}`).join('; '));
  });
  let r = 0, f = 0, from = false;
  $('map').addEventListener('keydown', event => {
    const by = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0], Home: [0, -1e6], End: [0, 1e6], PageDown: [10, 0], PageUp: [-10, 0] }[event.key];
    if (event.key === 'Enter') { event.preventDefault(); return openRow(r); }
    if (!by || !cells || !cells.top.length) return;
    event.preventDefault();
    if (from) { r += by[0]; f += by[1]; }
    from = true;
    r = clamp(r, 0, cells.top.length - 1); f = clamp(f, 0, cells.folds - 1);
    mark('map', [{ curveNumber: 0, pointNumber: [r, f] }]);
    speak(`${cells.name(cells.top[r])}, ${H.folds[f]}: ${percent(cells.value(cells.top[r], f), S.mapWhat === 'side')}`);
  });
  let o = -1;
  $('orders').addEventListener('keydown', event => {
    const move = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key], O = D.orders;
    if (event.key === 'Enter' && o >= 0) { event.preventDefault(); return openOrder(o); }
    if (!move || !ordersTop.length) return;
    event.preventDefault();
    o = clamp(o + move, 0, ordersTop.length - 1);
    const item = ordersTop[o];
    mark('orders', { yval: o });
    speak(`${O.items[item]}: order ${about(O.order[item])}, in stock and on the way ${about(O.position[item])}, expected demand ${about(O.mean[item])}. ${O.reason[item]}`);
  });
  for (const id of ['main', 'compare', 'map', 'orders']) $(id).addEventListener('blur', () => clean(id));
};
const handles = () => {
  const strip = $('strip'), step = event => { const box = strip.getBoundingClientRect(); return ((event.clientX - box.left) / box.width - .01) / .98 * (STEPS - 1); };
  for (const [id, end] of [['thumb-a', 'from'], ['thumb-b', 'to']]) $(id).addEventListener('keydown', event => {
    const far = Math.max(1, Math.round(STEPS / 12));
    const move = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1, PageUp: far, PageDown: -far, Home: -STEPS, End: STEPS }[event.key];
    if (!move) return;
    event.preventDefault();
    if (end === 'from') setRange(clamp(S.from + move, 0, S.to), S.to); else setRange(S.from, clamp(S.to + move, S.from, STEPS - 1));
  });
  let drag = null;
  strip.addEventListener('pointerdown', event => {
    if (event.button) return;
    event.preventDefault();
    const at = step(event), id = event.target.id;
    drag = { what: id === 'thumb-a' ? 'from' : id === 'thumb-b' ? 'to' : id === 'window' && S.to - S.from < STEPS - 1 ? 'window' : 'new', at, from: S.from, to: S.to };
    if (id.startsWith('thumb')) event.target.focus({ preventScroll: true });
    strip.setPointerCapture(event.pointerId);
  });
  strip.addEventListener('pointermove', event => {
    if (!drag) return;
    const at = step(event), by = Math.round(at - drag.at);
    if (drag.what === 'from') setRange(clamp(at, 0, S.to), S.to);
    else if (drag.what === 'to') setRange(S.from, clamp(at, S.from, STEPS - 1));
    else if (drag.what === 'window') { const move = clamp(by, -drag.from, STEPS - 1 - drag.to); setRange(drag.from + move, drag.to + move); }
    else if (Math.abs(at - drag.at) >= 1 || STEPS < 8) setRange(Math.min(at, drag.at), Math.max(at, drag.at));
  });
  for (const name of ['pointerup', 'pointercancel']) strip.addEventListener(name, () => { drag = null; });
};

// -------------------------------------------------------------------------------------------------------------- start
// The first view needs nothing but the head: totals of everything.
const firstView = () => {
  D = { levels: H.keys.map(() => []), codes: [], models: [], errors: null, orders: null, paths: [], places: [] };
  G = { chosen: { length: N, [Symbol.iterator]: function* () { /* not yet */ } }, sales: Float64Array.from(H.total.sales, v => v ?? NaN), models: H.total.means.map(mean => ({ mean: Float64Array.from(mean, v => v ?? NaN), have: N })), bands: new Map() };
  D.models = H.total.means.map(() => ({}));
  H.levels.length && G.models.forEach((_, m) => G.bands.set(m, { why: '' }));
  figures(); drawStrip(); drawWindow();
  $('main-say').textContent = `All series: ${plural(N, 'series', 'series')}, ${H.steps[S.from] ?? NONE} to ${H.steps[S.to] ?? NONE}.`;
  const notes = [...H.notes, H.digits ? `${TARGET} are rounded to ${H.digits} significant digits of the highest value of each series, so that the page stays small.` : `${TARGET} are exact.`];
  if (M) notes.push('Forecasts, intervals and errors are rounded to four significant digits of the highest value of each series; totals of forecasts add these up.');
  if (H.joint) notes.push(`Intervals of totals come from joint sample paths; those of single series are never added up.${H.paths.count ? ` The page holds ${H.paths.count} paths of each series, for selections of any kind.` : ''}`);
  notes.push('Nothing on this page leaves it: it makes no request. Charts by Plotly.js (MIT licence).');
  $('notes').replaceChildren(el('ul', {}, ...notes.map(note => el('li', { dir: 'auto' }, note))));
};
const unpack = async () => {
  const [levels, codes, sales] = await Promise.all([json('keys'), matrix('codes'), matrix('sales')]);
  const rowsOf = ({ cells }, columns) => H.keys.map((_, k) => cells.subarray(k * columns, (k + 1) * columns));
  const many = sales.exponents.length > 1;
  D = { levels, codes: rowsOf(codes, N), places: levels.map(names => new Map(names.map((name, code) => [name, code]))), models: [], errors: null, orders: null, groups: null, paths: [], all: null,
    sales: { cells: sales.cells, missing: sales.missing, factor: sales.exponents[0] || 0, factors: many ? Float64Array.from(sales.exponents, e => scaled(1, e)) : null } };
  if (sales.missing) for (let i = 0; i < sales.cells.length; i++) if (sales.missing[i]) sales.cells[i] = 0;
  decimals = many ? Math.min(4, Math.max(0, ...Array.from(sales.exponents, e => -e))) : Math.max(0, -D.sales.factor);
  const everyone = Int32Array.from({ length: N }, (_, i) => i);
  const prefix = D.prefix = new Float64Array(N * (T + 1));
  for (let i = 0, at = 0, cell = 0; i < N; i++, at++) { let sum = 0; for (let t = 0; t < T; t++, cell++) { sum += sales.cells[cell]; prefix[++at] = sum; } }
  D.all = addUp(everyone);
  for (let m = 0; m < M; m++) {
    const [mean, ends] = await Promise.all([matrix('mean' + m), H.levels.length ? matrix('bounds' + m) : null]);
    const values = reals(mean), sums = new Float64Array(N * (F + 1));
    for (let i = 0; i < N; i++) for (let h = 0, at = i * (F + 1); h < F; h++) sums[at + h + 1] = sums[at + h] + (values[i * F + h] || 0);
    let offsets = [];
    if (ends) offsets = H.levels.map((_, l) => [0, 1].map(end => {
      const out = new Float64Array(N * F), base = (2 * l + end) * N * F;
      for (let i = 0, at = 0; i < N; i++) for (let h = 0; h < F; h++, at++) out[at] = ends.missing && ends.missing[base + at] ? NaN : scaled(ends.cells[base + at], mean.exponents[i]);
      return out;
    }));
    D.models.push({ mean: values, prefix: sums, bounds: offsets });
  }
  if (H.joint) { D.groups = reals(await matrix('groups')); D.sums = reals(await matrix('sums')); }
  if (H.folds && M) {
    const actual = reals(await matrix('actual')), models = [];
    for (let m = 0; m < M; m++) models.push({ absolute: reals(await matrix('absolute' + m)), signed: reals(await matrix('signed' + m)) });
    D.errors = { actual, models };
  }
  if (H.orders) D.orders = await json('orders');
};
const chartsLibrary = async () => {
  const code = new TextDecoder().decode(await inflate('plotly', 'gzip'));
  const script = el('script');
  // The policy of the page lets only scripts with its nonce run.
  script.nonce = NONCE;
  script.textContent = code;
  document.head.append(script);
};
const pause = () => new Promise(done => { requestAnimationFrame(() => setTimeout(done)); });
const start = async () => {
  setTheme();
  firstView();
  performance.mark('first');
  if (document.readyState === 'loading') await new Promise(done => addEventListener('DOMContentLoaded', done));
  await pause();
  await unpack();
  build();
  S = decode(location.hash);
  setTheme();
  $('card-map').hidden = !D.errors; $('card-orders').hidden = !D.orders;
  render('all');
  performance.mark('numbers');
  await pause();
  await chartsLibrary();
  drawMain(); Object.keys(LATER).forEach(id => stale.add(id)); flush();
  performance.mark('charts');
  // Paths are needed only by selections that have no interval of their own.
  for (let m = 0; m < M && H.paths.count; m++) { await pause(); D.paths[m] = await matrix('paths' + m); }
  if (H.paths.count) { G.bands.clear(); drawMain(); figures(); sayMain(); }
  performance.mark('ready');
  document.documentElement.dataset.ready = '';
};
start().catch(error => {
  $('main-say').textContent = `This page could not be shown: ${error.message}. A current version of Chrome, Edge, Firefox or Safari is needed.`;
  throw error;
});
})();
