// Depth and a choice of colours in, pictures of the depth's size out.

import { colorize } from "../colors.js";
import { rangeOf } from "../values.js";

const FLAT = 96; // gray of a photograph that the browser cannot show
const FADED = 0.45; // of the photograph's contrast that is left under a difference

/** Return an image as a picture of some size, null for one that the browser cannot decode. */
export function photographOf(bitmap, width, height) {
  const pen = new OffscreenCanvas(width, height).getContext("2d");
  pen.imageSmoothingQuality = "high";
  if (bitmap) {
    pen.drawImage(bitmap, 0, 0, width, height);
  } else {
    pen.fillStyle = `rgb(${FLAT} ${FLAT} ${FLAT})`;
    pen.fillRect(0, 0, width, height);
  }
  return pen.getImageData(0, 0, width, height);
}

/** Return depth in colours that span two values. */
export function pictureOf(depth, colormap, nearFar) {
  const range = [...nearFar].sort((a, b) => a - b);
  const options = { colormap, range: range[0] < range[1] ? range : null, nearIsLarge: depth.nearIsLarge };
  return colorize(depth.values, depth.height, depth.width, options);
}

/**
 * Return the values of another map that get the ends of the colours: the same metres; of other kinds, which have scales of
 * their own, the values at the same place between the map's 2nd and 98th percentile.
 */
export function nearFarOf(other, depth, nearFar) {
  if (other.metric && depth.metric) {
    return nearFar;
  }
  const [[near, far], [otherNear, otherFar]] = [depth, other].map((map) => {
    const [low, high] = rangeOf(map.values);
    return map.nearIsLarge ? [high, low] : [low, high];
  });
  return nearFar.map((value) => otherNear + ((value - near) / (far - near || 1)) * (otherFar - otherNear));
}

/** Return a photograph without colours and with less contrast, to lie under a difference. */
export function faded(photograph) {
  const { data, width, height } = photograph;
  const picture = new ImageData(width, height);
  for (let place = 0; place < data.length; place += 4) {
    const gray = 0.299 * data[place] + 0.587 * data[place + 1] + 0.114 * data[place + 2];
    const light = 255 * (1 - FADED) * 0.6 + gray * FADED;
    picture.data.set([light, light, light, 255], place);
  }
  return picture;
}

/** Return one picture with another, partly transparent one on it. */
export function laidOver(picture, overlay) {
  const canvas = new OffscreenCanvas(picture.width, picture.height);
  const layer = new OffscreenCanvas(picture.width, picture.height);
  layer.getContext("2d").putImageData(overlay, 0, 0);
  const pen = canvas.getContext("2d");
  pen.putImageData(picture, 0, 0);
  pen.drawImage(layer, 0, 0);
  return pen.getImageData(0, 0, picture.width, picture.height);
}
