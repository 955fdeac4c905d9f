// The camera of this device in, a photograph out, through a dialog.

const WORDS = {
  NotAllowedError: "The browser may not use the camera. Allow it in the browser's settings of this page.",
  NotFoundError: "This device has no camera.",
  NotReadableError: "The camera is in use by another program.",
};
const QUALITY = 0.92;

const dialog = document.getElementById("camera");
const video = document.getElementById("camera-video");
const error = document.getElementById("camera-error");
const take = document.getElementById("camera-take");
let stream = null;
let facing = "environment"; // the camera at the back of a phone

/**
 * Let the buttons of the page open the camera.
 *
 * @param {(image: Blob, name: string) => void} onImage
 */
export function listenForCamera(onImage) {
  for (const button of document.querySelectorAll('[data-do="camera"]')) {
    button.addEventListener("click", open);
  }
  document.getElementById("camera-close").addEventListener("click", () => dialog.close());
  document.getElementById("camera-turn").addEventListener("click", () => {
    facing = facing === "environment" ? "user" : "environment";
    start();
  });
  take.addEventListener("click", async () => {
    const image = await photograph();
    dialog.close();
    onImage(image, "camera.jpg");
  });
  dialog.addEventListener("close", stop);
}

function open() {
  dialog.showModal();
  start();
}

async function start() {
  stop();
  error.textContent = "";
  take.disabled = true;
  try {
    if (!navigator.mediaDevices) {
      throw new Error("The camera needs a page that came by https, or from this machine.");
    }
    const found = await navigator.mediaDevices.getUserMedia({ video: { facingMode: facing, width: { ideal: 1600 } } });
    if (!dialog.open) {
      found.getTracks().forEach((track) => track.stop());
      return;
    }
    stream = found;
    video.srcObject = stream;
    await video.play();
    take.disabled = false;
  } catch (problem) {
    error.textContent = WORDS[problem.name] ?? problem.message;
  }
}

function stop() {
  stream?.getTracks().forEach((track) => track.stop());
  stream = null;
  video.srcObject = null;
}

function photograph() {
  const canvas = new OffscreenCanvas(video.videoWidth, video.videoHeight);
  canvas.getContext("2d").drawImage(video, 0, 0);
  return canvas.convertToBlob({ type: "image/jpeg", quality: QUALITY });
}
