// The buttons, lists and fields, and what each does.

const controls = () => {
  const crumbs = [
    el(
      'button',
      {
        type: 'button',
        onclick: () =>
          act(() => {
            S.filters = H.keys.map(() => null);
            S.rankBy = FIRST;
          }),
      },
      'All',
    ),
  ];
  const on = S.filters.map((f, k) => [f, k]).filter(([f]) => f);
  on.forEach(([f, k], at) => {
    const text =
      f.size === 1 ? `${NAMES[k]} ${cut(D.levels[k][[...f][0]], 40)}` : `${NAMES[k]}: ${whole(f.size)} values`;
    crumbs.push(
      el('i', { 'aria-hidden': 'true' }, '›'),
      at < on.length - 1
        ? el(
            'button',
            {
              type: 'button',
              dir: 'auto',
              onclick: () =>
                act(() => {
                  on.slice(at + 1).forEach(([, later]) => {
                    S.filters[later] = null;
                  });
                  S.rankBy = on[at + 1][1];
                }),
            },
            text,
          )
        : el('b', { dir: 'auto', 'aria-current': 'true' }, text),
    );
  });
  if (!on.length) crumbs[0] = el('b', { 'aria-current': 'true' }, 'All series');
  const focused = document.activeElement && document.activeElement.closest('#crumbs');
  $('crumbs').replaceChildren(...crumbs);
  if (focused) ($('crumbs').querySelector('button') || $('main-title')).focus({ preventScroll: true });
  H.keys.forEach((_, k) => {
    const button = $('filter' + k),
      f = S.filters[k];
    button.textContent = f
      ? `${NAMES[k]}: ${f.size === 1 ? cut(D.levels[k][[...f][0]], 22) : whole(f.size)}`
      : `${NAMES[k]}: all`;
    button.toggleAttribute('data-on', !!f);
  });
  H.models.forEach((_, m) => {
    $('model' + m).setAttribute('aria-pressed', S.models.has(m));
    $('model' + m).querySelector('i').style.background = ink.models[m];
  });
  H.levels.forEach((_, l) => {
    if (M) $('band' + l).setAttribute('aria-pressed', S.levels.has(l));
  });
  if (M > 1) $('by-model').value = S.main;
  $('rank-by').value = S.rankBy;
  $('rank-what').value = S.rankWhat;
  $('rank-turn').setAttribute('aria-pressed', S.turned);
  $('compare-with').value = S.compare;
  if (D.errors) {
    $('map-model').value = S.mapModel;
    $('map-by').value = S.mapBy;
    $('map-what').value = S.mapWhat;
  }
  for (const id of ['main', 'compare', 'map', 'orders']) {
    const plain = S.plain.has(id);
    $(id).hidden = plain;
    $(id + '-plain').hidden = !plain;
    $('view-' + id).textContent = plain ? 'Chart' : 'Table';
  }
};

// A list of boxes with a search; it shows at most so many at a time.
const BOXES = 200;
const filterList = k => {
  const pop = $('pop' + k),
    find = pop.querySelector('input[type=search]').value.trim().toLowerCase(),
    f = S.filters[k];
  const counts = new Int32Array(D.levels[k].length);
  for (const i of select(k)) counts[D.codes[k][i]]++;
  const hits = [];
  D.levels[k].forEach((name, code) => {
    if ((!find || name.toLowerCase().includes(find)) && (counts[code] || (f && f.has(code)))) hits.push(code);
  });
  // What is chosen stands first, so that it can be taken back without a search.
  if (f) hits.sort((p, q) => f.has(q) - f.has(p) || p - q);
  pop.querySelector('ul').replaceChildren(
    ...hits.slice(0, BOXES).map(code =>
      el(
        'li',
        {},
        el(
          'label',
          {},
          el('input', {
            type: 'checkbox',
            checked: !!(f && f.has(code)),
            value: code,
            onchange: event => {
              const next = new Set(S.filters[k] || []);
              if (event.target.checked) next.add(code);
              else next.delete(code);
              setFilter(k, next);
            },
          }),
          el('bdi', {}, D.levels[k][code] === '' ? '(empty)' : cut(D.levels[k][code], 120)),
        ),
      ),
    ),
  );
  pop.querySelector('p').textContent =
    hits.length > BOXES
      ? `The first ${BOXES} of ${whole(hits.length)}; type to find the others.`
      : hits.length
        ? ''
        : 'No matches.';
};
const build = () => {
  H.keys.forEach((_, k) => {
    const pop = el('div', {
      class: 'pop',
      id: 'pop' + k,
      popover: 'auto',
      role: 'dialog',
      'aria-label': `Filter by ${NAMES[k]}`,
    });
    const search = el('input', {
      type: 'search',
      'aria-label': `Find a value of ${NAMES[k]}`,
      placeholder: 'Find',
      oninput: () => filterList(k),
    });
    search.addEventListener('keydown', event => {
      if (event.key === 'Enter') {
        const first = pop.querySelector('li input');
        if (first) {
          const code = first.value;
          first.click();
          filterList(k);
          const again = pop.querySelector(`li input[value="${code}"]`);
          if (again) again.focus();
        }
      }
    });
    pop.append(
      search,
      el(
        'div',
        { class: 'row' },
        el(
          'button',
          {
            type: 'button',
            onclick: () => {
              setFilter(k, null);
              filterList(k);
            },
          },
          'All',
        ),
        el('button', { type: 'button', onclick: () => pop.hidePopover() }, 'Done'),
      ),
      el('ul'),
      el('p'),
    );
    const button = el('button', {
      type: 'button',
      class: 'filter',
      id: 'filter' + k,
      popovertarget: 'pop' + k,
      'aria-haspopup': 'dialog',
      dir: 'auto',
    });
    pop.addEventListener('beforetoggle', event => {
      if (event.newState !== 'open') return;
      search.value = '';
      filterList(k);
      const box = button.getBoundingClientRect();
      pop.style.left = clamp(box.left, 8, Math.max(8, innerWidth - 320)) + 'px';
      pop.style.top = clamp(box.bottom + 4, 8, Math.max(8, innerHeight - 430)) + 'px';
    });
    pop.addEventListener('toggle', event => {
      if (event.newState === 'open') search.focus();
      else if (document.activeElement === document.body) button.focus();
    });
    $('filters').append(button, pop);
  });
  if (!H.keys.length) $('filters').hidden = true;
  const spans = [['All', () => [0, STEPS - 1]]];
  const year = Math.min(T, H.season > 1 ? H.season : 12);
  if (T > year && H.season > 1)
    spans.push([
      { 'the year before': 'Last year', 'the week before': 'Last week', 'the day before': 'Last day' }[H.before] ||
        `Last ${plural(year, H.noun)}`,
      () => [T - year, T - 1],
    ]);
  if (T > 13 && year > 13) spans.push([`Last ${plural(13, H.noun)}`, () => [T - 13, T - 1]]);
  if (M) spans.push(['Forecast', () => [Math.max(0, T - 2 * F), STEPS - 1]]);
  $('spans').append(
    ...spans.map(([text, range]) => el('button', { type: 'button', onclick: () => setRange(...range()) }, text)),
  );
  H.models.forEach((name, m) =>
    $('models').append(
      el(
        'button',
        {
          type: 'button',
          class: 'chip',
          id: 'model' + m,
          dir: 'auto',
          onclick: () =>
            act(() => {
              if (S.models.has(m)) S.models.delete(m);
              else S.models.add(m);
              if (!S.models.has(S.main) && S.models.size) S.main = Math.min(...S.models);
            }, false),
        },
        el('i'),
        cut(name, 32),
      ),
    ),
  );
  if (M > 1)
    $('models').append(
      el(
        'label',
        {},
        'key figures from ',
        el(
          'select',
          {
            id: 'by-model',
            onchange: event =>
              act(() => {
                S.main = S.mapModel = +event.target.value;
                S.models.add(S.main);
              }, false),
          },
          ...H.models.map((name, m) => el('option', { value: m }, cut(name, 40))),
        ),
      ),
    );
  if (M)
    H.levels.forEach((value, l) =>
      $('bands').append(
        el(
          'button',
          {
            type: 'button',
            id: 'band' + l,
            class: 'chip',
            onclick: () =>
              act(() => {
                if (S.levels.has(l)) S.levels.delete(l);
                else S.levels.add(l);
              }, false),
          },
          `${level(value)} interval`,
        ),
      ),
    );
  const columns = [...NAMES.map((name, k) => [k, name]), ['series', 'individual series']];
  const fill = (id, options) => $(id).append(...options.map(([value, text]) => el('option', { value }, cut(text, 40))));
  fill('rank-by', columns);
  fill('map-by', columns);
  fill(
    'rank-what',
    Object.entries(RANKS).filter(
      ([what]) => (what !== 'forecast' && what !== 'error') || (M && (what === 'forecast' || H.folds)),
    ),
  );
  fill('compare-with', [
    ...(H.season > 1 ? [['before', H.before]] : []),
    ['previous', 'the preceding period'],
    ['dates', 'dates you choose'],
    ...(H.season > 1 ? [['seasons', 'all seasons']] : []),
  ]);
  fill(
    'map-model',
    H.models.map((name, m) => [m, name]),
  );
  const pick = (id, name, number) =>
    $(id).addEventListener('change', event =>
      act(() => {
        const v = event.target.value;
        S[name] = number && v !== 'series' ? +v : v;
        if (name.startsWith('rank')) rows.rank = 12;
        if (v === 'dates' && S.other < 0) S.other = Math.max(0, S.from - H.season);
      }, false),
    );
  pick('rank-by', 'rankBy', true);
  pick('rank-what', 'rankWhat');
  pick('compare-with', 'compare');
  pick('map-model', 'mapModel', true);
  pick('map-by', 'mapBy', true);
  pick('map-what', 'mapWhat');
  $('rank-turn').addEventListener('click', () =>
    act(() => {
      S.turned = !S.turned;
    }, false),
  );
  const dates = (id, set) => {
    const input = $(id),
      commit = () => {
        const step = stepAt(input.value);
        if (step >= 0) set(step);
        input.value = step >= 0 ? H.steps[step] : input.value;
        input.setAttribute('aria-invalid', step < 0);
      };
    input.addEventListener('change', commit);
    input.addEventListener('keydown', event => {
      const by = { ArrowUp: 1, ArrowDown: -1 }[event.key];
      if (by) {
        event.preventDefault();
        const step = clamp(Math.max(0, stepAt(input.value)) + by, 0, STEPS - 1);
        input.value = H.steps[step];
        set(step);
      }
    });
  };
  dates('from', step => setRange(step, Math.max(step, S.to)));
  dates('to', step => setRange(Math.min(step, S.from), step));
  dates('compare-from', step =>
    act(() => {
      S.other = step;
    }, false),
  );
  $('undo').addEventListener('click', () => history.back());
  $('reset').addEventListener('click', () =>
    act(() => {
      const { theme } = S;
      S = fresh();
      S.theme = theme;
      rows = { rank: 12, list: 25, find: '' };
      $('list-find').value = '';
    }),
  );
  $('link').addEventListener('click', async () => {
    remember(false);
    let done = false;
    try {
      await navigator.clipboard.writeText(location.href);
      done = true;
    } catch {
      const field = el('textarea', { 'aria-hidden': 'true' });
      field.value = location.href;
      document.body.append(field);
      field.select();
      try {
        done = document.execCommand('copy');
      } catch {
        /* the address bar has it */
      }
      field.remove();
      $('link').focus();
    }
    speak(done ? 'Link to this view copied.' : 'To share this view, copy the address of this page.');
    $('link').textContent = done ? 'Copied' : 'Copy the address';
    setTimeout(() => {
      $('link').textContent = 'Copy link';
    }, 1500);
  });
  $('theme').addEventListener('click', () => {
    S.theme = isDark() ? 'light' : 'dark';
    setTheme();
    render('all');
    remember(false);
  });
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
    setTheme();
    render('all');
  });
  const keys = $('keys');
  $('help').addEventListener('click', () => keys.showModal());
  document.addEventListener('keydown', event => {
    if (event.key === '?' && !/^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName) && !keys.open) keys.showModal();
  });
  $('list-find').addEventListener('input', event => {
    rows.find = event.target.value;
    rows.list = 25;
    drawList();
  });
  // Each chart can be read as a table and taken along.
  const files = {
    main: ['history-and-forecast', mainRows],
    rank: ['ranking', rankRows],
    compare: ['periods', compareRows],
    map: ['errors', mapRows],
    orders: ['orders', orderRows],
    list: ['series', listRows],
  };
  for (const [id, [file, rowsOf]] of Object.entries(files)) {
    const views = $('card-' + id).querySelector('.views'),
      title = $(id + '-title');
    if (LATER[id] !== drawList && id !== 'rank')
      views.append(
        el(
          'button',
          {
            type: 'button',
            id: 'view-' + id,
            'aria-describedby': id + '-title',
            onclick: () =>
              act(() => {
                if (S.plain.has(id)) S.plain.delete(id);
                else S.plain.add(id);
              }, false),
          },
          'Table',
        ),
      );
    views.append(
      el(
        'button',
        {
          type: 'button',
          id: 'csv-' + id,
          'aria-describedby': id + '-title',
          onclick: () => {
            if (LATER[id] && stale.has(id)) {
              stale.delete(id);
              LATER[id]();
            }
            download(`${file}.csv`, rowsOf());
            speak(`${title.textContent}: data saved as ${file}.csv.`);
          },
        },
        'Save data',
      ),
    );
  }
  keyCharts();
  handles();
  const watch = new IntersectionObserver(
    entries => {
      for (const e of entries) {
        const id = e.target.id.slice(5);
        if (e.isIntersecting) inView.add(id);
        else inView.delete(id);
      }
      flush();
    },
    { rootMargin: '120px' },
  );
  Object.keys(LATER).forEach(id => watch.observe($('card-' + id)));
  let seen = innerWidth;
  addEventListener('resize', () => {
    drawStrip();
    if (innerWidth !== seen) {
      seen = innerWidth;
      clearTimeout(settling);
      settling = setTimeout(() => render('all'), 150);
    }
  });
  addEventListener('popstate', () => {
    steps = history.state ? history.state.steps || 0 : 0;
    $('undo').disabled = !steps;
    S = decode(location.hash);
    setTheme();
    render('all');
  });
  addEventListener('hashchange', () => {
    if ('#' + encode() !== location.hash) {
      S = decode(location.hash);
      setTheme();
      render('all');
    }
  });
};
