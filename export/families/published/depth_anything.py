"""The published models of Depth Anything V1 and V2."""

from __future__ import annotations

from ..entry import CatalogEntry, HubSource, Verified

# All tensors in the file, with the unused ones (mask_token, refinenet4.resConfUnit1).
PARAMETERS = {"vits": 24_785_089, "vitb": 97_470_785, "vitl": 335_315_649, "vitg": 1_258_132_225}

INDOOR_M, OUTDOOR_M = 20.0, 80.0  # Source: DepthAnything/Depth-Anything-V2 metric_depth/README.md

_APACHE, _NON_COMMERCIAL = "Apache-2.0", "CC-BY-NC-4.0"
_SIZES = {"vits": "Small", "vitb": "Base", "vitl": "Large", "vitg": "Giant"}
_CONFLICT = (
    "the model card says Apache-2.0, the project's README says that Base and Large weights are CC-BY-NC-4.0; "
    "the stricter licence is recorded, ask the publisher before commercial use"
)
_SIDE_PX = (518, 518)
_VERIFIED = Verified(
    "full size", "random", "a second writing of the official code", 1.8e-6, by="tests/compare_depth_anything.py"
)
_FOLDER = ("config.json", "preprocessor_config.json", "model.safetensors")  # of transformers


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
        base_px=_SIDE_PX,
        source=HubSource(f"LiheYoung/depth-anything-{size}-hf", _FOLDER, folder=True),
        verified=_VERIFIED,
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
        base_px=_SIDE_PX,
        source=HubSource(repository, (f"depth_anything_v2_{encoder}.pth",)) if published else None,
        verified=_VERIFIED if published else None,
    )


def _v2_metric(encoder: str, dataset: str, place: str, max_depth_m: float) -> CatalogEntry:
    size = _SIZES[encoder]
    repository = f"depth-anything/Depth-Anything-V2-Metric-{dataset}-{size}"
    file_name = f"depth_anything_v2_metric_{dataset.lower()}_{encoder}.pth"
    small = encoder == "vits"
    return CatalogEntry(
        name=f"depth-anything-v2-{encoder}-metric-{max_depth_m:g}m",
        file_name=file_name,
        family="depth-anything-v2",
        encoder=encoder,
        kind="metric",
        max_depth_m=max_depth_m,
        parameters=PARAMETERS[encoder],
        licence=_APACHE if small else _NON_COMMERCIAL,
        licence_note="" if small else _CONFLICT,
        repositories=(
            repository,
            f"depth-anything/Depth-Anything-V2-Metric-{place}-{size}-hf",
        ),
        base_px=_SIDE_PX,
        source=HubSource(repository, (file_name,)),
        verified=_VERIFIED,
    )


ENTRIES = (
    *(_v1(encoder) for encoder in ("vits", "vitb", "vitl")),
    *(_v2(encoder) for encoder in _SIZES),
    *(_v2_metric(encoder, "Hypersim", "Indoor", INDOOR_M) for encoder in ("vits", "vitb", "vitl")),
    *(_v2_metric(encoder, "VKITTI", "Outdoor", OUTDOOR_M) for encoder in ("vits", "vitb", "vitl")),
)
