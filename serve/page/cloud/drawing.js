// What the graphics card holds of a view, and one picture of it.

import { markTorn, seamsOf, trianglesOf } from "./geometry.js";
import { drawLabels, metreGrid } from "./metre_grid.js";
import { makePrograms } from "./shaders.js";

const OVERLAP = 1.45; // of points, so that a slanted surface has no gaps
const LARGEST_POINT_PX = 48;
const LINE_COLOR = [0.5, 0.5, 0.5, 0.55]; // seen on white and on black

export class Drawing {
  #gl;
  #programs;
  #held = []; // what free() deletes: [method, object]
  #shown = null;
  #step = null;

  /** @param {WebGL2RenderingContext} gl */
  constructor(gl) {
    this.#gl = gl;
    this.#programs = makePrograms(gl);
    gl.enable(gl.DEPTH_TEST);
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA); // colours are multiplied with their opacity
  }

  /** The length of a square of the grid in metres; null without one. */
  get step() {
    return this.#step;
  }

  /**
   * Upload what is shown; frees what was shown before.
   *
   * @param {{grid, camera, extent, metric, image, photo}} shown see CloudView.show
   * @param {number} ratio device pixels a CSS pixel
   */
  load(shown, ratio) {
    const { gl } = this.#begin();
    const { grid, camera, photo } = shown;
    const angle = grid.stride / camera.fx;
    const depths = this.#texture(gl.NEAREST, gl.NEAREST);
    gl.pixelStorei(gl.UNPACK_ALIGNMENT, 4);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.R32F, grid.columns, grid.rows, 0, gl.RED, gl.FLOAT, shown.metric ? markTorn(grid, angle) : grid.depths);
    const colors = this.#texture(gl.LINEAR_MIPMAP_LINEAR, gl.LINEAR);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, gl.RGBA, gl.UNSIGNED_BYTE, photo);
    gl.generateMipmap(gl.TEXTURE_2D);
    this.#shown = { ...shown, depths, colors, angle, points: this.#array([]), surfaces: new Map(), signs: null };
    if (shown.metric && shown.extent.count > 0) {
      this.#shown.signs = this.#loadSigns(shown, ratio);
    }
  }

  /**
   * Draw one picture.
   *
   * @param {{matrix: Float32Array, scale: number, isSurface: boolean, every: number}} view scale: px of the canvas for a
   *   px of the photograph; every: how many points, each way, a drawn one stands for
   */
  draw({ matrix, scale, isSurface, every }) {
    const gl = this.#gl;
    gl.viewport(0, 0, gl.drawingBufferWidth, gl.drawingBufferHeight);
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT);
    this.#drawGrid(matrix, scale, isSurface, every);
    if (this.#shown.signs) {
      this.#drawSigns(matrix);
    }
  }

  /** Delete everything. */
  free() {
    this.#begin();
    this.#gl.deleteProgram(this.#programs.grid.program);
    this.#gl.deleteProgram(this.#programs.signs.program);
  }

  #begin() {
    for (const [method, object] of this.#held) {
      this.#gl[method](object);
    }
    this.#held = [];
    this.#shown = this.#step = null;
    return { gl: this.#gl };
  }

  #drawGrid(matrix, scale, isSurface, every) {
    const gl = this.#gl;
    const { grid, camera, image, depths, colors } = this.#shown;
    const { program, at } = this.#programs.grid;
    const thin = isSurface ? 1 : every;
    const across = Math.ceil(grid.columns / thin);
    gl.useProgram(program);
    gl.activeTexture(gl.TEXTURE0);
    gl.bindTexture(gl.TEXTURE_2D, depths);
    gl.activeTexture(gl.TEXTURE1);
    gl.bindTexture(gl.TEXTURE_2D, colors);
    gl.uniform1i(at.u_depths, 0);
    gl.uniform1i(at.u_photo, 1);
    gl.uniformMatrix4fv(at.u_matrix, false, matrix);
    gl.uniform4f(at.u_camera, camera.fx, camera.fy, camera.cx, camera.cy);
    gl.uniform2f(at.u_image, image.width, image.height);
    gl.uniform2f(at.u_canvas, gl.drawingBufferWidth, gl.drawingBufferHeight);
    gl.uniform4i(at.u_grid, grid.columns, across, thin, grid.stride);
    gl.uniform1f(at.u_first, grid.first);
    if (isSurface) {
      const { triangles, seams } = this.#surface(every);
      gl.uniform3f(at.u_sizes, 0, 0, 0);
      gl.bindVertexArray(triangles.array);
      gl.drawElements(gl.TRIANGLES, triangles.count, gl.UNSIGNED_INT, 0);
      gl.uniform3f(at.u_sizes, grid.stride * scale, 0, LARGEST_POINT_PX);
      gl.bindVertexArray(seams.array);
      gl.drawElements(gl.POINTS, seams.count, gl.UNSIGNED_INT, 0);
    } else {
      gl.uniform3f(at.u_sizes, grid.stride * thin * scale, OVERLAP, LARGEST_POINT_PX);
      gl.bindVertexArray(this.#shown.points);
      gl.drawArrays(gl.POINTS, 0, across * Math.ceil(grid.rows / thin));
    }
  }

  /** Return the triangles and the points of their seams, made when they are first drawn. */
  #surface(every) {
    const { surfaces, grid, angle } = this.#shown;
    if (!surfaces.has(every)) {
      const triangles = this.#elements(trianglesOf(grid, angle, every));
      surfaces.set(every, { triangles, seams: surfaces.get(1)?.seams ?? this.#elements(seamsOf(grid, angle)) });
    }
    return surfaces.get(every);
  }

  #elements(places) {
    const array = this.#array([]);
    this.#buffer(this.#gl.ELEMENT_ARRAY_BUFFER, places);
    return { array, count: places.length };
  }

  #loadSigns({ extent, camera, image }, ratio) {
    const gl = this.#gl;
    const { lines, labels, step } = metreGrid(extent, camera, image);
    const { picture, corners } = drawLabels(labels, ratio);
    const text = this.#texture(gl.LINEAR, gl.LINEAR);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, gl.RGBA, gl.UNSIGNED_BYTE, picture);
    this.#step = step;
    return {
      text,
      lines: { array: this.#array([3], lines), count: lines.length / 3 },
      labels: { array: this.#array([3, 4], corners), count: corners.length / 7 },
    };
  }

  #drawSigns(matrix) {
    const gl = this.#gl;
    const { text, lines, labels } = this.#shown.signs;
    const { program, at } = this.#programs.signs;
    gl.useProgram(program);
    gl.activeTexture(gl.TEXTURE0);
    gl.bindTexture(gl.TEXTURE_2D, text);
    gl.uniform1i(at.u_text, 0);
    gl.uniformMatrix4fv(at.u_matrix, false, matrix);
    gl.uniform2f(at.u_canvas, gl.drawingBufferWidth, gl.drawingBufferHeight);
    gl.uniform4fv(at.u_color, LINE_COLOR);
    gl.uniform1i(at.u_is_text, 0);
    gl.bindVertexArray(lines.array);
    gl.drawArrays(gl.LINES, 0, lines.count);
    gl.uniform1i(at.u_is_text, 1);
    gl.disable(gl.DEPTH_TEST); // a label is read through what stands before it
    gl.bindVertexArray(labels.array);
    gl.drawArrays(gl.TRIANGLES, 0, labels.count);
    gl.enable(gl.DEPTH_TEST);
  }

  /** Return a vertex array, bound, whose attributes lie side by side in one buffer. */
  #array(sizes, values) {
    const gl = this.#gl;
    const array = gl.createVertexArray();
    this.#held.push(["deleteVertexArray", array]);
    gl.bindVertexArray(array);
    if (values) {
      this.#buffer(gl.ARRAY_BUFFER, values);
      const stride = 4 * sizes.reduce((sum, size) => sum + size, 0);
      sizes.reduce((offset, size, place) => {
        gl.enableVertexAttribArray(place);
        gl.vertexAttribPointer(place, size, gl.FLOAT, false, stride, offset);
        return offset + 4 * size;
      }, 0);
    }
    return array;
  }

  #buffer(target, values) {
    const buffer = this.#gl.createBuffer();
    this.#held.push(["deleteBuffer", buffer]);
    this.#gl.bindBuffer(target, buffer);
    this.#gl.bufferData(target, values, this.#gl.STATIC_DRAW);
  }

  #texture(smaller, larger) {
    const gl = this.#gl;
    const texture = gl.createTexture();
    this.#held.push(["deleteTexture", texture]);
    gl.bindTexture(gl.TEXTURE_2D, texture);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, smaller);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MAG_FILTER, larger);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_S, gl.CLAMP_TO_EDGE);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_T, gl.CLAMP_TO_EDGE);
    return texture;
  }
}
