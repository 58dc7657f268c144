// What does the selection come to: its sales, forecasts, intervals, changes and errors?
//
// A panel is a matrix, so there is no database here. Sales lie in one typed array, series after series; beside it are
// the sums of each series from its beginning, so that the total over any dates is one subtraction. A filter is a bit
// set over series.

const bits = words => new Uint32Array(words);
const masks = H.keys.map(() => ({ on: undefined, bits: null }));
// The series that one column's filter lets through; kept until that filter changes.
const mask = k => {
  const on = S.filters[k],
    kept = masks[k];
  if (kept.on !== on) {
    kept.on = on;
    if (on) {
      const allowed = new Uint8Array(D.levels[k].length),
        codes = D.codes[k];
      on.forEach(code => {
        allowed[code] = 1;
      });
      kept.bits = bits((N + 31) >> 5);
      for (let i = 0; i < N; i++) kept.bits[i >> 5] |= allowed[codes[i]] << (i & 31);
    }
  }
  return on ? kept.bits : null;
};
const select = except => {
  const all = bits((N + 31) >> 5).fill(0xffffffff);
  H.keys.forEach((_, k) => {
    const one = k === except ? null : mask(k);
    if (one) for (let w = 0; w < all.length; w++) all[w] &= one[w];
  });
  const chosen = new Int32Array(N);
  let count = 0;
  for (let w = 0; w < all.length; w++)
    for (let word = all[w] >>> 0, i = w * 32; word; word >>>= 1, i++) if (word & 1 && i < N) chosen[count++] = i;
  return chosen.subarray(0, count);
};
// Sums over the chosen series, step by step; NaN where none of them has a value. Exact integers are added as integers;
// where most series are chosen, those that are not are taken from the total instead, which is as exact and faster.
const addUp = chosen => {
  const { cells, missing, factor, factors } = D.sales;
  const invert = !factors && chosen.length > N / 2 && D.all;
  if (chosen.length === N && D.all) return { sum: D.all.sum.slice(), count: D.all.count.slice() };
  let list = chosen;
  if (invert) {
    const on = new Uint8Array(N);
    list = new Int32Array(N - chosen.length);
    chosen.forEach(i => {
      on[i] = 1;
    });
    for (let i = 0, at = 0; i < N; i++) if (!on[i]) list[at++] = i;
  }
  const sum = new Float64Array(T),
    count = new Float64Array(T);
  for (const i of list) {
    const from = i * T,
      times = factors ? factors[i] : 1;
    if (missing)
      for (let t = 0; t < T; t++) {
        sum[t] += cells[from + t] * times;
        count[t] += 1 - missing[from + t];
      }
    else if (factors) for (let t = 0; t < T; t++) sum[t] += cells[from + t] * times;
    else for (let t = 0; t < T; t++) sum[t] += cells[from + t];
  }
  if (!missing) count.fill(list.length);
  if (!factors) for (let t = 0; t < T; t++) sum[t] = scaled(sum[t], factor);
  if (invert)
    for (let t = 0; t < T; t++) {
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
  const at = i * (T + 1),
    value = D.prefix[at + b + 1] - D.prefix[at + a];
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
  const chosen = select(-1),
    { sum, count } = addUp(chosen);
  const sales = sum;
  for (let t = 0; t < T; t++) if (!count[t]) sales[t] = NaN;
  const models = D.models.map(model => {
    const mean = new Float64Array(F).fill(NaN);
    let have = 0;
    for (const i of chosen) {
      let any = 0;
      for (let h = 0, at = i * F; h < F; h++, at++) {
        const value = model.mean[at];
        if (value === value) {
          mean[h] = mean[h] === mean[h] ? mean[h] + value : value;
          any = 1;
        }
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
  for (const k of H.grouped) {
    if (k === one.k) return at + one.code;
    at += H.sizes[k];
  }
  return -1;
};
// The ends of the intervals of the selected total by a model, level by level; or why there are none. See data.rs.
const bands = m => {
  if (!G.bands.has(m)) G.bands.set(m, makeBands(m));
  return G.bands.get(m);
};
const makeBands = m => {
  const L = H.levels.length,
    model = D.models[m],
    mean = G.models[m].mean;
  if (!L) return { why: 'This forecast has no intervals.' };
  if (!G.chosen.length) return { why: '' };
  const pair = make =>
    H.levels.map((_, l) => [0, 1].map(end => Float64Array.from({ length: F }, (_, h) => make(l, end, h))));
  if (G.chosen.length === 1) {
    const at = G.chosen[0] * F;
    return { ends: pair((l, end, h) => model.mean[at + h] + model.bounds[l][end][at + h]) };
  }
  const g = group();
  if (g >= 0 && D.groups) {
    const at = (l, end) => ((m * groupCount + g) * L + l) * 2 + end;
    return {
      ends: pair((l, end, h) => D.groups[at(l, end) * F + h]),
      whole: H.levels.map((_, l) => [D.sums[at(l, 0)], D.sums[at(l, 1)]]),
    };
  }
  if (!H.paths.count)
    return {
      why:
        'No interval is shown for this selection, because the intervals of single series cannot be added up. ' +
        'Select one series, or one value of one filter.',
    };
  if (!D.paths[m]) return { why: 'The interval for this selection is being prepared.' };
  const mix = together(m);
  return { mix, ends: pair((l, end, h) => mean[h] + (end ? 1 : -1) * mix.width(l, end, h, h)) };
};
const groupCount = 1 + H.grouped.reduce((sum, k) => sum + H.sizes[k], 0);
// Combines the half-widths of the chosen series by their mean correlation along stored joint paths.
const together = m => {
  const K = H.paths.count,
    codes = D.paths[m].cells,
    model = D.models[m],
    L = H.levels.length;
  const sums = new Float64Array(K * F),
    own = new Float64Array(F),
    ownSd = new Float64Array(F),
    ownVar = new Float64Array(F);
  const wide = H.levels.map(() => [0, 1].map(() => [new Float64Array(F), new Float64Array(F)]));
  for (const i of G.chosen)
    for (let h = 0; h < F; h++) {
      const at = i * F + h,
        low = model.bounds[0][0][at],
        high = model.bounds[0][1][at];
      if (!(high - low >= 0)) continue;
      for (let l = 0; l < L; l++)
        for (let end = 0; end < 2; end++) {
          const w = Math.abs(model.bounds[l][end][at]);
          wide[l][end][0][h] += w;
          wide[l][end][1][h] += w * w;
        }
      const unit = ((high - low) / 2 / H.paths.deviate) * H.paths.unit;
      let squares = 0;
      for (let n = 0, c = i * K * F + h; n < K; n++, c += F) {
        const code = codes[c];
        sums[n * F + h] += code * unit;
        squares += code * code;
      }
      own[h] += (unit * unit * squares) / K;
      // Sheppard's correction: whole units blur a deviation by a twelfth of a squared unit.
      const clear = unit * Math.sqrt(Math.max(0, squares / K - 1 / 12));
      ownSd[h] += clear;
      ownVar[h] += clear * clear;
    }
  const add = (values, a, b) => {
    let sum = 0;
    for (let h = a; h <= b; h++) sum += values[h];
    return sum;
  };
  const correlation = (a, b) => {
    let sum = 0,
      squares = 0;
    for (let n = 0; n < K; n++) {
      const one = add(sums.subarray(n * F, n * F + F), a, b);
      sum += one;
      squares += one * one;
    }
    const variance = (squares - (sum * sum) / K) / (K - 1),
      apart = add(ownVar, a, b),
      room = add(ownSd, a, b) ** 2 - apart;
    return room > apart * 1e-9 ? clamp((variance - add(own, a, b)) / room, -apart / room, 1) : 1;
  };
  const kept = new Map();
  return {
    width: (l, end, a, b) => {
      const key = a * F + b;
      if (!kept.has(key)) kept.set(key, correlation(a, b));
      const rho = kept.get(key);
      return Math.sqrt(Math.max(0, (1 - rho) * add(wide[l][end][1], a, b) + rho * add(wide[l][end][0], a, b) ** 2));
    },
  };
};
// The forecast steps that figures are about: those in the range, all of them if there are none.
const aheadRange = () =>
  S.to >= Math.max(A, 0) && S.to >= T ? [Math.max(S.from, T, A), S.to] : [Math.max(T, A), STEPS - 1];
const aheadTotal = m => {
  const [a, b] = aheadRange();
  let sum = NaN;
  for (let t = a; t <= b; t++) {
    const v = G.models[m].mean[t - A];
    if (v === v) sum = sum === sum ? sum + v : v;
  }
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
  let by = shift(),
    a = S.from,
    b = S.to;
  // Nothing lies before the whole history: its second half is compared with its first.
  if (S.compare === 'previous' && b - by < 0) {
    by = Math.floor((b - a + 1) / 2);
    b = a + 2 * by - 1;
    a += by;
  }
  if (a - by < 0) a = by;
  if (b - by > T - 1) b = by + T - 1;
  if (!M) b = Math.min(b, T - 1);
  return { by, a: Math.max(a, 0), b, none: b < a || by === 0 };
};
// Between history and forecast may lie a gap, of which nothing is known.
const valueAt = t => (t < T ? G.sales[t] : M && t >= A ? G.models[S.main].mean[t - A] : NaN);
const change = () => {
  const { by, a, b, none } = overlap();
  let now = 0,
    then = 0,
    seen = 0;
  for (let t = a; t <= b && !none; t++) {
    const x = valueAt(t),
      y = valueAt(t - by);
    if (x === x && y === y) {
      now += x;
      then += y;
      seen++;
    }
  }
  return { by, a, b, now, then, seen };
};
const share = (now, then) => (then ? (100 * (now - then)) / Math.abs(then) : NaN);
const compared = () =>
  ({
    before: H.before,
    previous: 'the preceding period',
    dates: S.other >= 0 ? 'the chosen period' : H.before,
    seasons: H.before,
  })[S.compare];
const errorOf = (m, list) => {
  if (!D.errors) return null;
  const E = D.errors,
    folds = H.folds.length;
  let off = 0,
    side = 0,
    actual = 0;
  for (const i of list)
    for (let f = 0, at = i * folds; f < folds; f++, at++) {
      const e = E.models[m].absolute[at];
      if (e === e) {
        off += e;
        side += E.models[m].signed[at];
        actual += E.actual[at];
      }
    }
  return { size: actual ? (100 * off) / actual : NaN, side: actual ? (100 * side) / actual : NaN };
};
// Too high or too low in total; what rounds to nothing is neither.
const leaning = side => {
  const size = percent(Math.abs(side));
  return size === percent(0)
    ? 'neither too high nor too low overall'
    : `${size} too ${side > 0 ? 'high' : 'low'} overall`;
};
// A number per value of a column, or per series.
const measure = (by, what, list) => {
  const levels = by === 'series' ? N : D.levels[by].length,
    codes = by === 'series' ? null : D.codes[by];
  const value = new Float64Array(levels),
    base = new Float64Array(levels),
    members = new Int32Array(levels);
  const { by: back, a, b, none } = overlap(),
    [fa, fb] = aheadRange(),
    folds = H.folds ? H.folds.length : 0;
  for (const i of list) {
    const g = codes ? codes[i] : i;
    members[g]++;
    if (what === 'total') value[g] += sold(i, S.from, S.to);
    else if (what === 'forecast') {
      if (!D.models[S.main].known[i]) continue;
      value[g] += foretold(S.main, i, fa, fb);
      base[g]++;
    } else if (what === 'change') {
      if (none) continue;
      value[g] += sold(i, a, b);
      base[g] += sold(i, a - back, Math.min(T - 1, b) - back);
      // Without a forecast, what was sold a period before has nothing to be compared with.
      const first = Math.max(A, T, a);
      if (first > b || !D.models[S.main].known[i]) continue;
      value[g] += foretold(S.main, i, first, b);
      base[g] += sold(i, first - back, b - back);
    } else
      for (let f = 0, at = i * folds; f < folds; f++, at++) {
        const e = D.errors.models[S.main].absolute[at];
        if (e === e) {
          value[g] += e;
          base[g] += D.errors.actual[at];
        }
      }
  }
  if (what === 'change') for (let g = 0; g < levels; g++) value[g] -= base[g];
  if (what === 'forecast') for (let g = 0; g < levels; g++) if (!base[g]) value[g] = NaN;
  if (what === 'error') for (let g = 0; g < levels; g++) value[g] = base[g] ? (100 * value[g]) / base[g] : NaN;
  return { value, base, members };
};
// The places of the k greatest (or least) values without sorting all of them.
const best = (value, candidates, k, falling) => {
  const better = falling ? (x, y) => x > y : (x, y) => x < y,
    heap = [];
  const worse = (p, q) => {
    const x = value[p],
      y = value[q];
    return x === y ? p > q : better(y, x);
  };
  const sink = at => {
    for (;;) {
      let next = at;
      for (const child of [2 * at + 1, 2 * at + 2])
        if (child < heap.length && worse(heap[child], heap[next])) next = child;
      if (next === at) return;
      [heap[at], heap[next]] = [heap[next], heap[at]];
      at = next;
    }
  };
  for (const p of candidates) {
    if (value[p] !== value[p]) continue;
    if (heap.length < k) {
      heap.push(p);
      for (let at = heap.length - 1, up; at && worse(heap[at], heap[(up = (at - 1) >> 1)]); at = up)
        [heap[at], heap[up]] = [heap[up], heap[at]];
    } else if (k && worse(heap[0], p)) {
      heap[0] = p;
      sink(0);
    }
  }
  return heap.sort((p, q) => (worse(p, q) ? 1 : -1));
};
// `Store 4, Dept 2`.
const titled = value =>
  NAMES.slice(0, H.identifying)
    .map((name, k) => `${name} ${value(k)}`)
    .join(', ') || TARGET;
const nameOf = i => titled(k => D.levels[k][D.codes[k][i]]);
// A bare number says little: `Store 4`.
const named = (by, g) =>
  by === 'series' ? nameOf(g) : /^[\d.]*$/.test(D.levels[by][g]) ? `${NAMES[by]} ${D.levels[by][g]}` : D.levels[by][g];
const selected = () =>
  S.filters
    .map(
      (on, k) =>
        on && (on.size === 1 ? `${NAMES[k]} ${D.levels[k][[...on][0]]}` : `${plural(on.size, 'value')} of ${NAMES[k]}`),
    )
    .filter(Boolean)
    .join(', ') || 'All series';
