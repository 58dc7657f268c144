// In which order does the page come up? The first view from the head alone, then the numbers, then the charts.

// The first view needs nothing but the head: totals of everything.
const firstView = () => {
  D = { levels: H.keys.map(() => []), codes: [], models: [], errors: null, orders: null, paths: [], places: [] };
  G = {
    chosen: {
      length: N,
      [Symbol.iterator]: function* () {
        /* not yet */
      },
    },
    sales: Float64Array.from(H.total.sales, v => v ?? NaN),
    models: H.total.means.map(mean => ({ mean: Float64Array.from(mean, v => v ?? NaN), have: N })),
    bands: new Map(),
  };
  D.models = H.total.means.map(() => ({}));
  H.levels.length && G.models.forEach((_, m) => G.bands.set(m, { why: '' }));
  figures();
  drawStrip();
  drawWindow();
  $('main-say').textContent =
    `All series: ${plural(N, 'series', 'series')}, ${H.steps[S.from] ?? NONE} to ${H.steps[S.to] ?? NONE}.`;
  const notes = [
    ...H.notes,
    H.digits
      ? `Sales figures are rounded to ${H.digits} significant digits of each series’ largest value.`
      : 'Sales figures are exact.',
  ];
  if (M)
    notes.push(
      'Forecasts, intervals and errors are rounded to four significant digits of each series’ largest value; ' +
        'totals are sums of the rounded forecasts.',
    );
  if (H.joint)
    notes.push(
      'Intervals of totals come from joint sample paths; intervals of single series are never added up.' +
        (H.paths.count ? ` The page holds ${H.paths.count} paths per series, enough for any selection.` : ''),
    );
  notes.push('This page works offline and sends nothing anywhere. Charts by Plotly.js (MIT licence).');
  $('notes').replaceChildren(el('ul', {}, ...notes.map(note => el('li', { dir: 'auto' }, note))));
};
const unpack = async () => {
  const [levels, codes, sales] = await Promise.all([json('keys'), matrix('codes'), matrix('sales')]);
  const rowsOf = ({ cells }, columns) => H.keys.map((_, k) => cells.subarray(k * columns, (k + 1) * columns));
  const many = sales.exponents.length > 1;
  D = {
    levels,
    codes: rowsOf(codes, N),
    places: levels.map(names => new Map(names.map((name, code) => [name, code]))),
    models: [],
    errors: null,
    orders: null,
    groups: null,
    paths: [],
    all: null,
    sales: {
      cells: sales.cells,
      missing: sales.missing,
      factor: sales.exponents[0] || 0,
      factors: many ? Float64Array.from(sales.exponents, e => scaled(1, e)) : null,
    },
  };
  if (sales.missing) for (let i = 0; i < sales.cells.length; i++) if (sales.missing[i]) sales.cells[i] = 0;
  decimals = many ? Math.min(4, Math.max(0, ...Array.from(sales.exponents, e => -e))) : Math.max(0, -D.sales.factor);
  const everyone = Int32Array.from({ length: N }, (_, i) => i);
  const prefix = (D.prefix = new Float64Array(N * (T + 1)));
  for (let i = 0, at = 0, cell = 0; i < N; i++, at++) {
    let sum = 0;
    for (let t = 0; t < T; t++, cell++) {
      sum += sales.cells[cell];
      prefix[++at] = sum;
    }
  }
  D.all = addUp(everyone);
  for (let m = 0; m < M; m++) {
    const [mean, ends] = await Promise.all([matrix('mean' + m), H.levels.length ? matrix('bounds' + m) : null]);
    const values = reals(mean),
      sums = new Float64Array(N * (F + 1)),
      known = new Uint8Array(N);
    for (let i = 0; i < N; i++)
      for (let h = 0, at = i * (F + 1); h < F; h++) {
        const value = values[i * F + h];
        if (value === value) known[i] = 1;
        sums[at + h + 1] = sums[at + h] + (value || 0);
      }
    let offsets = [];
    if (ends)
      offsets = H.levels.map((_, l) =>
        [0, 1].map(end => {
          const out = new Float64Array(N * F),
            base = (2 * l + end) * N * F;
          for (let i = 0, at = 0; i < N; i++)
            for (let h = 0; h < F; h++, at++)
              out[at] =
                ends.missing && ends.missing[base + at] ? NaN : scaled(ends.cells[base + at], mean.exponents[i]);
          return out;
        }),
      );
    D.models.push({ mean: values, prefix: sums, known, bounds: offsets });
  }
  if (H.joint) {
    D.groups = reals(await matrix('groups'));
    D.sums = reals(await matrix('sums'));
  }
  if (H.folds && M) {
    const actual = reals(await matrix('actual')),
      models = [];
    for (let m = 0; m < M; m++)
      models.push({ absolute: reals(await matrix('absolute' + m)), signed: reals(await matrix('signed' + m)) });
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
const pause = () =>
  new Promise(done => {
    requestAnimationFrame(() => setTimeout(done));
  });
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
  $('card-map').hidden = !D.errors;
  $('card-orders').hidden = !D.orders;
  render('all');
  performance.mark('numbers');
  await pause();
  await chartsLibrary();
  drawMain();
  Object.keys(LATER).forEach(id => stale.add(id));
  flush();
  performance.mark('charts');
  // Paths are needed only by selections that have no interval of their own.
  for (let m = 0; m < M && H.paths.count; m++) {
    await pause();
    D.paths[m] = await matrix('paths' + m);
  }
  if (H.paths.count) {
    G.bands.clear();
    drawMain();
    figures();
    sayMain();
  }
  performance.mark('ready');
  document.documentElement.dataset.ready = '';
};
start().catch(error => {
  $('main-say').textContent =
    `This page could not be shown: ${error.message}. It needs a current version of Chrome, Edge, Firefox or Safari.`;
  throw error;
});
