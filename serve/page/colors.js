// Depth values in, a picture out, equal to the engine's byte by byte; and the picture of a difference.

import { TABLES } from "./color_tables.js";

export const COLORMAPS = ["spectral_r", "inferno", "turbo", "gray"]; // the first is the default
export const INVALID = [128, 128, 128]; // the engine's colour of pixels without depth
const FARTHER = [214, 96, 20]; // of a difference; the two differ for every kind of colour vision
const NEARER = [33, 102, 208];

/**
 * Return the 256 colours of a map, from far to near; flipped, from near to far.
 *
 * @param {string} colormap one of COLORMAPS
 * @param {boolean} flipped
 * @returns {Uint8Array} 768 bytes, RGB
 */
export function colorTable(colormap, flipped = false) {
  if (!COLORMAPS.includes(colormap)) {
    throw new Error(`colormap ${colormap} found, expected one of ${COLORMAPS.join(", ")}`);
  }
  const own = TABLES[`${colormap} flipped`]; // for the map whose two directions differ
  const table = new Uint8Array(768);
  for (let entry = 0; entry < 256; entry++) {
    const from = flipped && !own ? 255 - entry : entry;
    for (let channel = 0; channel < 3; channel++) {
      const place = 3 * from + channel;
      const hex = flipped && own ? own : TABLES[colormap];
      table[3 * entry + channel] = hex ? Number.parseInt(hex.slice(2 * place, 2 * place + 2), 16) : from;
    }
  }
  return table;
}

/**
 * Paint depth. The nearest value gets the map's last colour. Source: engine/depth/colour.py, for the order of the steps
 * and their float32.
 *
 * @param {Float32Array} values row by row; those that are not finite have no depth
 * @param {number} height
 * @param {number} width
 * @param {{colormap?: string, range?: [number, number] | null, nearIsLarge: boolean}} options range: null takes the
 *   smallest and the largest value; values outside are clipped
 * @returns {ImageData}
 */
export function colorize(values, height, width, { colormap = COLORMAPS[0], range = null, nearIsLarge }) {
  const picture = new ImageData(width, height);
  const pixels = new Uint32Array(picture.data.buffer);
  const table = packed(colorTable(colormap, !nearIsLarge));
  const invalid = packed(Uint8Array.from(INVALID))[0];
  const [low, high] = range ? checked(range) : extremes(values);
  const span = Math.fround(high - low);
  for (let place = 0; place < values.length; place++) {
    const value = values[place];
    if (!Number.isFinite(value)) {
      pixels[place] = invalid;
    } else if (high > low) {
      const inside = Math.min(Math.max(value, low), high);
      pixels[place] = table[Math.fround(Math.fround(Math.fround(inside - low) / span) * 255) | 0];
    } else {
      pixels[place] = table[0];
    }
  }
  return picture;
}

/**
 * Paint a difference: orange where the first model sees a pixel farther, blue where nearer; the less, the more transparent.
 *
 * @param {Float32Array} values of values.difference
 * @param {number} height
 * @param {number} width
 * @param {number} limit the difference, above 0, from which a pixel is opaque
 * @returns {ImageData} to lay over the photograph; pixels without a difference are transparent
 */
export function colorizeDifference(values, height, width, limit) {
  const picture = new ImageData(width, height);
  const { data } = picture;
  for (let place = 0; place < values.length; place++) {
    const value = values[place];
    if (Number.isFinite(value)) {
      data.set(value > 0 ? FARTHER : NEARER, 4 * place);
      data[4 * place + 3] = Math.round(255 * Math.min(Math.abs(value) / limit, 1));
    }
  }
  return picture;
}

function packed(table) {
  const bytes = new Uint8Array((table.length / 3) * 4);
  for (let entry = 0; entry < table.length / 3; entry++) {
    bytes.set(table.subarray(3 * entry, 3 * entry + 3), 4 * entry);
    bytes[4 * entry + 3] = 255;
  }
  return new Uint32Array(bytes.buffer);
}

function checked(range) {
  const [low, high] = range.map(Math.fround);
  if (!(low < high) || !Number.isFinite(low) || !Number.isFinite(high)) {
    throw new Error(`range ${range.join(" to ")} found, expected two finite numbers, the lower first`);
  }
  return [low, high];
}

function extremes(values) {
  let low = Infinity;
  let high = -Infinity;
  for (let place = 0; place < values.length; place++) {
    const value = values[place];
    if (Number.isFinite(value)) {
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
  }
  return [low, high];
}
