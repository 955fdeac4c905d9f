// The first movement: a slow look from side to side, which shows depth at once and ends a little beside the camera.

export const SWING_S = 6;
const YAW = (13 * Math.PI) / 180;
const PITCH = (5 * Math.PI) / 180;
const BACK = 0.12; // of the distance; what is near stays in the picture
const TURNS = 1.25; // of the sine: it ends at its top, without speed

/**
 * Return the eye's angles in radians, and its distance in shares of the one at home.
 *
 * @param {number} share of the time that is over, 0 to 1
 */
export function swingAt(share) {
  const eased = share * share * (3 - 2 * share);
  const rise = Math.sin((Math.PI / 2) * eased);
  return { yaw: YAW * Math.sin(2 * Math.PI * TURNS * eased), pitch: PITCH * rise, back: 1 + BACK * rise };
}

/** Return whether the user's system asks for less motion. */
export function wantsStillness() {
  return matchMedia("(prefers-reduced-motion: reduce)").matches;
}
