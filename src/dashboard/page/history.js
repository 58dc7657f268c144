// The first chart: history and forecast, with the strip below it that chooses dates.

const xRange = () => {
  const a = X[S.from],
    b = X[S.to],
    gap = STEPS > 1 ? (X[STEPS - 1] - X[0]) / (STEPS - 1) : 1;
  return [a - gap * 0.6, b + gap * 0.6];
};
const yRange = () => {
  let low = Infinity,
    high = -Infinity;
  const see = v => {
    if (v === v) {
      if (v < low) low = v;
      if (v > high) high = v;
    }
  };
  for (let t = S.from; t <= S.to; t++) {
    if (t < T) see(G.sales[t]);
    if (t >= A && M)
      for (const m of S.models) {
        see(G.models[m].mean[t - A]);
      }
    if (t >= A && M && S.models.has(S.main)) {
      const b = bands(S.main);
      if (b.ends)
        S.levels.forEach(l => {
          see(b.ends[l][0][t - A]);
          see(b.ends[l][1][t - A]);
        });
    }
  }
  if (low > high) return [0, 1];
  if (low > 0 && low < 0.6 * high) low = 0;
  const room = (high - low || Math.abs(high) || 1) * 0.06;
  return [low === 0 ? 0 : low - room, high + room];
};
const xAxis = () =>
  axis({
    type: H.dated ? 'date' : 'linear',
    range: xRange(),
    fixedrange: false,
    showgrid: false,
    ticks: 'outside',
    tickcolor: ink.edge,
    nticks: width('main') < 500 ? 5 : 10,
    hoverformat: H.dated ? (H.steps[0].length > 10 ? '%Y-%m-%d %H:%M' : '%Y-%m-%d') : undefined,
  });
// Half a step in pixels: nearer than that a line may answer, further off it would tell the value of another date.
const reach = (id, steps) => Math.max(1, Math.ceil((0.55 * (width(id) - LEFT - 12)) / Math.max(1, steps)));
const drawMain = () => {
  if (S.plain.has('main')) return plainMain();
  const pixels = width('main'),
    at = thin(0, T - 1, t => G.sales[t], T > 6 * pixels ? pixels * Math.ceil(T / Math.max(1, S.to - S.from + 1)) : T);
  const traces = [];
  const line = (x, y, name, told, more) => ({
    type: 'scatter',
    mode: 'lines',
    x,
    y,
    name,
    customdata: told,
    hovertemplate: '%{customdata}',
    ...more,
  });
  // A band is one closed line: half as many traces as two ends, which is what a redrawing costs. Its numbers are told
  // with the mean.
  let told = null;
  if (M && S.models.has(S.main)) {
    const b = bands(S.main),
      colour = ink.models[S.main],
      on = [...S.levels].sort((p, q) => q - p);
    if (b.ends && on.length) {
      told = Array.from({ length: F }, (_, h) =>
        on
          .filter(l => b.ends[l][0][h] === b.ends[l][0][h])
          .map(l => `<br>${level(H.levels[l])}: ${about(b.ends[l][0][h])} to ${about(b.ends[l][1][h])}`)
          .reverse()
          .join(''),
      );
      for (const l of on) {
        const [low, high] = b.ends[l],
          there = Array.from({ length: F }, (_, h) => h).filter(h => low[h] === low[h] && high[h] === high[h]),
          back = [...there].reverse();
        traces.push({
          type: 'scatter',
          mode: 'lines',
          name: level(H.levels[l]),
          x: [...there, ...back].map(h => X[A + h]),
          y: [...there.map(h => high[h]), ...back.map(h => low[h])],
          fill: 'toself',
          fillcolor: clear(colour, l ? 0.13 : 0.24),
          line: { width: 0, color: colour },
          hoverinfo: 'skip',
        });
      }
    }
  }
  const dots = (n, enough) => (n < enough ? 'lines+markers' : 'lines');
  traces.push(
    line(
      at.map(t => X[t]),
      at.map(t => G.sales[t]),
      tame(TARGET),
      at.map(t => exact(G.sales[t])),
      { mode: dots(T, 40), marker: { size: 5 }, line: { width: 1.6, color: ink.ink } },
    ),
  );
  for (const m of S.models) {
    const mean = Array.from(G.models[m].mean),
      first = m === S.main;
    traces.push(
      line(
        X.slice(A),
        mean,
        tame(H.models[m]),
        mean.map((value, h) => about(value) + (first && told ? told[h] : '')),
        {
          mode: dots(F, 40),
          marker: { size: first ? 5 : 4 },
          line: { width: first ? 2.4 : 1.6, color: ink.models[m], dash: first ? 'solid' : 'dot' },
        },
      ),
    );
  }
  const shapes =
    M && T < STEPS && T > 0
      ? [
          {
            type: 'line',
            x0: (X[T - 1] + X[T]) / 2,
            x1: (X[T - 1] + X[T]) / 2,
            y0: 0,
            y1: 1,
            yref: 'paper',
            line: { color: ink.edge, width: 1, dash: 'dot' },
          },
        ]
      : [];
  plot(
    'main',
    traces,
    layout({
      xaxis: xAxis(),
      yaxis: amounts({ range: yRange(), nticks: 7 }),
      shapes,
      hoverdistance: reach('main', S.to - S.from + 1.2),
    }),
  );
};
// A range moves the axes alone: the lines stay what they are.
const moveMain = () => {
  if (S.plain.has('main')) return plainMain();
  if (!drawn.has('main')) return drawMain();
  window.Plotly.relayout('main', {
    'xaxis.range': xRange(),
    'yaxis.range': yRange(),
    hoverdistance: reach('main', S.to - S.from + 1.2),
  });
};
const sayMain = () => {
  const band = M && bands(S.main),
    parts = [`${selected()}: ${plural(G.chosen.length, 'series', 'series')}, ${H.steps[S.from]} to ${H.steps[S.to]}.`];
  if (M) {
    const short = G.chosen.length - G.models[S.main].have;
    if (short > 0) parts.push(`${H.models[S.main]} has no forecast for ${whole(short)} of them.`);
    if (band.why) parts.push(band.why);
    else if (band.mix && band.ends && group() < 0 && G.chosen.length > 1)
      parts.push(
        `The interval for this selection is estimated from ${H.paths.count} joint sample paths; ` +
          `its width is accurate to about ${percent(Math.round(100 / Math.sqrt(2 * (H.paths.count - 1))))}.`,
      );
  }
  $('main-say').textContent = parts.join(' ');
};
const mainRows = () => {
  const head = [H.noun[0].toUpperCase() + H.noun.slice(1), TARGET],
    rows = [],
    shown = [...S.models];
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
const plainMain = () => table('main-plain', mainRows(), (value, c) => (c === 1 ? exact(value) : about(value)));

const drawStrip = () => {
  const canvas = $('strip-line'),
    w = $('strip').clientWidth,
    h = $('strip').clientHeight,
    scale = Math.min(2, devicePixelRatio || 1);
  canvas.width = w * scale;
  canvas.height = h * scale;
  const pen = canvas.getContext('2d');
  pen.scale(scale, scale);
  let low = Infinity,
    high = -Infinity;
  for (let t = 0; t < STEPS; t++) {
    const v = valueAt(t);
    if (v < low) low = v;
    if (v > high) high = v;
  }
  if (low > 0 && low < high * 0.6) low = 0;
  const y = v => (high > low ? h - 5 - ((h - 10) * (v - low)) / (high - low) : h / 2);
  const stroke = (a, b, colour) => {
    pen.beginPath();
    pen.strokeStyle = colour;
    pen.lineWidth = 1.2;
    let on = false;
    for (const t of thin(a, b, valueAt, w)) {
      const v = valueAt(t);
      if (v !== v) {
        on = false;
        continue;
      }
      pen[on ? 'lineTo' : 'moveTo'](place(t) * w, y(v));
      on = true;
    }
    pen.stroke();
  };
  if (T) stroke(0, T - 1, ink.soft);
  if (M && T < STEPS) stroke(Math.max(0, T - 1), STEPS - 1, ink.models[S.main]);
};
const place = t => (STEPS > 1 ? 0.01 + (0.98 * t) / (STEPS - 1) : 0.5);
const drawWindow = () => {
  const a = 100 * place(S.from),
    b = 100 * place(S.to);
  $('window').style.left = a + '%';
  $('window').style.width = b - a + '%';
  for (const [id, t, low, high] of [
    ['thumb-a', S.from, 0, S.to],
    ['thumb-b', S.to, S.from, STEPS - 1],
  ]) {
    const thumb = $(id);
    thumb.style.left = 100 * place(t) + '%';
    thumb.setAttribute('aria-valuemin', low);
    thumb.setAttribute('aria-valuemax', high);
    thumb.setAttribute('aria-valuenow', t);
    thumb.setAttribute('aria-valuetext', H.steps[t]);
  }
  if (document.activeElement !== $('from')) $('from').value = H.steps[S.from] ?? '';
  if (document.activeElement !== $('to')) $('to').value = H.steps[S.to] ?? '';
};
