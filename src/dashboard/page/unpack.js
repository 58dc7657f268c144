// How do bytes in the page become numbers again? The reverse of pack.rs.

const bytesOf = text => {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(text);
  const letters = atob(text),
    out = new Uint8Array(letters.length);
  for (let i = 0; i < letters.length; i++) out[i] = letters.charCodeAt(i);
  return out;
};
const inflate = async (id, format = 'deflate') => {
  const stream = new Blob([bytesOf($('data-' + id).textContent)]).stream().pipeThrough(new DecompressionStream(format));
  return new Uint8Array(await new Response(stream).arrayBuffer());
};
const json = async id => JSON.parse(new TextDecoder().decode(await inflate(id)));
// Planes of bytes back into integers; see pack.rs.
const matrix = async id => {
  const head = H.blocks[id],
    raw = await inflate(id),
    { rows, columns, planes } = head,
    cells = rows * columns;
  const exponents = new Int8Array(raw.buffer, raw.byteOffset, head.exponents);
  let at = head.exponents,
    missing = null;
  if (head.missing) {
    const bits = raw.subarray(at, at + Math.ceil(cells / 8));
    at += bits.length;
    missing = new Uint8Array(cells);
    for (let i = 0; i < cells; i++) missing[i] = (bits[i >> 3] >> (i & 7)) & 1;
  }
  const Kind =
    head.most < 128 ? Int8Array : head.most < 32768 ? Int16Array : head.most < 2 ** 31 ? Int32Array : Float64Array;
  const out = new Kind(cells),
    plane = Array.from({ length: planes }, (_, p) => raw.subarray(at + p * cells, at + (p + 1) * cells));
  const [b0, b1, b2, b3] = plane;
  const code =
    planes === 0
      ? () => 0
      : planes === 1
        ? i => b0[i]
        : planes === 2
          ? i => b0[i] | (b1[i] << 8)
          : planes === 3
            ? i => b0[i] | (b1[i] << 8) | (b2[i] << 16)
            : planes === 4
              ? i => (b0[i] | (b1[i] << 8) | (b2[i] << 16) | (b3[i] << 24)) >>> 0
              : i => plane.reduce((sum, bytes, p) => sum + bytes[i] * 256 ** p, 0);
  const back = planes <= 4 ? z => (z >>> 1) ^ -(z & 1) : z => (z % 2 ? -(z + 1) / 2 : z / 2);
  if (head.turned) {
    let place = 0;
    for (let c = 0; c < columns; c++)
      for (let r = 0, i = c; r < rows; r++, i += columns, place++) {
        const value = back(code(place));
        out[i] = head.difference && c ? out[i - 1] + value : value;
      }
  } else if (head.difference) {
    for (let r = 0, i = 0; r < rows; r++)
      for (let c = 0, before = 0; c < columns; c++, i++) out[i] = before += back(code(i));
  } else for (let i = 0; i < cells; i++) out[i] = back(code(i));
  return { rows, columns, cells: out, missing, exponents };
};
// By division where the power is negative: 12345 / 100 is 123.45, 12345 · 0.01 need not be.
const scaled = (value, exponent) => (exponent < 0 ? value / 10 ** -exponent : value * 10 ** exponent);
const reals = ({ rows, columns, cells, missing, exponents }) => {
  const out = new Float64Array(rows * columns);
  for (let r = 0, i = 0; r < rows; r++) {
    const e = exponents.length > 1 ? exponents[r] : exponents[0] || 0;
    for (let c = 0; c < columns; c++, i++) out[i] = missing && missing[i] ? NaN : scaled(cells[i], e);
  }
  return out;
};
