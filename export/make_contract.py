"""Makes the contract of a model file from its checkpoint, and the size rule from the size asked for."""

from __future__ import annotations

from ..engine.errors import InputError
from ..engine.modelfile.contract import Canary, Contract
from ..engine.modelfile.size_rule import SizeRule
from ..engine.system.field_types import printable
from ..engine.system.records import check_record
from ..engine.terms import AttentionOp, Precision
from ..engine.version import __version__
from .checkpoint.checkpoint import Checkpoint
from .families.rules import Conventions
from .families.table import rules_of


def make_contract(
    checkpoint: Checkpoint,
    rule: SizeRule,
    *,
    precision: Precision,
    attention: AttentionOp,
    canary: Canary,
) -> Contract:
    """Return the contract of a file made from a checkpoint; `attention` is ignored for a network without attention."""
    conventions = conventions_of(checkpoint)
    return Contract(
        family=checkpoint.family,
        encoder=checkpoint.architecture.encoder,
        kind=checkpoint.kind,
        max_depth_m=checkpoint.max_depth_m,
        size=rule,
        mean=conventions.mean,
        std=conventions.std,
        final_resize=conventions.final_resize,
        mirrored=conventions.mirrored,
        batch=1 if rule.static else None,
        precision=precision,
        attention=attention if conventions.attention else "none",
        source_name=printable(checkpoint.path.name, 255),
        source_sha256=checkpoint.sha256,
        licence=printable(checkpoint.licence),
        producer=f"depthrt {__version__}",
        canary=canary,
    )


def conventions_of(checkpoint: Checkpoint) -> Conventions:
    """Return how images are brought to a checkpoint's network, and its output back to them."""
    return rules_of(checkpoint.family).conventions(checkpoint.architecture, checkpoint.family)


def size_rule(checkpoint: Checkpoint, size: int | tuple[int, int] | None) -> SizeRule:
    """Return the contract's size rule for a short side (dynamic), (H, W) (static) or None (the family's own).

    Raises:
        InputError: A side is not a multiple of the patch (the message names the nearest multiple), or too large.
    """
    conventions, patch_px = conventions_of(checkpoint), checkpoint.architecture.patch_px
    if size is None:
        return SizeRule(conventions.base_px, patch_px, conventions.rule)
    dynamic = isinstance(size, int)
    sides = (size, size) if isinstance(size, int) else size
    if any(side < patch_px or side % patch_px for side in sides):
        nearest = [max(1, round(side / patch_px)) * patch_px for side in sides]
        found, near = (f"{h}" if dynamic else f"{h}x{w}" for h, w in (sides, nearest))
        raise InputError(f"size {found} found, expected multiples of the network's {patch_px} px patch; try {near}")
    rule = SizeRule(sides, patch_px, conventions.rule if dynamic else "letterbox")
    check_record(rule, name="size", remedy="give a smaller size", failure=InputError)
    return rule
