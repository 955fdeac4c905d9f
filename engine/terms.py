"""The words of the field as types: families, kinds, precisions, forms of attention, devices, formats, colormaps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

Family = Literal[
    "depth-anything-v1", "depth-anything-v2", "depth-anything-3", "depthrt", "midas", "zoedepth", "marigold"
]
FAMILIES: tuple[Family, ...] = get_args(Family)
DEPTH_ANYTHING: tuple[Family, ...] = ("depth-anything-v1", "depth-anything-v2")  # of the same tensors
Kind = Literal["inverse", "metric", "affine", "scale"]
KINDS: tuple[Kind, ...] = get_args(Kind)
EXPORTED_KINDS: tuple[Kind, ...] = KINDS  # of the checkpoints that are exported
# "fp16-safe" is fp16 with the layer norms and the softmax in float32.
Precision = Literal["fp32", "fp16", "fp16-safe", "bf16", "int8"]
PRECISIONS: tuple[Precision, ...] = get_args(Precision)
AttentionOp = Literal["fused", "plain"]  # com.microsoft MultiHeadAttention; MatMul and Softmax
ATTENTION_OPS: tuple[AttentionOp, ...] = get_args(AttentionOp)
Attention = Literal[AttentionOp, "none"]  # of a graph
Format = Literal["color", "side", "png16", "npy", "npz", "pfm", "exr", "tiff", "ply", "pcd"]
FORMATS: tuple[Format, ...] = get_args(Format)
DepthEncoding = Literal["32FC1", "16UC1"]  # of images in ROS: float32 metres, whole millimetres
DEPTH_ENCODINGS: tuple[DepthEncoding, ...] = get_args(DepthEncoding)
CloudFormat = Literal["ply", "pcd"]  # of points in space
CLOUD_FORMATS: tuple[CloudFormat, ...] = get_args(CloudFormat)
Colormap = Literal["spectral_r", "inferno", "turbo", "gray"]
COLORMAPS: tuple[Colormap, ...] = get_args(Colormap)
Noise = Literal["gaussian", "zeros"]  # that the steps of a diffusion model start with
NOISES: tuple[Noise, ...] = get_args(Noise)
WhichWeights = Literal["auto", "raw", "ema"]  # of a checkpoint that holds raw weights and their running average
WHICH_WEIGHTS: tuple[WhichWeights, ...] = get_args(WhichWeights)
Device = Literal["auto", "cpu", "cuda"]
DEVICES: tuple[Device, ...] = ("auto", "cpu", "cuda")
CpuRunner = Literal["onnxruntime", "openvino"]
OnStep = Callable[[str, int, int], None]  # reports progress: title, steps done, steps wanted
INPUT, OUTPUT = "image", "depth"  # tensor names of every graph that depthrt writes
SKY = "sky"  # of a second output of some graphs, as large as the first
OUTPUTS = (OUTPUT, SKY)
# What a benchmark runs on and times: the network, array to array, file to file, and frames that arrive at a fixed rate.
HardwareDevice = Literal["cpu", "cuda"]
HARDWARE_DEVICES: tuple[HardwareDevice, ...] = get_args(HardwareDevice)
CPU_RUNNERS: tuple[CpuRunner, ...] = get_args(CpuRunner)
Scope = Literal["kernel", "host", "file", "rate"]
SCOPES: tuple[Scope, ...] = get_args(Scope)
TimedScope = Literal["kernel", "host", "file"]
TIMED_SCOPES: tuple[TimedScope, ...] = get_args(TimedScope)
# How accuracy is judged: what fits a prediction to measured depth, and which pixels count.
Alignment = Literal["none", "scale", "scale-and-shift", "log"]
ALIGNMENTS: tuple[Alignment, ...] = get_args(Alignment)
Crop = Literal["none", "eigen", "garg"]
CROPS: tuple[Crop, ...] = get_args(Crop)


@dataclass(frozen=True, slots=True)
class Meaning:
    """What the values of a kind of depth mean.

    Args:
        name: For people: "inverse depth".
        unit: "m" or "", for none.
        larger_is_nearer: Whether a larger value is nearer to the camera: values are depth's inverse, not depth.
        scale_known, shift_known: Whether values have no unknown factor and no unknown summand.
    """

    name: str
    unit: str
    larger_is_nearer: bool
    scale_known: bool
    shift_known: bool

    @property
    def positive(self) -> bool:
        """Whether only values above 0 are depth: 0 is the camera itself."""
        return self.shift_known and not self.larger_is_nearer

    @property
    def unknown(self) -> str:
        """Return what is unknown of the values: "scale and shift", "scale" or ""."""
        known = {"scale": self.scale_known, "shift": self.shift_known}
        return " and ".join(word for word in known if not known[word])


MEANINGS: dict[Kind, Meaning] = {
    "inverse": Meaning("inverse depth", "", larger_is_nearer=True, scale_known=False, shift_known=False),
    "metric": Meaning("metric depth", "m", larger_is_nearer=False, scale_known=True, shift_known=True),
    "affine": Meaning("affine-invariant depth", "", larger_is_nearer=False, scale_known=False, shift_known=False),
    "scale": Meaning("scale-invariant depth", "", larger_is_nearer=False, scale_known=False, shift_known=True),
}
