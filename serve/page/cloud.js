// Depth and its photograph in, a view in space out that can be turned, moved and zoomed. WebGL2, no library.

import { Drawing } from "./cloud/drawing.js";
import { cameraOf, extentOf, sampleGrid, sharpen } from "./cloud/geometry.js";
import { listen } from "./cloud/gestures.js";
import { Orbit, scaleOf } from "./cloud/orbit.js";
import { SWING_S, swingAt, wantsStillness } from "./cloud/swing.js";

const MOST_RATIO = 2; // device pixels a CSS pixel; more cost time and show nothing
const MOST_SIDE_PX = 4096; // of the canvas
const SLOW_MS = 45; // of a frame; after a slower one, fewer points are drawn while the eye moves
const MOST_THIN = 6; // every how many points, each way
const REST_MS = 150; // without movement, until all points are drawn again
const KEYS = "Arrow keys turn, Shift and arrow keys move, plus and minus zoom, 0 goes back.";

/**
 * A view on a canvas. The page's style gives the canvas its size; its background shows through.
 *
 * Metric depth becomes points in metres through the pinhole, above a grid of metres. Depth of other kinds becomes a relief:
 * the photograph as a surface, raised by its relative depth. `label` says which.
 */
export class CloudView {
  #canvas;
  #gl;
  #drawing = null; // null while the context is lost
  #shown = null; // what show() got, ready to draw
  #orbit = new Orbit(1);
  #mode = "surface";
  #frame = 0; // of requestAnimationFrame; 0 for none
  #swingStart = null; // ms; null when nothing swings
  #isMoving = false;
  #thin = 1; // every how many points are drawn while the eye moves
  #rest = 0; // of setTimeout
  #listening = new AbortController();
  #resizes;

  /**
   * @param {HTMLCanvasElement} canvas a view may follow another on the same canvas
   * @throws {Error} if the browser has no WebGL2
   */
  constructor(canvas) {
    this.#canvas = canvas;
    this.#gl = canvas.getContext("webgl2", { antialias: true, powerPreference: "high-performance" });
    if (!this.#gl) {
      throw new Error("The 3-D view needs WebGL2, which this browser does not have or has switched off.");
    }
    this.#drawing = this.#gl.isContextLost() ? null : new Drawing(this.#gl);
    const { signal } = this.#listening;
    canvas.addEventListener("webglcontextlost", (event) => this.#lose(event), { signal });
    canvas.addEventListener("webglcontextrestored", () => this.#restore(), { signal });
    addEventListener("resize", () => this.#ask(), { signal }); // also where a page is zoomed
    this.#resizes = observeSize(canvas, () => this.#ask());
    canvas.style.touchAction = "none"; // fingers turn the view, they do not scroll
    canvas.tabIndex = Math.max(canvas.tabIndex, 0);
    listen(canvas, this.#moves(), signal);
  }

  /**
   * Show depth.
   *
   * @param {object} depth
   * @param {Float32Array} depth.values row by row; those that are not finite, and metres of 0 or less, have no depth
   * @param {number} depth.height
   * @param {number} depth.width
   * @param {CanvasImageSource | ImageData} depth.image upright, of any size
   * @param {object | null} depth.camera see cameraOf; null for 60 degrees
   * @param {boolean} depth.metric whether the values are metres
   * @param {boolean} depth.nearIsLarge of values that are not metres
   */
  show({ values, height, width, image, camera = null, metric, nearIsLarge = true }) {
    if (values.length !== height * width) {
      throw new Error(`${values.length} values found for ${height}x${width} pixels`);
    }
    const longestSide = this.#gl.isContextLost() ? undefined : this.#gl.getParameter(this.#gl.MAX_TEXTURE_SIZE);
    const grid = sampleGrid(values, height, width, { metric, nearIsLarge, longestSide });
    const pinhole = cameraOf(camera, height, width);
    if (!metric) {
      sharpen(grid, grid.stride / pinhole.fx);
    }
    const extent = extentOf(grid, pinhole);
    this.#shown = { grid, camera: pinhole, extent, metric, image: { width, height }, photo: copyOf(image) };
    this.#mode = metric ? "points" : "surface";
    this.#orbit = new Orbit(extent.middle);
    this.#drawing?.load(this.#shown, this.#ratio());
    this.#canvas.setAttribute("aria-label", `3-D view, ${this.label}. ${KEYS}`);
    this.#begin();
  }

  /** Go to where the photograph was taken, without movement. */
  reset() {
    this.#swingStart = null;
    this.#orbit.reset();
    this.#ask();
  }

  /** Free what the view holds of the graphics card, and stop listening. The canvas stays. */
  dispose() {
    this.#listening.abort();
    this.#resizes.disconnect();
    cancelAnimationFrame(this.#frame);
    clearTimeout(this.#rest);
    this.#frame = 0;
    this.#drawing?.free();
    this.#drawing = this.#shown = null;
  }

  /** What is shown, in words. */
  get label() {
    if (!this.#shown) {
      return "empty";
    }
    return this.#shown.metric ? "points in metres" : "relief without scale: this model knows no metres";
  }

  /** The pinhole in px of the depth: what POST v1/pointcloud takes. */
  get camera() {
    return this.#shown && { ...this.#shown.camera };
  }

  /** The length of a square of the grid in metres; null of a relief. */
  get step() {
    return this.#drawing?.step ?? null;
  }

  /** How many points are shown; a large image is thinned. */
  get count() {
    return this.#shown?.extent.count ?? 0;
  }

  /** "surface" or "points". */
  get mode() {
    return this.#mode;
  }

  set mode(mode) {
    if (mode !== "surface" && mode !== "points") {
      throw new Error(`mode ${mode} found, expected surface or points`);
    }
    this.#mode = mode;
    this.#ask();
  }

  /** Where the eye is: degrees to the right and up of the photograph's camera, and the distance to the middle of the points. */
  get pose() {
    const { yaw, pitch, distance } = this.#orbit;
    return { right: (yaw * 180) / Math.PI, up: (pitch * 180) / Math.PI, distance };
  }

  /** Move the eye around the middle of the points by degrees: to the right, and up. */
  turn(right, up) {
    this.#swingStart = null;
    this.#orbit.turn((right * Math.PI) / 180, (up * Math.PI) / 180);
    this.#ask();
  }

  /** Return the view as a PNG, with the canvas's background. */
  async savePng() {
    if (!this.#drawing || !this.#shown) {
      throw new Error("the 3-D view shows nothing that could be saved");
    }
    this.#draw(1);
    const picture = new OffscreenCanvas(this.#canvas.width, this.#canvas.height);
    const pen = picture.getContext("2d");
    pen.fillStyle = backgroundOf(this.#canvas);
    pen.fillRect(0, 0, picture.width, picture.height);
    pen.drawImage(this.#canvas, 0, 0); // before the browser shows and clears it
    return picture.convertToBlob({ type: "image/png" });
  }

  #moves() {
    const change = (move) => {
      this.#swingStart = null;
      this.#isMoving = true;
      move();
      this.#ask();
    };
    return {
      turn: (right, down) => change(() => this.#orbit.turn(-right, down)),
      pan: (right, down) => change(() => this.#pan(right, down)),
      zoom: (factor) => change(() => this.#orbit.zoom(factor)),
      home: () => this.reset(),
    };
  }

  #pan(right, down) {
    if (this.#shown) {
      const scale = scaleOf(this.#shown.image, this.#canvas) / this.#ratio(); // CSS px
      const { fx, fy } = this.#shown.camera;
      this.#orbit.pan((-right * this.#orbit.distance) / (scale * fx), (-down * this.#orbit.distance) / (scale * fy));
    }
  }

  #begin() {
    this.#thin = 1;
    if (wantsStillness()) {
      this.#swingStart = null;
      this.#orbit.look(swingAt(1));
    } else {
      this.#swingStart = performance.now();
    }
    this.#ask();
  }

  #ratio() {
    return Math.min(devicePixelRatio, MOST_RATIO);
  }

  #ask() {
    if (!this.#frame && this.#drawing && this.#shown) {
      this.#frame = requestAnimationFrame((time) => this.#next(time));
    }
  }

  #next(time) {
    this.#frame = 0;
    const wasMoving = this.#isMoving;
    this.#isMoving = false;
    if (this.#swingStart !== null) {
      const share = Math.min(Math.max((time - this.#swingStart) / (1000 * SWING_S), 0), 1);
      this.#orbit.look(swingAt(share));
      this.#swingStart = share < 1 ? this.#swingStart : null;
    }
    const isSwinging = this.#swingStart !== null;
    const isMoving = wasMoving || isSwinging;
    clearTimeout(this.#rest);
    this.#draw(isMoving ? this.#thin : 1);
    if (isMoving) {
      requestAnimationFrame((next) => this.#judge(next - time));
      this.#rest = this.#thin > 1 && !isSwinging ? setTimeout(() => this.#ask(), REST_MS) : 0;
    }
    if (isSwinging) {
      this.#ask();
    }
  }

  /** Draw fewer points from now on if a frame took long. */
  #judge(ms) {
    if (ms > SLOW_MS && this.#thin < MOST_THIN) {
      this.#thin++;
    }
  }

  #draw(every) {
    const canvas = this.#canvas;
    const ratio = Math.min(this.#ratio(), MOST_SIDE_PX / Math.max(canvas.clientWidth, canvas.clientHeight, 1));
    const [width, height] = [canvas.clientWidth, canvas.clientHeight].map((side) => Math.round(side * ratio));
    if (width < 1 || height < 1) {
      return; // hidden
    }
    if (canvas.width !== width || canvas.height !== height) {
      canvas.width = width;
      canvas.height = height;
    }
    const { camera, image, extent } = this.#shown;
    this.#drawing.draw({
      matrix: this.#orbit.matrix(camera, image, canvas, extent.z[1]),
      scale: scaleOf(image, canvas),
      isSurface: this.#mode === "surface",
      every,
    });
  }

  #lose(event) {
    event.preventDefault(); // asks for a new context
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    this.#drawing = null;
  }

  #restore() {
    this.#drawing = new Drawing(this.#gl);
    if (this.#shown) {
      this.#drawing.load(this.#shown, this.#ratio());
      this.#ask();
    }
  }
}

const MOST_PHOTO_PX = 2048; // a side; finer ones are shrunk

/** Call back when an element's size changes, or the density of its screen where the browser tells. */
function observeSize(element, changed) {
  const observer = new ResizeObserver(changed);
  try {
    observer.observe(element, { box: "device-pixel-content-box" });
  } catch {
    observer.observe(element); // Safari
  }
  return observer;
}

/** Return a photograph as a canvas, which is also there when a lost context comes back. */
function copyOf(image) {
  const source = image instanceof ImageData ? canvasOf(image) : image;
  const [wide, high] = [source.naturalWidth ?? source.videoWidth ?? source.width, source.naturalHeight ?? source.videoHeight ?? source.height];
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
function backgroundOf(element) {
  for (let place = element; place; place = place.parentElement) {
    const color = getComputedStyle(place).backgroundColor;
    if (!/^(transparent|rgba\(.*, 0\))$/.test(color)) {
      return color;
    }
  }
  return "white";
}
