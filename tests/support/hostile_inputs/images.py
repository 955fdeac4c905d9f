"""Damaged images of every format, and TIFF files of any combination of tags."""

from __future__ import annotations

import io
import itertools
from pathlib import Path
from typing import Any, ClassVar

import cv2
import numpy as np
import tifffile
from made_image import crop_of_photo, exif_of, packed, packed_cv2, packed_heic
from numpy.random import Generator
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from depthrt.engine.images.read import read_image

from .damage import DamagedFiles
from .trials import Kind, Made, Outcome, WrongAnswer, pick

Pixels = NDArray[np.uint8]
_FAR_LEVELS, _FAR_SHARE = 24, 0.01  # two decoders of JPEG or HEIC stay below
_ROUNDED = 1  # levels, of 16 bits to 8

_MODES = {"PNG": ("RGB", "L", "RGBA", "P", "1", "LA"), "JPEG": ("RGB", "L"), "WEBP": ("RGB", "RGBA"), "GIF": ("P",)}
_MODES |= {"BMP": ("RGB", "L", "P"), "TIFF": ("RGB", "L", "RGBA", "P", "CMYK")}


class DamagedImages(DamagedFiles):
    """A file of any format, with bytes damaged: its own pixels, those of a second reader, or refused."""

    name: ClassVar[str] = "images"
    share: ClassVar[float] = 0.34

    def __init__(self, folder: Path, work: Path) -> None:
        super().__init__(folder, work)
        self._good = good_images()
        self._pixels = {name: read_image(data) for name, data in self._good.items()}

    def answer(self, made: Made) -> Outcome:
        name, how, data = made
        found = read_image(data)
        if found.dtype != np.uint8 or found.ndim != 3 or found.shape[2] != 3:
            raise WrongAnswer(f"{found.dtype} {found.shape}")
        if _same(found, self._pixels[name]):
            return "right"
        if how.startswith("cut"):
            raise WrongAnswer("pixels that the file lacks are made up")
        other = _second_reader(data)
        if other is not None and not _same(found, other):
            raise WrongAnswer("other pixels than Pillow's")
        return "right"


class TiffTags(Kind):
    """TIFF files of any combination of tags: the pixels that were written, or refused by name."""

    name: ClassVar[str] = "TIFF tags"
    share: ClassVar[float] = 0.06

    def describe(self, random: Generator) -> tuple[str, Made]:
        options: dict[str, Any] = {
            "photometric": pick(random, ("minisblack", "miniswhite", "rgb", "rgb")),
            "planarconfig": pick(random, ("contig", "contig", "separate")),
            "compression": pick(random, (None, None, "zlib", "lzw", "packbits", "zstd", "lzma")),
            "predictor": pick(random, (None, None, True)),
            "tile": pick(random, (None, None, (16, 16), (32, 48))),
            "rowsperstrip": pick(random, (None, 1, 7, 48)),
            "byteorder": pick(random, ("<", ">")),
            "bigtiff": pick(random, (False, False, True)),
            "dtype": pick(
                random, ("uint8", "uint16", "uint16", "uint32", "float32", "float16", "int16", "int8", "bool")
            ),
            "alpha": pick(random, (None, None, "unassalpha", "assocalpha", "unspecified")),
            "pages": pick(random, (1, 1, 1, 2)),
            "seed": int(random.integers(1 << 30)),
        }
        return ", ".join(f"{key}={value}" for key, value in options.items() if value not in (None, False)), options

    def answer(self, made: Made) -> Outcome:
        path, shown = write_tiff(self.work / "tags.tif", **made)
        if path is None:
            return "right"  # tifffile does not write this combination
        found = read_image(path)
        if found.shape != shown.shape:
            raise WrongAnswer(f"shape {found.shape}, expected {shown.shape}")
        apart = int(np.abs(found.astype(int) - shown).max())
        if apart > _ROUNDED:
            raise WrongAnswer(f"{apart} levels off")
        return "right"


def write_tiff(
    path: Path,
    *,
    dtype: str,
    photometric: str,
    alpha: str | None,
    pages: int,
    seed: int,
    byteorder: str,
    bigtiff: bool,
    **options: Made,
) -> tuple[Path | None, Pixels]:
    """Write a random picture; return the path, None if tifffile refuses, and the BGR pixels that the file shows."""
    random = np.random.default_rng(seed)
    channels = 3 if photometric == "rgb" else 1
    shown = random.integers(0, 256, (48, 64, channels)).astype(np.uint8)
    values = _coded(255 - shown if photometric == "miniswhite" else shown, dtype)
    if alpha is not None:
        values = np.concatenate([values, np.full_like(values[..., :1], values.max())], axis=-1)
    if dtype == "bool":
        shown = np.where(shown > 127, np.uint8(255), np.uint8(0))
    if values.shape[-1] == 1:
        values = values[..., 0]
    elif options["planarconfig"] == "separate":
        values = np.moveaxis(values, -1, 0)
    if values.ndim == 2:
        options["planarconfig"] = None
    if options["tile"] is not None:
        options["rowsperstrip"] = None
    extra = None if alpha is None else [alpha]
    try:
        with tifffile.TiffWriter(path, byteorder=byteorder, bigtiff=bigtiff) as writer:  # type: ignore[arg-type]
            for _ in range(pages):
                writer.write(values, photometric=photometric, extrasamples=extra, metadata=None, **options)
    except (ValueError, TypeError, KeyError, NotImplementedError, RuntimeError, ImportError):
        return None, shown
    return path, np.ascontiguousarray(np.broadcast_to(shown[..., ::-1], (48, 64, 3)))


def _coded(shown: Pixels, dtype: str) -> NDArray[Any]:
    if dtype == "bool":
        return shown > 127
    if dtype in ("float32", "float16"):
        return (shown / np.float32(255)).astype(dtype)
    scale = {"uint16": 257, "uint32": 16843009, "int16": 128, "int8": 0.5}.get(dtype, 1)
    return (shown * np.float64(scale)).astype(dtype)


def good_images() -> dict[str, bytes]:
    """Return small files of every format and mode that are read."""
    image = crop_of_photo()
    found = {f"{format} {mode}": packed(image, format, mode) for format, modes in _MODES.items() for mode in modes}
    options = itertools.product((True, False), (1, 6))
    for progressive, orientation in options:
        name = f"JPEG progressive={progressive} orientation={orientation}"
        found[name] = packed(image, "JPEG", exif=exif_of(orientation), progressive=progressive)
    deep = image.astype(np.uint16) * 257
    found |= {"PNG 16": packed_cv2(".png", deep), "PNG gray 16": packed_cv2(".png", deep[..., 0])}
    found |= {"TIFF 16": packed_cv2(".tif", deep), "WEBP lossless": packed(image, "WEBP", lossless=True)}
    found |= {"HEIC": packed_heic(image), "AVIF": packed(image, "AVIF")}
    return found


def _same(found: Pixels, other: Pixels) -> bool:
    if found.shape != other.shape:
        return False
    return bool((cv2.absdiff(found, other) > _FAR_LEVELS).mean() <= _FAR_SHARE)


def _second_reader(data: bytes) -> Pixels | None:
    """Return Pillow's BGR pixels, upright and without alpha, or None if it does not read the file as 8 bits."""
    from PIL import ImageOps

    try:
        picture = Image.open(io.BytesIO(data))
        if picture.mode.startswith("I") or picture.mode in ("F", "CMYK") or picture.format in ("HEIF", "AVIF"):
            return None
        return np.asarray(ImageOps.exif_transpose(picture).convert("RGB"))[..., ::-1]
    except (OSError, SyntaxError, ValueError, RuntimeError, UnidentifiedImageError, Image.DecompressionBombError):
        return None
