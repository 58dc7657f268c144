'use strict';
// Pages work without this. It keeps a figure in step with its form, follows jobs and uploads, and lets one try the API.
(() => {
  const csrf = document.querySelector('meta[name="csrf-token"]')?.content ?? '';
  const all = (selector, from = document) => [...from.querySelectorAll(selector)];
  const make = (name, attributes = {}, ...inner) => {
    const element = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) {
      if (value === true) element.setAttribute(key, '');
      else if (value !== false && value != null) element.setAttribute(key, value);
    }
    element.append(...inner);
    return element;
  };
  /// Why an answer is a refusal, in words.
  const reason = async (answer) => {
    try {
      const problem = await answer.json();
      return problem.detail || problem.title;
    } catch {
      return `The server answered ${answer.status}.`;
    }
  };
  const PROBLEM = { Accept: 'application/problem+json, application/json' };

  // What was done, or why it was not, is read first.
  document.querySelector('[data-focus]')?.focus();

  // ---------------------------------------------------------------- a series is looked for
  function suggest(box) {
    const input = box.querySelector('input');
    const list = make('ul', { class: 'options', role: 'listbox', id: `${input.id}-options`, 'aria-label': 'Series', hidden: true });
    box.append(list);
    for (const [key, value] of Object.entries({ role: 'combobox', 'aria-autocomplete': 'list', 'aria-expanded': 'false', 'aria-controls': list.id })) {
      input.setAttribute(key, value);
    }
    let former, timer, at = -1;
    const options = () => [...list.children];
    const close = () => {
      list.hidden = true;
      at = -1;
      input.setAttribute('aria-expanded', 'false');
      input.removeAttribute('aria-activedescendant');
    };
    const mark = (place) => {
      const known = options();
      at = (place + known.length) % known.length;
      known.forEach((option, place) => option.setAttribute('aria-selected', String(place === at)));
      known[at].scrollIntoView({ block: 'nearest' });
      input.setAttribute('aria-activedescendant', known[at].id);
    };
    const choose = (option) => {
      input.value = option.textContent;
      close();
      input.dispatchEvent(new Event('chosen', { bubbles: true }));
    };
    const look = async () => {
      former?.abort();
      former = new AbortController();
      try {
        const query = new URLSearchParams({ query: input.value.trim().slice(0, 200), most: 20 });
        const answer = await fetch(`${box.dataset.suggest}?${query}`, { headers: PROBLEM, signal: former.signal });
        if (!answer.ok) return close();
        const found = (await answer.json()).series;
        list.replaceChildren(...found.map((name, place) => make('li', { role: 'option', id: `${list.id}-${place}`, 'aria-selected': 'false' }, name)));
        at = -1;
        list.hidden = found.length === 0 || document.activeElement !== input;
        input.setAttribute('aria-expanded', String(!list.hidden));
      } catch (error) {
        if (error.name !== 'AbortError') close();
      }
    };
    input.addEventListener('input', () => {
      clearTimeout(timer);
      timer = setTimeout(look, 150);
    });
    input.addEventListener('keydown', (event) => {
      if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
        event.preventDefault();
        if (list.hidden) look();
        else mark(event.key === 'ArrowDown' ? at + 1 : Math.max(at, 0) - 1);
      } else if (event.key === 'Enter' && !list.hidden && at >= 0) {
        event.preventDefault();
        choose(options()[at]);
      } else if (event.key === 'Escape' && !list.hidden) {
        event.preventDefault();
        close();
      }
    });
    input.addEventListener('blur', () => setTimeout(close, 150));
    list.addEventListener('mousedown', (event) => {
      event.preventDefault();
      const option = event.target.closest('li');
      if (option) choose(option);
    });
  }

  /// The value of the first step becomes that of all.
  function filling(part) {
    for (const button of all('[data-fill]', part)) {
      button.hidden = false;
      button.addEventListener('click', () => {
        const inputs = all('[data-of]', button.closest('table')).filter((input) => input.dataset.of === button.dataset.fill);
        for (const input of inputs) {
          if (input.type === 'checkbox') input.checked = inputs[0].checked;
          else input.value = inputs[0].value;
        }
        inputs[0]?.dispatchEvent(new Event('input', { bubbles: true }));
      });
    }
  }

  // ---------------------------------------------------------------- a figure that follows its form
  function live(form) {
    const said = document.getElementById('said');
    let former, timer;
    const swap = (text) => {
      const page = new DOMParser().parseFromString(text, 'text/html');
      for (const part of all('[data-part]', page)) {
        const shown = document.getElementById(part.id);
        // What one is about to type in stays as long as it is of the same kind.
        const keeps = 'keep' in part.dataset || (part.dataset.shape && part.dataset.shape === shown?.dataset.shape);
        if (!shown || keeps) continue;
        const open = all('details', shown).map((details) => details.open);
        all('details', part).forEach((details, place) => { details.open = open[place] ?? details.open; });
        shown.replaceWith(document.adoptNode(part));
        ready(part);
        if (part.dataset.say) said.textContent = part.dataset.say;
      }
    };
    const update = async () => {
      clearTimeout(timer);
      if (!form.checkValidity()) return;
      former?.abort();
      const own = (former = new AbortController());
      const query = new URLSearchParams(new FormData(form));
      const outcome = () => document.getElementById('outcome');
      outcome().setAttribute('aria-busy', 'true');
      try {
        const answer = await fetch(`${form.dataset.live}?${query}`, { headers: PROBLEM, signal: own.signal });
        if (answer.status === 401) return location.reload();
        if (answer.ok) {
          swap(await answer.text());
          history.replaceState(null, '', `${form.action}?${query}`);
        } else {
          const why = await reason(answer);
          all('[data-trouble]', outcome()).forEach((note) => note.remove());
          outcome().prepend(make('div', { class: 'note bad', 'data-trouble': true }, make('p', {}, why)));
          said.textContent = why;
        }
      } catch (error) {
        if (error.name !== 'AbortError') said.textContent = 'The server cannot be reached.';
      }
      if (former === own) outcome().removeAttribute('aria-busy');
    };
    const later = (event) => {
      // A name is looked for once it is chosen or complete.
      if (event.target.id === 'series') return;
      clearTimeout(timer);
      timer = setTimeout(update, 250);
    };
    form.addEventListener('input', later);
    form.addEventListener('change', (event) => (event.target.id === 'series' ? (timer = setTimeout(update, 200)) : later(event)));
    form.addEventListener('chosen', update);
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      update();
    });
  }

  function ready(part) {
    // A figure that is wider than the screen is scrolled by keyboard too.
    for (const plot of all('.engine .plot', part)) {
      plot.setAttribute('tabindex', '0');
      plot.setAttribute('role', 'group');
      plot.setAttribute('aria-label', 'Figure');
    }
    all('[data-suggest]', part).forEach(suggest);
    filling(part);
  }

  // ---------------------------------------------------------------- a job is followed
  function follow(section) {
    const [bar, share, note] = ['progress', '[data-share]', '[data-note]'].map((part) => section.querySelector(part));
    const events = new EventSource(section.dataset.events);
    let before = '';
    events.addEventListener('progress', (event) => {
      const job = JSON.parse(event.data);
      if (['done', 'failed', 'cancelled'].includes(job.state)) {
        events.close();
        return location.reload();
      }
      const part = job.steps > 0 ? Math.min(1, job.done / job.steps) : 0;
      bar.value = part * 1000;
      share.textContent = `${Math.round(part * 100)} %`;
      const text = job.state === 'queued' ? 'Waiting for its turn …' : job.note ? `${job.note[0].toUpperCase()}${job.note.slice(1)} …` : 'Has begun …';
      if (text !== before) note.textContent = before = text;
    });
  }

  // ---------------------------------------------------------------- a file is sent
  function upload(form) {
    const input = form.querySelector('input[type=file]');
    const drop = form.querySelector('.drop');
    const [row, note, button] = ['[data-progress]', '[data-note]', 'button'].map((part) => form.querySelector(part));
    for (const name of ['dragenter', 'dragover']) {
      drop.addEventListener(name, (event) => {
        event.preventDefault();
        drop.classList.add('over');
      });
    }
    drop.addEventListener('dragleave', () => drop.classList.remove('over'));
    drop.addEventListener('drop', (event) => {
      event.preventDefault();
      drop.classList.remove('over');
      if (event.dataTransfer.files.length) input.files = event.dataTransfer.files;
    });
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      const request = new XMLHttpRequest();
      const over = (text) => {
        note.textContent = text;
        row.hidden = true;
        button.disabled = false;
      };
      button.disabled = true;
      row.hidden = false;
      note.textContent = `Sending ${input.files[0].name} …`;
      request.upload.addEventListener('progress', (at) => {
        if (!at.lengthComputable) return;
        const percent = Math.round((100 * at.loaded) / at.total);
        row.querySelector('progress').value = percent;
        row.querySelector('[data-share]').textContent = `${percent} %`;
        if (percent === 100) note.textContent = 'Looking at what it holds …';
      });
      request.addEventListener('load', () => {
        const place = new URL(request.responseURL, location.href);
        if (place.pathname.startsWith('/uploads/')) return location.assign(place);
        try {
          over(JSON.parse(request.responseText).detail);
        } catch {
          over(`The server answered ${request.status}.`);
        }
      });
      request.addEventListener('error', () => over('The file could not be sent: the connection broke, or the server refused it.'));
      request.open('POST', form.action);
      request.setRequestHeader('Accept', PROBLEM.Accept);
      request.send(new FormData(form));
    });
  }

  // ---------------------------------------------------------------- the API is tried
  async function explain(place) {
    const answer = await fetch(place.dataset.openapi, { headers: PROBLEM });
    place.removeAttribute('aria-busy');
    if (!answer.ok) return place.append(make('p', {}, await reason(answer)));
    const api = await answer.json();
    const resolve = (schema = {}) => (schema.$ref ? resolve(schema.$ref.slice(2).split('/').reduce((at, key) => at?.[key], api)) : schema);
    /// A value that would do: what is required, and what has an example.
    const example = (given) => {
      const schema = resolve(given);
      const own = schema.example ?? schema.examples?.[0] ?? schema.default;
      if (own !== undefined) return own;
      const choice = schema.oneOf ?? schema.anyOf ?? schema.allOf;
      if (choice) return example(choice.find((one) => one.type !== 'null') ?? choice[0]);
      if (schema.enum) return schema.enum[0];
      const type = [schema.type].flat().find((type) => type !== 'null');
      if (type === 'array') return [example(schema.items)];
      if (type === 'object' || schema.properties) {
        const wanted = Object.entries(schema.properties ?? {}).filter(([name, part]) => schema.required?.includes(name) || (part.example ?? resolve(part).example) !== undefined);
        return Object.fromEntries(wanted.map(([name, part]) => [name, example(part)]));
      }
      return { integer: 1, number: 0, boolean: false }[type] ?? '';
    };
    const groups = new Map();
    for (const [path, operations] of Object.entries(api.paths)) {
      for (const [verb, operation] of Object.entries(operations)) {
        const tag = operation.tags?.[0] ?? 'Other';
        groups.set(tag, [...(groups.get(tag) ?? []), [path, verb.toUpperCase(), operation]]);
      }
    }
    const first = (tag) => ((place) => (place < 0 ? 9 : place))(['Forecasts', 'Decisions', 'Jobs'].indexOf(tag));
    for (const [tag, operations] of [...groups].sort(([a], [b]) => first(a) - first(b))) {
      place.append(make('h2', {}, tag), ...operations.map(([path, verb, operation]) => one(path, verb, operation, example)));
    }
  }

  let number = 0;
  function one(path, verb, operation, example) {
    const id = `operation-${(number += 1)}`;
    const form = make('form', { class: 'try' });
    const field = (name, label, hint, input) => {
      input.id = `${id}-${name}`;
      const parts = [make('label', { for: input.id }, label), input];
      if (hint) parts.push(make('p', { class: 'hint', id: `${input.id}-hint` }, hint));
      if (hint) input.setAttribute('aria-describedby', `${input.id}-hint`);
      form.append(make('div', { class: 'field' }, ...parts));
      return input;
    };
    const parameters = (operation.parameters ?? []).map((parameter) => {
      const choices = parameter.schema?.enum;
      const input = choices ? make('select', {}, ...choices.map((choice) => make('option', {}, choice))) : make('input', { type: 'text', autocomplete: 'off', required: parameter.required });
      const usual = parameter.example ?? parameter.schema?.example ?? (parameter.required ? '' : undefined);
      if (usual !== undefined && !choices) input.value = usual;
      return [parameter, field(parameter.name, parameter.name, parameter.description, input)];
    });
    const [kind, content] = Object.entries(operation.requestBody?.content ?? {})[0] ?? [];
    let body;
    if (kind?.includes('json')) {
      const text = JSON.stringify(content.example ?? example(content.schema), null, 2);
      body = field('body', 'Body', '', make('textarea', { rows: Math.min(18, text.split('\n').length + 1), spellcheck: 'false' }, text));
    } else if (kind) {
      body = field('body', 'File', '', make('input', { type: 'file', required: true }));
    }
    const said = make('p', { role: 'status', 'aria-live': 'polite' });
    const shown = make('pre', { class: 'answered', tabindex: '0', 'aria-label': 'Answer', role: 'group', hidden: true });
    const send = make('button', { class: 'main', type: 'submit' }, 'Send');
    form.append(make('div', { class: 'buttons' }, send), said, shown);
    let former;
    form.addEventListener('submit', async (event) => {
      event.preventDefault();
      former?.abort();
      former = new AbortController();
      let address = path;
      const query = new URLSearchParams();
      const headers = { ...PROBLEM };
      for (const [parameter, input] of parameters) {
        if (parameter.in === 'path') address = address.replace(`{${parameter.name}}`, encodeURIComponent(input.value));
        else if (input.value && parameter.in === 'query') query.set(parameter.name, input.value);
        else if (input.value && parameter.in === 'header') headers[parameter.name] = input.value;
      }
      if (verb !== 'GET') headers['X-CSRF-Token'] = csrf;
      if (kind) headers['Content-Type'] = kind;
      if (verb === 'GET') headers.Accept = '*/*';
      const begun = performance.now();
      said.textContent = 'Waiting for the answer …';
      shown.hidden = true;
      try {
        const sent = body?.type === 'file' ? body.files[0] : body?.value;
        const answer = await fetch(query.size ? `${address}?${query}` : address, { method: verb, headers, body: sent, signal: former.signal });
        const type = (answer.headers.get('content-type') ?? '').split(';')[0];
        const isText = /json|text|event-stream/.test(type);
        let text = isText ? await answer.text() : `${(await answer.blob()).size} bytes of ${type || 'nothing'}`;
        if (type.endsWith('json')) text = JSON.stringify(JSON.parse(text), null, 2);
        said.textContent = `${answer.status} ${answer.statusText}, ${Math.round(performance.now() - begun)} ms`;
        shown.textContent = text.length > 20000 ? `${text.slice(0, 20000)}\n… ${text.length - 20000} more characters` : text;
        shown.hidden = text === '';
      } catch (error) {
        if (error.name !== 'AbortError') said.textContent = `It could not be sent: ${error.message}`;
      }
    });
    const inner = [make('summary', {}, make('span', { class: 'verb' }, verb), make('code', {}, path), make('span', {}, operation.summary ?? ''))];
    if (operation.description) inner.push(make('p', { class: 'hint' }, operation.description));
    return make('details', { class: 'card operation' }, ...inner, form);
  }

  ready(document);
  all('[data-live]').forEach(live);
  all('[data-events]').forEach(follow);
  all('[data-upload]').forEach(upload);
  all('[data-openapi]').forEach(explain);
})();
