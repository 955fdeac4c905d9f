"""Makes the contract of a model file from its checkpoint, and the size rule from the size asked for."""

from __future__ import annotations

from ..engine.errors import InputError
from ..engine.modelfile.contract import Canary, Contract, FinalResize
from ..engine.modelfile.size_rule import SizeRule
from ..engine.system.field_types import printable
from ..engine.system.records import check_record
from ..engine.terms import AttentionOp, Family, Precision
from ..engine.version import __version__
from .checkpoint.checkpoint import Checkpoint
from .network.architecture import IMAGENET_MEAN, IMAGENET_STD, ConvArchitecture

# Source: the interpolate call after the network in each repository's inference code.
FINAL_RESIZE: dict[Family, FinalResize] = {
    "depth-anything-v1": "bilinear_centres",
    "depth-anything-v2": "bilinear_corners",
    "depthrt": "bilinear_corners",
}


def make_contract(
    checkpoint: Checkpoint,
    rule: SizeRule,
    *,
    precision: Precision,
    attention: AttentionOp,
    canary: Canary,
) -> Contract:
    """Return the contract of a file made from a checkpoint; `attention` is ignored for a network without attention."""
    return Contract(
        family=checkpoint.family,
        encoder=checkpoint.architecture.encoder,
        kind=checkpoint.kind,
        max_depth_m=checkpoint.max_depth_m,
        size=rule,
        mean=IMAGENET_MEAN,
        std=IMAGENET_STD,
        final_resize=FINAL_RESIZE[checkpoint.family],
        mirrored=isinstance(checkpoint.architecture, ConvArchitecture),
        batch=1 if rule.static else None,
        precision=precision,
        attention="none" if isinstance(checkpoint.architecture, ConvArchitecture) else attention,
        source_name=printable(checkpoint.path.name, 255),
        source_sha256=checkpoint.sha256,
        licence=printable(checkpoint.licence),
        producer=f"depthrt {__version__}",
        canary=canary,
    )


def size_rule(size: int | tuple[int, int], patch_px: int) -> SizeRule:
    """Return the contract's size rule for a short side (dynamic) or (H, W) (static).

    Raises:
        InputError: A side is not a multiple of the patch (the message names the nearest multiple), or too large.
    """
    dynamic = isinstance(size, int)
    sides = (size, size) if isinstance(size, int) else size
    if any(side < patch_px or side % patch_px for side in sides):
        nearest = [max(1, round(side / patch_px)) * patch_px for side in sides]
        found, near = (f"{h}" if dynamic else f"{h}x{w}" for h, w in (sides, nearest))
        raise InputError(f"size {found} found, expected multiples of the network's {patch_px} px patch; try {near}")
    rule = SizeRule(sides, patch_px, "lower_bound" if dynamic else "letterbox")
    check_record(rule, name="size", remedy="give a smaller size", failure=InputError)
    return rule
