// The page: what the user chooses in, what is shown out. Each part lies in a module; this one ties them.

import { listenForCamera } from "./choose/camera.js";
import { listenForImages } from "./choose/sources.js";
import { chosenColormap, listenToColormap } from "./panel/colormap_choice.js";
import { Downloads } from "./panel/downloads.js";
import { ModelChoice } from "./panel/model_choice.js";
import { enteredKey, hideError, hideProgress, listenToStatus, showError } from "./panel/status.js";
import { ask } from "./service/ask.js";
import { Failure } from "./service/failure.js";
import { Session } from "./session.js";
import { Stage } from "./stage/stage.js";

const fov = document.getElementById("fov");
const stage = new Stage();
let choice = null; // ModelChoice, once the service has said what it serves
let limits = {};
let session = null;

const downloads = new Downloads(stage, () => ({ session, choice, fov: fieldOfView(), key: enteredKey() }));

/** Show an element that needs scripts. */
for (const element of document.querySelectorAll(".js-only")) {
  element.hidden = false;
}
document.documentElement.classList.add("js");
document.getElementById("panel").noValidate = true;
listenForImages(open, (message) => showError(new Failure("No photograph there", message)));
listenForCamera(open);
listenToColormap(() => (stage.colormap = chosenColormap()));
listenToStatus(() => session?.stop(), again);
fov.addEventListener("change", show);
stage.colormap = chosenColormap();
learnModels();

/** Ask the service for its models; without them the page waits with an error that can be tried again. */
async function learnModels() {
  try {
    const { content } = await ask("models", { key: enteredKey() });
    const answer = JSON.parse(new TextDecoder().decode(content));
    limits = answer.limits ?? {};
    choice = new ModelChoice(answer.models, show);
    if (session) {
      await show();
    }
  } catch (problem) {
    showError(problem);
  }
}

/** Take a new photograph. */
async function open(image, name) {
  session?.stop();
  session = new Session(image, name, limits);
  document.getElementById("file-name").textContent = name;
  const opened = session;
  downloads.offer(null);
  await opened.open();
  if (opened === session) {
    stage.open(opened);
    await show();
  }
}

/** Show the depth of the photograph by the chosen models. */
async function show() {
  if (!session || !choice) {
    return;
  }
  hideError();
  const [asked, models] = [session, [choice.main, choice.other].filter(Boolean)];
  try {
    const depths = await asked.depthsOf(models, { fov: fieldOfView(), key: enteredKey() });
    if (asked === session) {
      stage.show(asked, depths, choice, fieldOfView());
      downloads.offer(depths[0], choice);
      hideProgress();
    }
  } catch (problem) {
    if (asked === session) {
      stage.stop();
      hideProgress();
    }
    if (asked === session && problem.name !== "AbortError") {
      showError(problem);
    }
  }
}

function again() {
  return choice ? show() : learnModels();
}

/** Return the field of view in degrees, inside what the service takes. */
function fieldOfView() {
  const value = Number(fov.value);
  return value >= Number(fov.min) && value <= Number(fov.max) ? value : 60;
}
