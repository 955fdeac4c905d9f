"""Depth files of depthrt come back whole, others are refused."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import OpenEXR
import pytest
from made_depth import holed, surface
from numpy.typing import NDArray
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from refusal import refusal

from depthrt.engine.depth.depth import Depth
from depthrt.engine.depth.read import READERS, read_codes, read_kind
from depthrt.engine.depth.write import TEXT_PREFIX
from depthrt.engine.errors import InputError
from depthrt.engine.images.limits import Limits
from depthrt.engine.terms import KINDS, Format, Kind

KINDLESS = (".npy", ".pfm")  # record no kind: metric, as files of others are
CODE = 0.00051  # half a step of the codes of `holed`, which are a millimetre or finer, and the rounding of float32


@pytest.mark.parametrize("kind", KINDS)
def test_an_npz_gives_the_whole_record_back(kind: Kind, tmp_path: Path) -> None:
    depth = holed(kind)
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
        (b"", "is not a depth file of depthrt"),
        (b"text, no zip", "is not a depth file of depthrt"),
        ({"values": np.zeros(3)}, "is not a depth file of depthrt"),
        ({"pickle": np.array([{}], object)}, "is not a depth file of depthrt"),
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


@pytest.mark.parametrize(
    "change",
    [
        {"unit": ""},
        {"unit": "mm"},
        {"max_depth_m": -5.0},
        {"max_depth_m": np.inf},
        {"kind": "inverse"},
        {"kind": "scale"},
    ],
    ids=str,
)
def test_facts_of_an_npz_that_contradict_each_other_are_refused(change: dict[str, Any], tmp_path: Path) -> None:
    holed("metric").save(tmp_path / "d.npz")
    with np.load(tmp_path / "d.npz") as found:
        np.savez(tmp_path / "d.npz", **{**found, **change})
    assert "is not a depth file of depthrt (" in refusal(lambda: Depth.load(tmp_path / "d.npz"))


@pytest.mark.parametrize("scale", ["nan", "inf", "-1.0", "1e308", "", "x"])
@pytest.mark.parametrize("name", ["scale", "offset"])
def test_a_png_whose_codes_mean_no_numbers_is_refused(scale: str, name: str, tmp_path: Path) -> None:
    text = PngInfo()
    for key, value in {"kind": "inverse", "scale": "0.5", "offset": "-1.0", name: scale}.items():
        text.add_text(TEXT_PREFIX + key, value)
    Image.fromarray(np.ones((4, 4), np.uint16)).save(tmp_path / "d.png", pnginfo=text)
    if (name, scale) == ("offset", "-1.0"):
        READERS[".png"](tmp_path / "d.png")
        return
    with pytest.raises(ValueError, match=r"found, expected numbers|could not convert"):
        READERS[".png"](tmp_path / "d.png")


def test_a_cut_npz_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "d.npz"
    surface().save(path)
    path.write_bytes(path.read_bytes()[:-40])
    assert "is not a depth file of depthrt" in refusal(lambda: Depth.load(path))


def test_an_npz_damaged_in_any_place_is_refused_or_read(tmp_path: Path) -> None:
    path = tmp_path / "d.npz"
    surface().save(path)
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
    assert "is not a depth file of depthrt" in refusal(lambda: Depth.load(path))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("suffix", "format"),
    [
        (".npz", "npz"),
        (".png", "png16"),
        (".exr", "exr"),
        (".tif", "tiff"),
        (".tiff", "tiff"),
        (".npy", "npy"),
        (".pfm", "pfm"),
    ],
)
def test_each_reader_gives_the_values_and_the_kind_that_were_written(
    kind: Kind, suffix: str, format: Format, tmp_path: Path
) -> None:
    depth = holed(kind)
    depth.save(tmp_path / f"d{suffix}", format=format)
    values, found = READERS[suffix](tmp_path / f"d{suffix}")
    assert found == (kind if suffix not in KINDLESS else "metric")
    if suffix == ".png":
        assert np.array_equal(np.isnan(values), ~depth.valid)
        assert np.abs(np.asarray(values[depth.valid], np.float64) - depth.values[depth.valid]).max() <= CODE
    else:
        assert np.array_equal(values, np.where(depth.valid, depth.values, np.nan), equal_nan=True)


def test_files_of_others_are_metric(tmp_path: Path) -> None:
    codes = np.array([[0, 1000, 65535]], np.uint16)
    cv2.imwrite(str(tmp_path / "d.png"), codes)
    np.savez(tmp_path / "d.npz", codes)
    Image.fromarray(np.array([[1.5]], np.float32)).save(tmp_path / "d.tif")
    OpenEXR.File({}, {"depth": np.array([[2.5]], np.float32)}).write(str(tmp_path / "d.exr"))
    (tmp_path / "d.pfm").write_bytes(b"Pf\n1 2\n1.0\n" + np.array([3.5, 4.5], ">f4").tobytes())
    expected: dict[str, Any] = {".png": codes, ".npz": codes, ".tif": [[1.5]], ".exr": [[2.5]], ".pfm": [[4.5], [3.5]]}
    for suffix, values in expected.items():
        found, kind = READERS[suffix](tmp_path / f"d{suffix}")
        assert kind == "metric" and np.array_equal(found, values)


@pytest.mark.parametrize(
    ("picture", "message"),
    [
        (np.zeros((2, 3), np.uint8), r"d\.png: \(2, 3\) uint8 found, expected depth in one channel of 16 bits"),
        (np.zeros((2, 3, 3), np.uint16), r"d\.png: \(2, 3, 3\) uint16 found, expected depth in one channel"),
    ],
)
def test_a_png_that_holds_no_codes_is_refused(picture: NDArray[Any], message: str, tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "d.png"), picture)
    with pytest.raises(InputError, match=message):
        read_codes(tmp_path / "d.png")


def test_codes_that_are_missing_or_damaged_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"d\.png does not exist, expected a depth file; check the path"):
        read_codes(tmp_path / "d.png")
    (tmp_path / "d.png").write_bytes(b"text")
    with pytest.raises(InputError, match=r"d\.png: no picture found, expected depth in one channel of 16 bits"):
        read_codes(tmp_path / "d.png")


def test_a_pfm_of_three_channels_is_refused(tmp_path: Path) -> None:
    (tmp_path / "d.pfm").write_bytes(b"PF\n1 1\n-1.0\n" + bytes(12))
    with pytest.raises(ValueError, match=r"it begins with b'PF', expected b'Pf': one channel"):
        READERS[".pfm"](tmp_path / "d.pfm")


def test_a_word_that_names_no_kind_is_refused() -> None:
    assert [read_kind(kind) for kind in KINDS] == list(KINDS)
    with pytest.raises(ValueError, match="kind 'disparity' found, expected one of inverse, metric"):
        read_kind("disparity")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("d.pfm", b"Pf\n300000 300000\n-1.0\n"),
        ("d.png", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\x04\x93\xe0\0\x04\x93\xe0\x10\0\0\0\0"),
    ],
)
def test_a_header_that_asks_for_gigabytes_is_refused(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    assert "holds 300000x300000 values" in refusal(lambda: READERS[Path(name).suffix](tmp_path / name))


def test_every_reader_has_a_limit_that_can_be_lowered(tmp_path: Path) -> None:
    formats: dict[str, Format] = {
        ".npy": "npy", ".npz": "npz", ".pfm": "pfm", ".exr": "exr", ".tif": "tiff", ".tiff": "tiff", ".png": "png16"
    }  # fmt: skip
    assert formats.keys() == READERS.keys()
    for suffix, format in formats.items():
        path = tmp_path / f"d{suffix}"
        depth = surface()
        depth.save(path, format=format)
        just, less = Limits(max_pixels=depth.values.size), Limits(max_pixels=depth.values.size - 1)
        assert READERS[suffix](path, just)[0].shape == depth.values.shape
        assert "--max-pixels" in refusal(partial(READERS[suffix], path, less))


def test_a_record_over_the_limit_is_refused_and_can_be_allowed(tmp_path: Path) -> None:
    surface().save(tmp_path / "d.npz")
    assert "--max-pixels" in refusal(lambda: Depth.load(tmp_path / "d.npz", limits=Limits(max_pixels=1)))


@pytest.mark.parametrize("size", [b"-2 -2", b"5 -1", b"0 3"])
def test_a_pfm_of_no_size_is_refused(tmp_path: Path, size: bytes) -> None:
    (tmp_path / "d.pfm").write_bytes(b"Pf\n" + size + b"\n-1.0\n" + bytes(64))
    with pytest.raises(ValueError, match="expected at least 1x1"):
        READERS[".pfm"](tmp_path / "d.pfm")


def test_a_pfm_of_more_values_than_its_size_is_refused(tmp_path: Path) -> None:
    (tmp_path / "d.pfm").write_bytes(b"Pf\n2 2\n-1.0\n" + bytes(20))
    with pytest.raises(ValueError, match=r"buffer size|reshape"):
        READERS[".pfm"](tmp_path / "d.pfm")


@pytest.mark.parametrize("names", [("R", "G", "B"), ("X", "Y"), ("depth", "confidence")])
def test_an_exr_of_several_channels_needs_z(tmp_path: Path, names: tuple[str, ...]) -> None:
    planes = {name: np.full((2, 3), number, np.float32) for number, name in enumerate(names)}
    OpenEXR.File({}, planes).write(str(tmp_path / "d.exr"))
    assert "expected a channel Z, or one channel" in refusal(lambda: READERS[".exr"](tmp_path / "d.exr"))
    OpenEXR.File({}, {**planes, "Z": np.full((2, 3), 7, np.float32)}).write(str(tmp_path / "d.exr"))
    assert READERS[".exr"](tmp_path / "d.exr")[0].tolist() == [[7] * 3] * 2


def test_an_exr_of_two_parts_is_refused(tmp_path: Path) -> None:
    parts = [OpenEXR.Part({"name": name}, {"Z": np.ones((2, 3), np.float32)}) for name in ("left", "right")]
    OpenEXR.File(parts).write(str(tmp_path / "d.exr"))
    assert "has 2 part(s) with the channels Z" in refusal(lambda: READERS[".exr"](tmp_path / "d.exr"))


def test_another_picture_under_the_name_of_a_png_is_refused(tmp_path: Path) -> None:
    Image.fromarray(np.ones((2, 3), np.uint16)).save(tmp_path / "d.tif")
    (tmp_path / "d.tif").rename(tmp_path / "d.png")
    assert "no picture found" in refusal(lambda: READERS[".png"](tmp_path / "d.png"))


@pytest.mark.parametrize("suffix", READERS)
def test_a_pipe_is_not_waited_for(suffix: str, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / f"d{suffix}")
    with pytest.raises(InputError, match=rf"d{suffix} is a pipe, expected a (plain|depth) file; write it"):
        READERS[suffix](tmp_path / f"d{suffix}")
