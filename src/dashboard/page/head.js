// What was the page given? Its head: the few numbers of the first view, and how the packed ones are read.

const NONCE = document.currentScript.nonce;
const H = JSON.parse(document.getElementById('head').textContent);
const $ = id => document.getElementById(id);
const T = H.history,
  STEPS = H.steps.length,
  N = H.series,
  A = H.ahead,
  M = H.models.length;
const F = M ? STEPS - A : 0;
const COLOURS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9', '#8a6fd1', '#7a7a00'];
const DARK = ['#56b4e9', '#ff9d5c', '#2fc597', '#e59ac4', '#f0b93a', '#8fd0f5', '#b49cf0', '#c9c94a'];
const WORDS = text => text.replace(/_+/g, ' ').trim() || text;
// What readers call the columns.
const TARGET = H.readers.target ?? WORDS(H.target),
  NAMES = H.keys.map((name, k) => H.readers.keys[k] ?? WORDS(name));
// What an axis of amounts is called: `Sales, $`. Without a currency or a unit it needs no title.
const MEASURED = H.currency || H.unit ? [TARGET, H.currency, H.unit].filter(Boolean).join(', ') : '';
const plural = (n, one, many = one + 's') => `${whole(n)} ${n === 1 ? one : many}`;
