"""Depth is painted as upstream paints it, comes back from every file, and refuses what makes no sense."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import cv2
import matplotlib as mpl
import numpy as np
import OpenEXR
import pytest
from numpy.typing import NDArray
from PIL import Image

from depthrt.engine.depth.colour import INVALID_BGR, color_table
from depthrt.engine.depth.depth import Depth
from depthrt.engine.depth.intrinsics import Intrinsics
from depthrt.engine.depth.provenance import Provenance, Timings
from depthrt.engine.depth.write import GAP_PX, SUFFIXES
from depthrt.engine.errors import InputError
from depthrt.engine.terms import COLORMAPS, FORMATS, Colormap, Format, Kind

OPENCV_LEVELS = 1  # OpenCV's inferno and matplotlib's differ by the rounding of one level
POINT_M = 1e-5  # float32 arithmetic on coordinates of a few metres
PIXEL_PX = 1e-3  # the same after projection with focal lengths of about 1000 px
HEIGHT_PX, WIDTH_PX = 24, 37

PROVENANCE = Provenance(
    model="depth-anything-v2-vits",
    source_sha256="ab" * 32,
    runner="onnxruntime",
    provider="CPUExecutionProvider",
    precision="fp32",
    input_px=(518, 798),
    image_px=(HEIGHT_PX, WIDTH_PX),
    producer="depthrt 0.1.0",
    notes=("no GPU: ran on the CPU", "größer als gedacht"),
    timings=Timings(preprocess_ms=1.5, run_ms=20.25, postprocess_ms=0.5),
)


def make(
    kind: Kind = "inverse", values: NDArray[np.float32] | None = None, valid: NDArray[np.bool_] | None = None
) -> Depth:
    """A slanted, noisy surface between 1 and 6, all of it valid."""
    if values is None:
        slope = np.linspace(1, 5, HEIGHT_PX * WIDTH_PX).reshape(HEIGHT_PX, WIDTH_PX)
        values = (slope + np.random.default_rng(0).random((HEIGHT_PX, WIDTH_PX))).astype(np.float32)
    if valid is None:
        valid = np.ones(values.shape, np.bool_)
    return Depth(values, kind, valid, PROVENANCE, 20.0 if kind == "metric" else None)


def with_hole(kind: Kind = "inverse") -> Depth:
    """The same surface with an invalid corner and a NaN."""
    depth = make(kind)
    values, valid = depth.values.copy(), depth.valid.copy()
    values[0, :5], valid[0, :5] = 1e6, False
    values[3, 4] = np.nan
    return make(kind, values, valid)


def refusal(call: Callable[[], object]) -> str:
    """Return the one line that a call is refused with."""
    with pytest.raises(InputError) as caught:
        call()
    assert "\n" not in str(caught.value)
    return str(caught.value)


# --- the record ---------------------------------------------------------------------------------


def test_the_kind_decides_unit_and_direction() -> None:
    inverse, metric = make("inverse"), make("metric")
    assert (inverse.unit, inverse.larger_is_nearer, inverse.max_depth_m) == ("", True, None)
    assert (metric.unit, metric.larger_is_nearer, metric.max_depth_m) == ("m", False, 20.0)
    assert inverse.shape == (HEIGHT_PX, WIDTH_PX)


def test_values_that_are_not_finite_become_invalid() -> None:
    values = make().values.copy()
    values[1, 1:4] = np.nan, np.inf, -np.inf
    depth = make(values=values)
    assert not depth.valid[1, 1:4].any()
    assert depth.valid.sum() == values.size - 3


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"values": np.zeros((4, 5))}, "values: (4, 5) float64 found, expected non-empty (H, W) float32"),
        ({"values": np.zeros((1, 4, 5), np.float32)}, "values: (1, 4, 5) float32 found"),
        ({"values": np.zeros((0, 5), np.float32)}, "values: (0, 5) float32 found"),
        ({"values": [[1.0]]}, "values: list found, expected a numpy array"),
        ({"valid": np.ones((4, 5), np.uint8)}, "valid: (4, 5) uint8 found, expected non-empty (H, W) bool"),
        ({"valid": np.ones((5, 4), np.bool_)}, "values (4, 5) and valid (5, 4) found, expected one shape"),
        ({"kind": "disparity"}, "kind 'disparity' found, expected one of inverse, metric"),
    ],
)
def test_a_depth_that_contradicts_itself_is_refused(changes: dict[str, Any], message: str) -> None:
    fields: dict[str, Any] = {
        "values": np.zeros((4, 5), np.float32),
        "kind": "inverse",
        "valid": np.ones((4, 5), np.bool_),
        "provenance": PROVENANCE,
    }
    assert message in refusal(lambda: Depth(**{**fields, **changes}))


def test_provenance_goes_through_json_and_back() -> None:
    found = json.loads(json.dumps(PROVENANCE.to_dict()))
    assert Provenance.from_dict(found) == PROVENANCE
    assert PROVENANCE.timings.total_ms == 22.25
    assert "provenance.colour is an unknown key" in refusal(lambda: Provenance.from_dict({**found, "colour": "red"}))
    short = refusal(lambda: Provenance.from_dict({**found, "timings": {"run_ms": 1.0}}))
    assert "provenance.timings.postprocess_ms is missing" in short


# --- colour -------------------------------------------------------------------------------------


def painted_upstream(values: NDArray[np.float32], name: str) -> NDArray[np.uint8]:
    """Paint as the published run.py does: min-max, truncation, matplotlib's map on the uint8 index, BGR."""
    scaled = (values - values.min()) / (values.max() - values.min()) * 255.0
    picture = (mpl.colormaps[name](scaled.astype(np.uint8))[:, :, :3] * 255)[:, :, ::-1]
    return np.asarray(picture.astype(np.uint8))


@pytest.mark.parametrize(("flipped", "name"), [(False, "Spectral_r"), (True, "Spectral")])
def test_the_spectral_table_equals_matplotlibs_bytes(flipped: bool, name: str) -> None:
    expected = mpl.colormaps[name](np.arange(256), bytes=True)[:, 2::-1]
    assert np.array_equal(color_table("spectral_r", flipped=flipped), expected)


@pytest.mark.parametrize(("kind", "name"), [("inverse", "Spectral_r"), ("metric", "Spectral")])
def test_a_picture_equals_upstreams_byte_for_byte(kind: Kind, name: str) -> None:
    values = np.random.default_rng(2).gamma(2, 3, (200, 300)).astype(np.float32)
    assert np.array_equal(make(kind, values).colorize(), painted_upstream(values, name))


def test_inferno_is_the_map_that_others_know() -> None:
    expected = mpl.colormaps["inferno"](np.arange(256), bytes=True)[:, 2::-1].astype(int)
    assert np.abs(color_table("inferno") - expected).max() <= OPENCV_LEVELS


@pytest.mark.parametrize("colormap", COLORMAPS)
def test_near_has_one_colour_for_both_kinds(colormap: Colormap) -> None:
    inverse, metric = make("inverse"), make("metric")
    nearest_inverse = inverse.colorize(colormap=colormap)[inverse.values == inverse.values.max()]
    nearest_metric = metric.colorize(colormap=colormap)[metric.values == metric.values.min()]
    assert np.array_equal(nearest_inverse, nearest_metric)
    assert np.array_equal(nearest_inverse[0], color_table(colormap)[255])


def test_gray_is_brighter_where_nearer() -> None:
    picture = make("metric").colorize(colormap="gray")
    assert picture[0].mean() > picture[-1].mean()
    assert np.array_equal(picture[..., 0], picture[..., 2])


def test_invalid_pixels_are_gray_and_have_no_say_in_the_range() -> None:
    holed, whole = with_hole(), make()
    values = whole.values.copy()
    values[~holed.valid] = values[5, 5]  # within the range of the others
    picture = holed.colorize()
    assert (picture[~holed.valid] == INVALID_BGR).all()
    assert np.array_equal(picture[holed.valid], make(values=values).colorize()[holed.valid])


@pytest.mark.parametrize("valid", [True, False])
def test_a_constant_or_wholly_invalid_depth_is_painted_without_complaint(valid: bool) -> None:
    depth = make(values=np.full((3, 4), 2.5, np.float32), valid=np.full((3, 4), valid))
    expected = color_table("spectral_r")[0] if valid else INVALID_BGR
    assert (depth.colorize() == expected).all()


def test_a_fixed_range_makes_two_frames_comparable() -> None:
    values = make().values
    near, far = make(values=values), make(values=values[:12])
    assert not np.array_equal(near.colorize()[:12], far.colorize())
    ends = (2.0, 4.0)
    assert np.array_equal(near.colorize(value_range=ends)[:12], far.colorize(value_range=ends))
    painted = near.colorize(value_range=ends)
    assert (painted[values <= 2.0] == color_table("spectral_r")[0]).all()
    assert (painted[values >= 4.0] == color_table("spectral_r")[255]).all()


@pytest.mark.parametrize("ends", [(4.0, 2.0), (1.0, 1.0), (float("nan"), 1.0), (0.0, float("inf")), (0.0, 1e39)])
def test_a_range_that_is_none_is_refused(ends: tuple[float, float]) -> None:
    assert "expected two finite numbers, the lower first" in refusal(lambda: make().colorize(value_range=ends))


def test_an_unknown_colormap_is_refused_with_the_choices() -> None:
    message = refusal(lambda: make().colorize(colormap="jet"))  # type: ignore[arg-type]
    assert message == "colormap 'jet' found, expected one of spectral_r, inferno, turbo, gray"


# --- points -------------------------------------------------------------------------------------

CAMERA = Intrinsics(fx_px=1000.0, fy_px=900.0, cx_px=18.0, cy_px=11.5)


def test_points_project_back_to_their_pixels() -> None:
    depth = with_hole("metric")
    points = depth.points(CAMERA)
    assert points.shape == (np.count_nonzero(depth.valid), 3)
    assert points.dtype == np.float32
    rows, columns = np.nonzero(depth.valid)
    x, y, z = points.T.astype(float)
    assert np.allclose(x / z * 1000 + 18.0, columns, atol=PIXEL_PX)
    assert np.allclose(y / z * 900 + 11.5, rows, atol=PIXEL_PX)
    assert np.array_equal(points[:, 2], depth.values[depth.valid])


def test_a_point_right_of_and_below_the_axis_has_positive_x_and_y() -> None:
    depth = make("metric", np.full((3, 3), 2.0, np.float32))
    points = depth.points(Intrinsics(1.0, 1.0, 1.0, 1.0)).reshape(3, 3, 3)
    assert np.allclose(points[2, 2], (2, 2, 2), atol=POINT_M)
    assert np.allclose(points[0, 1], (0, -2, 2), atol=POINT_M)
    assert np.allclose(points[1, 1], (0, 0, 2), atol=POINT_M)


def test_the_field_of_view_reaches_from_edge_to_edge() -> None:
    camera = Intrinsics.from_fov(90, 480, 640)
    assert camera.fx_px == pytest.approx(320)
    assert camera.fy_px == camera.fx_px
    assert (camera.cx_px, camera.cy_px) == (319.5, 239.5)
    left_edge = (-0.5 - camera.cx_px) / camera.fx_px  # pixel centres are whole numbers, so the edge is at -0.5
    assert np.degrees(np.arctan(-left_edge)) == pytest.approx(45)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: make("inverse").points(CAMERA), "depth-anything-v2-vits gives inverse depth"),
        (lambda: make("metric").points(None), "intrinsics None found, expected Intrinsics"),  # type: ignore[arg-type]
        (lambda: Intrinsics(0.0, 1.0, 0.0, 0.0), "expected finite numbers and fx, fy > 0"),
        (lambda: Intrinsics(1.0, 1.0, float("nan"), 0.0), "expected finite numbers"),
        (lambda: Intrinsics.from_fov(180, 4, 4), "expected 0 < angle < 180"),
        (lambda: Intrinsics.from_fov(float("nan"), 4, 4), "expected 0 < angle < 180"),
        (lambda: Intrinsics.from_fov(60, 0, 4), "sides of 1 px or more"),
    ],
)
def test_points_without_metres_or_camera_are_refused(call: Callable[[], object], message: str) -> None:
    assert message in refusal(call)


def test_metres_of_inverse_depth_are_refused_with_the_reason() -> None:
    assert "scale and shift are unknown" in refusal(lambda: make("inverse").metres)
    metric = make("metric")
    assert metric.metres is metric.values


# --- files --------------------------------------------------------------------------------------


def read_npy(path: Path) -> NDArray[Any]:
    return np.asarray(np.load(path))


def read_opencv(path: Path) -> NDArray[Any]:
    return np.asarray(cv2.imread(str(path), cv2.IMREAD_UNCHANGED))


def read_exr(path: Path) -> NDArray[Any]:
    with OpenEXR.File(str(path)) as file:
        return np.array(file.channels()["Z"].pixels)


def read_pillow(path: Path) -> NDArray[Any]:
    with Image.open(path) as file:
        return np.array(file)


@pytest.mark.parametrize(
    ("suffix", "read"),
    [
        (".npy", read_npy),
        (".pfm", read_opencv),
        (".pfm", read_pillow),
        (".exr", read_exr),
        (".tiff", read_pillow),
        (".tif", read_opencv),
    ],
)
def test_a_float_file_holds_every_bit_and_nan_where_invalid(
    suffix: str, read: Callable[[Path], NDArray[Any]], tmp_path: Path
) -> None:
    depth = with_hole("metric")
    depth.save(tmp_path / f"d{suffix}")
    found = read(tmp_path / f"d{suffix}")
    assert found.dtype == np.float32
    assert np.array_equal(found, np.where(depth.valid, depth.values, np.nan), equal_nan=True)


def test_a_pfm_says_little_endian_and_starts_with_the_bottom_row(tmp_path: Path) -> None:
    make().save(tmp_path / "d.pfm")
    header, size, scale, rows = (tmp_path / "d.pfm").read_bytes().split(b"\n", 3)
    assert (header, size, scale) == (b"Pf", b"37 24", b"-1.0")
    assert rows[: 4 * WIDTH_PX] == make().values[-1].astype("<f4").tobytes()


def test_exr_and_tiff_say_what_they_hold(tmp_path: Path) -> None:
    for kind in ("inverse", "metric"):
        depth = make(kind)
        expected = {"kind": depth.kind, "unit": depth.unit, "model": PROVENANCE.model}
        depth.save(tmp_path / "d.exr")
        depth.save(tmp_path / "d.tiff")
        with OpenEXR.File(str(tmp_path / "d.exr")) as file:
            assert expected.items() <= file.header().items()
        with Image.open(tmp_path / "d.tiff") as picture:
            assert json.loads(picture.getexif()[270]) == expected


@pytest.mark.parametrize("kind", ["inverse", "metric"])
def test_an_npz_brings_everything_back(kind: Kind, tmp_path: Path) -> None:
    depth = with_hole(kind)
    depth.save(tmp_path / "d.npz")
    found = Depth.load(tmp_path / "d.npz")
    assert np.array_equal(found.values, depth.values, equal_nan=True)
    assert np.array_equal(found.valid, depth.valid)
    for name in ("kind", "unit", "max_depth_m", "provenance"):
        assert getattr(found, name) == getattr(depth, name)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "does not exist, expected an .npz file"),
        (b"", "is no depth file of depthrt"),
        (b"text, no zip", "is no depth file of depthrt"),
        ({"values": np.zeros(3)}, "is no depth file of depthrt"),
        ({"pickle": np.array([{}], object)}, "is no depth file of depthrt"),
    ],
)
def test_a_foreign_npz_is_refused(
    content: bytes | dict[str, NDArray[Any]] | None, message: str, tmp_path: Path
) -> None:
    path = tmp_path / "d.npz"
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content is not None:
        np.savez(path, **content)  # type: ignore[arg-type]
    assert message in refusal(lambda: Depth.load(path))


def test_a_cut_npz_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "d.npz"
    make().save(path)
    path.write_bytes(path.read_bytes()[:-40])
    assert "is no depth file of depthrt" in refusal(lambda: Depth.load(path))


def test_an_npz_damaged_in_any_place_is_refused_or_read(tmp_path: Path) -> None:
    path = tmp_path / "d.npz"
    make().save(path)
    whole = path.read_bytes()
    refused = 0
    for at in range(0, len(whole), 7):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0x1F]) + whole[at + 1 :])
        try:
            Depth.load(path)
        except InputError:
            refused += 1
    assert refused > 10
    locked = bytearray(whole)
    locked[whole.index(b"PK\x01\x02") + 8] |= 1  # says that it has a password
    path.write_bytes(locked)
    assert "is no depth file of depthrt" in refusal(lambda: Depth.load(path))


@pytest.mark.parametrize("format", ["exr", "tiff", "pfm", "npy", "npz", "png16"])
def test_a_full_disk_leaves_the_old_file(format: Format, tmp_path: Path) -> None:
    resource = pytest.importorskip("resource")
    path = tmp_path / f"d{SUFFIXES[format][0]}"
    path.write_bytes(b"old")
    noise = np.random.default_rng(0).random((64, 64), np.float32)
    depth = make(values=noise)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))
        refused = refusal(lambda: depth.save(path, format=format))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert f"{path} cannot be written: " in refused
    assert [file.read_bytes() for file in tmp_path.iterdir()] == [b"old"]


def text_of(path: Path) -> dict[str, str]:
    with Image.open(path) as picture:
        assert picture.format == "PNG"
        return {str(key).removeprefix("depthrt."): str(value) for key, value in picture.info.items()}


def test_metric_png16_is_millimetres_with_zero_for_invalid(tmp_path: Path) -> None:
    depth = with_hole("metric")
    depth.save(tmp_path / "d.png", format="png16", unit="m")
    codes = read_opencv(tmp_path / "d.png")
    assert codes.dtype == np.uint16
    assert (codes[~depth.valid] == 0).all()
    assert np.abs(codes[depth.valid] / 1000 - depth.values[depth.valid]).max() <= 0.0005 + POINT_M  # half a step
    facts = text_of(tmp_path / "d.png")
    assert (facts["unit"], facts["scale"], facts["outside"]) == ("mm", "0.001", "0")
    assert Provenance.from_dict(json.loads(facts["provenance"])) == PROVENANCE


def test_what_millimetres_cannot_hold_becomes_invalid_and_is_counted(tmp_path: Path) -> None:
    values = np.array([[-1.0, 0.0, 0.0001, 0.001, 65.535, 65.536, 80.0, np.nan]], np.float32)
    make("metric", values).save(tmp_path / "d.png", format="png16")
    assert read_opencv(tmp_path / "d.png").tolist() == [[0, 0, 0, 1, 65535, 0, 0, 0]]
    assert text_of(tmp_path / "d.png")["outside"] == "5"  # the NaN was invalid before


def test_inverse_png16_gives_its_values_back(tmp_path: Path) -> None:
    depth = with_hole("inverse")
    depth.save(tmp_path / "d.png", format="png16")
    codes, facts = read_opencv(tmp_path / "d.png"), text_of(tmp_path / "d.png")
    assert np.array_equal(codes > 0, depth.valid)
    assert (codes[depth.valid].min(), codes.max()) == (1, 65535)
    assert (facts["kind"], facts["unit"], facts["model"]) == ("inverse", "", PROVENANCE.model)
    scale, offset = float(facts["scale"]), float(facts["offset"])
    back = offset + scale * codes[depth.valid]
    rounding = 4 * float(np.finfo(np.float32).eps) * float(depth.values[depth.valid].max())
    assert np.abs(back - depth.values[depth.valid]).max() <= scale / 2 + rounding


def test_a_constant_inverse_png16_gives_its_value_back(tmp_path: Path) -> None:
    make(values=np.full((2, 3), 2.5, np.float32)).save(tmp_path / "d.png", format="png16")
    facts = text_of(tmp_path / "d.png")
    assert (read_opencv(tmp_path / "d.png") * float(facts["scale"]) + float(facts["offset"]) == 2.5).all()


def test_a_fixed_range_fixes_the_scale_of_inverse_png16(tmp_path: Path) -> None:
    make().save(tmp_path / "d.png", format="png16", value_range=(2.0, 4.0))
    codes, values = read_opencv(tmp_path / "d.png"), make().values
    assert (codes[values <= 2.0] == 1).all()
    assert (codes[values >= 4.0] == 65535).all()


@pytest.mark.parametrize("name", ["d.png", "d.webp", "d.jpg", "d.JPEG"])
def test_a_picture_suffix_means_color(name: str, tmp_path: Path) -> None:
    smooth = np.linspace(0, 1, 64 * 64, dtype=np.float32).reshape(64, 64)  # which JPEG keeps well
    depth = make(values=smooth)
    depth.save(tmp_path / name, colormap="gray")
    difference = read_pillow(tmp_path / name).astype(int) - depth.colorize(colormap="gray")
    assert np.abs(difference).max() <= (0 if name == "d.png" else 4)  # levels lost by compression


def test_side_is_photograph_white_gap_and_depth(tmp_path: Path) -> None:
    depth = make()
    image = np.random.default_rng(3).integers(0, 256, (*depth.shape, 3)).astype(np.uint8)
    depth.save(tmp_path / "d.png", format="side", image=image, colormap="turbo")
    found = read_opencv(tmp_path / "d.png")
    assert np.array_equal(found[:, :WIDTH_PX], image)
    assert (found[:, WIDTH_PX : WIDTH_PX + GAP_PX] == 255).all()
    assert np.array_equal(found[:, WIDTH_PX + GAP_PX :], depth.colorize(colormap="turbo"))


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("d.gif", {}, "d.gif: suffix '.gif' found, expected one of .exr, .jpeg, .jpg, .npy, .npz, .pfm, .png"),
        ("d", {}, "suffix '' found"),
        ("d.png", {"format": "npy"}, "suffix '.png' found, format npy expects .npy"),
        ("d.jpg", {"format": "png16"}, "format png16 expects .png"),
        ("d.png", {"format": "bmp"}, "format 'bmp' found, expected one of color, side, png16"),
        ("d.png", {"format": "side"}, "needs the photograph, none found; give image="),
        ("d.png", {"format": "side", "image": np.zeros((3, 3), np.uint8)}, "expected a numpy array (H, W, 3)"),
        ("d.png", {"format": "side", "image": np.zeros((3, 3, 3), np.uint8)}, "image (3, 3) and depth (24, 37) found"),
        ("d.png", {"format": "png16", "unit": "m"}, "gives inverse depth, whose scale and shift are unknown"),
        ("d.npy", {"unit": "m"}, "gives inverse depth"),
        ("d.npy", {"unit": "mm"}, "unit 'mm' found, expected 'm' or None"),
        ("d.png", {"value_range": (3.0, 1.0)}, "the lower first"),
        ("d.png", {"format": "png16", "value_range": (3.0, 1.0)}, "the lower first"),
        ("nowhere/d.npz", {}, "nowhere does not exist"),
    ],
)
def test_a_file_that_makes_no_sense_is_refused_and_leaves_nothing(
    name: str, options: dict[str, Any], message: str, tmp_path: Path
) -> None:
    assert message in refusal(lambda: make("inverse").save(tmp_path / name, **options))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("format", FORMATS)
def test_every_format_has_a_suffix_and_replaces_a_file_whole(format: Format, tmp_path: Path) -> None:
    path = tmp_path / f"d{SUFFIXES[format][0]}"
    path.write_bytes(b"old")
    image = np.zeros((HEIGHT_PX, WIDTH_PX, 3), np.uint8)
    make().save(path, format=format, image=image)
    assert path.stat().st_size > len(b"old")
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("suffix", sorted({suffix for suffixes in SUFFIXES.values() for suffix in suffixes}))
def test_a_suffix_in_capitals_is_the_same(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"d{suffix.upper()}"
    make().save(path)
    assert list(tmp_path.iterdir()) == [path]


def test_an_interrupt_while_writing_keeps_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(file: IO[bytes], *_: object, **__: object) -> None:
        file.write(b"half")
        raise KeyboardInterrupt

    path = tmp_path / "d.npy"
    make().save(path)
    before = path.read_bytes()
    monkeypatch.setattr(np, "save", interrupted)
    with pytest.raises(KeyboardInterrupt):
        make("metric").save(path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_the_records_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        make().kind = "metric"  # type: ignore[misc]
