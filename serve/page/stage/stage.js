// A photograph and the depth of one or two models in, the chosen view of them out; a new colour needs no request.

import { Differences, listenToStrength } from "./differences.js";
import { listenToDivider, showLayers } from "./layers.js";
import { faded, laidOver, nearFarOf, photographOf, pictureOf } from "./pictures.js";
import { listenToProbe } from "./probe.js";
import { spoken } from "./quantity.js";
import { Ruler } from "./ruler.js";
import { resetSpace, saveSpace, showInSpace } from "./space.js";
import { pngOf } from "../panel/save.js";
import { showError } from "../panel/status.js";

const buttons = [...document.querySelectorAll("[data-view]")];
const why = document.getElementById("views-why");
const result = document.getElementById("result");
const view = document.getElementById("view");
const reading = document.getElementById("reading");
const PREVIEW_PX = 1200; // longest side of a photograph that waits for its depth
const NEED_TWO = ["models", "difference"];

/** What is seen of a photograph. */
export class Stage {
  #ruler = new Ruler(() => this.#askToDraw());
  #colormap = "";
  #view = "depth";
  #depth = null; // of the chosen model
  #other = null; // of the model beside it, or null
  #names = ["", ""];
  #photograph = null; // ImageData of the depth's size
  #session = null;
  #differences = null;
  #fov = 60;
  #isAsked = false;

  constructor() {
    listenToDivider();
    listenToStrength(() => this.#askToDraw());
    listenToProbe(
      (across, down) => this.#read(across, down),
      () => this.#ruler.mark(NaN),
    );
    for (const button of buttons) {
      button.addEventListener("click", () => this.#choose(button.dataset.view));
    }
    document.getElementById("space-reset").addEventListener("click", resetSpace);
  }

  /** @param {string} colormap one of COLORMAPS */
  set colormap(colormap) {
    this.#colormap = colormap;
    this.#ruler.colormap = colormap;
    this.#askToDraw();
  }

  /** Show a photograph while its depth is being found; one that the browser cannot decode is not shown yet. */
  open(session) {
    this.#depth = this.#other = this.#differences = null;
    if (!session.bitmap) {
      result.hidden = true;
      return;
    }
    this.#uncover();
    const { width, height } = session.bitmap;
    const shrink = Math.min(1, PREVIEW_PX / Math.max(width, height));
    const picture = photographOf(session.bitmap, Math.ceil(width * shrink), Math.ceil(height * shrink));
    this.#place("depth");
    showLayers(picture, picture, { left: "Photograph", right: "", split: false });
    view.classList.add("waiting");
    for (const part of [...buttons, document.getElementById("near"), document.getElementById("far")]) {
      part.disabled = true;
    }
    reading.textContent = "";
  }

  /** Show that the depth under way will not come. */
  stop() {
    view.classList.remove("waiting");
  }

  /** Show the depth of a photograph. */
  show(session, [depth, other = null], choice, fov) {
    this.#uncover();
    this.#names = [choice.mainName, choice.otherName];
    this.#fov = fov;
    if (depth !== this.#depth) {
      this.#photograph = photographOf(session.bitmap, depth.width, depth.height);
      this.#ruler.show(depth);
    }
    if (depth !== this.#depth || other !== this.#other) {
      this.#differences = null;
    }
    const isNew = other && !this.#other && this.#view === "depth"; // who asks for two models wants to see them
    [this.#session, this.#depth, this.#other] = [session, depth, other];
    this.#offerViews(choice.whyOne);
    this.#choose(isNew ? "models" : NEED_TWO.includes(this.#view) && !other ? "depth" : this.#view);
    reading.textContent = `Depth by ${depth.model} is shown, ${depth.width} by ${depth.height} pixels.`;
  }

  /** Return the picture on the screen as a PNG file. */
  png() {
    if (this.#view === "space") {
      return saveSpace();
    }
    const isOverlay = this.#view === "difference";
    return pngOf(isOverlay ? laidOver(faded(this.#photograph), this.#differences.picture()) : this.#picture());
  }

  /** Return what the study's picture shows, and its size. */
  photographAndDepth() {
    return [this.#photograph, this.#picture()];
  }

  #picture() {
    return pictureOf(this.#depth, this.#colormap, this.#ruler.nearFar);
  }

  #uncover() {
    document.getElementById("welcome").hidden = true;
    result.hidden = false;
    view.classList.remove("waiting");
    const { top, bottom } = result.getBoundingClientRect();
    if (bottom < 0 || top > innerHeight / 2 || top < -innerHeight / 2) {
      result.scrollIntoView({ block: "start" });
    }
  }

  #offerViews(whyOne) {
    document.getElementById("near").disabled = document.getElementById("far").disabled = false;
    for (const button of buttons) {
      button.disabled = NEED_TWO.includes(button.dataset.view) && !this.#other;
    }
    why.textContent = whyOne;
  }

  #choose(name) {
    this.#view = name;
    this.#place(name);
    this.#askToDraw();
  }

  /** Make room for a view. */
  #place(name) {
    for (const button of buttons) {
      button.setAttribute("aria-pressed", String(button.dataset.view === name));
    }
    view.hidden = name === "space";
    document.getElementById("space").hidden = name !== "space";
    document.getElementById("scale").hidden = name !== "difference";
    document.getElementById("ruler").hidden = ["difference", "space"].includes(name);
  }

  /** Draw before the next frame, once however often it is asked. */
  #askToDraw() {
    if (!this.#isAsked && this.#depth) {
      this.#isAsked = true;
      requestAnimationFrame(() => {
        this.#isAsked = false;
        if (!this.#depth) {
          return; // another photograph has been chosen
        }
        this.#draw().catch((problem) => {
          showError(problem);
          this.#choose("depth");
        });
      });
    }
  }

  async #draw() {
    const [name, otherName] = this.#names;
    if (this.#view === "space") {
      await showInSpace(this.#depth, this.#session.bitmap ?? this.#picture(), this.#fov);
    } else if (this.#view === "difference") {
      this.#differences ??= new Differences(this.#depth, this.#other);
      this.#differences.tell(name, otherName);
      showLayers(faded(this.#photograph), this.#differences.picture(), { left: "", right: "", split: false });
    } else if (this.#view === "models") {
      const nearFar = nearFarOf(this.#other, this.#depth, this.#ruler.nearFar);
      const beside = pictureOf(this.#other, this.#colormap, nearFar);
      showLayers(beside, this.#picture(), { left: otherName, right: name, split: true });
    } else {
      const left = this.#session.bitmap ? "Photograph" : "This browser cannot show the file";
      showLayers(this.#photograph, this.#picture(), { left, right: `Depth, ${name}`, split: true });
    }
  }

  /** Return what a pixel holds, as a text. */
  #read(across, down) {
    if (!this.#depth) {
      return "";
    }
    const { width, height, values } = this.#depth;
    const place = Math.floor(down * height) * width + Math.floor(across * width);
    this.#ruler.mark(values[place]);
    const found = spoken(values[place], this.#depth);
    if (!this.#other || this.#view === "depth") {
      return found;
    }
    const beside = `${this.#names[0]} ${found} · ${this.#names[1]} ${spoken(this.#other.values[place], this.#other)}`;
    return this.#view === "difference" && this.#differences ? `${beside} · ${this.#differences.at(place)}` : beside;
  }
}
