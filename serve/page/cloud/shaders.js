// The two programs of the view: points or triangles with the colours of a photograph, and lines with labels.

const GRID_VERTEX = `#version 300 es
precision highp float;
precision highp int;
uniform highp sampler2D u_depths;  // of the grid; 0: none; negative: hangs between two surfaces
uniform mat4 u_matrix;
uniform vec4 u_camera;  // fx, fy, cx, cy
uniform vec2 u_image;  // width, height
uniform vec2 u_canvas;
uniform ivec4 u_grid;  // columns of the texture, columns that are drawn, every how many points, stride in px
uniform float u_first;
uniform vec3 u_sizes;  // of a point at home, as a share of the gap to its neighbours, the largest; 0 for triangles
out vec2 v_place;

float depthAt(ivec2 point) {
  ivec2 last = textureSize(u_depths, 0) - 1;
  return texelFetch(u_depths, clamp(point, ivec2(0), last), 0).r;
}

vec4 project(ivec2 point, float z) {
  vec2 pixel = vec2(point) * float(u_grid.w) + u_first;
  return u_matrix * vec4((pixel - u_camera.zw) / u_camera.xy * z, z, 1.0);
}

// Distance in px of the canvas to the neighbour at a step, of both ways the one of more like depth; 0 without any.
float gap(ivec2 point, ivec2 way, float z) {
  float on = depthAt(point + way);
  float back = depthAt(point - way);
  bool isOn = on > 0.0 && (back <= 0.0 || abs(on - z) <= abs(back - z));
  float chosen = isOn ? on : back;
  vec4 other = project(isOn ? point + way : point - way, chosen);
  if (chosen <= 0.0 || other.w <= 0.0) return 0.0;
  vec2 apart = abs(other.xy / other.w - gl_Position.xy / gl_Position.w) * u_canvas * 0.5;
  return max(apart.x, apart.y);
}

void main() {
  ivec2 point = ivec2(gl_VertexID % u_grid.y, gl_VertexID / u_grid.y) * u_grid.z;
  float z = depthAt(point);
  v_place = (vec2(point) * float(u_grid.w) + u_first + 0.5) / u_image;
  gl_Position = project(point, abs(z));
  bool points = u_sizes.z > 0.0;
  if (z == 0.0 || (points && (z < 0.0 || gl_Position.w <= 0.0))) {
    gl_Position = vec4(0.0, 0.0, 2.0, 1.0);  // outside
    gl_PointSize = 1.0;
  } else if (points) {
    float own = u_sizes.x * z / gl_Position.w;  // of a surface that faces the camera
    float wanted = max(gap(point, ivec2(u_grid.z, 0), z), gap(point, ivec2(0, u_grid.z), z));
    gl_PointSize = clamp(max(own, min(wanted, own * 6.0) * u_sizes.y), 1.0, u_sizes.z);
  }
}`;

const GRID_FRAGMENT = `#version 300 es
precision highp float;
uniform sampler2D u_photo;
in vec2 v_place;
out vec4 o_color;

void main() {
  o_color = vec4(texture(u_photo, v_place).rgb, 1.0);
}`;

const SIGN_VERTEX = `#version 300 es
precision highp float;
uniform mat4 u_matrix;
uniform vec2 u_canvas;  // px
layout(location = 0) in vec3 a_place;
layout(location = 1) in vec4 a_corner;  // of a label: px from the place, and where in the texture; 0 for lines
out vec2 v_where;

void main() {
  gl_Position = u_matrix * vec4(a_place, 1.0);
  gl_Position.xy += a_corner.xy * 2.0 / u_canvas * gl_Position.w;
  v_where = a_corner.zw;
}`;

const SIGN_FRAGMENT = `#version 300 es
precision highp float;
uniform sampler2D u_text;
uniform vec4 u_color;
uniform bool u_is_text;
in vec2 v_where;
out vec4 o_color;

void main() {
  vec4 color = u_is_text ? texture(u_text, v_where) : u_color;
  o_color = vec4(color.rgb * color.a, color.a);
}`;

/** Return both programs, each with the places of its uniforms by their names. */
export function makePrograms(gl) {
  return { grid: makeProgram(gl, GRID_VERTEX, GRID_FRAGMENT), signs: makeProgram(gl, SIGN_VERTEX, SIGN_FRAGMENT) };
}

function makeProgram(gl, vertex, fragment) {
  const program = gl.createProgram();
  for (const [kind, source] of [[gl.VERTEX_SHADER, vertex], [gl.FRAGMENT_SHADER, fragment]]) {
    const shader = gl.createShader(kind);
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
    gl.deleteShader(shader); // with the program
  }
  gl.linkProgram(program);
  if (!gl.getProgramParameter(program, gl.LINK_STATUS) && !gl.isContextLost()) {
    throw new Error(`the graphics driver refuses the 3-D view: ${gl.getProgramInfoLog(program)}`);
  }
  const at = {};
  for (let place = 0; place < gl.getProgramParameter(program, gl.ACTIVE_UNIFORMS); place++) {
    const { name } = gl.getActiveUniform(program, place);
    at[name] = gl.getUniformLocation(program, name);
  }
  return { program, at };
}
