// A value of depth in, its text out: metres, or a number that says it has no unit.

const DIGITS = 4; // significant ones

/** Return a value as a short text: "3.412 m", "0.8123". */
export function quantity(value, depth) {
  if (!Number.isFinite(value)) {
    return "no depth";
  }
  return depth.metric ? `${number(value)} m` : number(value);
}

/** Return a value as a sentence tells it. */
export function spoken(value, depth) {
  if (!Number.isFinite(value) || depth.metric) {
    return quantity(value, depth);
  }
  return `${number(value)} relative, larger is ${depth.nearIsLarge ? "nearer" : "farther"}`;
}

function number(value) {
  return value !== 0 && Math.abs(value) < 1e-3 ? value.toExponential(DIGITS - 1) : String(Number(value.toPrecision(DIGITS)));
}
