// A pointer or the arrow keys in, a pixel of the picture and its reading out.

const view = document.getElementById("view");
const probe = document.getElementById("probe");
const cross = document.getElementById("cross");
const chip = document.getElementById("chip");
const reading = document.getElementById("reading");
const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const KEY_STEP = 0.01; // of a side
const SHIFT_STEP = 0.1;
const GAP_PX = 18; // between the point and its text
const QUIET_MS = 350; // after the last key, so that a screen reader reads one value, not all

/**
 * Listen for where the user looks.
 *
 * @param {(column: number, row: number) => string} read what to say of a pixel, given as shares of the sides from 0 to 1
 * @param {() => void} leave the pointer has left the picture
 */
export function listenToProbe(read, leave) {
  let at = [0.5, 0.5];
  let timer = 0;
  const show = (spoken) => {
    const text = read(...at);
    place(at, text);
    clearTimeout(timer);
    if (spoken) {
      timer = setTimeout(() => (reading.textContent = text), QUIET_MS);
    }
  };
  const hide = () => {
    cross.hidden = chip.hidden = true;
    leave();
  };
  const point = (event) => {
    const box = view.getBoundingClientRect();
    at = [inside((event.clientX - box.left) / box.width), inside((event.clientY - box.top) / box.height)];
    show(false);
  };
  view.addEventListener("pointermove", point);
  view.addEventListener("pointerdown", point);
  view.addEventListener("pointerleave", () => !probe.matches(":focus-visible") && hide());
  probe.addEventListener("focus", () => probe.matches(":focus-visible") && show(true));
  probe.addEventListener("blur", hide);
  probe.addEventListener("keydown", (event) => {
    const step = STEPS[event.key];
    if (step && !event.altKey && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      const length = event.shiftKey ? SHIFT_STEP : KEY_STEP;
      at = at.map((share, axis) => inside(share + step[axis] * length));
      show(true);
    }
  });
}

function place([across, down], text) {
  cross.hidden = chip.hidden = text === "";
  chip.textContent = text;
  const [x, y] = [across * view.clientWidth, down * view.clientHeight];
  cross.style.left = `${x}px`;
  cross.style.top = `${y}px`;
  chip.style.left = `${beside(x, chip.offsetWidth, view.clientWidth)}px`;
  chip.style.top = `${beside(y, chip.offsetHeight, view.clientHeight)}px`;
}

/** Return where a text of some length begins after a point, or before it where the side would be passed. */
function beside(point, length, side) {
  const after = point + GAP_PX;
  return after + length <= side ? after : Math.max(0, Math.min(point - GAP_PX - length, side - length));
}

function inside(share) {
  return Math.min(Math.max(share, 0), 1 - 1e-6);
}
