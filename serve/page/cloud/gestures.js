// What a person does with mouse, touch, wheel and keys in, movements of the eye out.

const TURN = Math.PI / 400; // radians a CSS px
const KEY_TURN = Math.PI / 36;
const KEY_PAN_PX = 24;
const KEY_ZOOM = 1.15;
const WHEEL_ZOOM = 0.0015; // a px of the wheel
const LINE_PX = 16;

/**
 * Listen to a canvas. Drag turns; drag with the right button, with Shift or with two fingers moves; wheel and pinch zoom.
 * Arrow keys turn, with Shift they move; plus and minus zoom; Home or 0 goes back.
 *
 * @param {HTMLCanvasElement} canvas
 * @param {{turn(right: number, down: number), pan(right: number, down: number), zoom(factor: number), home()}} moves turn
 *   takes radians, pan CSS px
 * @param {AbortSignal} signal ends listening
 */
export function listen(canvas, moves, signal) {
  const fingers = new Map(); // pointers that are down, by id
  const on = (name, handler, options = {}) => canvas.addEventListener(name, handler, { ...options, signal });
  on("pointerdown", (event) => {
    canvas.focus({ preventScroll: true });
    canvas.setPointerCapture(event.pointerId);
    fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
  });
  on("pointermove", (event) => {
    const before = fingers.get(event.pointerId);
    if (before) {
      const after = { x: event.clientX, y: event.clientY };
      move(moves, fingers, event, before, after);
      fingers.set(event.pointerId, after);
    }
  });
  for (const name of ["pointerup", "pointercancel", "lostpointercapture"]) {
    on(name, (event) => fingers.delete(event.pointerId));
  }
  on("contextmenu", (event) => event.preventDefault());
  on("wheel", (event) => {
    event.preventDefault();
    const lines = event.deltaMode === WheelEvent.DOM_DELTA_PIXEL ? 1 : LINE_PX;
    moves.zoom(Math.exp(Math.min(Math.max(event.deltaY * lines * WHEEL_ZOOM, -0.5), 0.5)));
  }, { passive: false });
  on("dblclick", () => moves.home());
  on("keydown", (event) => {
    if (!event.ctrlKey && !event.metaKey && !event.altKey && press(moves, event.key, event.shiftKey)) {
      event.preventDefault();
    }
  });
}

function move(moves, fingers, event, before, after) {
  const [right, down] = [after.x - before.x, after.y - before.y];
  if (fingers.size === 1) {
    const isPan = event.shiftKey || (event.buttons & 6) !== 0; // the right or the middle button
    return isPan ? moves.pan(right, down) : moves.turn(right * TURN, down * TURN);
  }
  const other = [...fingers].find(([id]) => id !== event.pointerId)[1];
  const apart = (place) => Math.hypot(place.x - other.x, place.y - other.y);
  moves.zoom(Math.max(apart(before), 1) / Math.max(apart(after), 1));
  return moves.pan(right / fingers.size, down / fingers.size);
}

/** Do what a key asks for; return whether it asks for something. */
function press(moves, key, isShifted) {
  const arrows = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  if (key in arrows) {
    const [right, down] = arrows[key];
    if (isShifted) {
      moves.pan(right * KEY_PAN_PX, down * KEY_PAN_PX);
    } else {
      moves.turn(right * KEY_TURN, down * KEY_TURN);
    }
  } else if (key === "+" || key === "=") {
    moves.zoom(1 / KEY_ZOOM);
  } else if (key === "-" || key === "_") {
    moves.zoom(KEY_ZOOM);
  } else if (key === "0" || key === "Home") {
    moves.home();
  } else {
    return false;
  }
  return true;
}
