"""What the sources say of a file: its config.json, the names of published models, and its layout."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ...engine.errors import ModelFileError
from ...engine.system.field_types import Name, NotNegative
from ..catalog import find
from ..families.claim import Claim
from ..families.entry import CatalogEntry
from ..foreign_json import read_known, read_object
from .graph.layout import Layout

CONFIG = "config.json"

# Endings that converters add to the name of a model.
_ENDINGS = re.compile(
    r"[-_](\d+x\d+|\d{3,4}|dynamic|static|fp32|fp16|float16|int8|uint8|q4|q4f16|q8|bnb4|quantized|quant|opset_?\d+|"
    r"simplified|simple|sim|slim|onnx|model)$",
    re.IGNORECASE,
)
_PIXELS = re.compile(r"\d+")
_MIDAS_SIDES = {256: "midas_v21_small_256", 384: "midas_v21_384"}


@dataclass(frozen=True, slots=True)
class _Config:
    """The part of a config.json of transformers that says what the output means.

    Args:
        model_type: "depth_anything", "dpt", ...
        depth_estimation_type: Of Depth Anything; None, its default, is relative.
        max_depth: Of metric models.
    """

    model_type: Name | None = None
    depth_estimation_type: Literal["relative", "metric"] | None = None
    max_depth: NotNegative | None = None


def claim_of_config(folder: Path) -> tuple[Claim | None, str]:
    """Return what a folder's config.json says, and the model_type that it names; (None, "") without one.

    The family of Depth Anything is not in it: V1 and V2 are the same networks for transformers.

    Raises:
        ModelFileError: It is not JSON, or a value is wrong.
    """
    path = folder / CONFIG
    if not path.is_file():
        return None, ""
    try:
        found = read_object(path)
    except OSError as error:
        raise ModelFileError(f"{path} cannot be read: {error.strerror or error}; check its rights") from error
    config = read_known(_Config, found, name=f"{path}: config")
    return _claim(config, f"{CONFIG} ({config.model_type})"), config.model_type or ""


def claim_of_names(names: tuple[str, ...]) -> tuple[Claim | None, CatalogEntry | None]:
    """Return what the names of a file, its folder and its repository say, and the published model that they mean.

    Names of models of different kinds claim no kind.
    """
    entries = [entry for name in names if (entry := _find(name)) is not None]
    if not entries:
        return None, None
    entry = entries[0]
    source = f"the name of the published {entry.name}"
    if any(other.kind != entry.kind for other in entries):
        return Claim(source, entry.family), None
    return Claim(source, entry.family, entry.kind, entry.max_depth_m, entry.licence), entry


def claim_of_layout(layout: Layout) -> tuple[Claim | None, CatalogEntry | None]:
    """Return what the names and sizes of inputs and outputs say, where exports of one project only have them.

    MiDaS' official files name tensors by numbers, take 256x256 or 384x384 px and subtract the mean themselves.
    Source: isl-org/MiDaS tf/make_onnx_model.py and the files of its release v2_1.
    """
    if layout.sky is not None:
        return Claim(f"its outputs {layout.depth} and {layout.sky}", "depth-anything-3"), None
    height, width = layout.sides_px
    numbered = _PIXELS.fullmatch(layout.image) and _PIXELS.fullmatch(layout.depth)
    if numbered and height == width and height in _MIDAS_SIDES and layout.scale == 1:
        entry = find(_MIDAS_SIDES[height])
        assert entry is not None
        source = f"its layout, that of MiDaS' official {height}x{height} file"
        return Claim(source, entry.family, entry.kind, None, entry.licence), entry
    return None, None


def _claim(config: _Config, source: str) -> Claim | None:
    max_depth_m = config.max_depth or None
    if config.model_type == "depth_anything" and config.depth_estimation_type != "metric":
        return Claim(source, kind="inverse")
    metric = Claim(source, kind="metric", max_depth_m=max_depth_m)
    known = {
        "depth_anything": metric,
        "glpn": metric,
        "dpt": Claim(source, "midas", "inverse"),
        "zoedepth": Claim(source, "zoedepth", "metric"),
    }
    return known.get(config.model_type or "")


def _find(name: str) -> CatalogEntry | None:
    """Return the published model of a name, without what converters add to it."""
    while (entry := find(name)) is None and (shorter := _ENDINGS.sub("", name)) != name:
        name = shorter
    return entry
