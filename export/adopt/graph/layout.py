"""The layout of a graph: which input takes the image and how, which output is the depth and how it lies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import onnx_ir
from onnx_ir import DataType, Value

from ....engine.errors import InputError, ModelFileError
from ....engine.terms import OUTPUT, SKY
from .normalisation import Scale, normalisation_scale

Axis = Literal["batch", "views", "channels", "height", "width"]
Dim = int | str | None

IMAGE_TYPES = (DataType.FLOAT, DataType.FLOAT16, DataType.DOUBLE, DataType.UINT8)
DEPTH_TYPES = (DataType.FLOAT, DataType.FLOAT16, DataType.DOUBLE)
DEPTHS = ("predicted_depth", OUTPUT)  # names of the output that is the depth, in exports of known projects
CHANNELS = 3
# Axes of an image by their number: (1, views, 3, h, w) is Depth Anything 3's.
_IMAGE_AXES: dict[int, tuple[tuple[Axis, ...], ...]] = {
    3: (("channels", "height", "width"), ("height", "width", "channels")),
    4: (("batch", "channels", "height", "width"), ("batch", "height", "width", "channels")),
    5: (("batch", "views", "channels", "height", "width"),),
}
_DEPTH_AXES: dict[int, tuple[tuple[Axis, ...], ...]] = {
    2: (("height", "width"),),
    3: (("batch", "height", "width"), ("height", "width", "channels")),
    4: (("batch", "channels", "height", "width"), ("batch", "height", "width", "channels")),
}


@dataclass(frozen=True, slots=True)
class Layout:
    """How a graph takes an image and gives its depth.

    Args:
        image: Name of its input.
        image_type: Of the input.
        image_axes: Of the input, in order.
        batch: Number of images that it takes; None for any.
        sides_px: (h, w) of the input; None for any.
        depth: Name of its output.
        depth_axes: Of the output, in order; its channels, and views, are 1.
        depth_px: (h, w) of the output as the file states it; None if it depends on the input, or is not stated.
        sky: Name of the output for the sky; None without one.
        others: Names of its other outputs.
        scale: Largest value of the colours that it takes, 1 or 255, if it subtracts their mean itself; 255 for uint8.
            None: it takes normalised colours.
    """

    image: str
    image_type: DataType
    image_axes: tuple[Axis, ...]
    batch: int | None
    sides_px: tuple[int | None, int | None]
    depth: str
    depth_axes: tuple[Axis, ...]
    depth_px: tuple[int | None, int | None]
    sky: str | None
    others: tuple[str, ...]
    scale: Scale | None

    @property
    def names(self) -> str:
        """Return the names of its input and outputs for people."""
        outputs = [self.depth, *([self.sky] if self.sky else []), *self.others]
        return f"{self.image} -> {', '.join(outputs)}"


def read_layout(model: onnx_ir.Model, file: str, *, output: str | None = None) -> Layout:
    """Return the layout of a graph.

    Args:
        model: The graph.
        file: Its name, for messages.
        output: Name of the output that is the depth; None: the only one that can be, or one of a known name.

    Raises:
        InputError: Several outputs can be the depth, or the named one cannot.
        ModelFileError: It does not take one image, or gives no depth.
    """
    image = _find_image(model, file)
    axes = _image_axes(image, file)
    sizes: dict[str, Dim] = dict(zip(axes, dims_of(image), strict=True))
    if sizes.get("views", 1) not in (1, None) and not isinstance(sizes.get("views"), str):
        raise ModelFileError(f"{file} takes {sizes['views']} views in its input {image.name}, expected one image")
    depth = _find_depth(model, file, output)
    depth_axes = _depth_axes(depth, channels_last=axes[-1] == "channels", file=file)
    depth_sizes: dict[str, Dim] = dict(zip(depth_axes, dims_of(depth), strict=True))
    sky = next((value for value in model.graph.outputs if value.name == SKY and value is not depth), None)
    kept = {depth.name, sky.name if sky is not None else None}
    unbatched = "batch" not in axes or "batch" not in depth_axes
    return Layout(
        image=str(image.name),
        image_type=_typed(image),
        image_axes=axes,
        batch=1 if unbatched else _known(sizes["batch"]) or _known(depth_sizes["batch"]),
        sides_px=(_known(sizes["height"]), _known(sizes["width"])),
        depth=str(depth.name),
        depth_axes=depth_axes,
        depth_px=(_known(depth_sizes["height"]), _known(depth_sizes["width"])),
        sky=None if sky is None else str(sky.name),
        others=tuple(str(value.name) for value in model.graph.outputs if value.name not in kept),
        scale=255 if image.dtype == DataType.UINT8 else normalisation_scale(image),
    )


def dims_of(value: Value) -> tuple[Dim, ...]:
    """Return the sizes of a value's axes: a number, a name, or None; () if its shape is not stated."""
    if value.shape is None:
        return ()
    return tuple(dim if isinstance(dim, int) else dim.value for dim in value.shape)


def described(value: Value) -> str:
    """Return an input or output for people: "pixel_values (batch, 3, 518, 518) float16"."""
    shape = "of unknown shape" if value.shape is None else f"({', '.join(str(dim or '?') for dim in dims_of(value))})"
    return f"{value.name} {shape} {_type_name(value)}"


def _find_image(model: onnx_ir.Model, file: str) -> Value:
    inputs = list(model.graph.inputs)
    if not inputs:
        raise ModelFileError(
            f"{file} has no input, so it answers the same for every image: its export made it a constant; export it "
            "again with an image as its argument"
        )
    if len(inputs) > 1:
        listed = ", ".join(map(described, inputs))
        raise ModelFileError(f"{file} takes {len(inputs)} inputs ({listed}), expected one image; export it with one")
    (image,) = inputs
    if image.dtype not in IMAGE_TYPES:
        types = ", ".join(found.name.lower() for found in IMAGE_TYPES)
        raise ModelFileError(f"{file} takes {described(image)}, expected an image of {types}; export it so")
    return image


def _image_axes(image: Value, file: str) -> tuple[Axis, ...]:
    """Return the axes of the image: 3 channels tell them, a name such as "num_channels", or the first convolution."""
    dims = dims_of(image)
    possible = _IMAGE_AXES.get(len(dims), ())
    for is_channels in (lambda dim: dim == CHANNELS, lambda dim: isinstance(dim, str) and "channel" in dim.lower()):
        for axes in possible:
            if is_channels(dims[axes.index("channels")]):
                return axes
    if possible and any(use.node.op_type == "Conv" for use in image.uses()):
        axes = possible[0]
        if not isinstance(dims[axes.index("channels")], int):
            return axes
    raise ModelFileError(
        f"{file} takes {described(image)}, expected an image such as (batch, 3, height, width) or "
        "(batch, height, width, 3); export it so"
    )


def _find_depth(model: onnx_ir.Model, file: str, name: str | None) -> Value:
    outputs = list(model.graph.outputs)
    listed = ", ".join(map(described, outputs)) or "none"
    if name is not None:
        found = next((value for value in outputs if value.name == name), None)
        if found is None:
            raise InputError(f"{file} has no output {name!r}; its outputs are {listed}")
        return found
    possible = [value for value in outputs if value.dtype in DEPTH_TYPES and _may_be_depth(dims_of(value))]
    known = [value for known in DEPTHS for value in possible if value.name == known]
    if known or len(possible) == 1:
        return (*known, *possible)[0]
    if possible:
        raise InputError(f"{file} has {len(outputs)} outputs ({listed}); say which is the depth with --output-name")
    raise ModelFileError(f"{file} gives {listed}, expected one output of depth such as (batch, height, width) float32")


def _may_be_depth(dims: Sequence[Dim]) -> bool:
    """Return whether sizes of axes can be those of depth: (h, w), (n, h, w), (n, 1, h, w) or (n, h, w, 1)."""
    return len(dims) in (2, 3) or (
        len(dims) == 4 and any(not isinstance(dims[at], int) or dims[at] == 1 for at in (1, 3))
    )


def _depth_axes(depth: Value, *, channels_last: bool, file: str) -> tuple[Axis, ...]:
    dims = dims_of(depth)
    if depth.dtype not in DEPTH_TYPES or not _may_be_depth(dims):
        raise ModelFileError(f"{file} gives {described(depth)}, expected depth such as (batch, height, width) float32")
    possible = _DEPTH_AXES[len(dims)]
    if len(dims) == 3:
        return possible[1] if dims[2] == 1 else possible[0]
    sure = [axes for axes in possible if "channels" in axes and dims[axes.index("channels")] == 1]
    return (*sure[:1], possible[-1 if channels_last else 0])[0]


def _typed(value: Value) -> DataType:
    assert value.dtype is not None
    return value.dtype


def _type_name(value: Value) -> str:
    names = {DataType.FLOAT: "float32", DataType.DOUBLE: "float64"}
    return "of unknown type" if value.dtype is None else names.get(value.dtype, value.dtype.name.lower())


def _known(dim: Dim) -> int | None:
    return dim if isinstance(dim, int) and dim > 0 else None
