// Two periods compared, or seasons laid over each other.

const compareLines = () => {
  const lines = [];
  if (S.compare === 'seasons' && H.season > 1) {
    const P = H.season,
      first = Math.max(0, Math.floor((STEPS - 1) / P) - 4) * P;
    // Years begin with the calendar's year where steps have dates, so that lines bear its number.
    const year = t => H.steps[t].slice(0, 4),
      yearly = H.dated && ['week', 'month', 'quarter'].includes(H.noun);
    const cycles = new Map();
    for (let t = yearly ? 0 : first; t < STEPS; t++) {
      const key = yearly ? year(t) : String(Math.floor(t / P));
      if (!cycles.has(key)) cycles.set(key, []);
      cycles.get(key).push(t);
    }
    const kept = [...cycles].slice(-5);
    kept.forEach(([key, list]) => {
      const full = yearly
        ? Math.floor((Date.parse(H.steps[list[0]].slice(0, 10)) - Date.UTC(+key, 0, 1)) / 864e5 / (365.25 / P))
        : list[0] % P;
      lines.push({
        name: yearly ? key : `from ${H.steps[list[0]]}`,
        points: list.map((t, k) => ({ x: full + k + 1, t, v: valueAt(t) })),
      });
    });
    return { lines, season: true };
  }
  const { by, a, b, none } = overlap();
  if (none) return { lines, season: false };
  const now = [],
    then = [];
  for (let t = a; t <= b; t++) {
    now.push({ x: t - a + 1, t, v: valueAt(t) });
    then.push({ x: t - a + 1, t: t - by, v: valueAt(t - by) });
  }
  lines.push(
    { name: `${H.steps[a - by]} to ${H.steps[b - by]}`, points: then },
    { name: `${H.steps[a]} to ${H.steps[b]}`, points: now },
  );
  return { lines, season: false };
};
let lines = null;
const drawCompare = () => {
  lines = compareLines();
  $('compare-when').hidden = S.compare !== 'dates';
  const dates = S.compare === 'dates';
  if (dates && document.activeElement !== $('compare-from'))
    $('compare-from').value = S.other >= 0 ? H.steps[S.other] : '';
  const c = change();
  const names = lines.lines.map(l => l.name).join(', ');
  $('compare-say').textContent = !lines.lines.length
    ? 'There is no other period to compare the selected dates with.'
    : lines.season
      ? `Seasons of ${plural(H.season, H.noun)} laid over one another${M ? ', forecast included' : ''}: ${names}.`
      : c.seen
        ? `${H.steps[c.a]} to ${H.steps[c.b]}${c.b >= T && M ? ' (forecast included)' : ''}: ` +
          `${money(about(c.now))} vs ${money(about(c.then))}, ${percent(share(c.now, c.then), true)}.`
        : `No ${H.noun} has a value in both periods.`;
  if (S.plain.has('compare')) return table('compare-plain', compareRows());
  const many = lines.lines.length,
    tones = lines.season
      ? (ink.dark ? ['#4a5661', '#6f7d8a', '#9ba8b4', '#c9d2da'] : ['#c3ccd4', '#9aa7b3', '#6c7a87', '#48545f']).slice(
          5 - many,
        )
      : [ink.edge];
  const pixels = width('compare');
  // The axis counts steps; it bears the dates of the later period.
  const now = lines.season || !many ? [] : lines.lines[many - 1].points,
    every = Math.max(1, Math.ceil(now.length / Math.max(2, Math.floor(pixels / 95))));
  const ticks = now.length
    ? {
        tickvals: now.filter((_, k) => k % every === 0).map(p => p.x),
        ticktext: now.filter((_, k) => k % every === 0).map(p => H.steps[p.t]),
      }
    : {};
  if (!many)
    return plot(
      'compare',
      [],
      layout({
        xaxis: axis({ visible: false }),
        yaxis: axis({ visible: false }),
        annotations: [
          {
            text: 'Nothing to compare',
            xref: 'paper',
            yref: 'paper',
            x: 0.5,
            y: 0.5,
            showarrow: false,
            font: { size: 14, color: ink.soft },
          },
        ],
      }),
    );
  plot(
    'compare',
    lines.lines.map((line, k) => {
      const last = k === many - 1,
        p = thin(0, line.points.length - 1, i => line.points[i].v, pixels).map(i => line.points[i]);
      return {
        type: 'scatter',
        mode: p.length < 30 ? 'lines+markers' : 'lines',
        marker: { size: 5 },
        name: tame(lines.season ? line.name : last ? 'later' : 'earlier'),
        x: p.map(q => q.x),
        y: p.map(q => q.v),
        text: p.map(q => H.steps[q.t] + (q.t >= T ? ', forecast' : '')),
        customdata: p.map(q => about(q.v)),
        hovertemplate: '%{customdata}  (%{text})',
        line: { width: last ? 2.4 : 1.6, color: last ? ink.accent : tones[Math.min(k, tones.length - 1)] },
      };
    }),
    layout({
      xaxis: axis({
        title: { text: lines.season ? `${H.noun} of the season` : 'dates of the later period', standoff: 6 },
        showgrid: false,
        ticks: 'outside',
        tickcolor: ink.edge,
        nticks: 8,
        hoverformat: 'd',
        ...ticks,
      }),
      yaxis: amounts({ nticks: 6 }),
      hoverdistance: reach('compare', Math.max(...lines.lines.map(l => l.points.length))),
      margin: { l: LEFT, r: 26, t: lines.season ? 26 : 12, b: 46 },
      showlegend: lines.season,
      legend: { orientation: 'h', y: 1.12, x: 0, font: { color: ink.soft } },
    }),
  );
};
const compareRows = () => {
  const most = Math.max(0, ...lines.lines.map(l => l.points.length)),
    at = lines.lines.map(l => new Map(l.points.map(p => [p.x, p])));
  const places = [...new Set(lines.lines.flatMap(l => l.points.map(p => p.x)))].sort((a, b) => a - b);
  return {
    head: [`${H.noun} no.`, ...lines.lines.flatMap(l => (lines.season ? [l.name] : ['date', l.name]))],
    rows: most
      ? places.map(x => [
          String(x),
          ...at.flatMap(l => {
            const p = l.get(x);
            return lines.season ? [p ? p.v : NaN] : [p ? H.steps[p.t] : '', p ? p.v : NaN];
          }),
        ])
      : [],
  };
};
