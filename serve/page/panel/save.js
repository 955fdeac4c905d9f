// Depth, pictures and answers in, files of the user's out.

const GAP_PX = 50; // of white, between photograph and depth, as in the study

/** Let the browser save bytes under a name. */
export function saveAs(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

/** Return the name of a file beside a photograph's: "dog.jpg" and "depth.png" give "dog-depth.png". */
export function nameBeside(photograph, name) {
  const stem = photograph.replace(/\.[^.]*$/, "").replace(/[^\p{L}\p{N} _-]+/gu, "_").slice(0, 60);
  return `${stem || "image"}-${name}`;
}

/** Return a picture as a PNG file. */
export function pngOf(picture) {
  const canvas = new OffscreenCanvas(picture.width, picture.height);
  canvas.getContext("2d").putImageData(picture, 0, 0);
  return canvas.convertToBlob({ type: "image/png" });
}

/** Return photograph, white and depth side by side as a PNG file: the study's picture, for a model of no role. */
export function sideBySide(photograph, depth) {
  const { width, height } = depth;
  const canvas = new OffscreenCanvas(2 * width + GAP_PX, height);
  const pen = canvas.getContext("2d");
  pen.fillStyle = "white";
  pen.fillRect(0, 0, canvas.width, height);
  pen.putImageData(photograph, 0, 0);
  pen.putImageData(depth, width + GAP_PX, 0);
  return canvas.convertToBlob({ type: "image/png" });
}
