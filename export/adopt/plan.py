"""Makes the contract of an adopted file, all but its canary, from its layout, its meaning and what lies beside it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import onnx_ir

from ...engine.errors import InputError, ModelFileError
from ...engine.modelfile.contract import Canary, Contract
from ...engine.modelfile.size_rule import SizeRule, in_px
from ...engine.system.field_types import printable
from ...engine.system.records import check_record
from ...engine.version import __version__
from .graph.arithmetic import attention_of, precision_of
from .graph.layout import Layout
from .graph.normalisation import patch_px
from .meaning import Meaning
from .options import Options, Triple
from .preprocessor_config import Preprocessor, read_preprocessor
from .source import Source

CANARY_PX = (252, 336)  # nearly; neither square nor a size of training, so a baked size or table shows
_FEW_PX = 32  # sides are multiples of it where neither the graph nor its family tells: five halvings
_RESIZES = "Nothing says how it was used: images are resized by cubic interpolation, and its depth by bilinear."
_IN_GRAPH: Triple = (0.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Plan:
    """What the contract of an adopted file says, its canary aside.

    Args:
        size: How images are fitted to the input.
        canary_px: (h, w) of the canary's input.
        mean, std: Of RGB in [0, 1].
        preprocessor: Of the folder; None without one.
        remarks: Where the values come from, a sentence each.
    """

    size: SizeRule
    canary_px: tuple[int, int]
    mean: Triple
    std: Triple
    preprocessor: Preprocessor | None
    remarks: tuple[str, ...]


def make_plan(source: Source, model: onnx_ir.Model, layout: Layout, meaning: Meaning, options: Options) -> Plan:
    """Settle sizes and colours.

    Raises:
        InputError: They are not known, and no option says them; or the graph does not take the size asked for.
        ModelFileError: The preprocessor_config.json asks for what depthrt does not do.
    """
    image = next(value for value in model.graph.inputs if value.name == layout.image)
    patch = patch_px(model, image)
    sides_px = _static_sides(source, layout, options)
    multiple_px = meaning.multiple_px or patch
    preprocessor = read_preprocessor(source.folder, static_px=sides_px, multiple_px=multiple_px or 1)
    remarks = () if preprocessor is None else preprocessor.remarks
    rule, said = _size_rule(source, sides_px, multiple_px, preprocessor, meaning, options)
    check_record(rule, name="size", remedy="give another --size", failure=InputError)
    mean, std, told = _colours(source, layout, preprocessor, meaning, options)
    if preprocessor is None and meaning.conventions is None:
        told += (_RESIZES,)
    canary_px = rule.base_px if rule.static else _near(CANARY_PX, rule.multiple_px)
    return Plan(rule, canary_px, mean, std, preprocessor, (*remarks, *said, *told))


def make_contract(
    source: Source, model: onnx_ir.Model, layout: Layout, meaning: Meaning, plan: Plan, canary: Canary
) -> Contract:
    """Return the contract of an adopted file, without its digest and its adoption."""
    conventions, preprocessor = meaning.conventions, plan.preprocessor
    input_resize = "cubic" if conventions is None else conventions.input_resize
    final_resize = "bilinear_corners" if conventions is None else conventions.final_resize
    has_sky = layout.sky is not None and meaning.kind in ("metric", "scale") and conventions is not None
    return Contract(
        family=printable(meaning.family, 255),
        encoder=printable(meaning.encoder, 255),
        kind=meaning.kind,
        max_depth_m=meaning.max_depth_m,
        size=plan.size,
        mean=plan.mean,
        std=plan.std,
        input_resize=input_resize if preprocessor is None else preprocessor.input_resize,
        final_resize=final_resize if preprocessor is None else preprocessor.final_resize,
        batch=layout.batch,
        precision=precision_of(model),
        attention=attention_of(model),
        focal_unit_px=conventions.focal_unit_px if conventions is not None and meaning.kind == "metric" else None,
        sky_from=conventions.sky_from if has_sky and conventions is not None else None,
        source_name=source.name,
        source_sha256=source.sha256,
        licence=printable(meaning.licence),
        producer=f"depthrt {__version__}",
        canary=canary,
    )


def _static_sides(source: Source, layout: Layout, options: Options) -> tuple[int, int] | None:
    """Return (h, w) that the graph will take, None for any.

    Raises:
        InputError: The size that was asked for is another than the graph takes.
        ModelFileError: Its output has one size only, whatever its input has.
    """
    asked = options.size if isinstance(options.size, tuple) else None
    height, width = layout.sides_px
    if height is not None and width is not None:
        wanted = (options.size, options.size) if isinstance(options.size, int) else asked
        if wanted not in (None, (height, width)):
            raise InputError(
                f"--size {options.size if asked is None else in_px(asked)} found, {source.path} takes "
                f"{in_px((height, width))} only; leave the option out"
            )
        return height, width
    if (height, width) != (None, None) and asked is None:
        given = f"{height or 'any'}x{width or 'any'}"
        raise InputError(f"{source.path} takes {given} px; give the whole size with --size HxW")
    if asked is not None and any(fixed not in (None, side) for fixed, side in zip(layout.sides_px, asked, strict=True)):
        given = f"{height or 'any'}x{width or 'any'}"
        raise InputError(f"--size {in_px(asked)} found, {source.path} takes {given} px")
    baked = tuple(side for side in layout.depth_px if side is not None)
    if baked and asked is None:
        size = f"{layout.depth_px[0] or '?'}x{layout.depth_px[1] or '?'}"
        raise ModelFileError(
            f"{source.path} takes images of any size, and its output {layout.depth} has {size} for all of them: its "
            f"export made the size a constant; give that size with --size HxW, or export it again"
        )
    return asked


def _size_rule(
    source: Source,
    sides_px: tuple[int, int] | None,
    multiple_px: int | None,
    preprocessor: Preprocessor | None,
    meaning: Meaning,
    options: Options,
) -> tuple[SizeRule, tuple[str, ...]]:
    """Return the size rule, and remarks about it."""
    known = None if preprocessor is None else preprocessor.rule
    conventions = meaning.conventions
    if sides_px is not None:
        if known is not None and known.static:
            return known, ()
        fitting = multiple_px is not None and not any(side % multiple_px for side in sides_px)
        margin = "none" if conventions is None else conventions.margin
        rule = SizeRule(sides_px, multiple_px if fitting and multiple_px else 1, "stretch", margin=margin)
        return rule, (f"Images are stretched to {in_px(sides_px)} px, the only size that it takes.",)
    if known is None and conventions is not None:
        multiple_px = multiple_px or _FEW_PX
        base_px = _near(conventions.base_px, multiple_px)
        known = SizeRule(base_px, multiple_px, conventions.rule, pad=conventions.pad, margin=conventions.margin)
        if known.static:  # a network that takes one size, in a graph that says it takes any
            return known, (f"Images are stretched to {in_px(base_px)} px, the only size of its network.",)
    if isinstance(options.size, int):
        return _of_side(options.size, known, multiple_px)
    if known is None:
        raise InputError(
            f"{source.path} takes images of any size, and nothing beside it says which it was made for; give --size N, "
            "its short side in px, --size HxW, or the published model with --like"
        )
    return known, ()


def _of_side(side_px: int, known: SizeRule | None, multiple_px: int | None) -> tuple[SizeRule, tuple[str, ...]]:
    """Return the rule for a short side (or a long one, where the known rule aims at that)."""
    multiple_px = multiple_px or (_FEW_PX if known is None else known.multiple_px)
    if side_px % multiple_px:
        near = max(1, round(side_px / multiple_px)) * multiple_px
        raise InputError(f"--size {side_px} found, expected a multiple of {multiple_px} px; try {near}")
    if known is None:
        remark = f"The shorter side of images becomes {side_px} px, and both sides multiples of {multiple_px} px."
        return SizeRule((side_px, side_px), multiple_px, "lower_bound"), (remark,)
    least = min(known.base_px)
    height, width = (side_px if side == least else side * side_px // least for side in known.base_px)
    base_px = _near((height, width), multiple_px)
    return replace(known, base_px=base_px, multiple_px=multiple_px), ()


def _colours(
    source: Source, layout: Layout, preprocessor: Preprocessor | None, meaning: Meaning, options: Options
) -> tuple[Triple, Triple, tuple[str, ...]]:
    """Return mean and deviation of the colours, and remarks about them."""
    if layout.scale is not None and layout.image_type == onnx_ir.DataType.UINT8:
        if options.mean is not None:
            raise InputError(f"--mean found, {source.path} takes uint8 colours as they are; leave it and --std out")
        return _IN_GRAPH, (1 / 255,) * 3, ("It takes colours as uint8, to which they are rounded after the resize.",)
    if options.mean is not None and options.std is not None:
        return options.mean, options.std, ()
    if preprocessor is not None:
        return preprocessor.mean, preprocessor.std, ()
    if layout.scale is not None:
        remark = f"It subtracts the mean of the colours itself, and takes them in [0, {layout.scale}]."
        return _IN_GRAPH, (1 / layout.scale,) * 3, (remark,)
    if meaning.conventions is not None:
        return meaning.conventions.mean, meaning.conventions.std, ()
    raise InputError(
        f"{source.path} ({layout.names}) does not say how colours are normalised, and no preprocessor_config.json lies "
        "beside it; give --mean and --std, such as --mean 0.485,0.456,0.406 --std 0.229,0.224,0.225, or the family "
        "with --like"
    )


def _near(size_px: tuple[int, int], multiple_px: int) -> tuple[int, int]:
    """Return (h, w) rounded to multiples."""
    height, width = (max(1, round(side / multiple_px)) * multiple_px for side in size_px)
    return height, width
