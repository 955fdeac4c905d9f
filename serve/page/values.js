// Bytes of an .npy file in, values out; and what a picture needs to know of values: their range, and how two models differ.

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59]; // "\x93NUMPY"
const READERS = { f4: ["getFloat32", 4], f8: ["getFloat64", 8] };
const IS_LITTLE_ENDIAN = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;
const INVERSE = "inverse"; // the kind whose larger values are nearer

/**
 * Read an .npy file of floats, format 1.0 to 3.0. Source: numpy/lib/_format_impl.py, "Format Version 1.0" and after.
 *
 * @param {ArrayBuffer} buffer
 * @returns {{values: Float32Array, height: number, width: number}} row by row; NaN has no depth
 */
export function readNpy(buffer) {
  const bytes = new Uint8Array(buffer);
  if (bytes.length < 12 || MAGIC.some((byte, place) => bytes[place] !== byte)) {
    throw new Error("the answer is not an .npy file");
  }
  const view = new DataView(buffer);
  const major = bytes[6];
  const head = major === 1 ? 10 : 12; // bytes before the header's text
  const length = major === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  if (major < 1 || major > 3 || head + length > bytes.length) {
    throw new Error("the header of the .npy file is damaged");
  }
  const { type, isLittle, isFortran, height, width } = readHeader(new TextDecoder().decode(bytes.subarray(head, head + length)));
  const [method, size] = READERS[type];
  const count = height * width;
  const start = head + length;
  if (bytes.length - start < count * size) {
    throw new Error(`the .npy file is cut short: ${bytes.length - start} bytes of values found, expected ${count * size}`);
  }
  if (type === "f4" && isLittle === IS_LITTLE_ENDIAN && !isFortran) {
    return { values: new Float32Array(buffer.slice(start, start + count * size)), height, width };
  }
  const values = new Float32Array(count);
  for (let place = 0; place < count; place++) {
    const stored = isFortran ? (place % width) * height + Math.floor(place / width) : place;
    values[place] = view[method](start + stored * size, isLittle);
  }
  return { values, height, width };
}

function readHeader(text) {
  const descr = /'descr'\s*:\s*'([<>=|]?)(\w+)'/.exec(text);
  const order = /'fortran_order'\s*:\s*(True|False)/.exec(text);
  const shape = /'shape'\s*:\s*\(([^)]*)\)/.exec(text);
  if (!descr || !order || !shape) {
    throw new Error("the header of the .npy file is damaged");
  }
  if (!(descr[2] in READERS)) {
    throw new Error(`the .npy file holds ${descr[2]}, expected f4 or f8`);
  }
  const sides = shape[1].split(",").filter((side) => side.trim()).map(Number);
  if (sides.length !== 2 || sides.some((side) => !Number.isInteger(side) || side < 1)) {
    throw new Error(`the .npy file has the shape (${shape[1]}), expected (height, width)`);
  }
  const isLittle = descr[1] === "<" || (descr[1] !== ">" && IS_LITTLE_ENDIAN);
  return { type: descr[2], isLittle, isFortran: order[1] === "True", height: sides[0], width: sides[1] };
}

/**
 * Return the values at two shares of the sorted finite values, interpolated as numpy.percentile does by default.
 *
 * @param {Float32Array} values
 * @param {number} low from 0; 0 is the smallest value
 * @param {number} high to 1
 * @returns {[number, number]} [NaN, NaN] if no value is finite
 */
export function rangeOf(values, low = 0.02, high = 0.98) {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const coarse = new Uint32Array(1 << 16); // how many values have each upper half of their key
  let count = 0;
  for (let place = 0; place < bits.length; place++) {
    if (Number.isFinite(values[place])) {
      coarse[orderOf(bits[place]) >>> 16]++;
      count++;
    }
  }
  if (count === 0) {
    return [NaN, NaN];
  }
  return [low, high].map((share) => {
    const rank = share * (count - 1);
    const below = valueAtRank(values, bits, coarse, Math.floor(rank));
    const above = valueAtRank(values, bits, coarse, Math.ceil(rank));
    return below + (above - below) * (rank - Math.floor(rank));
  });
}

/** Return a whole number that grows with the float32 of these bits. */
function orderOf(bits) {
  return (bits & 0x80000000 ? ~bits : bits | 0x80000000) >>> 0;
}

function valueAtRank(values, bits, coarse, rank) {
  let upper = 0;
  let before = 0; // values of smaller keys
  for (; before + coarse[upper] <= rank; upper++) {
    before += coarse[upper];
  }
  const fine = new Uint32Array(1 << 16);
  for (let place = 0; place < bits.length; place++) {
    const order = orderOf(bits[place]);
    if (order >>> 16 === upper && Number.isFinite(values[place])) {
      fine[order & 0xffff]++;
    }
  }
  let lower = 0;
  for (; before + fine[lower] <= rank; lower++) {
    before += fine[lower];
  }
  const order = ((upper << 16) | lower) >>> 0;
  const found = new Uint32Array([order & 0x80000000 ? order & 0x7fffffff : ~order]);
  return new Float32Array(found.buffer)[0];
}

/**
 * Return how much farther a lies than b, pixel by pixel; NaN where either has no depth.
 *
 * Two maps in metres are subtracted. Of other kinds the scale is unknown, and often the shift: b is first brought to a
 * by least squares, and the difference is a share of a's range from its 2nd to its 98th percentile (0.1 is 10 %).
 *
 * @param {Float32Array} a
 * @param {Float32Array} b of the same pixels
 * @param {string} kindA "metric", "inverse", "affine" or "scale"
 * @param {string} kindB
 * @returns {{values: Float32Array, note: string, unit: string}} unit is "m", or "" for shares
 */
export function difference(a, b, kindA, kindB) {
  if (a.length !== b.length) {
    throw new Error(`depth of ${a.length} and of ${b.length} pixels found, expected one size`);
  }
  if (kindA === "metric" && kindB === "metric") {
    return { values: a.map((value, place) => finiteOrNaN(value - b[place])), note: "The difference is in metres.", unit: "m" };
  }
  const isInverse = kindA === INVERSE || kindB === INVERSE;
  if (isInverse && kindA !== kindB && [kindA, kindB].includes("affine")) {
    throw new Error("inverse depth and depth of unknown shift cannot be compared");
  }
  const first = isInverse && kindA !== INVERSE ? a.map(inverseOf) : a;
  const second = isInverse && kindB !== INVERSE ? b.map(inverseOf) : b;
  const hasShift = isInverse || kindA === "affine" || kindB === "affine";
  const { scale, shift, count } = fit(first, second, hasShift);
  const [low, high] = rangeOf(first);
  const span = (high - low || 1) * (isInverse ? -1 : 1); // of inverse depth the smaller value is farther
  const values = first.map((value, place) => finiteOrNaN((value - (scale * second[place] + shift)) / span));
  return { values, note: count ? noteOf(hasShift, isInverse && kindA !== kindB) : "No pixel has a depth in both.", unit: "" };
}

function noteOf(hasShift, wasInverted) {
  const inverted = wasInverted ? "Metres were first turned into inverse depth. " : "";
  const fitted = hasShift ? "scale and shift were" : "scale was";
  return `${inverted}The second map's ${fitted} fitted to the first by least squares; the difference is a share of the range.`;
}

/** Fit scale * b + shift to a over the pixels that both have. */
function fit(a, b, hasShift) {
  let count = 0, meanA = 0, meanB = 0;
  for (let place = 0; place < a.length; place++) {
    if (Number.isFinite(a[place]) && Number.isFinite(b[place])) {
      count++;
      meanA += (a[place] - meanA) / count;
      meanB += (b[place] - meanB) / count;
    }
  }
  if (!hasShift) {
    meanA = meanB = 0;
  }
  let both = 0, square = 0;
  for (let place = 0; place < a.length; place++) {
    if (Number.isFinite(a[place]) && Number.isFinite(b[place])) {
      both += (a[place] - meanA) * (b[place] - meanB);
      square += (b[place] - meanB) ** 2;
    }
  }
  const scale = square > 0 ? both / square : 0;
  return { scale, shift: meanA - scale * meanB, count };
}

function inverseOf(value) {
  return value > 0 ? 1 / value : NaN;
}

function finiteOrNaN(value) {
  return Number.isFinite(value) ? value : NaN;
}
