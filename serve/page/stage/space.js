// Depth and its photograph in, the 3-D view out; its code is loaded when it is first asked for.

const canvas = document.getElementById("cloud");
const label = document.getElementById("space-label");
let view = null;
let shown = null;

/**
 * Show depth in space; the same depth is not loaded again, so that the eye stays where it is.
 *
 * @param {import("../service/depth.js").Depth} depth
 * @param {CanvasImageSource} photograph
 * @param {number} fov in degrees
 * @throws {Error} in words, if the browser cannot
 */
export async function showInSpace(depth, photograph, fov) {
  const { CloudView } = await import("../cloud.js");
  view ??= new CloudView(canvas);
  if (shown?.depth !== depth || shown.fov !== fov) {
    const { values, height, width, metric, nearIsLarge } = depth;
    view.show({ values, height, width, image: photograph, camera: { fov }, metric, nearIsLarge });
    shown = { depth, fov };
  }
  label.textContent = `${view.label[0].toUpperCase()}${view.label.slice(1)}`;
}

/** Go back to where the photograph was taken. */
export function resetSpace() {
  view?.reset();
}

/** Return the view as a PNG. */
export function saveSpace() {
  return view.savePng();
}
