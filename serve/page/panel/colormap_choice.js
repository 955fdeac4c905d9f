// The study's grayscale or colormap, and two more maps, as swatches in; the name of a colormap out.

import { colorTable } from "../colors.js";

const inputs = [...document.querySelectorAll('[name="otype"]')];

/**
 * Paint the swatches and listen.
 *
 * @param {() => void} onChange
 */
export function listenToColormap(onChange) {
  for (const input of inputs) {
    input.disabled = false;
    paint(input.labels[0].querySelector("canvas"), input.dataset.colormap);
    input.addEventListener("change", onChange);
  }
}

/** Return the chosen colormap. */
export function chosenColormap() {
  return chosen().dataset.colormap;
}

/** Return the study's word for it: it knew one map with colours. */
export function chosenOtype() {
  return chosen().value === "grayscale" ? "grayscale" : "colormap";
}

function chosen() {
  return inputs.find((input) => input.checked);
}

function paint(canvas, colormap) {
  const table = colorTable(colormap, true); // from near to far
  const picture = new ImageData(canvas.width, 1);
  for (let column = 0; column < canvas.width; column++) {
    const entry = 3 * Math.round((255 * column) / (canvas.width - 1));
    picture.data.set([...table.subarray(entry, entry + 3), 255], 4 * column);
  }
  canvas.getContext("2d").putImageData(picture, 0, 0);
}
