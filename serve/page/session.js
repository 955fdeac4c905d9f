// The chosen photograph and the depth that models found in it; each model is asked once a photograph.

import { tooLarge } from "./service/failure.js";
import { askDepth } from "./service/depth.js";
import { progressOf } from "./panel/status.js";

/** What the page knows of one photograph. */
export class Session {
  #depths = new Map(); // by model, and by field of view where a model needs it
  #running = null; // AbortController of the requests under way

  /**
   * @param {Blob} image
   * @param {string} name of the file; anybody may have made it up
   * @param {{max_body_bytes?: number}} limits of the service
   */
  constructor(image, name, limits) {
    this.image = image;
    this.name = name;
    this.bitmap = null; // null where the browser cannot decode the file; the service may
    this.#limits = limits;
  }

  #limits;

  /** Decode the photograph for the screen. */
  async open() {
    this.bitmap = await createImageBitmap(this.image).catch(() => null);
  }

  /**
   * Ask the models that were not asked yet. A later call stops an earlier one.
   *
   * @param {object[]} models
   * @param {{fov: number, key: string}} options
   * @returns {Promise<import("./service/depth.js").Depth[]>}
   */
  async depthsOf(models, { fov, key }) {
    const large = tooLarge(this.image.size, this.#limits.max_body_bytes);
    if (large) {
      throw large;
    }
    this.stop();
    this.#running = new AbortController();
    const { signal } = this.#running;
    const found = [];
    for (const model of models) {
      const place = JSON.stringify([model.name, model.takes_focal_length ? fov : null]);
      if (!this.#depths.has(place)) {
        const what = models.length > 1 ? `Model ${found.length + 1} of ${models.length}` : "Photograph";
        this.#depths.set(place, await askDepth(this.image, model, { fov, key, signal }, progressOf(what)));
      }
      found.push(this.#depths.get(place));
    }
    return found;
  }

  /** Stop the requests under way. */
  stop() {
    this.#running?.abort();
  }
}
