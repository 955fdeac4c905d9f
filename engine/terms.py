"""The words of the field as types: kinds, precisions, devices, formats, colormaps."""

from __future__ import annotations

from typing import Literal, get_args

Kind = Literal["inverse", "metric"]
# "fp16-safe" is fp16 with the layer norms and the softmax in float32.
Precision = Literal["fp32", "fp16", "fp16-safe", "bf16", "int8"]
KINDS: tuple[Kind, ...] = ("inverse", "metric")
Format = Literal["color", "side", "png16", "npy", "npz", "pfm", "exr", "tiff"]
FORMATS: tuple[Format, ...] = get_args(Format)
Colormap = Literal["spectral_r", "inferno", "turbo", "gray"]
COLORMAPS: tuple[Colormap, ...] = get_args(Colormap)
Device = Literal["auto", "cpu", "cuda"]
DEVICES: tuple[Device, ...] = ("auto", "cpu", "cuda")
CpuRunner = Literal["onnxruntime", "openvino"]
INPUT, OUTPUT = "image", "depth"  # tensor names of every graph that depthrt writes
