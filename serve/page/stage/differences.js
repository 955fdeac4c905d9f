// Two maps of depth in, where they differ as a layer over the photograph out, with the scale of its colours.

import { colorizeDifference } from "../colors.js";
import { difference, rangeOf } from "../values.js";

const strength = document.getElementById("strength");
const STRONGEST = 0.99; // share of the differences below the one where the slider ends

/** How two maps differ. */
export class Differences {
  #first;
  #most; // where the slider ends

  /**
   * @param {import("../service/depth.js").Depth} first
   * @param {import("../service/depth.js").Depth} second
   * @throws {Error} if the two kinds of depth cannot be compared
   */
  constructor(first, second) {
    const { values, note, unit } = difference(first.values, second.values, first.kind, second.kind);
    this.#first = first;
    this.values = values;
    this.note = note;
    this.#most = rangeOf(values.map(Math.abs), 0, STRONGEST)[1] || 1;
    this.unit = unit;
  }

  /** The layer: orange where the first is farther, blue where nearer, opaque from the slider's value. */
  picture() {
    return colorizeDifference(this.values, this.#first.height, this.#first.width, this.#limit);
  }

  /** The difference at a pixel, as a text. */
  at(place) {
    const value = this.values[place];
    if (!Number.isFinite(value)) {
      return "no difference known";
    }
    const size = this.#text(Math.abs(value));
    return value === 0 ? "equal" : `${size} ${value > 0 ? "farther" : "nearer"}`;
  }

  /** Tell what the colours mean. */
  tell(firstName, secondName) {
    document.getElementById("farther").textContent = `${firstName} sees it farther than ${secondName}`;
    document.getElementById("nearer").textContent = "nearer";
    document.getElementById("strength-value").textContent = this.#text(this.#limit);
    strength.setAttribute("aria-valuetext", this.#text(this.#limit));
    document.getElementById("scale-note").textContent = this.note;
  }

  get #limit() {
    return (this.#most * Number(strength.value)) / 100;
  }

  #text(value) {
    return this.unit ? `${Number(value.toPrecision(3))} ${this.unit}` : `${Number((100 * value).toPrecision(2))} %`;
  }
}

/** Listen to the slider. */
export function listenToStrength(onChange) {
  strength.addEventListener("input", onChange);
}
