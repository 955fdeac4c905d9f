// An image and a model in, depth out: the values and what the headers say of them. Each is asked for once.

import { readNpy } from "../values.js";
import { ask } from "./ask.js";

const MOST_SIDE_PX = 1600; // of the depth that the page shows; the networks see fewer

/**
 * @typedef {object} Depth
 * @property {string} model name under which it is served
 * @property {Float32Array} values row by row, NaN where there is no depth
 * @property {number} height
 * @property {number} width
 * @property {ArrayBuffer} file the .npy file
 * @property {string} kind "metric", "inverse", "affine" or "scale"
 * @property {boolean} metric whether the values are metres
 * @property {boolean} nearIsLarge
 * @property {[string, string][]} facts for people
 */

/** Return the options of a request for a model's depth. */
export function optionsOf(model, fov) {
  const options = new URLSearchParams({ model: model.name, max_side: MOST_SIDE_PX });
  if (model.takes_focal_length) {
    options.set("fov", fov);
  }
  return options;
}

/**
 * Ask for the depth of an image.
 *
 * @param {Blob} image
 * @param {object} model of GET models
 * @param {{fov: number, key: string, signal: AbortSignal}} request fov: in degrees, for models that need it
 * @param {import("./ask.js").Listener} listener
 * @returns {Promise<Depth>}
 */
export async function askDepth(image, model, { fov, key, signal }, listener) {
  const options = optionsOf(model, fov);
  options.set("format", "npy");
  const begun = performance.now();
  const sent = new Blob([image], { type: "application/octet-stream" }); // the service looks at the bytes, not at a name
  const { content, header } = await ask(`v1/depth?${options}`, { method: "POST", body: sent, key, signal }, listener);
  const { values, height, width } = readNpy(content);
  return {
    model: model.name,
    values,
    height,
    width,
    file: content,
    kind: header("Depthrt-Kind"),
    metric: header("Depthrt-Unit") === "m",
    nearIsLarge: header("Depthrt-Larger-Is-Nearer") === "true",
    facts: factsOf(model, header, `${height} × ${width} px`, performance.now() - begun),
  };
}

function factsOf(model, header, size, tookMs) {
  const run = /run;dur=([\d.]+)/.exec(header("Server-Timing"));
  return [
    ["Model", model.name],
    ["Network", header("Depthrt-Network")],
    ["Depth", model.unit === "m" ? "metres" : `${header("Depthrt-Kind")}, without a unit`],
    ["Size", size],
    ["Runs on", `${header("Depthrt-Runner")}, ${header("Depthrt-Precision")}`],
    ["Time", `${Math.round(tookMs)} ms${run ? `, of which the network ${Math.round(run[1])} ms` : ""}`],
    ["Licence", model.licence || "unknown"],
    ["SHA-256", header("Depthrt-Model-Sha256").slice(0, 16)],
  ];
}
