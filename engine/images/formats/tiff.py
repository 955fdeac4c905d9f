"""Tags of a TIFF in, the name of the tag for which its pixels cannot be trusted out.

OpenCV reads 16 bits without the tags that libtiff honours for 8, and Pillow reads depth without some of them. Every
combination of tags that is let through here gives the pixels of tifffile; all others are refused by the tag's name.
Source: TIFF 6.0; Adobe PageMaker 6.0 TIFF Technical Notes; libtiff, tiff.h.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .tiff_tags import (
    BITS,
    COMPRESSION,
    EXTRA,
    GDAL_METADATA,
    GDAL_NODATA,
    INK_SET,
    LAYERS,
    NEW_SUBFILE_TYPE,
    PHOTOMETRIC,
    PLANAR,
    SAMPLE_FORMAT,
    SAMPLES,
    SUBFILE_TYPE,
    TILE_OFFSETS,
    TILE_WIDTH,
    WIDTH,
    Page,
    Tags,
    one,
    same,
    text_of,
    title,
)

_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB, _PALETTE, _CMYK, _YCBCR = 0, 1, 2, 3, 5, 6
_PHOTOMETRICS = {
    _WHITE_IS_ZERO: "0 is white",
    _BLACK_IS_ZERO: "0 is black",
    _RGB: "RGB",
    _PALETTE: "palette",
    4: "transparency mask",
    _CMYK: "CMYK",
    _YCBCR: "YCbCr",
    8: "CIE L*a*b*",
    9: "ICC L*a*b*",
    10: "ITU L*a*b*",
    32803: "raw colour filter array",
    32844: "logarithmic luminance",
    32845: "logarithmic luminance and colour",
    34892: "linear raw",
    51177: "depth map",
    52527: "semantic mask",
}
_UNSIGNED, _SIGNED, _FLOAT, _UNDEFINED = 1, 2, 3, 4  # sample formats
_FORMATS = {_UNSIGNED: "whole numbers", _SIGNED: "signed whole numbers", _FLOAT: "floating point numbers"}
_KINDS = {_UNSIGNED: "u", _SIGNED: "i", _FLOAT: "f"}  # numpy's
_REDUCED, _MASK = 1, 4  # bits of NewSubfileType
_OLD_REDUCED = 2  # SubfileType
_SEPARATE = 2  # planar configuration
_ALPHAS = (1, 2)  # extra samples
_UNASSOCIATED = 2  # extra sample: alpha that does not change the colours

# Colour samples and bits of the pictures that are read, by photometric interpretation.
_PICTURES: dict[int, tuple[int, tuple[int, ...]]] = {
    _WHITE_IS_ZERO: (1, (1, 2, 4, 8, 16)),
    _BLACK_IS_ZERO: (1, (1, 2, 4, 8, 16)),
    _RGB: (3, (8, 16)),
    _PALETTE: (1, (1, 2, 4, 8)),
    _CMYK: (4, (8,)),
    _YCBCR: (3, (8,)),
}
# Most further samples, of which alpha is one; they are dropped.
_EXTRAS = {(_BLACK_IS_ZERO, 8): 1, (_BLACK_IS_ZERO, 16): 1, (_RGB, 8): 5, (_RGB, 16): 1}
_COMPRESSIONS = (1, 2, 3, 4, 5, 7, 8, 32773, 32946, 50000)  # none, fax, LZW, JPEG, Deflate, PackBits, Zstandard
# Bits of the depth that is read, by sample format.
_DEPTHS = {_UNSIGNED: (8, 16, 32), _SIGNED: (16, 32), _FLOAT: (32, 64)}


def picture_flaw(tags: Tags) -> str | None:
    """Return the tag, by name, for which a page is not read as a picture; None if it is."""
    return _first(_picture_flaws(tags))


def depth_flaw(pages: Sequence[Page]) -> str | None:
    """Return the tag, by name, for which a TIFF is not read as depth; None if it is."""
    return _first(_depth_flaws(pages))


def depth_values(page: Page, decoded: NDArray[Any]) -> NDArray[Any]:
    """Return depth as it was decoded; values that GDAL calls missing become NaN, or 0 if they are whole numbers.

    Args:
        page: Without a depth_flaw.
        decoded: (H, W).

    Raises:
        ValueError: The decoder gives another type than the file has.
    """
    bits, format = same(page.tags, BITS, 1), same(page.tags, SAMPLE_FORMAT, _UNSIGNED)
    if (decoded.dtype.kind, 8 * decoded.dtype.itemsize) != (_KINDS[format], bits):
        raise ValueError(f"its pixels are decoded as {decoded.dtype}, expected {bits} bits of {_FORMATS[format]}")
    try:
        missing = np.array(float(text_of(page.tags, GDAL_NODATA).strip(b" \0")))
    except ValueError:
        return decoded
    unknown = np.nan if format == _FLOAT else 0
    return np.where(decoded == missing.astype(decoded.dtype), decoded.dtype.type(unknown), decoded)


def has_alpha(tags: Tags) -> bool:
    """Whether a picture may have transparent pixels."""
    return any(kind in _ALPHAS for kind in tags.get(EXTRA, ()))


def has_loose_alpha(tags: Tags) -> bool:
    """Whether a picture of 8 bits has alpha that libtiff would multiply into its colours."""
    return bool(tags.get(EXTRA, ())) and same(tags, BITS, 1) == 8 and _UNASSOCIATED in tags[EXTRA]


def is_unusual(tags: Tags) -> bool:
    """Whether a picture is of a kind that not every OpenCV reads: few bits, tiles, a rare compression."""
    return same(tags, BITS, 1) < 8 or TILE_OFFSETS in tags or one(tags, COMPRESSION, 1) == _COMPRESSIONS[-1]


def white_is_zero(tags: Tags) -> bool:
    """Whether the largest value of a gray page is black."""
    return photometric_of(tags) == _WHITE_IS_ZERO


def photometric_of(tags: Tags) -> int:
    """Return the photometric interpretation; libtiff's guess if the file has none."""
    return one(tags, PHOTOMETRIC, _RGB if one(tags, SAMPLES, 1) >= 3 else _BLACK_IS_ZERO)


def _first(flaws: Iterator[str]) -> str | None:
    try:
        return next(flaws, None)
    except ValueError as error:  # a tag is missing or damaged
        return str(error)


def _picture_flaws(tags: Tags) -> Iterator[str]:
    photometric = photometric_of(tags)
    colours, known_bits = _PICTURES.get(photometric, (0, ()))
    if not colours:
        yield _is(PHOTOMETRIC, photometric, _PHOTOMETRICS, "gray, RGB, palette, CMYK or YCbCr")
    yield from _page_flaws(tags)
    samples, bits, format = one(tags, SAMPLES, 1), same(tags, BITS, 1), same(tags, SAMPLE_FORMAT, _UNSIGNED)
    is_for = f" for {_PHOTOMETRICS[photometric]}"
    if format not in (_UNSIGNED, _UNDEFINED):
        yield _is(SAMPLE_FORMAT, format, _FORMATS, f"{_UNSIGNED} ({_FORMATS[_UNSIGNED]})")
    if bits not in known_bits:
        yield _is(BITS, bits, {}, " or ".join(map(str, known_bits)) + is_for)
    most = colours + _EXTRAS.get((photometric, bits), 0)
    if not colours <= samples <= most:
        yield _is(SAMPLES, samples, {}, f"{colours}{is_for}")
    if photometric == _CMYK and one(tags, INK_SET, 1) != 1:
        yield _is(INK_SET, one(tags, INK_SET), {}, "1 (CMYK)")
    if one(tags, PLANAR, 1) == _SEPARATE and samples > 1 and (bits > 8 or samples > colours):
        yield _is(PLANAR, _SEPARATE, {_SEPARATE: "separate planes"}, "1 (the samples of a pixel together)")
    if samples == 2 and TILE_WIDTH in tags and one(tags, WIDTH) % one(tags, TILE_WIDTH):
        # OpenCV gives other pixels of gray with alpha if a tile hangs over the edge.
        yield _is(TILE_WIDTH, one(tags, TILE_WIDTH), {}, f"strips, or a divisor of ImageWidth, {one(tags, WIDTH)}")


def _depth_flaws(pages: Sequence[Page]) -> Iterator[str]:
    tags = pages[0].tags
    photometric = photometric_of(tags)
    if photometric != _BLACK_IS_ZERO:
        yield _is(PHOTOMETRIC, photometric, _PHOTOMETRICS, f"{_BLACK_IS_ZERO} ({_PHOTOMETRICS[_BLACK_IS_ZERO]})")
    yield from _page_flaws(tags)
    samples, bits, format = one(tags, SAMPLES, 1), same(tags, BITS, 1), same(tags, SAMPLE_FORMAT, _UNSIGNED)
    if samples != 1:
        yield _is(SAMPLES, samples, {}, "1: one depth a pixel")
    if format not in _DEPTHS:
        yield _is(SAMPLE_FORMAT, format, _FORMATS, "1, 2 or 3")
    elif bits not in _DEPTHS[format]:
        yield _is(BITS, bits, {}, " or ".join(map(str, _DEPTHS[format])) + f" for {_FORMATS[format]}")
    if any(word in text_of(tags, GDAL_METADATA) for word in (b'role="scale"', b'role="offset"')):
        yield f"{title(GDAL_METADATA)} holds a scale or an offset, expected depth that needs neither"
    if any(not one(page.tags, NEW_SUBFILE_TYPE, 0) & (_REDUCED | _MASK) for page in pages[1:]):
        yield f"{title(NEW_SUBFILE_TYPE)} of its second page is 0, expected one page of full size"


def _page_flaws(tags: Tags) -> Iterator[str]:
    """Yield the tags for which the page is not the picture that a viewer shows."""
    kind, old, layers = one(tags, NEW_SUBFILE_TYPE, 0), one(tags, SUBFILE_TYPE, 1), one(tags, LAYERS, 1)
    small, whole = "a small copy of another picture", "a picture of full size on the first page"
    if kind & (_REDUCED | _MASK):
        yield _is(NEW_SUBFILE_TYPE, kind, {kind: small if kind & _REDUCED else "a mask"}, whole)
    if old == _OLD_REDUCED:
        yield _is(SUBFILE_TYPE, old, {old: small}, whole)
    if layers != 1:
        yield _is(LAYERS, layers, {}, "1: one picture")
    if one(tags, COMPRESSION, 1) not in _COMPRESSIONS:  # OpenCV makes noise of some, such as LZMA
        yield _is(COMPRESSION, one(tags, COMPRESSION), {}, "none, LZW, Deflate, PackBits, JPEG, fax or Zstandard")


def _is(tag: int, found: int, meanings: Mapping[int, str], expected: str) -> str:
    meaning = f" ({meanings[found]})" if found in meanings else ""
    return f"{title(tag)} is {found}{meaning}, expected {expected}"
