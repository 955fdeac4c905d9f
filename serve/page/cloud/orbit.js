// The eye that looks at the points: it turns around a target, and its own place is where the photograph was taken.
// Coordinates are the engine's: x right, y down, z forward.

const MOST_PITCH = (85 * Math.PI) / 180;
const NEAREST = 0.02; // distance to the target, in shares of the one at home
const FARTHEST = 12;
export const FILL = 0.94; // of the canvas's shorter way by the photograph at home

export class Orbit {
  /** @param {number} distance from the camera to the target, which lies on its axis */
  constructor(distance) {
    this.home = distance;
    this.reset();
  }

  /** Go to where the photograph was taken. */
  reset() {
    this.yaw = 0;
    this.pitch = 0;
    this.distance = this.home;
    this.target = [0, 0, this.home];
  }

  /** Move the eye around the target by angles in radians: to the right, and up. */
  turn(yaw, pitch) {
    this.yaw = (this.yaw + yaw) % (2 * Math.PI);
    this.pitch = Math.min(Math.max(this.pitch + pitch, -MOST_PITCH), MOST_PITCH);
  }

  /** Take a place of the first movement, see swing.js. */
  look({ yaw, pitch, back }) {
    Object.assign(this, { yaw, pitch, distance: back * this.home });
  }

  /** Multiply the distance to the target. */
  zoom(factor) {
    this.distance = Math.min(Math.max(this.distance * factor, NEAREST * this.home), FARTHEST * this.home);
  }

  /** Move the target and the eye, in units of the points. */
  pan(right, down) {
    const [x, y] = this.axes();
    this.target = this.target.map((place, axis) => place + right * x[axis] + down * y[axis]);
  }

  /** Return the eye's directions right, down and forward. */
  axes() {
    const [sy, cy, sp, cp] = [Math.sin(this.yaw), Math.cos(this.yaw), Math.sin(this.pitch), Math.cos(this.pitch)];
    return [
      [cy, 0, sy],
      [sy * sp, cp, -cy * sp],
      [-sy * cp, sp, cy * cp],
    ];
  }

  /** Return the eye's place. */
  eye() {
    const forward = this.axes()[2];
    return this.target.map((place, axis) => place - this.distance * forward[axis]);
  }

  /**
   * Return the matrix from points to clip space, column by column. At home the photograph's pixels lie side by side on the
   * canvas: pixel (u, v) at scale * (u + 0.5 - width / 2) from its middle.
   *
   * @param {{fx, fy, cx, cy}} camera
   * @param {{width, height}} image px
   * @param {{width, height}} canvas px
   * @param {number} farthest depth of the points
   */
  matrix(camera, image, canvas, farthest) {
    const scale = scaleOf(image, canvas);
    const near = this.distance / 200;
    const far = 4 * (farthest + this.distance);
    const across = (2 * scale) / canvas.width;
    const down = (2 * scale) / canvas.height;
    const rows = [
      [across * camera.fx, 0, across * (camera.cx + 0.5 - image.width / 2)],
      [0, -down * camera.fy, -down * (camera.cy + 0.5 - image.height / 2)],
      [0, 0, (far + near) / (far - near)],
      [0, 0, 1],
    ];
    const axes = this.axes();
    const eye = this.eye();
    const seen = axes.map((axis) => -axis.reduce((sum, value, place) => sum + value * eye[place], 0));
    const matrix = new Float32Array(16);
    rows.forEach((row, place) => {
      for (let axis = 0; axis < 3; axis++) {
        matrix[4 * axis + place] = row.reduce((sum, value, own) => sum + value * axes[own][axis], 0);
      }
      matrix[12 + place] = row.reduce((sum, value, own) => sum + value * seen[own], 0);
    });
    matrix[14] -= (2 * far * near) / (far - near);
    return matrix;
  }
}

/** Return how many px of the canvas a px of the photograph takes at home. */
export function scaleOf(image, canvas) {
  return FILL * Math.min(canvas.width / image.width, canvas.height / image.height);
}
