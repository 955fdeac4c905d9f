// How far a request is, and why one failed, shown and read out.

import { Failure } from "../service/failure.js";

const progress = document.getElementById("progress");
const text = document.getElementById("progress-text");
const bar = document.getElementById("progress-bar");
const error = document.getElementById("error");
const key = document.getElementById("key");

/** Listen to the buttons: stop what runs; try again what failed. */
export function listenToStatus(onCancel, onAgain) {
  document.getElementById("cancel").addEventListener("click", onCancel);
  document.getElementById("dismiss").addEventListener("click", hideError);
  document.getElementById("again").addEventListener("click", () => {
    hideError();
    onAgain();
  });
}

/** Return a listener for a request that tells the user how far it is. */
export function progressOf(what) {
  tell(`${what}: sending`, 0);
  return {
    onSent: (share) => (share < 1 ? tell(`${what}: sending`, share) : tell(`${what}: the network is looking`, null)),
    onWait: (seconds, attempt, most) =>
      tell(`The service is busy. Trying again in ${seconds} s (attempt ${attempt} of ${most}).`, null),
  };
}

/** Hide the progress. */
export function hideProgress() {
  progress.hidden = true;
}

/** Show a failure, and ask for the key if that is what lacks. */
export function showError(problem) {
  const known = problem instanceof Failure;
  document.getElementById("error-title").textContent = known ? problem.title : "Something went wrong in the page";
  document.getElementById("error-text").textContent = known ? problem.text : problem.message;
  document.getElementById("error-id").textContent = known && problem.id ? `Request ${problem.id}` : "";
  document.getElementById("key-row").hidden = problem.status !== 401;
  error.hidden = false;
  (problem.status === 401 ? key : error).scrollIntoView({ block: "nearest" });
}

/** Hide the failure. */
export function hideError() {
  error.hidden = true;
}

/** Return the key that the user has entered, "" without one; it is kept nowhere. */
export function enteredKey() {
  return key.value.trim();
}

function tell(words, share) {
  progress.hidden = false;
  if (text.textContent !== words) {
    text.textContent = words; // a screen reader reads each change
  }
  if (share === null) {
    bar.removeAttribute("value");
  } else {
    bar.value = 100 * share;
  }
}
