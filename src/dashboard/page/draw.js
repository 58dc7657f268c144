// What do all charts and tables share?

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
// Long names often differ at their ends alone, so the middle gives way.
const cut = (text, most = 26) => {
  const letters = [...text];
  if (letters.length <= most) return text;
  const end = Math.floor((most - 1) / 3);
  return letters.slice(0, most - 1 - end).join('') + '…' + letters.slice(letters.length - end).join('');
};
let ink = {};
const isDark = () =>
  document.documentElement.dataset.theme
    ? document.documentElement.dataset.theme === 'dark'
    : matchMedia('(prefers-color-scheme: dark)').matches;
const dye = () => {
  const style = getComputedStyle(document.documentElement),
    dark = isDark();
  ink = Object.fromEntries(
    ['ink', 'soft', 'rule', 'edge', 'paper', 'accent', 'tint'].map(name => [
      name,
      style.getPropertyValue('--' + name).trim(),
    ]),
  );
  // The model that is shown first has the colour of the page.
  ink.models = H.models.map(
    (_, m) => (dark ? DARK : COLOURS)[(m === H.main ? 0 : m < H.main ? m + 1 : m) % COLOURS.length],
  );
  ink.dark = dark;
};
const clear = (colour, share) => {
  const n = parseInt(colour.slice(1), 16);
  return `rgba(${n >> 16},${(n >> 8) & 255},${n & 255},${share})`;
};
// The room of the axis of amounts; a title takes some.
const LEFT = MEASURED ? 78 : 62;
const layout = more => ({
  separators: MARKS.decimal + (MARKS.group ?? ''),
  margin: { l: LEFT, r: 12, t: 12, b: 36 },
  showlegend: false,
  paper_bgcolor: ink.paper,
  plot_bgcolor: ink.paper,
  hovermode: 'x unified',
  font: { family: '"Open Sans","Segoe UI",Helvetica,Arial,sans-serif', size: 12, color: ink.soft },
  hoverlabel: { bgcolor: ink.paper, bordercolor: ink.edge, font: { color: ink.ink, size: 12 }, namelength: 28 },
  dragmode: 'zoom',
  ...more,
});
const axis = more => ({
  gridcolor: ink.rule,
  linecolor: ink.edge,
  zerolinecolor: ink.edge,
  zeroline: false,
  automargin: false,
  fixedrange: true,
  ...more,
});
const amounts = more =>
  axis({
    exponentformat: 'B',
    separatethousands: true,
    // Whether its labels stay within the page is known: Plotly need not measure them at each change.
    ticklabeloverflow: 'allow',
    title: MEASURED ? { text: tame(MEASURED), standoff: 10 } : undefined,
    ...more,
  });
const CONFIG = { displayModeBar: false, responsive: true, scrollZoom: false, showTips: false, doubleClick: false };
const width = id => Math.max(200, $(id).clientWidth);
// At most the least and the greatest value per pixel of a line, so that extremes survive.
const thin = (from, to, value, pixels) => {
  const out = [],
    many = to - from + 1;
  if (many <= 2 * pixels) {
    for (let t = from; t <= to; t++) out.push(t);
    return out;
  }
  for (let p = 0; p < pixels; p++) {
    const a = from + Math.floor((many * p) / pixels),
      b = from + Math.floor((many * (p + 1)) / pixels);
    let low = -1,
      high = -1;
    for (let t = a; t < b; t++) {
      const v = value(t);
      if (v !== v) continue;
      if (low < 0 || v < value(low)) low = t;
      if (high < 0 || v > value(high)) high = t;
    }
    if (low >= 0) out.push(...(low === high ? [low] : low < high ? [low, high] : [high, low]));
    else out.push(a);
  }
  return out;
};
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
        const a = event['xaxis.range[0]'],
          b = event['xaxis.range[1]'];
        if (a === undefined) return;
        const at = x =>
          nearest(
            H.dated
              ? typeof x === 'number'
                ? x
                : Date.parse(
                    String(x)
                      .replace(' ', 'T')
                      .replace(/(\.\d{3})\d*/, '$1') + (String(x).length > 10 ? 'Z' : ''),
                  )
              : Number(x),
          );
        setRange(at(a), at(b), true);
      });
      $(id).addEventListener('dblclick', () => setRange(0, STEPS - 1));
    }
    if (id === 'map') $(id).on('plotly_click', event => openRow(event.points[0].pointIndex[0]));
    if (id === 'orders') $(id).on('plotly_click', event => openOrder(event.points[0].pointIndex));
  }
};
const MOST = 400;
const table = (id, { head, rows }, show = about) => {
  const body = rows
    .slice(-MOST)
    .map(row =>
      el(
        'tr',
        {},
        ...row.map((value, c) =>
          c === 0
            ? el('th', { scope: 'row', dir: 'auto' }, String(value))
            : el(
                'td',
                typeof value === 'number' ? { class: 'n' } : { dir: 'auto' },
                typeof value === 'number' ? show(value, c) : String(value),
              ),
        ),
      ),
    );
  const numeric = c => rows.length && typeof rows[0][c] === 'number';
  const out = el(
    'table',
    {},
    el(
      'thead',
      {},
      el(
        'tr',
        {},
        ...head.map((text, c) => el('th', { scope: 'col', class: numeric(c) ? 'n' : null, dir: 'auto' }, text)),
      ),
    ),
    el('tbody', {}, ...body),
  );
  $(id).replaceChildren(
    out,
    ...(rows.length > MOST
      ? [
          el(
            'p',
            { class: 'say' },
            `The last ${whole(MOST)} of ${whole(rows.length)} rows; the saved data have all of them.`,
          ),
        ]
      : []),
  );
};
const refocus = (within, what) => {
  const found = document.querySelector(`${within} ${what}`);
  if (found) found.focus({ preventScroll: true });
};
