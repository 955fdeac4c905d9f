"""The view in space puts points where the pinhole says, cuts at jumps of the depth, and obeys mouse, touch and keys."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest
from made_image import crop_of_photo
from numpy.typing import NDArray
from page_modules import call

if TYPE_CHECKING:
    from playwright.sync_api import Page

CANVAS_PX = (480, 640)  # (H, W) in CSS px
FILL = 0.94  # of the canvas by the photograph
PLACE_PX = 0.75  # a point covers whole pixels of the canvas, so its middle is up to half a pixel off, each way
SAME_PHOTO = 4.0  # mean levels of 255: the browser and OpenCV enlarge pictures differently
MOST_POINTS = 1_000_000

OPEN = """
const { CloudView } = await load("cloud.js");
window.view?.dispose();
const canvas = document.createElement("canvas");
Object.assign(canvas.style, { width: "640px", height: "480px", display: "block", background: "white" });
document.body.replaceChildren(canvas);
window.canvas = canvas;
window.view = new CloudView(canvas);
"""
SHOW = """
const image = new ImageData(new Uint8ClampedArray(pixels), size[1], size[0]);
view.show({ values: floats(values), height: size[0], width: size[1], image, ...rest });
return { label: view.label, count: view.count, mode: view.mode, step: view.step, pose: view.pose, camera: view.camera };
"""
PICTURE = "return write(new Uint8Array(await (await view.savePng()).arrayBuffer()));"
FRAME = "await new Promise((done) => requestAnimationFrame(done));"
STILL = 3 * FRAME  # what was asked for is drawn
UNTIL = f"for (let frame = 0; !(%s); frame++) {{ if (frame > 500) throw new Error('not in 500 frames'); {FRAME} }}"


@pytest.fixture
def tab(modules: Page) -> Iterator[Page]:
    """A tab with a view on a canvas."""
    call(modules, OPEN)
    yield modules
    call(modules, "view.dispose();")


def show(tab: Page, values: NDArray[np.float32], image: NDArray[np.uint8], **rest: object) -> dict[str, Any]:
    """Show depth (H, W) float32 with its photograph (H, W, 3) BGR, and return what the view says of itself."""
    pixels = cv2.cvtColor(image, cv2.COLOR_BGR2RGBA)
    told: dict[str, Any] = call(tab, SHOW, values=np.float32(values), pixels=pixels, size=list(values.shape), rest=rest)
    return told


def picture(tab: Page) -> NDArray[np.uint8]:
    """Return what the view saves, (H, W, 3) BGR."""
    return np.asarray(cv2.imdecode(np.frombuffer(call(tab, PICTURE), np.uint8), cv2.IMREAD_COLOR), np.uint8)


def place_of(found: NDArray[np.uint8], colour: tuple[int, int, int]) -> NDArray[np.float64]:
    """Return the middle of the pixels of a colour, column and row."""
    rows, columns = np.nonzero((found == colour).all(axis=-1))
    assert len(rows), f"no pixel of colour {colour}"
    return np.array([(columns.min() + columns.max() + 1) / 2, (rows.min() + rows.max() + 1) / 2])


# Lonely pixels: (row, column), depth in metres, BGR.
SIZE_PX = (30, 40)
LENS = {"fx": 33.0, "fy": 35.0, "cx": 18.0, "cy": 15.5}
POINTS = [
    ((4, 6), 2.0, (0, 0, 255)),
    ((15, 20), 3.0, (0, 255, 0)),
    ((22, 33), 5.0, (255, 0, 0)),
    ((7, 30), 2.5, (255, 255, 0)),
    ((24, 5), 8.0, (255, 0, 255)),
]


def lonely() -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    values, image = np.full(SIZE_PX, np.nan, np.float32), np.full((*SIZE_PX, 3), 90, np.uint8)
    for place, depth_m, colour in POINTS:
        values[place], image[place] = depth_m, colour
    return values, image


def seen_at(place: tuple[int, int], depth_m: float, right_deg: float, up_deg: float) -> NDArray[np.float64]:
    """Return where a point of LENS lies on the canvas when the eye has moved around the middle of POINTS."""
    middle = len(POINTS) / sum(1 / depth for _, depth, _ in POINTS)
    point = np.array(
        [
            (place[1] - LENS["cx"]) / LENS["fx"] * depth_m,
            (place[0] - LENS["cy"]) / LENS["fy"] * depth_m,
            depth_m - middle,
        ]
    )
    yaw, pitch = math.radians(right_deg), math.radians(up_deg)
    about_y = np.array([[math.cos(yaw), 0, math.sin(yaw)], [0, 1, 0], [-math.sin(yaw), 0, math.cos(yaw)]])
    about_x = np.array([[1, 0, 0], [0, math.cos(pitch), -math.sin(pitch)], [0, math.sin(pitch), math.cos(pitch)]])
    x, y, z = about_x @ about_y @ point + [0, 0, middle]
    scale = FILL * min(CANVAS_PX[1] / SIZE_PX[1], CANVAS_PX[0] / SIZE_PX[0])
    column, row = LENS["fx"] * x / z + LENS["cx"], LENS["fy"] * y / z + LENS["cy"]
    return np.array(
        [
            CANVAS_PX[1] / 2 + scale * (column + 0.5 - SIZE_PX[1] / 2),
            CANVAS_PX[0] / 2 + scale * (row + 0.5 - SIZE_PX[0] / 2),
        ]
    )


@pytest.mark.parametrize(("right", "up"), [(0, 0), (12, 0), (0, 9), (-14, 8)])
def test_points_lie_where_the_pinhole_says(tab: Page, right: float, up: float) -> None:
    values, image = lonely()
    told = show(tab, values, image, metric=True, camera=LENS)
    assert (told["label"], told["count"], told["camera"]) == ("points in metres", len(POINTS), LENS)
    call(tab, "view.reset(); view.turn(right, up);", right=right, up=up)
    found = picture(tab)
    assert found.shape[:2] == CANVAS_PX
    for place, depth_m, colour in POINTS:
        np.testing.assert_allclose(place_of(found, colour), seen_at(place, depth_m, right, up), atol=PLACE_PX)


def test_a_field_of_view_and_no_camera_are_the_engines(tab: Page) -> None:
    from depthrt.engine.depth.intrinsics import Intrinsics

    values, image = lonely()
    for camera, degrees in (({"fov": 75}, 75), (None, 60)):
        expected = Intrinsics.from_fov(degrees, *SIZE_PX)
        found = show(tab, values, image, metric=True, camera=camera)["camera"]
        wanted = [expected.fx_px, expected.fy_px, expected.cx_px, expected.cy_px]
        np.testing.assert_allclose([found[name] for name in ("fx", "fy", "cx", "cy")], wanted)


def test_a_point_grows_as_the_eye_comes_nearer(tab: Page) -> None:
    values, image = lonely()
    show(tab, values, image, metric=True, camera=LENS)
    call(tab, "view.reset();")
    at_home = picture(tab)
    call(tab, "for (let time = 0; time < 4; time++) canvas.dispatchEvent(new KeyboardEvent('keydown', { key: '+' }));")
    closer = picture(tab)
    _, _, colour = POINTS[1]
    assert (closer == colour).all(-1).sum() > 2 * (at_home == colour).all(-1).sum()


def test_relative_depth_is_a_relief_that_looks_like_the_photograph_from_its_place(tab: Page) -> None:
    image = crop_of_photo()
    values = np.linspace(0, 5, image.shape[0] * image.shape[1], dtype=np.float32).reshape(image.shape[:2])
    told = show(tab, values, image, metric=False, nearIsLarge=True)
    assert told["label"] == "relief without scale: this model knows no metres"
    assert told["mode"] == "surface" and told["step"] is None
    call(tab, "view.reset();")
    found = picture(tab)
    scale = FILL * min(CANVAS_PX[1] / image.shape[1], CANVAS_PX[0] / image.shape[0])
    height, width = (round(scale * side) for side in image.shape[:2])
    top, left = (CANVAS_PX[0] - height) // 2, (CANVAS_PX[1] - width) // 2
    expected = cv2.resize(image, (width, height), interpolation=cv2.INTER_LINEAR)  # (w, h) for OpenCV
    inside = np.s_[8:-8, 8:-8]
    apart = np.abs(found[top : top + height, left : left + width][inside].astype(int) - expected[inside])
    assert apart.mean() < SAME_PHOTO


@pytest.mark.parametrize("near_is_large", [True, False])
def test_what_is_nearer_moves_against_the_eye(tab: Page, near_is_large: bool) -> None:
    values = np.full(SIZE_PX, 1.0, np.float32)
    values[10:20, 10:16], values[10:20, 26:32] = 3.0, 0.0
    image = np.full((*SIZE_PX, 3), 90, np.uint8)
    image[10:20, 10:16], image[10:20, 26:32] = (0, 0, 255), (255, 0, 0)
    show(tab, values, image, metric=False, nearIsLarge=near_is_large)
    call(tab, "view.mode = 'points'; view.reset();")
    before = [place_of(picture(tab), colour)[0] for colour in ((0, 0, 255), (255, 0, 0))]
    call(tab, "view.turn(4, 0);")
    after = [place_of(picture(tab), colour)[0] for colour in ((0, 0, 255), (255, 0, 0))]
    large, small = (now - then for now, then in zip(after, before, strict=True))
    assert (large < small) == near_is_large


def test_a_jump_of_the_depth_is_a_gap_and_a_slope_is_none(tab: Page) -> None:
    image = np.full((60, 90, 3), (40, 160, 40), np.uint8)
    jump = np.full((60, 90), 4.0, np.float32)
    jump[:, 40:] = 2.0
    slope = np.broadcast_to(np.linspace(4, 2, 90, dtype=np.float32), (60, 90))
    gaps = []
    for values in (jump, slope):
        show(tab, values, image, metric=True, camera={"fov": 60})
        call(tab, "view.mode = 'surface'; view.reset(); view.turn(-20, 0);")
        row = (picture(tab)[CANVAS_PX[0] // 2] == 255).all(-1)
        inside = np.flatnonzero(~row)
        gaps.append(row[inside.min() : inside.max()].sum())
    assert gaps[1] == 0 and gaps[0] > 20, gaps


def test_a_large_image_is_thinned(tab: Page) -> None:
    code = """
    const image = new OffscreenCanvas(3, 4);
    image.getContext("2d");
    view.show({ values: new Float32Array(1500 * 1200).fill(2), height: 1500, width: 1200, image, metric: true });
    return view.count;
    """
    assert 0.2 * MOST_POINTS < call(tab, code) <= MOST_POINTS


def test_without_any_depth_the_view_is_empty(tab: Page) -> None:
    _, image = lonely()
    for metric in (True, False):
        assert show(tab, np.full(SIZE_PX, np.nan, np.float32), image, metric=metric)["count"] == 0
        assert (picture(tab) == 255).all()
    assert show(tab, np.full(SIZE_PX, -1, np.float32), image, metric=True)["count"] == 0


def test_mouse_wheel_and_keys_move_the_eye_and_home_goes_back(tab: Page) -> None:
    values, image = lonely()
    show(tab, values, image, metric=True, camera=LENS)
    call(tab, "view.reset();")
    home, first = picture(tab), call(tab, "return view.pose;")
    mouse, keys = tab.mouse, tab.keyboard

    def drag(button: str = "left") -> None:
        mouse.move(300, 200)
        mouse.down(button=button)  # type: ignore[arg-type]
        mouse.move(340, 215)
        mouse.up(button=button)  # type: ignore[arg-type]

    drag()
    pose = call(tab, "return view.pose;")
    assert pose["right"] < -5 and pose["up"] > 2 and pose["distance"] == first["distance"]
    for key in ("ArrowLeft", "Shift+ArrowDown", None):
        before = picture(tab)
        keys.press(key) if key else mouse.wheel(0, 100)
        call(tab, STILL)
        assert (picture(tab) != before).any()
    keys.press("Home")
    np.testing.assert_array_equal(picture(tab), home)
    drag("right")
    moved = picture(tab)
    for place, depth_m, colour in POINTS[1:2]:  # at about the middle's depth it follows the pointer
        expected = seen_at(place, depth_m, 0, 0) + np.array([40, 15])
        np.testing.assert_allclose(place_of(moved, colour), expected, atol=4)
    keys.press("0")
    keys.press("-")
    assert call(tab, "return view.pose.distance;") > first["distance"]


def test_a_finger_turns_and_two_zoom(tab: Page) -> None:
    values, image = lonely()
    show(tab, values, image, metric=True, camera=LENS)
    call(tab, "view.reset();")
    first = call(tab, "return view.pose;")
    session = tab.context.new_cdp_session(tab)

    def touch(kind: str, *places: tuple[int, int]) -> None:
        points = [{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(places)]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    touch("touchStart", (300, 200))
    touch("touchMove", (350, 200))
    touch("touchEnd")
    turned = call(tab, "return view.pose;")
    assert turned["right"] < -5 and turned["distance"] == first["distance"]
    touch("touchStart", (300, 200))
    touch("touchStart", (300, 200), (340, 200))
    touch("touchMove", (260, 200), (380, 200))
    touch("touchEnd")
    zoomed = call(tab, "return view.pose;")
    assert zoomed["distance"] < 0.6 * first["distance"] and zoomed["right"] == pytest.approx(turned["right"])


def test_the_canvas_follows_its_size_and_the_screens_density(tab: Page) -> None:
    values, image = lonely()
    show(tab, values, image, metric=True)
    size = "return [canvas.width, canvas.height];"
    call(tab, f"canvas.style.width = '400px'; {STILL}")
    assert call(tab, size) == [400, 480]
    session = tab.context.new_cdp_session(tab)
    metrics = {"width": 1280, "height": 900, "deviceScaleFactor": 1.5, "mobile": False}
    session.send("Emulation.setDeviceMetricsOverride", metrics)
    try:
        call(tab, f"view.turn(1, 0); {STILL}")  # the emulation tells no listener
        assert call(tab, size) == [600, 720]
    finally:
        session.send("Emulation.setDeviceMetricsOverride", {**metrics, "deviceScaleFactor": 1})


def test_the_view_survives_the_loss_of_the_graphics_card(tab: Page) -> None:
    values, image = lonely()
    show(tab, values, image, metric=True, camera=LENS)
    before = picture(tab)
    call(
        tab,
        """
        const gl = canvas.getContext("webgl2");
        const card = gl.getExtension("WEBGL_lose_context");
        const heard = (name) => new Promise((done) => canvas.addEventListener(name, done, { once: true }));
        const lost = heard("webglcontextlost");
        card.loseContext();
        await lost;
        view.turn(1, 0); view.turn(-1, 0); view.mode = view.mode;
        const back = heard("webglcontextrestored");
        setTimeout(() => card.restoreContext());
        await back;
        """,
    )
    np.testing.assert_array_equal(picture(tab), before)


def test_everything_is_freed_and_the_canvas_takes_another_view(tab: Page) -> None:
    count = """
    const { CloudView } = await load("cloud.js");
    view.dispose();
    const gl = canvas.getContext("webgl2");
    const held = {};
    for (const name of ["Buffer", "Texture", "VertexArray", "Program", "Shader"]) {
        for (const [verb, sign] of [["create", 1], ["delete", -1]]) {
            const method = gl[verb + name];
            gl[verb + name] = (...given) => { held[name] = (held[name] ?? 0) + sign; return method.apply(gl, given); };
        }
    }
    const image = new OffscreenCanvas(4, 4);
    image.getContext("2d");
    const values = Float32Array.from({ length: 16 }, (_, place) => 1 + place / 9);
    for (let time = 0; time < 3; time++) {
        const other = new CloudView(canvas);
        for (const metric of [true, false, true]) {
            other.show({ values, height: 4, width: 4, image, metric });
            for (const mode of ["surface", "points"]) {
                other.mode = mode;
                await other.savePng();
            }
        }
        other.dispose();
        other.dispose();
        canvas.dispatchEvent(new KeyboardEvent("keydown", { key: "+" }));
        other.turn(1, 1);
    }
    const found = { held: { ...held }, error: gl.getError() };
    window.view = new CloudView(canvas);
    return found;
    """
    found = call(tab, count)
    assert set(found["held"].values()) == {0} and len(found["held"]) == 5, found
    assert found["error"] == 0


def test_the_first_movement_shows_depth_unless_the_user_wants_stillness(tab: Page) -> None:
    values, image = lonely()
    still = show(tab, values, image, metric=True)["pose"]
    call(tab, STILL)
    assert call(tab, "return view.pose;") == still and still["right"] > 5, "beside the camera, where depth is seen"
    tab.emulate_media(reduced_motion="no-preference")
    try:
        show(tab, values, image, metric=True)
        call(tab, UNTIL % "view.pose.right > 2" + UNTIL % "view.pose.right < 0")
        call(tab, "view.turn(0, 0);")
        stopped = call(tab, f"const before = view.pose; {STILL} return [before, view.pose];")
        assert stopped[0] == stopped[1], "a person who takes hold is not moved"
    finally:
        tab.emulate_media(reduced_motion="reduce")


def test_wrong_calls_are_refused_in_words(tab: Page) -> None:
    values, image = lonely()
    with pytest.raises(Exception, match="nothing that could be saved"):
        picture(tab)
    with pytest.raises(Exception, match="focal length above 0, and a field of view between 0 and 180"):
        show(tab, values, image, metric=True, camera={"fov": 180.0})
    with pytest.raises(Exception, match="mode mesh found, expected surface or points"):
        call(tab, "view.mode = 'mesh';")
    with pytest.raises(Exception, match="12 values found for 3x5 pixels"):
        call(tab, "view.show({ values: new Float32Array(12), height: 3, width: 5, metric: true });")
    with pytest.raises(Exception, match="needs WebGL2, which this browser does not have"):
        call(tab, OPEN.replace("window.canvas", "canvas.getContext('2d'); window.canvas"))


def test_a_reader_of_the_screen_hears_what_is_shown_and_which_keys_move_it(tab: Page) -> None:
    values, image = lonely()
    show(tab, values, image, metric=False)
    heard = call(tab, "return canvas.getAttribute('aria-label');")
    assert "relief without scale" in heard and "Arrow keys turn" in heard
    assert call(tab, "return canvas.tabIndex;") == 0
