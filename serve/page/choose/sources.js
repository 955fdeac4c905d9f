// Every way a photograph comes to the page, except the camera: chosen, dropped, pasted, or a sample.

/**
 * Listen for photographs.
 *
 * @param {(image: Blob, name: string) => void} onImage
 * @param {(message: string) => void} onNothing a drop or a paste that holds no file
 */
export function listenForImages(onImage, onNothing) {
  listenToInput(onImage);
  listenToDrops(onImage, onNothing);
  document.addEventListener("paste", (event) => {
    const file = firstFile(event.clipboardData);
    if (file) {
      event.preventDefault();
      onImage(file, file.name || "pasted image");
    }
  });
  for (const button of document.querySelectorAll("[data-sample]")) {
    button.addEventListener("click", async () => {
      const name = `${button.dataset.sample}.jpg`;
      const answer = await fetch(button.querySelector("img").src);
      onImage(await answer.blob(), name);
    });
  }
}

function listenToInput(onImage) {
  const input = document.getElementById("file");
  input.addEventListener("change", () => {
    if (input.files.length > 0) {
      onImage(input.files[0], input.files[0].name);
      input.value = ""; // so that the same file can be chosen again
    }
  });
  for (const button of document.querySelectorAll('[data-do="choose"]')) {
    button.addEventListener("click", () => input.click());
  }
}

function listenToDrops(onImage, onNothing) {
  const veil = document.getElementById("drop");
  let depth = 0; // of elements that the pointer has entered
  const hide = () => {
    depth = 0;
    veil.hidden = true;
  };
  addEventListener("dragenter", (event) => {
    event.preventDefault();
    depth++;
    veil.hidden = false;
  });
  addEventListener("dragleave", () => {
    if (--depth <= 0) {
      hide();
    }
  });
  addEventListener("dragover", (event) => event.preventDefault());
  addEventListener("drop", (event) => {
    event.preventDefault();
    hide();
    const file = firstFile(event.dataTransfer);
    if (file) {
      onImage(file, file.name);
    } else {
      onNothing("What was dropped holds no file. Save the picture first, then drop the file.");
    }
  });
}

function firstFile(transfer) {
  return [...(transfer?.files ?? [])][0] ?? null;
}
