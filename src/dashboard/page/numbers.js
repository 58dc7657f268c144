// How are numbers and dates written, and how is a date that somebody typed understood?

// A locale that a browser does not know must not become that of the browser: the page looks the same to everybody.
const LOCALES = [(H.locale || 'en-US').replace(/_/g, '-'), 'en-US'].filter(locale => {
  try {
    return Intl.getCanonicalLocales(locale).length;
  } catch {
    return false;
  }
});
// The marks of numbers that the charts write themselves, those of the axes.
const MARKS = Object.fromEntries(
  new Intl.NumberFormat(LOCALES).formatToParts(1234567.5).map(({ type, value }) => [type, value]),
);
const formats = new Map();
const digits = (value, most) => {
  if (!formats.has(most)) formats.set(most, new Intl.NumberFormat(LOCALES, { maximumFractionDigits: most }));
  // No minus before a zero.
  return formats
    .get(most)
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
  if (size >= 1e15 || (size > 0 && size < 1e-4))
    return value.toExponential(2).replace(/-/g, '−').replace('.', MARKS.decimal);
  return digits(value, size >= 1000 || size === 0 ? 0 : Math.min(6, Math.max(0, 3 - Math.floor(Math.log10(size)))));
};
const percent = (value, signed) => {
  if (!Number.isFinite(value)) return NONE;
  const text = digits(value, Math.abs(value) < 9.95 ? 1 : 0);
  // What rounds to nothing has no sign.
  return (signed && value > 0 && text !== digits(0, 0) ? '+' : '') + text + ' %';
};
const level = value => digits(100 * value, 2) + ' %';
// An amount with the currency before it and the unit behind, as reports have it: a code stands apart, a sign does not.
const money = text => {
  if (text === NONE) return text;
  const [, sign, size] = /^([+−]?)(.*)$/su.exec(text);
  const amount = !H.currency
    ? text
    : /\p{Alphabetic}$/u.test(H.currency)
      ? `${H.currency}\u00a0${text}`
      : sign + H.currency + size;
  return H.unit ? `${amount}\u00a0${H.unit}` : amount;
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
