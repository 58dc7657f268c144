// Charts and the strip by keyboard and pointer.

const keyCharts = () => {
  const mark = (id, points) => {
    if (window.Plotly && drawn.has(id))
      try {
        window.Plotly.Fx.hover(id, points);
      } catch {
        /* outside the axes */
      }
  };
  const clean = id => {
    if (window.Plotly && drawn.has(id)) window.Plotly.Fx.unhover(id);
  };
  let at = null;
  $('main').addEventListener('keydown', event => {
    const wide = S.to - S.from + 1,
      far = Math.max(1, Math.round(wide / 10));
    const move = { ArrowRight: 1, ArrowLeft: -1, PageDown: far, PageUp: -far, Home: -STEPS, End: STEPS }[event.key];
    if (move) {
      event.preventDefault();
      at = clamp(
        at !== null || Math.abs(move) === STEPS ? (at ?? S.from) + move : move > 0 ? S.from : S.to,
        S.from,
        S.to,
      );
      const words = [H.steps[at]];
      if (at < T) words.push(`${TARGET} ${exact(G.sales[at])}`);
      if (M && at >= A) for (const m of S.models) words.push(`${H.models[m]} ${about(G.models[m].mean[at - A])}`);
      const band = M && at >= A && S.models.has(S.main) ? bands(S.main) : null;
      if (band && band.ends)
        [...S.levels]
          .filter(l => Number.isFinite(band.ends[l][0][at - A]))
          .forEach(l =>
            words.push(
              `${level(H.levels[l])} interval ${about(band.ends[l][0][at - A])} to ${about(band.ends[l][1][at - A])}`,
            ),
          );
      if (words.length === 1) words.push('no value');
      mark('main', { xval: X[at] });
      speak(words.join(', '));
    } else if (event.key === '+' || event.key === '=') {
      event.preventDefault();
      zoom(0.6);
    } else if (event.key === '-') {
      event.preventDefault();
      zoom(1 / 0.6);
    } else if (event.key === '0') {
      event.preventDefault();
      setRange(0, STEPS - 1);
    }
  });
  const zoom = by => {
    const wide = Math.max(2, (S.to - S.from + 1) * by),
      middle = at !== null && at >= S.from && at <= S.to ? at : (S.from + S.to) / 2,
      part = (middle - S.from) / Math.max(1, S.to - S.from);
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
    speak(
      lines.lines
        .map(l => l.points.find(p => p.x === places[x]))
        .filter(Boolean)
        .map(p => `${H.steps[p.t]}${p.t >= T ? ', forecast' : ''}: ${about(p.v)}`)
        .join('; '),
    );
  });
  let r = 0,
    f = 0,
    from = false;
  $('map').addEventListener('keydown', event => {
    const by = {
      ArrowRight: [0, 1],
      ArrowLeft: [0, -1],
      ArrowDown: [1, 0],
      ArrowUp: [-1, 0],
      Home: [0, -1e6],
      End: [0, 1e6],
      PageDown: [10, 0],
      PageUp: [-10, 0],
    }[event.key];
    if (event.key === 'Enter') {
      event.preventDefault();
      return openRow(r);
    }
    if (!by || !cells || !cells.top.length) return;
    event.preventDefault();
    if (from) {
      r += by[0];
      f += by[1];
    }
    from = true;
    r = clamp(r, 0, cells.top.length - 1);
    f = clamp(f, 0, cells.folds - 1);
    mark('map', [{ curveNumber: 0, pointNumber: [r, f] }]);
    speak(`${cells.name(cells.top[r])}, ${H.folds[f]}: ${percent(cells.value(cells.top[r], f), S.mapWhat === 'side')}`);
  });
  let o = -1;
  $('orders').addEventListener('keydown', event => {
    const move = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key],
      O = D.orders;
    if (event.key === 'Enter' && o >= 0) {
      event.preventDefault();
      return openOrder(o);
    }
    if (!move || !ordersTop.length) return;
    event.preventDefault();
    o = clamp(o + move, 0, ordersTop.length - 1);
    const item = ordersTop[o];
    mark('orders', { yval: o });
    speak(
      `${itemOf(item)}: order ${about(O.order[item])}, on hand and on order ${about(O.position[item])}, ` +
        `expected demand ${about(O.mean[item])}. ${O.reason[item]}`,
    );
  });
  for (const id of ['main', 'compare', 'map', 'orders']) $(id).addEventListener('blur', () => clean(id));
};
const handles = () => {
  const strip = $('strip'),
    step = event => {
      const box = strip.getBoundingClientRect();
      return (((event.clientX - box.left) / box.width - 0.01) / 0.98) * (STEPS - 1);
    };
  for (const [id, end] of [
    ['thumb-a', 'from'],
    ['thumb-b', 'to'],
  ])
    $(id).addEventListener('keydown', event => {
      const far = Math.max(1, Math.round(STEPS / 12));
      const move = {
        ArrowRight: 1,
        ArrowUp: 1,
        ArrowLeft: -1,
        ArrowDown: -1,
        PageUp: far,
        PageDown: -far,
        Home: -STEPS,
        End: STEPS,
      }[event.key];
      if (!move) return;
      event.preventDefault();
      if (end === 'from') setRange(clamp(S.from + move, 0, S.to), S.to);
      else setRange(S.from, clamp(S.to + move, S.from, STEPS - 1));
    });
  let drag = null;
  strip.addEventListener('pointerdown', event => {
    if (event.button) return;
    event.preventDefault();
    const at = step(event),
      id = event.target.id;
    drag = {
      what:
        id === 'thumb-a'
          ? 'from'
          : id === 'thumb-b'
            ? 'to'
            : id === 'window' && S.to - S.from < STEPS - 1
              ? 'window'
              : 'new',
      at,
      from: S.from,
      to: S.to,
    };
    if (id.startsWith('thumb')) event.target.focus({ preventScroll: true });
    strip.setPointerCapture(event.pointerId);
  });
  strip.addEventListener('pointermove', event => {
    if (!drag) return;
    const at = step(event),
      by = Math.round(at - drag.at);
    if (drag.what === 'from') setRange(clamp(at, 0, S.to), S.to);
    else if (drag.what === 'to') setRange(S.from, clamp(at, S.from, STEPS - 1));
    else if (drag.what === 'window') {
      const move = clamp(by, -drag.from, STEPS - 1 - drag.to);
      setRange(drag.from + move, drag.to + move);
    } else if (Math.abs(at - drag.at) >= 1 || STEPS < 8) setRange(Math.min(at, drag.at), Math.max(at, drag.at));
  });
  for (const name of ['pointerup', 'pointercancel'])
    strip.addEventListener(name, () => {
      drag = null;
    });
};
