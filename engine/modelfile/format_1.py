"""Format 1 of the contract, that of depthrt 0.1: how it reads as format 2, and how it is written again as it stood."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..system.records import Mismatch, Older, check_word

Json = Any

_MIRRORED_FAMILY = "depthrt"  # the family whose graphs are mirrored; see export/network/conv_depth.py
# Keys that format 1 has not, and what its files mean by that.
_NOT_IN_1 = {
    "input_resize": "cubic",
    "in_float32": (),
    "steps": None,
    "seed": None,
    "focal_unit_px": None,
    "sky_from": None,
}
_NOT_IN_SIZE_1 = {"pad": "mirror", "margin": "none"}
# The words of format 1, where format 2 has more.
_KINDS = ("inverse", "metric")
_RULES = ("lower_bound", "letterbox")
_FINAL_RESIZES = ("bilinear_corners", "bilinear_centres")


def _read(found: dict[str, Json]) -> dict[str, Json]:
    """Return an object of format 1 as one of format 2; raise Mismatch for what format 1 does not know."""
    size = found.get("size")
    _check_keys(found, ("mirrored", "adopted", *_NOT_IN_1), "")
    _check_word(found, "kind", _KINDS, "")
    _check_word(found, "final_resize", _FINAL_RESIZES, "")
    if type(size) is dict:
        _check_keys(size, _NOT_IN_SIZE_1, ".size")
        _check_word(size, "rule", _RULES, ".size")
        size = size | _NOT_IN_SIZE_1
    if found.get("kind") == "metric" and "max_depth_m" in found and found["max_depth_m"] is None:
        raise Mismatch(".max_depth_m", "is null, expected a number above 0 for kind metric")
    mirrored = found.get("family") == _MIRRORED_FAMILY
    return found | _NOT_IN_1 | {"mirrored": mirrored} | ({"size": size} if "size" in found else {})


def _write(plain: dict[str, Json]) -> dict[str, Json]:
    """Return the object of format 1 that reads as one of format 2."""
    left_out = {"mirrored", *_NOT_IN_1}
    written = {key: value for key, value in plain.items() if key not in left_out}
    written["size"] = {key: value for key, value in plain["size"].items() if key not in _NOT_IN_SIZE_1}
    assert _read(written) == plain, "a contract of format 1 was given a value that format 1 does not know"
    return written


def _check_keys(found: dict[str, Json], unknown: Iterable[str], place: str) -> None:
    for key in unknown:
        if key in found:
            raise Mismatch(f"{place}.{key}", "is an unknown key in format 1")


def _check_word(found: dict[str, Json], key: str, known: tuple[str, ...], place: str) -> None:
    if key in found:
        check_word(found[key], known, f"{place}.{key}")


FORMAT_1 = Older(_read, _write)
