"""Makes the contract of a model file from its checkpoint, and the size rule from the size asked for."""

from __future__ import annotations

from pathlib import Path

from ..engine.errors import InputError
from ..engine.modelfile.contract import Canary, Contract
from ..engine.modelfile.size_rule import Pad, Rule, SizeRule, in_px
from ..engine.system.field_types import printable
from ..engine.system.records import check_record
from ..engine.terms import AttentionOp, Precision
from ..engine.version import __version__
from .checkpoint.checkpoint import Checkpoint, conventions_of
from .hub_cache import find_snapshot


def make_contract(
    checkpoint: Checkpoint,
    rule: SizeRule,
    *,
    precision: Precision,
    attention: AttentionOp,
    canary: Canary,
    mirror: bool = True,
) -> Contract:
    """Return the contract of a file made from a checkpoint.

    Args:
        checkpoint: Of the network.
        rule: As size_rule returns it.
        precision: Of the arithmetic.
        attention: Its form; ignored for a network without attention.
        canary: Of the network.
        mirror: False if the mean with the mirror image is left out of the network.
    """
    conventions = conventions_of(checkpoint)
    return Contract(
        family=checkpoint.family,
        encoder=checkpoint.architecture.encoder,
        kind=checkpoint.kind,
        max_depth_m=checkpoint.max_depth_m,
        size=rule,
        mean=conventions.mean,
        std=conventions.std,
        input_resize=conventions.input_resize,
        final_resize=conventions.final_resize,
        mirrored=conventions.mirrored and mirror,
        batch=1 if rule.static else conventions.batch,
        precision=precision,
        attention=attention if conventions.attention else "none",
        steps=conventions.steps,
        seed=conventions.seed,
        focal_unit_px=conventions.focal_unit_px if checkpoint.kind == "metric" else None,
        sky_from=conventions.sky_from,
        source_name=printable(_source_name(checkpoint.path), 255),
        source_sha256=checkpoint.sha256,
        licence=printable(checkpoint.licence),
        producer=f"depthrt {__version__}",
        canary=canary,
    )


def _source_name(path: Path) -> str:
    """Return the name of a checkpoint: of its repository for a commit's folder in the hub's cache."""
    snapshot = find_snapshot(path)
    return snapshot.repository if snapshot is not None and snapshot.folder == path else path.name


def size_rule(checkpoint: Checkpoint, size: int | tuple[int, int] | None) -> SizeRule:
    """Return the contract's size rule for a short side (dynamic), (H, W) (static) or None (the family's own).

    Raises:
        InputError: A side is not a multiple of the patch (the message names the nearest multiple), or too large; or
            the network takes one size only.
    """
    conventions, patch_px = conventions_of(checkpoint), checkpoint.architecture.patch_px
    dynamic = size is None or isinstance(size, int)
    sides = _sides(size, conventions.base_px, patch_px)
    if conventions.rule == "square" and sides != conventions.base_px:
        raise InputError(
            f"size {in_px(sides)} found, {checkpoint.architecture.encoder} takes {in_px(conventions.base_px)} only, "
            "since its tables of positions have one size; leave the option out"
        )
    if any(side < patch_px or side % patch_px for side in sides):
        nearest = [max(1, round(side / patch_px)) * patch_px for side in sides]
        found, near = (f"{h}" if dynamic else f"{h}x{w}" for h, w in (sides, nearest))
        raise InputError(f"size {found} found, expected multiples of the network's {patch_px} px patch; try {near}")
    static: Rule = conventions.rule if conventions.rule in ("square", "stretch") else "letterbox"
    pad: Pad = conventions.pad if dynamic else "mirror"
    rule = SizeRule(sides, patch_px, conventions.rule if dynamic else static, pad=pad, margin=conventions.margin)
    check_record(rule, name="size", remedy="give a smaller size", failure=InputError)
    return rule


def _sides(size: int | tuple[int, int] | None, base_px: tuple[int, int], patch_px: int) -> tuple[int, int]:
    """Return (h, w) that was asked for; a short side has a long one in the proportion of the family's own size."""
    if size is None:
        return base_px
    if isinstance(size, tuple):
        return size
    least = min(base_px)
    h, w = (size if side == least else round(side * size / least / patch_px) * patch_px for side in base_px)
    return h, w
