// The canvas of a view: its size, the colour behind it, and a copy of the photograph.

const MOST_PHOTO_PX = 2048; // a side; finer ones are shrunk

/** Call back when an element's size changes, or the density of its screen where the browser tells. */
export function observeSize(element, changed) {
  const observer = new ResizeObserver(changed);
  try {
    observer.observe(element, { box: "device-pixel-content-box" });
  } catch {
    observer.observe(element); // Safari
  }
  return observer;
}

/** Return a photograph as a canvas, which is also there when a lost context comes back. */
export function copyOf(image) {
  const source = image instanceof ImageData ? canvasOf(image) : image;
  const wide = source.naturalWidth ?? source.videoWidth ?? source.width;
  const high = source.naturalHeight ?? source.videoHeight ?? source.height;
  const share = Math.min(1, MOST_PHOTO_PX / Math.max(wide, high));
  const copy = new OffscreenCanvas(Math.max(1, Math.round(wide * share)), Math.max(1, Math.round(high * share)));
  const pen = copy.getContext("2d", { alpha: false });
  pen.imageSmoothingQuality = "high";
  pen.drawImage(source, 0, 0, copy.width, copy.height);
  return copy;
}

function canvasOf(pixels) {
  const canvas = new OffscreenCanvas(pixels.width, pixels.height);
  canvas.getContext("2d").putImageData(pixels, 0, 0);
  return canvas;
}

/** Return the colour behind an element: its own, or that of the first ancestor that has one. */
export function backgroundOf(element) {
  for (let place = element; place; place = place.parentElement) {
    const color = getComputedStyle(place).backgroundColor;
    if (!/^(transparent|rgba\(.*, 0\))$/.test(color)) {
      return color;
    }
  }
  return "white";
}
