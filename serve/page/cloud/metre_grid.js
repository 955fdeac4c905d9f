// The scale of points in metres: a grid on the floor, distances from the camera as labels, and the camera's own outline.

const MOST_LINES = 8; // along the view, and to each side
const FLOATS = 7; // of a corner of a label: place, px from it, where in the texture
const LABEL_SHARE = 0.04; // of the photograph's height: the least from one label to the next
const OUTLINE_SHARE = 0.12; // of the points' middle depth: how large the camera is drawn

/** Return a length of 1, 2 or 5 times a power of ten, of which at most MOST_LINES make up `length`. */
export function stepOf(length) {
  const power = 10 ** Math.floor(Math.log10(length / MOST_LINES));
  return power * [1, 2, 5, 10].find((factor) => factor * power * MOST_LINES >= length * (1 - 1e-9));
}

/**
 * Return the grid under the points: the part of the floor that the camera sees.
 *
 * @param {{middle, x, y, z}} extent of the points
 * @param {{fx, fy, cx, cy}} camera
 * @param {{width, height}} image px
 * @returns {{lines: Float32Array, labels: {place: number[], text: string}[], step: number}} lines: two points each
 */
export function metreGrid({ middle, x, y, z }, camera, image) {
  const step = stepOf(Math.max(z[1], x[1], -x[0]));
  const [floor, end] = [y[1], Math.ceil(z[1] / step) * step];
  const [left, right] = [Math.floor(x[0] / step) * step, Math.ceil(x[1] / step) * step];
  const sides = [(-0.5 - camera.cx) / camera.fx, (image.width - 0.5 - camera.cx) / camera.fx]; // x / z of the view's edges
  const lines = [];
  const labels = [];
  for (let count = 1; count * step <= end * (1 + 1e-9); count++) {
    const far = count * step;
    const edge = Math.min(right, sides[1] * far);
    lines.push(Math.max(left, sides[0] * far), floor, far, edge, floor, far);
    const rows = Math.abs(camera.fy * floor) * (1 / (labels.at(-1)?.place[2] ?? 0) - 1 / far);
    if (rows > LABEL_SHARE * image.height) {
      labels.push({ place: [edge, floor, far], text: metres(far, step) });
    }
  }
  for (let across = left; across <= right + step / 1e6; across += step) {
    const near = across / sides[across < 0 ? 0 : 1]; // where the view's edge crosses the line
    if (near < end) {
      lines.push(across, floor, Math.max(near, 0), across, floor, end);
    }
  }
  lines.push(...outline(middle * OUTLINE_SHARE, camera, image));
  return { lines: new Float32Array(lines), labels, step };
}

/** Return a distance with as many digits as its grid needs. */
function metres(distance, step) {
  return `${distance.toFixed(Math.max(0, -Math.floor(Math.log10(step) + 1e-9)))} m`;
}

/** Return the lines of the camera: its place, and the photograph's edge at a depth. */
function outline(depth, { fx, fy, cx, cy }, { width, height }) {
  const corners = [[-0.5, -0.5], [width - 0.5, -0.5], [width - 0.5, height - 0.5], [-0.5, height - 0.5]];
  const places = corners.map(([u, v]) => [((u - cx) / fx) * depth, ((v - cy) / fy) * depth, depth]);
  return places.flatMap((place, corner) => [0, 0, 0, ...place, ...place, ...places[(corner + 1) % 4]]);
}

/**
 * Draw the labels into one texture.
 *
 * @param {{place: number[], text: string}[]} labels
 * @param {number} ratio device pixels a CSS pixel
 * @returns {{picture: HTMLCanvasElement, corners: Float32Array}} two triangles a label, FLOATS numbers a corner
 */
export function drawLabels(labels, ratio) {
  const [width, height] = [Math.ceil(72 * ratio), Math.ceil(18 * ratio)];
  const picture = document.createElement("canvas");
  picture.width = width;
  picture.height = height * Math.max(1, labels.length);
  const pen = picture.getContext("2d");
  pen.font = `600 ${12 * ratio}px system-ui, sans-serif`;
  pen.textBaseline = "middle";
  pen.textAlign = "right"; // it ends at its place
  pen.lineJoin = "round";
  pen.lineWidth = 3 * ratio;
  pen.strokeStyle = "rgb(0 0 0 / 0.75)"; // light text with a dark edge is read on everything
  pen.fillStyle = "white";
  const corners = new Float32Array(labels.length * 6 * FLOATS);
  labels.forEach(({ place, text }, row) => {
    pen.strokeText(text, width - 4 * ratio, (row + 0.5) * height);
    pen.fillText(text, width - 4 * ratio, (row + 0.5) * height);
    [[0, 0], [0, 1], [1, 0], [1, 0], [0, 1], [1, 1]].forEach(([u, v], corner) => {
      const where = [u, (row + v) / labels.length];
      corners.set([...place, (u - 1) * width, (0.5 - v) * height, ...where], (row * 6 + corner) * FLOATS);
    });
  });
  return { picture, corners };
}
