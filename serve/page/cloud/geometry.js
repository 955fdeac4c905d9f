// Depth values in, the grid of points that is drawn out: their depths, the triangles between them, and their extent.

import { rangeOf } from "../values.js";

export const MOST_POINTS = 1_000_000;
const NEAREST = 1; // of a relief, in units that mean nothing
const FARTHEST = 2; // a ratio of 1.5 looks flat; from 3 on, what is cut off leaves wide gaps
const SHARPEN_TIMES = 6; // half the width in points of the outlines that are made sharp
const RELIEF_SHARES = [0.002, 0.998]; // of the values; others are clipped, so that a few do not flatten the rest
// Neighbours are cut where a surface between them would be seen under less than atan(1 / STEEP) and their depths differ by
// JUMP, unless they go on a plane: the floor near the horizon is as steep. Inverse depth is linear on a plane, so its step
// is compared with those ASIDE points before and behind, beyond a soft outline. Chosen by eye on photographs and scenes.
const STEEP = 8;
const JUMP = 0.02;
const ASIDE = 4;
const UNEVEN = 2; // times the smaller of the two

/**
 * Return the camera in px of a depth map; without one, a usual lens of 60 degrees.
 *
 * @param {{fov?: number, fx?: number, fy?: number, cx?: number, cy?: number} | null} camera fov: degrees from the left
 *   edge of the image to the right; or focal lengths and principal point, from the centre of the top left pixel
 * @returns {{fx: number, fy: number, cx: number, cy: number}}
 */
export function cameraOf(camera, height, width) {
  const { fov, fx, fy = fx, cx = (width - 1) / 2, cy = (height - 1) / 2 } = camera ?? { fov: 60 };
  const focal = fx ?? width / 2 / Math.tan((fov * Math.PI) / 360);
  const found = { fx: focal, fy: fy ?? focal, cx, cy };
  const isView = fx !== undefined || (fov > 0 && fov < 180);
  if (!isView || !Object.values(found).every(Number.isFinite) || found.fx <= 0 || found.fy <= 0) {
    throw new Error("the camera needs finite numbers, a focal length above 0, and a field of view between 0 and 180 degrees");
  }
  return found;
}

/**
 * Take every stride-th pixel of depth, so that at most `most` points are left; their depths are exact, not means.
 *
 * @returns {{depths: Float32Array, rows: number, columns: number, stride: number, first: number}} depths: 0 has none;
 *   point (row, column) is the pixel (first + row * stride, first + column * stride)
 */
export function sampleGrid(values, height, width, { metric, nearIsLarge, most = MOST_POINTS, longestSide = 16384 }) {
  let stride = 1;
  while (Math.floor(height / stride) * Math.floor(width / stride) > most || Math.max(height, width) / stride > longestSide) {
    stride++;
  }
  stride = Math.min(stride, height, width);
  const first = (stride - 1) >> 1;
  const rows = Math.floor(height / stride);
  const columns = Math.floor(width / stride);
  const depths = new Float32Array(rows * columns); // 0: none
  const toDepth = metric ? (value) => (value > 0 ? value : 0) : reliefOf(values, nearIsLarge);
  for (let row = 0, place = 0; row < rows; row++) {
    const start = (first + row * stride) * width + first;
    for (let column = 0; column < columns; column++, place++) {
      const value = values[start + column * stride];
      depths[place] = Number.isFinite(value) ? toDepth(value) : 0;
    }
  }
  return { depths, rows, columns, stride, first };
}

/**
 * Return the function that gives a relative value its place in a relief.
 *
 * Inverse depth stays inverse, so that what is flat stays flat: a plane's inverse depth is linear in the image, under any
 * scale and shift.
 */
function reliefOf(values, nearIsLarge) {
  const [low, high] = rangeOf(values, ...RELIEF_SHARES);
  const shareOf = (value) => (high > low ? Math.min(Math.max((value - low) / (high - low), 0), 1) : 0.5);
  if (nearIsLarge) {
    return (value) => 1 / (1 / FARTHEST + shareOf(value) * (1 / NEAREST - 1 / FARTHEST));
  }
  return (value) => NEAREST + shareOf(value) * (FARTHEST - NEAREST);
}

/**
 * Make the outlines of a relief sharp, in place: networks draw them soft, and a surface would hang in the air there. Each
 * point on a steep place takes the nearest or the farthest depth beside it, whichever is closer, several times over. Metres
 * are never changed so.
 */
export function sharpen({ depths, rows, columns }, angle) {
  const most = mostJump(angle);
  for (let time = 0; time < SHARPEN_TIMES; time++) {
    const before = depths.slice();
    for (let row = 1; row < rows - 1; row++) {
      for (let place = row * columns + 1; place < (row + 1) * columns - 1; place++) {
        const near = Math.min(before[place - 1], before[place + 1], before[place - columns], before[place + columns]);
        const far = Math.max(before[place - 1], before[place + 1], before[place - columns], before[place + columns]);
        const own = before[place];
        if (near > 0 && far - near > 2 * most * near && own > near && own < far) {
          depths[place] = own * own < near * far ? near : far;
        }
      }
    }
  }
}

/**
 * Return the triangles between neighbouring points, without those across a jump of the depth.
 *
 * @param {number} angle between two neighbours, in radians, about stride / fx
 * @param {number} step 2 takes every second point
 * @returns {Uint32Array} three points a triangle
 */
export function trianglesOf(grid, angle, step = 1) {
  const { rows, columns } = grid;
  const most = Math.max(0, Math.ceil(rows / step) - 1) * Math.max(0, Math.ceil(columns / step) - 1) * 6;
  const found = new Uint32Array(most);
  const isCut = cutterOf(grid, angle * step);
  let count = 0;
  for (let row = 0; row + step < rows; row += step) {
    for (let column = 0; column + step < columns; column += step) {
      const a = row * columns + column;
      const b = a + step;
      const c = a + step * columns;
      const d = c + step;
      if (!isCut(a, b) && !isCut(a, c)) {
        found[count++] = a; found[count++] = c; found[count++] = b;
      }
      if (!isCut(b, d) && !isCut(c, d)) {
        found[count++] = b; found[count++] = c; found[count++] = d;
      }
    }
  }
  return found.slice(0, count);
}

/** Return the function that tells whether no surface joins two neighbours. */
function cutterOf({ depths, rows, columns }, angle) {
  const most = mostJump(angle);
  const stepAt = (row, column, down, right) => {
    const [otherRow, otherColumn] = [row + down, column + right];
    const isInside = Math.min(row, otherRow, column, otherColumn) >= 0 && Math.max(row, otherRow) < rows && Math.max(column, otherColumn) < columns;
    const step = isInside ? 1 / depths[row * columns + column] - 1 / depths[otherRow * columns + otherColumn] : NaN;
    return Number.isFinite(step) ? Math.abs(step) : Infinity;
  };
  const isPlane = (one, other) => {
    const [row, column] = [Math.floor(one / columns), one % columns];
    const [down, right] = [Math.floor(other / columns) - row, (other % columns) - column];
    const before = stepAt(row - ASIDE * down, column - ASIDE * right, down, right);
    const behind = stepAt(row + ASIDE * down, column + ASIDE * right, down, right);
    const even = Math.min(before, behind);
    return even < Infinity && stepAt(row, column, down, right) <= UNEVEN * even;
  };
  return (one, other) => {
    const near = Math.min(depths[one], depths[other]);
    return near <= 0 || (Math.abs(depths[one] - depths[other]) > most * near && !isPlane(one, other));
  };
}

/** Return the share of the nearer depth by which neighbours on one surface differ at most. */
function mostJump(angle) {
  return Math.max(STEEP * angle, JUMP);
}

/** Return the points at a cut or at the edge of the image: drawn with the triangles, they close the seam between two. */
export function seamsOf(grid, angle) {
  const { depths, rows, columns } = grid;
  const isCut = cutterOf(grid, angle);
  const found = [];
  for (let row = 0, place = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++, place++) {
      const isInside = row > 0 && column > 0 && row < rows - 1 && column < columns - 1;
      const beside = isInside ? [1, -1, columns, -columns, columns - 1, 1 - columns] : [];
      if (depths[place] > 0 && (!isInside || beside.some((step) => isCut(place, place + step)))) {
        found.push(place);
      }
    }
  }
  return new Uint32Array(found);
}

/**
 * Mark the points that hang between a near and a far surface: cut off on two opposite sides. Networks draw outlines soft,
 * so those points lie in the air. They are marked with the sign, which the shader reads.
 *
 * @returns {Float32Array} depths, negative for such points
 */
export function markTorn(grid, angle) {
  const { depths, rows, columns } = grid;
  const isCut = cutterOf(grid, angle);
  const marked = depths.slice();
  const isTorn = (place, back, on) => depths[back] > 0 && depths[on] > 0 && isCut(place, back) && isCut(place, on);
  for (let row = 0, place = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++, place++) {
      const beside = column > 0 && column < columns - 1 && isTorn(place, place - 1, place + 1);
      if (beside || (row > 0 && row < rows - 1 && isTorn(place, place - columns, place + columns))) {
        marked[place] = -depths[place];
      }
    }
  }
  return marked;
}

/**
 * Return where the points lie, without the outermost 2 % on each side.
 *
 * @returns {{count: number, middle: number, x: [number, number], y: [number, number], z: [number, number]}} middle: the
 *   inverse of the mean inverse depth; around it, near and far points move alike on the picture
 */
export function extentOf({ depths, rows, columns, stride, first }, { fx, fy, cx, cy }) {
  const places = { x: new Float32Array(depths.length), y: new Float32Array(depths.length), z: new Float32Array(depths.length) };
  let count = 0;
  let inverse = 0;
  for (let row = 0, place = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++, place++) {
      const z = depths[place];
      if (z > 0) {
        inverse += 1 / z;
        places.x[count] = ((first + column * stride - cx) / fx) * z;
        places.y[count] = ((first + row * stride - cy) / fy) * z;
        places.z[count++] = z;
      }
    }
  }
  if (count === 0) {
    return { count, middle: 1, x: [0, 0], y: [0, 0], z: [1, 1] };
  }
  const [x, y, z] = ["x", "y", "z"].map((axis) => rangeOf(places[axis].subarray(0, count)));
  return { count, middle: count / inverse, x, y, z };
}
