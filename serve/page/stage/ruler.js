// Values in, their histogram in colour out, with two handles that choose which values the colours span.

import { colorTable } from "../colors.js";
import { rangeOf } from "../values.js";
import { quantity } from "./quantity.js";

const canvas = document.getElementById("histogram");
const tick = document.getElementById("tick");
const handles = { near: document.getElementById("near"), far: document.getElementById("far") };
const ends = { near: document.getElementById("near-value"), far: document.getElementById("far-value") };
const BINS = 128;
const TOP = 1000; // of a handle
const LEAST_GAP = 5; // between the handles
const MOST_SHARE = 0.999; // of values inside the ruler's ends: single wild pixels do not squeeze the rest

/** The range of the colours of one depth map. */
export class Ruler {
  #depth = null;
  #ends = [0, 1]; // values at the left, which is near, and at the right
  #counts = [];
  #colormap = "";

  /** @param {() => void} onChange the range has changed */
  constructor(onChange) {
    for (const [name, handle] of Object.entries(handles)) {
      handle.addEventListener("input", () => {
        this.#keepApart(name);
        this.#draw();
        onChange();
      });
    }
    for (const button of document.querySelectorAll("[data-range]")) {
      button.addEventListener("click", () => {
        this.#spread(button.dataset.range === "full");
        onChange();
      });
    }
  }

  /** Show a map; the range is the one from its 2nd to its 98th percentile. */
  show(depth) {
    this.#depth = depth;
    const [low, high] = rangeOf(depth.values, 1 - MOST_SHARE, MOST_SHARE);
    this.#ends = depth.nearIsLarge ? [high, low] : [low, high];
    this.#counts = count(depth.values, this.#ends);
    this.#spread(false);
  }

  /** @param {string} colormap one of COLORMAPS */
  set colormap(colormap) {
    this.#colormap = colormap;
    this.#draw();
  }

  /** The values of the nearest and of the farthest colour. */
  get nearFar() {
    return [this.#valueAt(handles.near), this.#valueAt(handles.far)];
  }

  /** Mark a value; NaN marks none. */
  mark(value) {
    tick.hidden = !Number.isFinite(value);
    tick.style.left = `${100 * Math.min(Math.max(this.#shareOf(value), 0), 1)}%`;
  }

  #valueAt(handle) {
    return this.#ends[0] + (Number(handle.value) / TOP) * (this.#ends[1] - this.#ends[0]);
  }

  #shareOf(value) {
    return (value - this.#ends[0]) / (this.#ends[1] - this.#ends[0] || 1);
  }

  #spread(full) {
    const [low, high] = full ? [...this.#ends].sort((a, b) => a - b) : rangeOf(this.#depth.values);
    const [near, far] = this.#depth.nearIsLarge ? [high, low] : [low, high];
    handles.near.value = Math.min(Math.floor(TOP * this.#shareOf(near)), TOP - LEAST_GAP);
    handles.far.value = Math.ceil(TOP * this.#shareOf(far));
    this.#keepApart("far");
    this.#draw();
  }

  /** Stop the moved handle before the other one. */
  #keepApart(moved) {
    const [near, far] = [Number(handles.near.value), Number(handles.far.value)];
    if (moved === "near") {
      handles.near.value = Math.max(0, Math.min(near, far - LEAST_GAP));
    } else {
      handles.far.value = Math.min(TOP, Math.max(far, near + LEAST_GAP));
    }
  }

  #draw() {
    if (!this.#depth || !this.#colormap) {
      return;
    }
    const table = colorTable(this.#colormap); // from far to near
    const [near, far] = [Number(handles.near.value) / TOP, Number(handles.far.value) / TOP];
    const pen = canvas.getContext("2d");
    const { width, height } = canvas;
    const most = tallest(this.#counts);
    pen.clearRect(0, 0, width, height);
    this.#counts.forEach((number, bin) => {
      const share = Math.min(Math.max(((bin + 0.5) / BINS - near) / (far - near), 0), 1);
      const entry = 3 * Math.round(255 * (1 - share));
      pen.fillStyle = `rgb(${table.subarray(entry, entry + 3).join(" ")})`;
      const tall = 5 + (height - 5) * Math.min(Math.sqrt(number / most), 1); // the root shows small counts too
      pen.fillRect((bin * width) / BINS, height - tall, width / BINS - 1, tall);
    });
    for (const [name, value] of [["near", this.nearFar[0]], ["far", this.nearFar[1]]]) {
      ends[name].textContent = quantity(value, this.#depth);
      handles[name].setAttribute("aria-valuetext", quantity(value, this.#depth));
    }
  }
}

/** Return the count that fills the ruler's height; a sky or a wall of one value, which has more, is cut. */
function tallest(counts) {
  const sorted = [...counts].sort((a, b) => a - b);
  return Math.max(2 * sorted[Math.floor(0.9 * (BINS - 1))], 1);
}

/** Count values in bins from one end of the ruler to the other. */
function count(values, [first, last]) {
  const counts = new Array(BINS).fill(0);
  const scale = BINS / (last - first || 1);
  for (let place = 0; place < values.length; place++) {
    const bin = Math.floor((values[place] - first) * scale);
    if (bin >= 0 && bin < BINS) {
      counts[bin]++;
    }
  }
  return counts;
}
