"""Every published Depth Anything V1 and V2 model, by file or repository name: family, kind, maximum depth, licence."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..engine.terms import Family, Kind

# All tensors in the file, with the unused ones (mask_token, refinenet4.resConfUnit1).
PARAMETERS = {"vits": 24_785_089, "vitb": 97_470_785, "vitl": 335_315_649, "vitg": 1_258_132_225}

INDOOR_M, OUTDOOR_M = 20.0, 80.0  # Source: DepthAnything/Depth-Anything-V2 metric_depth/README.md

_APACHE, _NON_COMMERCIAL = "Apache-2.0", "CC-BY-NC-4.0"
_SIZES = {"vits": "Small", "vitb": "Base", "vitl": "Large", "vitg": "Giant"}
_CONFLICT = (
    "the model card says Apache-2.0, the project's README says that Base and Large weights are CC-BY-NC-4.0; "
    "the stricter licence is recorded, ask the publisher before commercial use"
)
# Endings that others add to a published name: file types, precisions, copies made by a browser.
_DECORATIONS = re.compile(r"(\.(pth|pt|bin|ckpt|safetensors)|[-_](fp16|fp32|bf16)|[-_]hf|\s*\(\d+\))$")


@dataclass(frozen=True, slots=True)
class CatalogEntry:
    """One published model.

    Args:
        name: As in a model file's contract, e.g. "depth-anything-v2-vits-metric-20m".
        file_name: As published, e.g. "depth_anything_v2_metric_hypersim_vits.pth".
        family: "depth-anything-v1" or "depth-anything-v2".
        encoder: "vits", "vitb", "vitl" or "vitg".
        kind: "inverse" or "metric".
        max_depth_m: Upper end of a metric model's output; None for inverse.
        parameters: Number of weights in the file.
        licence: Of the weights, as their publisher states it.
        licence_note: A contradiction between the publisher's statements, or "".
        repositories: On Hugging Face: of the published file, then of the transformers folder.
        published: False if the publisher has announced the file but not released it.
    """

    name: str
    file_name: str
    family: Family
    encoder: str
    kind: Kind
    max_depth_m: float | None
    parameters: int
    licence: str
    licence_note: str
    repositories: tuple[str, ...]
    published: bool = True


def find(name: str) -> CatalogEntry | None:
    """Return the entry of a name, or None.

    Args:
        name: A model name, a file name (any weights suffix, "_fp16" and the like ignored), a
            repository or the folder it was downloaded to. Upper and lower case are the same.
    """
    return _BY_NAME.get(_plain(name))


def _v1(encoder: str) -> CatalogEntry:
    size = _SIZES[encoder].lower()
    return CatalogEntry(
        name=f"depth-anything-v1-{encoder}",
        file_name=f"depth_anything_{encoder}14.pth",
        family="depth-anything-v1",
        encoder=encoder,
        kind="inverse",
        max_depth_m=None,
        parameters=PARAMETERS[encoder],
        licence=_APACHE,  # Source: LiheYoung/Depth-Anything, issue 15
        licence_note="",
        repositories=(f"LiheYoung/depth_anything_{encoder}14", f"LiheYoung/depth-anything-{size}-hf"),
    )


def _v2(encoder: str) -> CatalogEntry:
    published = encoder != "vitg"  # "Coming soon" in the project's README since 2024
    repository = f"depth-anything/Depth-Anything-V2-{_SIZES[encoder]}"
    return CatalogEntry(
        name=f"depth-anything-v2-{encoder}",
        file_name=f"depth_anything_v2_{encoder}.pth",
        family="depth-anything-v2",
        encoder=encoder,
        kind="inverse",
        max_depth_m=None,
        parameters=PARAMETERS[encoder],
        licence=_APACHE if encoder == "vits" else _NON_COMMERCIAL,  # Source: Depth-Anything-V2 README.md
        licence_note="",
        repositories=(repository, f"{repository}-hf") if published else (),
        published=published,
    )


def _v2_metric(encoder: str, dataset: str, place: str, max_depth_m: float) -> CatalogEntry:
    size = _SIZES[encoder]
    small = encoder == "vits"
    return CatalogEntry(
        name=f"depth-anything-v2-{encoder}-metric-{max_depth_m:g}m",
        file_name=f"depth_anything_v2_metric_{dataset.lower()}_{encoder}.pth",
        family="depth-anything-v2",
        encoder=encoder,
        kind="metric",
        max_depth_m=max_depth_m,
        parameters=PARAMETERS[encoder],
        licence=_APACHE if small else _NON_COMMERCIAL,
        licence_note="" if small else _CONFLICT,
        repositories=(
            f"depth-anything/Depth-Anything-V2-Metric-{dataset}-{size}",
            f"depth-anything/Depth-Anything-V2-Metric-{place}-{size}-hf",
        ),
    )


def _plain(name: str) -> str:
    """Return the last part of a name in lower case without decorations, which is different for each model."""
    plain = name.replace("\\", "/").rstrip("/").rsplit("/", 1)[-1].lower()
    while (shorter := _DECORATIONS.sub("", plain)) != plain:
        plain = shorter
    return plain.replace("_", "-")


CATALOG: tuple[CatalogEntry, ...] = (
    *(_v1(encoder) for encoder in ("vits", "vitb", "vitl")),
    *(_v2(encoder) for encoder in _SIZES),
    *(_v2_metric(encoder, "Hypersim", "Indoor", INDOOR_M) for encoder in ("vits", "vitb", "vitl")),
    *(_v2_metric(encoder, "VKITTI", "Outdoor", OUTDOOR_M) for encoder in ("vits", "vitb", "vitl")),
)

_BY_NAME = {_plain(name): entry for entry in CATALOG for name in (entry.name, entry.file_name, *entry.repositories)}
