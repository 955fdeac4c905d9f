"""Depth files of every format hold what they promise, whole or not at all."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import cv2
import numpy as np
import OpenEXR
import pytest
from made_depth import HEIGHT_PX, PROVENANCE, WIDTH_PX, holed, surface, with_camera
from numpy.typing import NDArray
from PIL import Image
from refusal import refusal

from depthrt.engine.depth.depth import Depth
from depthrt.engine.depth.provenance import Provenance
from depthrt.engine.depth.write import GAP_PX, SUFFIXES
from depthrt.engine.terms import CLOUD_FORMATS as CLOUDS
from depthrt.engine.terms import FORMATS, KINDS, Format, Kind

POINT_M = 1e-5  # float32 arithmetic on a few metres


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
def test_a_float_file_holds_every_bit_and_nan_for_invalid_pixels(
    suffix: str, read: Callable[[Path], NDArray[Any]], tmp_path: Path
) -> None:
    depth = holed("metric")
    depth.save(tmp_path / f"d{suffix}")
    found = read(tmp_path / f"d{suffix}")
    assert found.dtype == np.float32
    assert np.array_equal(found, np.where(depth.valid, depth.values, np.nan), equal_nan=True)


def test_a_pfm_is_little_endian_and_starts_with_the_bottom_row(tmp_path: Path) -> None:
    surface().save(tmp_path / "d.pfm")
    header, size, scale, rows = (tmp_path / "d.pfm").read_bytes().split(b"\n", 3)
    assert (header, size, scale) == (b"Pf", b"37 24", b"-1.0")
    assert rows[: 4 * WIDTH_PX] == surface().values[-1].astype("<f4").tobytes()


def test_exr_and_tiff_record_kind_unit_and_model(tmp_path: Path) -> None:
    for kind in KINDS:
        depth = surface(kind)
        expected = {"kind": depth.kind, "unit": depth.unit, "model": PROVENANCE.model}
        depth.save(tmp_path / "d.exr")
        depth.save(tmp_path / "d.tiff")
        with OpenEXR.File(str(tmp_path / "d.exr")) as file:
            assert expected.items() <= file.header().items()
        with Image.open(tmp_path / "d.tiff") as picture:
            assert json.loads(picture.getexif()[270]) == expected


@pytest.mark.parametrize("format", ["exr", "tiff", "pfm", "npy", "npz", "png16"])
def test_a_full_disk_leaves_the_old_file(format: Format, tmp_path: Path) -> None:
    resource = pytest.importorskip("resource")
    path = tmp_path / f"d{SUFFIXES[format][0]}"
    path.write_bytes(b"old")
    noise = np.random.default_rng(0).random((64, 64), np.float32)
    depth = surface(values=noise)
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
    depth = holed("metric")
    depth.save(tmp_path / "d.png", format="png16", unit="m")
    codes = read_opencv(tmp_path / "d.png")
    assert codes.dtype == np.uint16
    assert (codes[~depth.valid] == 0).all()
    assert np.abs(codes[depth.valid] / 1000 - depth.values[depth.valid]).max() <= 0.0005 + POINT_M  # half a step
    facts = text_of(tmp_path / "d.png")
    assert (facts["unit"], facts["scale"], facts["outside"]) == ("mm", "0.001", "0")
    assert Provenance.from_dict(json.loads(facts["provenance"])) == PROVENANCE


def test_depth_beyond_65_metres_becomes_invalid_and_is_counted(tmp_path: Path) -> None:
    values = np.array([[-1.0, 0.0, 0.0001, 0.001, 65.535, 65.536, 80.0, np.nan]], np.float32)
    surface("metric", values).save(tmp_path / "d.png", format="png16")
    assert read_opencv(tmp_path / "d.png").tolist() == [[0, 0, 0, 1, 65535, 0, 0, 0]]
    assert text_of(tmp_path / "d.png")["outside"] == "5"  # the NaN was invalid before


@pytest.mark.parametrize("kind", ["inverse", "affine", "scale"])
def test_a_png16_without_a_unit_gives_its_values_back(kind: Kind, tmp_path: Path) -> None:
    depth = holed(kind)
    depth.save(tmp_path / "d.png", format="png16")
    codes, facts = read_opencv(tmp_path / "d.png"), text_of(tmp_path / "d.png")
    assert np.array_equal(codes > 0, depth.valid)
    assert (codes[depth.valid].min(), codes.max()) == (1, 65535)
    assert (facts["kind"], facts["unit"], facts["model"]) == (kind, "", PROVENANCE.model)
    scale, offset = float(facts["scale"]), float(facts["offset"])
    back = offset + scale * codes[depth.valid]
    rounding = 4 * float(np.finfo(np.float32).eps) * float(depth.values[depth.valid].max())
    assert np.abs(back - depth.values[depth.valid]).max() <= scale / 2 + rounding


def test_nothing_and_less_are_values_of_affine_depth(tmp_path: Path) -> None:
    values = np.array([[-0.25, 0.0, 0.5, 1.0, np.nan]], np.float32)
    depth = surface("affine", values)
    depth.save(tmp_path / "d.png", format="png16")
    facts, codes = text_of(tmp_path / "d.png"), read_opencv(tmp_path / "d.png")
    assert (codes[0, :4] > 0).all() and codes[0, 4] == 0 and facts["outside"] == "0"
    back = float(facts["offset"]) + float(facts["scale"]) * codes[0, :4]
    assert np.abs(back - values[0, :4]).max() <= float(facts["scale"]) / 2 + POINT_M
    depth.save(tmp_path / "d.npz")
    assert Depth.load(tmp_path / "d.npz").valid.tolist() == [[True] * 4 + [False]]


def test_a_constant_inverse_png16_gives_its_value_back(tmp_path: Path) -> None:
    surface(values=np.full((2, 3), 2.5, np.float32)).save(tmp_path / "d.png", format="png16")
    facts = text_of(tmp_path / "d.png")
    assert (read_opencv(tmp_path / "d.png") * float(facts["scale"]) + float(facts["offset"]) == 2.5).all()


def test_a_fixed_range_fixes_the_scale_of_inverse_png16(tmp_path: Path) -> None:
    surface().save(tmp_path / "d.png", format="png16", value_range=(2.0, 4.0))
    codes, values = read_opencv(tmp_path / "d.png"), surface().values
    assert (codes[values <= 2.0] == 1).all()
    assert (codes[values >= 4.0] == 65535).all()


@pytest.mark.parametrize("name", ["d.png", "d.webp", "d.jpg", "d.JPEG"])
def test_a_picture_suffix_means_color(name: str, tmp_path: Path) -> None:
    smooth = np.linspace(0, 1, 64 * 64, dtype=np.float32).reshape(64, 64)  # which JPEG keeps well
    depth = surface(values=smooth)
    depth.save(tmp_path / name, colormap="gray")
    difference = read_pillow(tmp_path / name).astype(int) - depth.colorize(colormap="gray")
    assert np.abs(difference).max() <= (0 if name == "d.png" else 4)  # levels lost by compression


def test_side_is_photograph_white_gap_and_depth(tmp_path: Path) -> None:
    depth = surface()
    image = np.random.default_rng(3).integers(0, 256, (*depth.shape, 3)).astype(np.uint8)
    depth.save(tmp_path / "d.png", format="side", image=image, colormap="turbo")
    found = read_opencv(tmp_path / "d.png")
    assert np.array_equal(found[:, :WIDTH_PX], image)
    assert (found[:, WIDTH_PX : WIDTH_PX + GAP_PX] == 255).all()
    assert np.array_equal(found[:, WIDTH_PX + GAP_PX :], depth.colorize(colormap="turbo"))


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("d.gif", {}, "d.gif: suffix '.gif' found, expected one of .exr, .jpeg, .jpg, .npy, .npz, .pcd, .pfm, .ply"),
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
def test_options_that_do_not_fit_are_refused_and_leave_nothing(
    name: str, options: dict[str, Any], message: str, tmp_path: Path
) -> None:
    assert message in refusal(lambda: surface("inverse").save(tmp_path / name, **options))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("format", FORMATS)
def test_every_format_has_a_suffix_and_replaces_a_file_whole(format: Format, tmp_path: Path) -> None:
    path = tmp_path / f"d{SUFFIXES[format][0]}"
    path.write_bytes(b"old")
    image = np.zeros((HEIGHT_PX, WIDTH_PX, 3), np.uint8)
    with_camera(surface("metric")).save(path, format=format, image=image)
    assert path.stat().st_size > len(b"old")
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("suffix", sorted({suffix for suffixes in SUFFIXES.values() for suffix in suffixes}))
def test_a_suffix_in_capitals_is_the_same(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"d{suffix.upper()}"
    with_camera(surface("metric")).save(path)
    assert list(tmp_path.iterdir()) == [path]


def test_an_interrupt_while_writing_keeps_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(file: IO[bytes], *_: object, **__: object) -> None:
        file.write(b"half")
        raise KeyboardInterrupt

    path = tmp_path / "d.npy"
    surface().save(path)
    before = path.read_bytes()
    monkeypatch.setattr(np, "save", interrupted)
    with pytest.raises(KeyboardInterrupt):
        surface("metric").save(path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("format", "kind"),
    [
        (format, kind)
        for format in FORMATS
        for kind in ("metric", "inverse")
        if kind == "metric" or format not in CLOUDS
    ],
)
def test_encoded_depth_is_the_file_byte_for_byte(format: Format, kind: Kind, tmp_path: Path) -> None:
    depth, path = with_camera(holed(kind)), tmp_path / f"d{SUFFIXES[format][0]}"
    image = np.full((HEIGHT_PX, WIDTH_PX, 3), 90, np.uint8)
    depth.save(path, format=format, image=image, value_range=(0.5, 4.0))
    assert depth.encode(format, image=image, value_range=(0.5, 4.0)) == path.read_bytes()


def test_an_unknown_format_is_not_encoded() -> None:
    assert "format 'bmp' found, expected one of color" in refusal(lambda: holed("metric").encode("bmp"))  # type: ignore[arg-type]
