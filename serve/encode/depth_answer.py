"""Depth in, body, type and headers of an answer out."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from ...engine.depth.depth import Depth
from ...engine.terms import Format
from ..decode.options import Answer, Options
from ..infer.served_model import ServedModel
from ..refusal import unprocessable
from .accept import MEDIA_TYPES

MOST_IN_JSON = 1 << 22  # values; of 1920x1080 they take 40 MB and 2.2 s as text, 8.3 MB and 6 ms as npy
_FORMATS: dict[Answer, tuple[Format, str]] = {
    "npy": ("npy", "depth.npy"),
    "npz": ("npz", "depth.npz"),
    "png16": ("png16", "depth.png"),
    "png": ("color", "depth.png"),
    "exr": ("exr", "depth.exr"),
}


@dataclass(frozen=True, slots=True)
class Body:
    """The body of an answer.

    Args:
        content: Its bytes.
        media_type: For Content-Type.
        headers: Others.
    """

    content: bytes
    media_type: str
    headers: dict[str, str] = field(default_factory=dict)


def encode_depth(depth: Depth, answer: Answer, options: Options) -> Body:
    """Return depth in the form that the client wants."""
    if answer == "json":
        return Body(json.dumps(to_local_ai(depth), allow_nan=False).encode(), MEDIA_TYPES["json"], {"Vary": "Accept"})
    format, name = _FORMATS[answer]
    content = depth.encode(format, colormap=options.colormap, value_range=options.value_range)
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Vary": "Accept"}
    return Body(content, MEDIA_TYPES[answer], headers)


def to_local_ai(depth: Depth) -> dict[str, Any]:
    """Return depth as LocalAI's clients read it, and what they do not know: kind and unit.

    Source: mudler/LocalAI, core/http/endpoints/localai/depth.go. Values stand row by row; null has no depth.
    """
    height, width = depth.shape
    return {
        "width": width,
        "height": height,
        "depth": plain_values(depth),
        "is_metric": depth.unit == "m",
        "kind": depth.kind,
        "unit": depth.unit,
    }


def plain_values(depth: Depth) -> Sequence[float | None]:
    """Return the values row by row, None where there is no depth.

    Raises:
        Refusal: 422 if there are so many that JSON would take a GB of memory and minutes.
    """
    if depth.values.size > MOST_IN_JSON:
        message = f"JSON holds at most {MOST_IN_JSON} values; ask for another form, or a smaller image"
        raise unprocessable("large_json", message)
    values: list[float] = depth.values.ravel().tolist()
    if depth.valid.all():
        return values
    return [value if known else None for value, known in zip(values, depth.valid.ravel().tolist(), strict=True)]


def depth_headers(depth: Depth, name: str, model: ServedModel) -> dict[str, str]:
    """Return the headers that say what the values are and where they come from."""
    found = depth.provenance
    height, width = depth.shape
    return {
        "Depthrt-Kind": depth.kind,
        "Depthrt-Unit": depth.unit or "none",
        "Depthrt-Larger-Is-Nearer": str(depth.larger_is_nearer).lower(),
        "Depthrt-Size": f"{height}x{width}",
        "Depthrt-Model": name,
        "Depthrt-Network": found.model.encode("ascii", "backslashreplace").decode(),
        "Depthrt-Model-Sha256": model.sha256,
        "Depthrt-Source-Sha256": found.source_sha256,
        "Depthrt-Runner": f"{found.runner} {found.provider}",
        "Depthrt-Precision": found.precision,
    }
