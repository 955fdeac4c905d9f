"""A TIFF is read as tifffile reads it, or refused by the name of the tag that stands in the way."""

from __future__ import annotations

import io
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from made_image import Pixels, crop_of_photo, packed
from made_tiff import made_tiff, tiff_of
from numpy.typing import NDArray
from PIL import Image
from refusal import refusal

from depthrt.bench.datasets.true_depth import read_true_depth
from depthrt.engine.depth.read import READERS
from depthrt.engine.errors import InputError
from depthrt.engine.images.read import read_image

SIZE = (48, 64)
LAYOUTS: dict[str, dict[str, Any]] = {
    "one strip": {},
    "strips": {"rowsperstrip": 7},
    "tiles": {"tile": (16, 16)},
    "planes": {"planarconfig": "separate"},
    "tiles of planes": {"tile": (16, 16), "planarconfig": "separate"},
    "predictor": {"compression": "zlib", "predictor": True},
    "big-endian": {"byteorder": ">"},
    "compressed big-endian tiles": {"byteorder": ">", "tile": (16, 16), "compression": "zlib", "predictor": True},
    "BigTIFF": {"bigtiff": True},
}
# Samples by photometric interpretation, and the kinds of alpha or further samples.
PICTURES: dict[str, tuple[str, int, list[str]]] = {
    "0 is white": ("miniswhite", 1, []),
    "0 is black": ("minisblack", 1, []),
    "gray and alpha": ("minisblack", 2, ["unassalpha"]),
    "0 is white, and alpha": ("miniswhite", 2, ["unassalpha"]),
    "RGB": ("rgb", 3, []),
    "RGB and alpha": ("rgb", 4, ["unassalpha"]),
    "RGB in alpha": ("rgb", 4, ["assocalpha"]),
    "RGB and more": ("rgb", 4, ["unspecified"]),
    "RGB, alpha and more": ("rgb", 5, ["unassalpha", "unspecified"]),
    "four bands": ("minisblack", 4, ["unspecified"] * 3),
}


def ramps(samples: int, dtype: str) -> NDArray[Any]:
    """Pixels (H, W, samples) that differ between samples, 0 and the largest value among them."""
    y, x = np.mgrid[0:1:48j, 0:1:64j]
    share = np.stack([x, y, (x + y) / 2, 1 - y, 1 - x][:samples], axis=-1)
    return (share * np.iinfo(dtype).max).round().astype(dtype)


@pytest.mark.parametrize("dtype", ["u1", "u2"])
@pytest.mark.parametrize("kind", PICTURES)
def test_every_layout_gives_the_pixels_of_tifffile_or_names_a_tag(kind: str, dtype: str) -> None:
    photometric, samples, extra = PICTURES[kind]
    pixels = ramps(samples, dtype)
    shown = pixels[..., [2, 1, 0]] if photometric == "rgb" else pixels[..., [0, 0, 0]]
    shown = shown if photometric != "miniswhite" else np.iinfo(dtype).max - shown
    expected = np.rint(shown / (np.iinfo(dtype).max / 255)).astype(int)
    read = 0
    for layout in LAYOUTS.values():
        options = {"planarconfig": "contig", **layout} if samples > 1 else layout
        stored = pixels if options.get("planarconfig") != "separate" else np.moveaxis(pixels, -1, 0)
        stored = pixels[..., 0] if samples == 1 else stored
        data = tiff_of(stored, photometric=photometric, **({"extrasamples": extra} if extra else {}), **options)
        try:
            image = read_image(data)
        except InputError as error:
            assert "its tag SamplesPerPixel (277)" in str(error) or "its tag PlanarConfiguration (284)" in str(error)
        else:
            assert np.abs(image - expected).max() <= (dtype == "u2"), layout
            read += 1
    never = kind in ("0 is white, and alpha", "four bands") or (kind, dtype) == ("RGB, alpha and more", "u2")
    assert read == 0 if never else read >= (7 if samples > 1 else 9)


def packed_bits(values: NDArray[Any], bits: int, *, reversed_bits: bool) -> bytes:
    planes = (values[..., None] >> np.arange(bits)[::-1]) & 1
    rows = planes.reshape(len(values), -1).astype(np.uint8)
    return np.packbits(rows, axis=1, bitorder="little" if reversed_bits else "big").tobytes()


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
def test_few_bits_of_either_order_are_spread_over_255_levels(bits: int) -> None:
    values = np.tile(np.linspace(0, 2**bits - 1, SIZE[1]).round().astype(int), (SIZE[0], 1))
    for photometric, fill_order, big_endian in product((0, 1), (1, 2), (False, True)):
        tags: dict[int, tuple[str, Any]] = {
            256: ("H", [SIZE[1]]),
            257: ("H", [SIZE[0]]),
            258: ("H", [bits]),
            262: ("H", [photometric]),
            266: ("H", [fill_order]),
        }
        strip = packed_bits(values, bits, reversed_bits=fill_order == 2)
        level = values * (255 // (2**bits - 1))
        expected = 255 - level if photometric == 0 else level
        found = read_image(made_tiff(tags, strip, big_endian=big_endian))
        assert np.array_equal(found[..., 0], expected), (photometric, fill_order, big_endian)


RGB_TAGS: dict[int, tuple[str, Any]] = {
    256: ("H", [8]),
    257: ("H", [8]),
    258: ("H", [8, 8, 8]),
    262: ("H", [2]),
    277: ("H", [3]),
}


@pytest.mark.parametrize(
    ("tag", "letter", "values", "message"),
    [
        (254, "I", [1], "NewSubfileType (254) is 1 (a small copy of another picture)"),
        (254, "I", [4], "NewSubfileType (254) is 4 (a mask)"),
        (255, "H", [2], "SubfileType (255) is 2 (a small copy of another picture)"),
        (258, "H", [8, 8, 16], "BitsPerSample (258) is (8, 8, 16), expected one value for all samples"),
        (258, "H", [12, 12, 12], "BitsPerSample (258) is 12, expected 8 or 16 for RGB"),
        (258, "H", [32, 32, 32], "BitsPerSample (258) is 32"),
        (262, "H", [4], "PhotometricInterpretation (262) is 4 (transparency mask)"),
        (262, "H", [8], "PhotometricInterpretation (262) is 8 (CIE L*a*b*)"),
        (262, "H", [32803], "PhotometricInterpretation (262) is 32803 (raw colour filter array)"),
        (262, "H", [777], "PhotometricInterpretation (262) is 777, expected gray"),
        (277, "H", [2], "SamplesPerPixel (277) is 2, expected 3 for RGB"),
        (339, "H", [2, 2, 2], "SampleFormat (339) is 2 (signed whole numbers)"),
        (339, "H", [3, 3, 3], "SampleFormat (339) is 3 (floating point numbers)"),
        (32997, "I", [8], "ImageDepth (32997) is 8, expected 1"),
    ],
)
def test_a_picture_of_other_tags_is_refused_by_their_name(
    tag: int, letter: str, values: list[int], message: str
) -> None:
    assert read_image(made_tiff(RGB_TAGS, bytes(192))).shape == (8, 8, 3)
    assert f"(its tag {message}" in refusal(
        lambda: read_image(made_tiff({**RGB_TAGS, tag: (letter, values)}, bytes(192)))
    )


def test_separate_planes_of_16_bits_are_refused_by_name() -> None:
    data = tiff_of(np.moveaxis(ramps(3, "u2"), -1, 0), photometric="rgb", planarconfig="separate")
    message = "its tag PlanarConfiguration (284) is 2 (separate planes), expected 1 (the samples of a pixel together)"
    assert message in refusal(lambda: read_image(data))


@pytest.mark.parametrize("compression", ["tiff_lzw", "packbits", "jpeg", "tiff_adobe_deflate", "zstd"])
def test_every_compression_gives_its_picture(compression: str) -> None:
    crop = crop_of_photo()
    data = packed(crop, "TIFF", compression=compression)
    with Image.open(io.BytesIO(data)) as picture:
        expected: Pixels = np.asarray(picture.convert("RGB"))[..., ::-1]
    assert np.abs(read_image(data).astype(int) - expected).max() <= (2 if compression == "jpeg" else 0)


def test_a_compression_that_opencv_makes_noise_of_is_refused_by_name() -> None:
    message = "its tag Compression (259) is 34925, expected none, LZW, Deflate, PackBits, JPEG, fax or Zstandard"
    assert message in refusal(lambda: read_image(tiff_of(ramps(1, "u2")[..., 0], compression="lzma")))


@pytest.mark.parametrize(("dtype", "largest"), [("u1", 255), ("u2", 65535)])
def test_tiles_of_gray_with_alpha_hang_over_no_edge(dtype: str, largest: int) -> None:
    gray = np.random.default_rng(0).integers(0, 256, (48, 64, 1)).astype(np.uint8)
    pixels = np.concatenate([gray.astype(dtype) * (largest // 255), np.full((48, 64, 1), largest, dtype)], axis=-1)
    options: dict[str, Any] = {"photometric": "minisblack", "extrasamples": ["unspecified"], "planarconfig": "contig"}
    whole = read_image(tiff_of(pixels, tile=(32, 16), **options))
    assert np.array_equal(whole, np.broadcast_to(gray, whole.shape))
    message = "its tag TileWidth (322) is 48, expected strips, or a divisor of ImageWidth, 64"
    assert message in refusal(lambda: read_image(tiff_of(pixels, tile=(32, 48), **options)))


@pytest.mark.parametrize("compression", ["group3", "group4"])
def test_a_fax_is_read(compression: str) -> None:
    pixels = np.where(crop_of_photo() > 100, np.uint8(255), np.uint8(0))
    expected = np.asarray(Image.fromarray(pixels[..., 1]).convert("1", dither=Image.Dither.NONE)) * 255
    data = io.BytesIO()
    Image.fromarray(pixels[..., 1]).convert("1", dither=Image.Dither.NONE).save(data, "TIFF", compression=compression)
    assert np.array_equal(read_image(data.getvalue())[..., 0], expected)


# --- depth ---------------------------------------------------------------------------------------


def read_depth(path: Path) -> NDArray[Any]:
    return READERS[".tif"](path)[0]


@pytest.mark.parametrize("dtype", ["u1", "u2", "i2", "u4", "i4", "f4", "f8"])
def test_depth_of_every_layout_is_that_of_tifffile(dtype: str, tmp_path: Path) -> None:
    random, path = np.random.default_rng(0), tmp_path / "depth.tif"
    depth: NDArray[Any] = random.uniform(0.1, 99, SIZE).astype(dtype)
    if dtype[0] != "f":
        limits = np.iinfo(dtype)
        depth = random.integers(limits.min, limits.max, SIZE, dtype=dtype, endpoint=True)
    for name, layout in LAYOUTS.items():
        if (dtype[0] == "f" and "predictor" in layout) or (dtype == "u1" and "tile" in layout):
            continue  # tifffile writes it only with more packages; OpenCV refuses it
        path.write_bytes(tiff_of(depth, photometric="minisblack", **layout))
        assert np.array_equal(read_depth(path), tifffile.imread(path)), name


def test_depth_with_the_predictor_of_floats_is_read(tmp_path: Path) -> None:
    depth = np.random.default_rng(0).uniform(0.1, 99, SIZE).astype(np.float32)
    Image.fromarray(depth).save(tmp_path / "a.tif", compression="tiff_adobe_deflate", tiffinfo={317: 3})
    assert np.array_equal(read_depth(tmp_path / "a.tif"), depth)


def test_depth_is_turned_as_its_photograph_is(tmp_path: Path) -> None:
    depth = ramps(1, "u2")[..., 0]
    (tmp_path / "a.tif").write_bytes(tiff_of(depth, photometric="minisblack", extratags=[(274, "H", 1, 6, True)]))
    assert np.array_equal(read_depth(tmp_path / "a.tif"), np.rot90(depth, -1))


@pytest.mark.parametrize(("dtype", "missing"), [("f4", "-9999"), ("f4", "3.4028234663852886e+38"), ("u2", "65535")])
def test_what_gdal_calls_missing_is_unknown(dtype: str, missing: str, tmp_path: Path) -> None:
    depth = np.full(SIZE, 1500, dtype)
    depth[:9] = np.dtype(dtype).type(float(missing))
    tags = [(42113, "s", 0, missing, True)]
    (tmp_path / "a.tif").write_bytes(tiff_of(depth, photometric="minisblack", extratags=tags))
    truth = read_true_depth(tmp_path / "a.tif")
    assert not truth.valid[:9].any() and truth.valid[9:].all()


@pytest.mark.parametrize(
    ("values", "options", "message"),
    [
        (np.ones(SIZE, "u2"), {"photometric": "miniswhite"}, "PhotometricInterpretation (262) is 0 (0 is white)"),
        (np.ones((*SIZE, 3), "u1"), {"photometric": "rgb"}, "PhotometricInterpretation (262) is 2 (RGB)"),
        (np.ones((*SIZE, 2), "u2"), {"planarconfig": "contig"}, "SamplesPerPixel (277) is 2, expected 1: one depth"),
        (np.ones(SIZE, "f2"), {}, "BitsPerSample (258) is 16, expected 32 or 64 for floating point numbers"),
        (np.ones(SIZE, "c8"), {}, "SampleFormat (339) is 6, expected 1, 2 or 3"),
        (np.ones((2, *SIZE), "f4"), {}, "NewSubfileType (254) of its second page is 0, expected one page of full size"),
        (np.ones(SIZE, "f4"), {"subfiletype": 1}, "NewSubfileType (254) is 1 (a small copy of another picture)"),
        (
            np.ones(SIZE, "u2"),
            {"extratags": [(42112, "s", 0, '<Item name="SCALE" sample="0" role="scale">0.01</Item>', True)]},
            "GDAL_METADATA (42112) holds a scale or an offset",
        ),
    ],
)
def test_depth_of_other_tags_is_refused_by_their_name(
    values: NDArray[Any], options: dict[str, Any], message: str, tmp_path: Path
) -> None:
    (tmp_path / "a.tif").write_bytes(tiff_of(values, **{"photometric": "minisblack", **options}))
    assert f"a.tif cannot be read as depth (its tag {message}" in refusal(lambda: read_true_depth(tmp_path / "a.tif"))


def test_depth_whose_last_strip_ends_past_the_file_is_refused(tmp_path: Path) -> None:
    data = tiff_of(np.ones(SIZE, "f4"), photometric="minisblack")
    (tmp_path / "a.tif").write_bytes(data[:-100])
    assert "(it is cut short)" in refusal(lambda: read_true_depth(tmp_path / "a.tif"))
