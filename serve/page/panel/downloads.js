// The buttons that give files: the study's picture, the picture on the screen, the values, the points.

import { ask } from "../service/ask.js";
import { optionsOf } from "../service/depth.js";
import { chosenOtype } from "./colormap_choice.js";
import { nameBeside, saveAs, sideBySide } from "./save.js";
import { hideError, hideProgress, progressOf, showError } from "./status.js";

const buttons = Object.fromEntries(["submit", "save-png", "save-npy", "save-ply"].map((id) => [id, document.getElementById(id)]));
const NO_METRES = "Points need metres. This model gives depth without a unit.";
const NO_PICTURE = "Choose a photograph first.";

/** What the user can take along. */
export class Downloads {
  #stage;
  #now;
  #depth = null;

  /**
   * @param {import("../stage/stage.js").Stage} stage
   * @param {() => {session: object, choice: object, fov: number, key: string}} now what is chosen at this moment
   */
  constructor(stage, now) {
    this.#stage = stage;
    this.#now = now;
    document.getElementById("panel").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#run(() => this.#studysPicture());
    });
    buttons["save-png"].addEventListener("click", () => this.#run(async () => this.#save(await stage.png(), "depth.png")));
    buttons["save-npy"].addEventListener("click", () => this.#save(new Blob([this.#depth.file]), "depth.npy"));
    buttons["save-ply"].addEventListener("click", () => this.#run(() => this.#points()));
    this.#enable();
  }

  /** Offer what can be made of a depth map; null while there is none. */
  offer(depth, choice) {
    this.#depth = depth;
    this.#enable();
    if (!depth) {
      return;
    }
    document.getElementById("fov-row").hidden = !depth.metric && !choice.main.takes_focal_length;
    document.getElementById("facts").replaceChildren(
      ...depth.facts.flatMap(([name, value]) => [element("dt", name), element("dd", value)]),
    );
  }

  #enable() {
    for (const button of Object.values(buttons)) {
      button.disabled = !this.#depth;
    }
    buttons["save-ply"].disabled = !this.#depth?.metric;
    const why = document.getElementById("ply-why");
    why.textContent = this.#depth ? (this.#depth.metric ? "" : NO_METRES) : NO_PICTURE;
    why.hidden = why.textContent === "";
  }

  /** Get the study's picture by the study's form; of a model of no role, which that form cannot name, make it here. */
  async #studysPicture() {
    const { session, choice, key } = this.#now();
    if (!choice.fields) {
      this.#save(await sideBySide(...this.#stage.photographAndDepth()), "output.png");
      return;
    }
    const form = new FormData();
    form.append("file", session.image, "image");
    form.append("otype", chosenOtype());
    for (const [name, value] of Object.entries(choice.fields)) {
      form.append(name, value);
    }
    const { content } = await ask("infer", { method: "POST", body: form, key }, progressOf("Picture"));
    this.#save(new Blob([content], { type: "image/png" }), "output.png");
  }

  async #points() {
    const { session, choice, fov, key } = this.#now();
    const options = optionsOf(choice.main, fov);
    options.set("fov", fov);
    const body = new Blob([session.image], { type: "application/octet-stream" });
    const { content } = await ask(`v1/pointcloud?${options}`, { method: "POST", body, key }, progressOf("Points"));
    this.#save(new Blob([content], { type: "application/x-ply" }), "points.ply");
  }

  #save(blob, name) {
    saveAs(blob, nameBeside(this.#now().session.name, name));
  }

  async #run(work) {
    hideError();
    try {
      await work();
    } catch (problem) {
      showError(problem);
    } finally {
      hideProgress();
    }
  }
}

function element(tag, text) {
  const made = document.createElement(tag);
  made.textContent = text;
  return made;
}
