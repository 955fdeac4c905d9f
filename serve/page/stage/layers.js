// Two pictures of the same pixels in, one view out: a divider that can be moved, or one picture over the other.

const view = document.getElementById("view");
const under = document.getElementById("under");
const over = document.getElementById("over");
const divider = document.getElementById("divider");
const divide = document.getElementById("divide");
const labels = [document.getElementById("left-label"), document.getElementById("right-label")];

/**
 * Show two pictures.
 *
 * @param {ImageData} left
 * @param {ImageData} right
 * @param {{left: string, right: string, split: boolean}} about the names of the two; without split the right lies on the left
 */
export function showLayers(left, right, about) {
  view.style.setProperty("--ratio", left.width / left.height);
  paint(under, left);
  paint(over, right);
  divider.hidden = !about.split;
  labels[0].textContent = about.left;
  labels[1].textContent = about.right;
  divide.setAttribute("aria-label", `Divider between ${about.left} and ${about.right}`);
  place();
}

/** Let pointers and the keyboard move the divider. */
export function listenToDivider() {
  divide.addEventListener("input", place);
  view.addEventListener("pointerdown", (event) => {
    if (divider.hidden || event.button !== 0) {
      return;
    }
    view.setPointerCapture(event.pointerId);
    follow(event);
    view.addEventListener("pointermove", follow);
  });
  for (const end of ["pointerup", "pointercancel"]) {
    view.addEventListener(end, () => view.removeEventListener("pointermove", follow));
  }
}

function follow(event) {
  const box = view.getBoundingClientRect();
  divide.value = (100 * (event.clientX - box.left)) / box.width;
  place();
}

function place() {
  const share = divider.hidden ? 0 : Number(divide.value);
  divider.style.left = `${share}%`;
  over.style.clipPath = `inset(0 0 0 ${share}%)`;
  labels[0].classList.toggle("covered", share < 12);
  labels[1].classList.toggle("covered", share > 88);
  divide.setAttribute("aria-valuetext", `${Math.round(share)} % ${labels[0].textContent}`);
}

function paint(canvas, picture) {
  canvas.width = picture.width;
  canvas.height = picture.height;
  canvas.getContext("2d").putImageData(picture, 0, 0);
}
