// The map of errors.

let cells = null;
const ROWS = 24;
const mapCells = () => {
  const m = S.mapModel,
    by = S.mapBy,
    E = D.errors,
    folds = H.folds.length;
  const size = by === 'series' ? N : D.levels[by].length,
    codes = by === 'series' ? null : D.codes[by];
  const off = new Float64Array(size * folds),
    side = new Float64Array(size * folds),
    actual = new Float64Array(size * folds),
    weight = new Float64Array(size).fill(NaN);
  for (const i of G.chosen) {
    const g = codes ? codes[i] : i;
    for (let f = 0, at = i * folds; f < folds; f++, at++) {
      const e = E.models[m].absolute[at];
      if (e !== e) continue;
      off[g * folds + f] += e;
      side[g * folds + f] += E.models[m].signed[at];
      actual[g * folds + f] += E.actual[at];
      weight[g] = (weight[g] || 0) + e;
    }
  }
  const there = [];
  for (let g = 0; g < size; g++) if (weight[g] === weight[g]) there.push(g);
  const top = best(weight, there, ROWS, true);
  const value = (g, f) => {
    const at = g * folds + f;
    return actual[at] ? (100 * (S.mapWhat === 'size' ? off : side)[at]) / actual[at] : NaN;
  };
  return { by, top, there, weight, value, off, actual, folds, name: g => named(by, g) };
};
const drawMap = () => {
  if (!D.errors) return;
  cells = mapCells();
  const { top, there, value, name, folds } = cells;
  $('map').style.height = clamp(70 + 19 * top.length, 140, 900) + 'px';
  const e = errorOf(S.mapModel, G.chosen);
  $('map-say').textContent = top.length
    ? `${H.models[S.mapModel]}: errors average ${percent(e.size)} of ${TARGET} over ${plural(folds, 'test period')}, ` +
      `${leaning(e.side)}. Rows are sorted by total error` +
      (there.length > top.length ? `; the largest ${top.length} of ${whole(there.length)} are shown.` : '.')
    : 'This selection is in no test period.';
  if (S.plain.has('map')) return table('map-plain', mapRows(), value => percent(value, S.mapWhat === 'side'));
  const label = width('map') < 500 ? 12 : 26;
  const longest = Math.max(2, ...top.map(g => Math.min(label, [...name(g)].length)));
  const z = top.map(g => H.folds.map((_, f) => value(g, f))),
    seen = z
      .flat()
      .filter(Number.isFinite)
      .map(Math.abs)
      .sort((a, b) => a - b);
  // One wild cell must not leave all others pale.
  const most = seen.length ? Math.max(1e-9, seen[Math.floor(0.95 * (seen.length - 1))]) : 1;
  const least = seen.length ? Math.min(0.8 * seen[Math.floor(0.02 * seen.length)], 0.9 * most) : 0;
  const blues = ink.dark
    ? [
        [0, '#22292f'],
        [0.5, '#5c4a33'],
        [1, '#f0a64a'],
      ]
    : [
        [0, '#fbf8f3'],
        [0.5, '#f6cd90'],
        [1, '#c4600c'],
      ];
  const sides = ink.dark
    ? [
        [0, '#56b4e9'],
        [0.5, '#20282f'],
        [1, '#ff9d5c'],
      ]
    : [
        [0, '#0072b2'],
        [0.5, '#f6f6f4'],
        [1, '#c24e00'],
      ];
  plot(
    'map',
    [
      {
        type: 'heatmap',
        z,
        x: H.folds.map((_, f) => f),
        y: top.map((_, r) => r),
        zmin: S.mapWhat === 'size' ? least : -most,
        zmax: most,
        colorscale: S.mapWhat === 'size' ? blues : sides,
        xgap: 1,
        ygap: 1,
        hoverongaps: false,
        text: top.map(g =>
          H.folds.map(
            (fold, f) =>
              `${tame(cut(name(g), 60))}<br>${tame(fold)}<br>` +
              `${S.mapWhat === 'size' ? 'error' : 'bias'} ${percent(value(g, f), S.mapWhat === 'side')}<br>` +
              `${tame(TARGET)} ${about(cells.actual[g * folds + f])}`,
          ),
        ),
        hovertemplate: '%{text}<extra></extra>',
        colorbar: {
          thickness: 12,
          ticksuffix: ' %',
          outlinewidth: 0,
          tickfont: { color: ink.soft },
          nticks: 5,
          len: 1,
        },
      },
    ],
    layout({
      hovermode: 'closest',
      dragmode: false,
      margin: { l: 22 + 7 * longest, r: 10, t: 8, b: 44 },
      xaxis: axis({
        tickvals: H.folds.map((_, f) => f).filter(f => f % Math.ceil(folds / (width('map') < 500 ? 3 : 8)) === 0),
        ticktext: H.folds.map(tame).filter((_, f) => f % Math.ceil(folds / (width('map') < 500 ? 3 : 8)) === 0),
        showgrid: false,
      }),
      yaxis: axis({
        tickvals: top.map((_, r) => r),
        ticktext: top.map(g => tame(cut(name(g), label))),
        autorange: 'reversed',
        showgrid: false,
        type: 'linear',
      }),
    }),
  );
};
const mapRows = () => ({
  head: [cells.by === 'series' ? 'Series' : NAMES[cells.by], ...H.folds],
  rows: best(cells.weight, cells.there, cells.there.length, true).map(g => [
    cells.name(g),
    ...H.folds.map((_, f) => cells.value(g, f)),
  ]),
});
const openRow = r => {
  if (cells && cells.top[r] !== undefined) open(cells.by, cells.top[r]);
};
