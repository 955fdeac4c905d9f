"""A Hugging Face folder becomes plain data, and its config.json what it says of the model."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ...engine.errors import ModelFileError
from ...engine.terms import DEPTH_ANYTHING, Family, Kind
from ..network.architecture import Architecture
from .recognise import SINGLE_FILES, Claim
from .safe_load import Contents, load_file, reading, shown

INDEX_FILES = ("model.safetensors.index.json", "pytorch_model.bin.index.json")
MODEL_TYPE = "depth_anything"

# What the network computes and a configuration could ask otherwise. Absent means this value.
# Source: transformers models/dinov2/configuration_dinov2.py and models/depth_anything
_FIXED_BACKBONE = {
    "model_type": "dinov2",
    "hidden_act": "gelu",
    "layer_norm_eps": 1e-6,
    "qkv_bias": True,
    "apply_layernorm": True,
    "reshape_hidden_states": False,
}
_REASSEMBLE_FACTORS = [4, 2, 1, 0.5]


def is_folder_model(path: Path) -> bool:
    """Return whether a path is a folder, or the weights file of one that has a config.json beside it."""
    with reading(path):
        beside = path.name in SINGLE_FILES and (path.parent / "config.json").is_file()
        return path.is_dir() or path.name in INDEX_FILES or beside


def load_folder(path: Path) -> Contents:
    """Read a Hugging Face folder as plain data.

    Args:
        path: The folder, or the weights file or index to use in it.

    Raises:
        ModelFileError: A file is missing or damaged, or it is another kind of model.
    """
    with reading(path):
        folder = path if path.is_dir() else path.parent
        config = _read_config(folder)
        weights = _weights_of(folder) if path.is_dir() else path
        shards = _shards(weights) if weights.name in INDEX_FILES else [weights]
    parts = [load_file(shard) for shard in shards]
    if len(parts) == 1:
        return Contents(parts[0].data, "Hugging Face folder", parts[0].sha256, parts[0].metadata, config)
    data: dict[str, Any] = {}
    for shard, part in zip(shards, parts, strict=True):
        if not isinstance(part.data, Mapping):
            raise ModelFileError(f"{shard} holds a {type(part.data).__name__}, expected named tensors")
        data.update(part.data)
    sha256 = hashlib.sha256("".join(part.sha256 for part in parts).encode()).hexdigest()
    return Contents(data, "Hugging Face folder", sha256, {}, config)


def claim_of_config(config: Mapping[str, Any], architecture: Architecture, path: Path) -> Claim | None:
    """Return what a config.json says of the model, or None if transformers did not write it.

    Raises:
        ModelFileError: It asks for something that this network does not compute.
    """
    backbone = config.get("backbone_config")
    if config.get("model_type") != MODEL_TYPE or not isinstance(backbone, Mapping):
        return None
    for key, asked, fixed in _settings(config, backbone, architecture):
        if asked != fixed:
            raise ModelFileError(
                f"{path}: config.json says {key} is {shown(repr(asked))}, this version exports {fixed!r} only"
            )
    kind: Kind = "metric" if config.get("depth_estimation_type", "relative") == "metric" else "inverse"
    max_depth = config.get("max_depth")
    if max_depth is not None and (not isinstance(max_depth, int | float) or max_depth < 0):
        raise ModelFileError(f"{path}: config.json says max_depth is {shown(repr(max_depth))}, expected a number")
    return Claim(
        source="config.json",
        family=_family_of_taps(backbone.get("out_indices"), architecture, path),
        kind=kind,
        max_depth_m=float(max_depth) if max_depth and kind == "metric" else None,
    )


def scale_output(tensors: dict[str, Tensor], config: Mapping[str, Any]) -> list[str]:
    """Move into the weights what transformers does after the last layer of an inverse model.

    It multiplies by max_depth there, too, although its documentation says otherwise; with the ReLU
    in between, larger weights of the last convolution do the same.

    Args:
        tensors: By official name; changed in place.
        config: Of the folder.

    Returns:
        What was done, one sentence, or nothing.
    """
    factor = config.get("max_depth")
    inverse = config.get("depth_estimation_type", "relative") == "relative"
    if config.get("model_type") != MODEL_TYPE or not inverse or factor in (None, 0, 1):
        return []
    for name in ("weight", "bias"):
        last = f"depth_head.scratch.output_conv2.2.{name}"
        if last in tensors:
            tensors[last] = tensors[last].to(torch.float32) * float(factor)
    return [f"config.json multiplies the inverse depth by {factor:g}; the last convolution does that now."]


def _settings(
    config: Mapping[str, Any], backbone: Mapping[str, Any], architecture: Architecture
) -> list[tuple[str, Any, Any]]:
    """Return (name, asked value, only possible value) of every setting that weights do not show."""
    asked = [(key, backbone.get(key, fixed), fixed) for key, fixed in _FIXED_BACKBONE.items()]
    heads = architecture.heads
    asked.append(("num_attention_heads", backbone.get("num_attention_heads", heads), heads))
    factors = list(config.get("reassemble_factors", _REASSEMBLE_FACTORS))
    asked.append(("reassemble_factors", factors, _REASSEMBLE_FACTORS))
    return asked


def _family_of_taps(out_indices: object, architecture: Architecture, path: Path) -> Family | None:
    """Tell V1 from V2 by the blocks that feed the head; None where both use the same ones."""
    if out_indices is None:
        return None
    # transformers counts the embeddings as number 0
    taps = {family: [block + 1 for block in architecture.taps(family)] for family in DEPTH_ANYTHING}
    fitting = [family for family in DEPTH_ANYTHING if taps[family] == out_indices]
    if not fitting:
        raise ModelFileError(
            f"{path}: config.json feeds the head from {shown(out_indices)}, expected {taps['depth-anything-v1']} "
            f"(V1) or {taps['depth-anything-v2']} (V2); other choices cannot be exported"
        )
    return fitting[0] if len(fitting) == 1 else None


def _weights_of(folder: Path) -> Path:
    for name in SINGLE_FILES + INDEX_FILES:
        if (folder / name).is_file():
            return folder / name
    raise ModelFileError(f"{folder} holds none of {', '.join(SINGLE_FILES + INDEX_FILES)}; download it again")


def _read_config(folder: Path) -> Mapping[str, Any]:
    if (folder / "model_index.json").is_file():
        raise ModelFileError(
            f"{folder} is a diffusers pipeline (Marigold is one); this version exports Depth Anything V1 and V2"
        )
    path = folder / "config.json"
    if not path.is_file():
        files = sorted(entry.name for entry in folder.iterdir() if entry.suffix in (".pth", ".pt", ".safetensors"))
        instead = f"give the file itself, e.g. {shown(files[0])}" if files else "give a weights file"
        raise ModelFileError(f"{folder} is a folder without config.json, so no Hugging Face model; {instead}")
    config = _read_json(path)
    model_type = config.get("model_type", MODEL_TYPE)  # absent: pushed by PyTorchModelHubMixin, as V1's own are
    if model_type != MODEL_TYPE:
        raise ModelFileError(
            f"{folder} is a {shown(model_type)} model; this version exports Depth Anything V1 and V2 ({MODEL_TYPE})"
        )
    return config


def _read_json(path: Path) -> Mapping[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise ModelFileError(f"{path} is not JSON ({shown(error)}); download it again") from error
    if not isinstance(found, dict):
        raise ModelFileError(f"{path} is not a JSON object; download it again")
    return found


def _shards(index: Path) -> list[Path]:
    """Return the files that an index names, sorted; only files of its own folder."""
    weight_map = _read_json(index).get("weight_map")
    if not isinstance(weight_map, dict) or not weight_map:
        raise ModelFileError(f"{index} has no weight_map; download it again")
    names = sorted({str(name) for name in weight_map.values()})
    outside = [name for name in names if Path(name).name != name]
    if outside:
        raise ModelFileError(f"{index} names a file outside its folder, {shown(outside[0])}; do not use it")
    missing = [name for name in names if not (index.parent / name).is_file()]
    if missing:
        raise ModelFileError(
            f"{index} names {len(names)} shards and {len(missing)} are missing, e.g. {shown(missing[0])}; "
            "download them into the same folder"
        )
    return [index.parent / name for name in names]
