"""The layouts of depth ONNX files that people hold, made of the tiny network of made_foreign.py, and broken ones."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
from edited_graphs import Chain, Edit, with_beginning, with_ending
from made_foreign import MAX_DEPTH_M, export_theirs
from onnx import TensorProto, helper

from depthrt.engine.modelfile.shipped import DEFAULT, model_path
from depthrt.export.adopt.options import Options

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
SIDES_PX = (98, 126)
CONFIG = {"model_type": "depth_anything", "depth_estimation_type": "relative"}
METRIC = {"model_type": "depth_anything", "depth_estimation_type": "metric", "max_depth": MAX_DEPTH_M}
PREPROCESSOR = {
    "image_processor_type": "DPTImageProcessor",
    "do_resize": True,
    "size": {"height": 98, "width": 98},
    "keep_aspect_ratio": True,
    "ensure_multiple_of": 14,
    "resample": 3,
    "do_rescale": True,
    "rescale_factor": 1 / 255,
    "do_normalize": True,
    "image_mean": list(MEAN),
    "image_std": list(STD),
    "do_pad": False,
    "size_divisor": None,
}
Feed = Callable[[np.ndarray], np.ndarray]  # what the file gets by hand for our input (N, 3, h, w) float32
Make = Callable[[Path, Path], Path]  # (the dynamic file, folder) to the file that is adopted


def as_it_is(batch: np.ndarray) -> np.ndarray:
    return batch


@dataclass(frozen=True)
class Layout:
    """A file as somebody holds it.

    Args:
        make: Writes it.
        options: What the user says.
        feed: What its input gets for ours.
        config, preprocessor: What lies beside it; None: nothing.
    """

    make: Make
    options: Options = field(default_factory=lambda: Options(size=98))
    feed: Feed = as_it_is
    config: dict[str, Any] | None = field(default_factory=lambda: CONFIG)
    preprocessor: dict[str, Any] | None = None

    def write(self, theirs: Path, folder: Path) -> Path:
        """Write the file and what lies beside it; return the file."""
        path = self.make(theirs, folder)
        beside = {"config.json": self.config, "preprocessor_config.json": self.preprocessor}
        for name, content in beside.items():
            if content is not None:
                (folder / name).write_text(json.dumps(content))
        return path


def copied(theirs: Path, folder: Path, name: str = "model.onnx") -> Path:
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(theirs.read_bytes())
    return path


def shipped(_: Path, folder: Path) -> Path:
    """Write the small model of depthrt as others would: only a network that was trained well shows wrong colours."""
    model = onnx.load(model_path(DEFAULT))
    del model.metadata_props[:]
    onnx.save(model, folder / "model.onnx")
    return folder / "model.onnx"


def edited(theirs: Path, folder: Path, change: Callable[[onnx.ModelProto], None]) -> Path:
    """Write the file after a change of its proto."""
    model = onnx.load(theirs)
    change(model)
    onnx.save(model, folder / "model.onnx")
    return folder / "model.onnx"


def exported(_: Path, folder: Path, **options: Any) -> Path:  # noqa: ANN401
    return export_theirs(folder / "model.onnx", **options)


def ended(theirs: Path, folder: Path, edit: Edit, shape: tuple[int | str, ...] | None = None) -> Path:
    return with_ending(theirs, folder / "model.onnx", edit, shape)


def begun(theirs: Path, folder: Path, edit: Edit, kind: int, shape: tuple[int | str, ...]) -> Path:
    return with_beginning(theirs, folder / "model.onnx", edit, kind, shape)


def half(theirs: Path, folder: Path, *, keep_io: bool = False, optimised: bool = True) -> Path:
    """Convert to float16 with ONNX Runtime's converter, after its basic optimisations.

    Without them ONNX Runtime 1.31 moves a Transpose past the Resize of the positions, and then refuses that.
    """
    from onnxruntime.transformers.float16 import convert_float_to_float16

    if optimised:
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
        options.optimized_model_filepath = str(folder / "optimised.onnx")
        onnxruntime.InferenceSession(str(theirs), options, providers=["CPUExecutionProvider"])
        theirs = folder / "optimised.onnx"
    model = convert_float_to_float16(onnx.load(theirs), keep_io_types=keep_io, op_block_list=["Resize"])
    onnx.save(model, folder / "model_fp16.onnx")
    return folder / "model_fp16.onnx"


def int8(theirs: Path, folder: Path, *, signed: bool) -> Path:
    """Quantise dynamically, as `model_int8.onnx` and `model_uint8.onnx` of the hub are."""
    from onnxruntime.quantization import QuantType, quantize_dynamic

    path = folder / ("model_int8.onnx" if signed else "model_uint8.onnx")
    logging.disable(logging.WARNING)
    try:
        quantize_dynamic(theirs, path, weight_type=QuantType.QInt8 if signed else QuantType.QUInt8)
    finally:
        logging.disable(logging.NOTSET)
    return path


def four_bits(theirs: Path, folder: Path) -> Path:
    """Quantise the weights of products to 4 bits, as `model_q4.onnx` of the hub is."""
    from onnxruntime.quantization.matmul_nbits_quantizer import MatMulNBitsQuantizer

    logging.disable(logging.WARNING)
    try:
        quantizer = MatMulNBitsQuantizer(onnx.load(theirs), block_size=32, is_symmetric=True)
        quantizer.process()
    finally:
        logging.disable(logging.NOTSET)
    onnx.save(quantizer.model.model, folder / "model_q4.onnx")
    return folder / "model_q4.onnx"


def external(theirs: Path, folder: Path, *, single: bool = True, location: str = "model.onnx_data") -> Path:
    """Write the weights beside the file."""
    onnx.save(
        onnx.load(theirs),
        folder / "model.onnx",
        save_as_external_data=True,
        all_tensors_to_one_file=single,
        location=location if single else None,
        size_threshold=100,
    )
    return folder / "model.onnx"


def renamed(model: onnx.ModelProto, *, image: str, depth: str) -> None:
    names = {model.graph.input[0].name: image, model.graph.output[0].name: depth}
    for value in (model.graph.input[0], model.graph.output[0]):
        value.name = names[value.name]
    for node in model.graph.node:
        for ends in (node.input, node.output):
            ends[:] = [names.get(name, name) for name in ends]


def weights_as_inputs(model: onnx.ModelProto) -> None:
    """List the weights as inputs, as files of IR version 3 must."""
    for weight in model.graph.initializer:
        model.graph.input.append(helper.make_tensor_value_info(weight.name, weight.data_type, weight.dims))
    model.ir_version = 3


def with_hidden_states(model: onnx.ModelProto) -> None:
    """Add an output of tokens, as exports with output_hidden_states have."""
    tokens = next(node.output[0] for node in model.graph.node if node.op_type == "LayerNormalization")
    model.graph.output.append(helper.make_tensor_value_info(tokens, TensorProto.FLOAT, ["b", "tokens", 32]))


def with_sides(model: onnx.ModelProto, batch: int) -> None:
    """State a fixed number of images."""
    for value in (*model.graph.input, *model.graph.output):
        value.type.tensor_type.shape.dim[0].dim_value = batch


def normalised(chain: Chain, largest: float = 1.0) -> Chain:
    """Subtract ImageNet's mean of colours in [0, largest] (N, 3, h, w)."""
    mean, std = (np.array(values).reshape(1, 3, 1, 1) * largest for values in (MEAN, STD))
    return chain.add("Sub", mean).add("Div", std)


def from_uint8(chain: Chain) -> Chain:
    return normalised(chain.add("Cast", to=TensorProto.FLOAT).add("Transpose", perm=[0, 3, 1, 2]), 255)


def rows_first(batch: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(batch.transpose(0, 2, 3, 1))


def as_bytes(batch: np.ndarray) -> np.ndarray:
    return np.clip(np.floor(rows_first(batch) + 0.5), 0, 255).astype(np.uint8)


def as_half(batch: np.ndarray) -> np.ndarray:
    return batch.astype(np.float16)


ANY = ("batch", "height", "width")
STATIC = partial(exported, sides_px=SIDES_PX)
LIKE_NO_SIZE = Options()
OWN = Options(kind="inverse", size=98, mean=MEAN, std=STD)
COLOURS_INSIDE = Options(kind="inverse", size=98)
FIRST = np.array([0])

LAYOUTS: dict[str, Layout] = {
    "optimum, dynamic": Layout(partial(copied, name="onnx/model.onnx")),
    "optimum, with its preprocessor": Layout(copied, LIKE_NO_SIZE, preprocessor=PREPROCESSOR),
    "optimum, static": Layout(STATIC, LIKE_NO_SIZE),
    "static square by the name of its file": Layout(
        lambda theirs, folder: copied(
            exported(theirs, folder, sides_px=(98, 98)), folder, "depth_anything_v2_vits.onnx"
        ),
        LIKE_NO_SIZE,
        config=None,
    ),
    "image -> depth": Layout(
        partial(edited, change=partial(renamed, image="image", depth="depth")),
        OWN,
        config=None,
    ),
    "metric by config.json": Layout(partial(exported, kind="metric"), config=METRIC),
    "affine": Layout(
        partial(ended, edit=lambda end: end.add("Neg")),
        Options(kind="affine", like="depth-anything-v2", size=98),
        config=None,
    ),
    "fixed batch of 2": Layout(partial(edited, change=partial(with_sides, batch=2))),
    "depth (n, 1, h, w)": Layout(
        partial(ended, edit=lambda end: end.add("Unsqueeze", np.array([1])), shape=("b", 1, "h", "w"))
    ),
    "depth (n, h, w, 1)": Layout(
        partial(ended, edit=lambda end: end.add("Unsqueeze", np.array([3])), shape=("b", "h", "w", 1))
    ),
    "depth (h, w)": Layout(
        lambda theirs, folder: ended(STATIC(theirs, folder), folder, lambda end: end.add("Squeeze", FIRST), SIDES_PX),
        LIKE_NO_SIZE,
    ),
    "image (n, h, w, 3)": Layout(
        partial(
            begun,
            edit=lambda at: at.add("Transpose", perm=[0, 3, 1, 2]),
            kind=TensorProto.FLOAT,
            shape=("b", "h", "w", 3),
        ),
        feed=rows_first,
    ),
    "image (n, h, w, 3) uint8": Layout(
        partial(begun, edit=from_uint8, kind=TensorProto.UINT8, shape=("b", "h", "w", 3)),
        feed=as_bytes,
    ),
    "image (3, h, w)": Layout(
        partial(begun, edit=lambda at: at.add("Unsqueeze", FIRST), kind=TensorProto.FLOAT, shape=(3, "h", "w")),
        feed=lambda batch: batch[0],
    ),
    "one view (1, 1, 3, h, w)": Layout(
        partial(
            begun, edit=lambda at: at.add("Squeeze", np.array([1])), kind=TensorProto.FLOAT, shape=(1, 1, 3, "h", "w")
        ),
        feed=lambda batch: batch[:, None],
    ),
    "normalises colours in [0, 1] itself": Layout(
        partial(begun, edit=normalised, kind=TensorProto.FLOAT, shape=("b", 3, "h", "w")),
        COLOURS_INSIDE,
        config=None,
    ),
    "normalises colours in [0, 255] itself": Layout(
        partial(begun, edit=partial(normalised, largest=255), kind=TensorProto.FLOAT, shape=("b", 3, "h", "w")),
        COLOURS_INSIDE,
        config=None,
    ),
    "more outputs": Layout(partial(edited, change=with_hidden_states)),
    "fp16": Layout(half, feed=as_half),
    "fp16 with float32 at its ends": Layout(partial(half, keep_io=True)),
    "int8, dynamic": Layout(partial(int8, signed=True)),
    "uint8, dynamic": Layout(partial(int8, signed=False)),
    "4 bits": Layout(four_bits),
    "4 bits and fp16": Layout(lambda theirs, folder: half(four_bits(theirs, folder), folder, keep_io=True)),
    "weights in a file beside": Layout(external),
    "each weight in its file": Layout(partial(external, single=False)),
    "opset 11": Layout(partial(exported, opset=11)),
    "opset 17": Layout(partial(exported, opset=17)),
    "opset 23": Layout(partial(exported, opset=23)),
    "IR 3, weights listed as inputs": Layout(partial(edited, change=weights_as_inputs)),
}


def outside(theirs: Path, folder: Path) -> Path:
    """Point the weights out of the folder."""
    path = external(theirs, folder)
    model = onnx.load(path, load_external_data=False)
    for weight in model.graph.initializer:
        for entry in weight.external_data:
            if entry.key == "location":
                entry.value = "../model.onnx_data"
    onnx.save(model, path)
    return path


def without_weights(theirs: Path, folder: Path) -> Path:
    path = external(theirs, folder)
    (folder / "model.onnx_data").unlink()
    return path


def cut_short(theirs: Path, folder: Path) -> Path:
    path = copied(theirs, folder)
    path.write_bytes(path.read_bytes()[:200_000])
    return path


def unknown_operator(chain: Chain) -> Chain:
    return chain.add("FlashDepth", domain="com.somebody")


def with_mask(model: onnx.ModelProto) -> None:
    """Add an input that nothing reads."""
    model.graph.input.append(helper.make_tensor_value_info("pixel_mask", TensorProto.INT64, ["b", "h", "w"]))


def constant_folded(model: onnx.ModelProto) -> None:
    """Make the image a constant, as an exporter does that was given none."""
    image = model.graph.input.pop()
    values = np.random.default_rng(0).normal(size=(1, 3, *SIDES_PX)).astype(np.float32)
    model.graph.initializer.append(onnx.numpy_helper.from_array(values, image.name))


def baked(model: onnx.ModelProto) -> None:
    """State one size for the output of any input."""
    dims = model.graph.output[0].type.tensor_type.shape.dim
    for dim, side in zip(dims[1:], SIDES_PX, strict=True):
        dim.Clear()
        dim.dim_value = side


def two_depths(model: onnx.ModelProto) -> None:
    """Give a second output that can be the depth, both without a known name."""
    renamed(model, image="x", depth="first")
    model.graph.node.append(helper.make_node("Neg", ["first"], ["second"]))
    model.graph.output.append(helper.make_tensor_value_info("second", TensorProto.FLOAT, ["b", "h", "w"]))


# Each with words of the line that refuses it.
BROKEN: dict[str, tuple[Layout, str]] = {
    "answers the same everywhere": (
        Layout(partial(ended, edit=lambda end: end.add("Mul", 0.0).add("Add", 2.0))),
        "answers 2 everywhere on the canary, so it does not depend on the image",
    ),
    "direction swapped": (
        Layout(partial(ended, edit=lambda end: end.add("Neg"))),
        "its direction is swapped: rank correlation -0.",
    ),
    "not finite": (
        Layout(partial(ended, edit=lambda end: end.add("Sub", 0.6).add("Sqrt"))),
        "answers numbers that are not finite",
    ),
    "metric in millimetres": (
        Layout(
            partial(ended, edit=lambda end: end.add("Reciprocal").add("Mul", 3000.0)),
            Options(kind="metric", like="depth-anything-v2", size=98),
            config=None,
        ),
        "its unit is another; adopt it with --kind affine",
    ),
    "colours in [0, 255] by claim": (
        Layout(shipped, Options(kind="inverse", size=160, mean=(0.0,) * 3, std=(1 / 255,) * 3), config=None),
        "give --mean 0.485,0.456,0.406 --std 0.229,0.224,0.225",
    ),
    "random": (
        Layout(partial(ended, edit=lambda end: end.add("Add", end.aside("RandomNormalLike", scale=0.2)))),
        "the graph draws random numbers",
    ),
    "mixes its batch": (
        Layout(partial(ended, edit=lambda end: end.add("Add", end.aside("ReduceMax", FIRST, keepdims=1)))),
        "the graph mixes the images of a batch",
    ),
    "output of one size": (Layout(partial(edited, change=baked)), "has 98x126 for all of them"),
    "size baked inside": (
        Layout(partial(ended, edit=lambda end: end.add("Slice", FIRST, np.array([84]), np.array([1])))),
        "answers 1x84x126 for an input of 1x3x98x126",
    ),
    "weights outside its folder": (Layout(outside), "'../model.onnx_data', outside its folder; they are not read"),
    "weights missing": (Layout(without_weights), "has its weights in model.onnx_data, which is not beside it"),
    "cut short": (Layout(cut_short), "is not a whole ONNX file"),
    "unknown operator": (Layout(partial(ended, edit=unknown_operator)), "FlashDepth"),
    "input that nothing reads": (Layout(partial(edited, change=with_mask)), "input pixel_mask is read by nothing"),
    "image folded into a constant": (Layout(partial(edited, change=constant_folded)), "the graph has no input"),
    "two outputs for depth": (Layout(partial(edited, change=two_depths)), "say which is the depth with --output-name"),
    "nothing says its kind": (
        Layout(copied, Options(size=98), config=None),
        "does not say what its numbers mean; say it with --kind",
    ),
    "nothing says its colours": (
        Layout(copied, Options(kind="inverse", size=98), config=None),
        "does not say how colours are normalised",
    ),
    "fp16 that ONNX Runtime refuses": (
        Layout(partial(half, optimised=False)),
        "'Cubic' mode only supports",
    ),
}
