// How are numbers and dates written, and how is a date that somebody typed understood?

const formats = new Map();
const digits = (value, most, least = 0) => {
  const key = most * 20 + least;
  if (!formats.has(key))
    formats.set(key, new Intl.NumberFormat('en-US', { maximumFractionDigits: most, minimumFractionDigits: least }));
  // No minus before a zero.
  return formats
    .get(key)
    .format(Number(value.toFixed(Math.min(most, 12))) + 0)
    .replace('-', '−');
};
const NONE = '–';
const whole = value => (Number.isFinite(value) ? digits(value, 0) : NONE);
let decimals = 0; // those of the sales
// Sales as they are stored; totals of thousands need no cents, except where each digit is asked for.
const exact = value => (Number.isFinite(value) ? digits(value, decimals, Math.abs(value) < 1e9 ? decimals : 0) : NONE);
// About four significant digits.
const about = value => {
  if (!Number.isFinite(value)) return NONE;
  const size = Math.abs(value);
  if (size >= 1e15 || (size > 0 && size < 1e-4)) return value.toExponential(2).replace(/-/g, '−');
  return digits(value, size >= 1000 || size === 0 ? 0 : Math.min(6, Math.max(0, 3 - Math.floor(Math.log10(size)))));
};
const percent = (value, signed) =>
  !Number.isFinite(value)
    ? NONE
    : (signed && value > 0 ? '+' : '') + digits(value, Math.abs(value) < 9.95 ? 1 : 0) + ' %';
const level = value => digits(100 * value, 2) + ' %';
const short = value => {
  const size = Math.abs(value);
  for (const [unit, name] of [
    [1e9, 'bn'],
    [1e6, 'm'],
    [1e3, 'k'],
  ])
    if (size >= unit * 10) return about(value / unit) + ' ' + name;
  return about(value);
};
// Milliseconds for dates, numbers for numbered steps: what the axis of a chart understands.
const X = H.steps.map(text =>
  H.dated ? Date.parse(text.length > 10 ? text.replace(' ', 'T') + 'Z' : text + 'T00:00Z') : Number(text),
);
const stepAt = text => {
  text = String(text).trim();
  const exactly = H.steps.indexOf(text);
  if (exactly >= 0) return exactly;
  const x = H.dated
    ? Date.parse(
        /^\d{4}$/.test(text)
          ? text + '-01-01'
          : /^\d{4}-\d{2}$/.test(text)
            ? text + '-01'
            : text.replace(' ', 'T') + (text.length > 10 ? 'Z' : ''),
      )
    : Number(text);
  return text === '' || Number.isNaN(x) ? -1 : nearest(x);
};
const nearest = x => {
  let low = 0,
    high = STEPS - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (X[middle] < x) low = middle + 1;
    else high = middle;
  }
  return low > 0 && x - X[low - 1] < X[low] - x ? low - 1 : low;
};
const clamp = (value, low, high) => Math.max(low, Math.min(high, value));
