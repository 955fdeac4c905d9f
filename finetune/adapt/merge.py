"""The weights that any trainer wrote go into a published checkpoint, whose layout the result has."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import Tensor

from ...engine.errors import InputError, ModelFileError
from ...engine.system.files import atomic_path
from ...export.checkpoint.hf_folder import is_folder_model, load_folder
from ...export.checkpoint.safe_load import Contents, load_file
from ...export.checkpoint.torch_file.stored import StoredTensor
from ...export.checkpoint.unwrap import unwrap
from .lora import ALPHA_OVER_RANK
from .peft_folder import is_peft_folder, read_peft_folder

_NESTING_LIMIT = 8
_LAYER_PARTS = ("base_layer",)  # parts of a name that LoRA adds to a layer's
_FACTOR = re.compile(r"^(?P<layer>.+)\.lora_(?P<which>[AB])(\.[^.]+)?\.weight$")
_AVERAGE = re.compile(r"(^|[._])(ema|shadow|swa|averaged?|avg|teacher)([._]|$)", re.IGNORECASE)
_OURS = {"format", "options", "network", "average"}  # keys of a training's state
_SUFFIXES = (".pth", ".pt", ".safetensors")


@dataclass(frozen=True, slots=True)
class Merged:
    """A merge.

    Args:
        path: The file that was written.
        replaced: Names of the tensors that the trained file gave.
        kept: Names of those that only the official file has.
        mismatched: Tensors of another shape, a phrase each; those of the official file were kept.
        unknown: Names in the trained file that no tensor of the official file has.
    """

    path: Path
    replaced: tuple[str, ...]
    kept: tuple[str, ...]
    mismatched: tuple[str, ...]
    unknown: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Weights:
    """Tensors of a trained file by official name, and updates of LoRA."""

    whole: Mapping[str, Tensor]
    updates: Mapping[str, tuple[Tensor, Tensor]]
    unknown: tuple[str, ...]


def merge_checkpoint(
    trained: str | Path, official: str | Path, path: str | Path, *, alpha: float | None = None, share: float = 1.0
) -> Merged:
    """Write the official checkpoint with the weights of a trained one.

    Args:
        trained: A file of any trainer, whole or in part; a state or a checkpoint of a training here; a folder of peft
            or of transformers.
        official: A checkpoint of a family that is exported; its names, shapes and types are kept.
        path: Ends with .pth, .pt or .safetensors.
        alpha: LoRA's alpha, for a file that has updates and does not record it.
        share: Of the way from the official weights to the trained ones, above 0 and up to 1. Between the two, more of
            what was learnt than of what was forgotten is kept. Source: Wortsman et al. 2022, WiSE-FT.

    Raises:
        ModelFileError: A file is damaged, unsafe or no checkpoint.
        InputError: No tensor of the trained file fits, the share is out of range, or the result cannot be written.
    """
    if not 0 < share <= 1:
        raise InputError(f"share is {share}, expected above 0 and up to 1")
    trained, official, path = Path(trained), Path(official), Path(path)
    if path.suffix not in _SUFFIXES:
        raise InputError(f"{path} found, expected a name that ends with {', '.join(_SUFFIXES)}")
    into = load_file(official)
    state = unwrap(into.data, official)
    tensors = dict(state.rules.to_official_names(state.tensors))
    contents, recorded = _load(trained)
    found = _find(contents, tensors, trained)
    scale = _scale_of(found, contents, recorded, alpha, trained)
    replaced, mismatched = _replace(tensors, found, scale, share)
    for name in sorted(replaced):
        if not bool(torch.isfinite(tensors[name]).all()):
            raise InputError(
                f"{trained}: {name} holds NaN or infinite values; the training diverged, take an older file"
            )
    if not replaced:
        reason = f"{mismatched[0]}" if mismatched else f"its tensors are {', '.join(found.unknown[:3]) or 'none'}"
        raise InputError(f"{trained} has no tensor that fits into {official} ({reason}); give files of one network")
    metadata = contents.metadata if len(replaced) == len(tensors) and contents.metadata else into.metadata
    _write(path, tensors, metadata)
    kept = tuple(name for name in tensors if name not in replaced)
    return Merged(path, tuple(sorted(replaced)), kept, tuple(mismatched), found.unknown)


def _load(path: Path) -> tuple[Contents, float | None]:
    """Return what a trained file or folder holds, and the number that its updates are multiplied by, if it says so."""
    if is_peft_folder(path):
        return read_peft_folder(path)
    return (load_folder(path)[0] if is_folder_model(path) else load_file(path)), None


def _find(contents: Contents, official: Mapping[str, Tensor], path: Path) -> _Weights:
    """Return the tensors of a trained file that have an official name behind any prefix."""
    groups: dict[str, dict[str, Tensor | StoredTensor]] = {}
    factors: dict[str, dict[tuple[str, str], Tensor | StoredTensor]] = {}
    unknown = []
    for full, tensor in _tensors(contents.data):
        match = _FACTOR.match(full)
        prefix, name = _official_name(f"{match['layer']}.weight" if match else full, official)
        if name is None:
            unknown.append(full)
        elif match:
            factors.setdefault(prefix, {})[name, match["which"]] = tensor
        else:
            groups.setdefault(prefix, {})[name] = tensor
    if not groups and not factors:
        renamed = {name: tensor for name, tensor in _renamed(contents, path).items() if name in official}
        return _Weights(renamed, {}, () if renamed else tuple(unknown))
    chosen = max(groups | factors, key=lambda prefix: _rank(prefix, groups, factors, ours=_is_ours(contents)))
    pairs = factors.get(chosen, {})
    layers = [layer for layer, which in pairs if which == "A"]
    updates = {layer: (_read(pairs[layer, "A"]), _read(pairs[layer, "B"])) for layer in layers if (layer, "B") in pairs}
    whole = {name: _read(tensor) for name, tensor in groups.get(chosen, {}).items()}
    return _Weights(whole, updates, tuple(unknown))


def _renamed(contents: Contents, path: Path) -> Mapping[str, Tensor]:
    """Return the tensors of a file in which transformers named them; none if there are no such names."""
    try:
        state = unwrap(contents.data, path)
    except (ModelFileError, InputError):
        return {}
    return dict(state.rules.to_official_names(state.tensors))


def _rank(prefix: str, groups: Mapping[str, Any], factors: Mapping[str, Any], *, ours: bool) -> tuple[int, bool, int]:
    """Return how likely a prefix is that of the weights that are meant; a training here validates its average."""
    size = len(groups.get(prefix, ())) + len(factors.get(prefix, ()))
    average = bool(_AVERAGE.search(prefix))
    return size, average == ours, -len(prefix)


def _is_ours(contents: Contents) -> bool:
    return isinstance(contents.data, Mapping) and contents.data.keys() >= _OURS


def _official_name(full: str, official: Mapping[str, Tensor]) -> tuple[str, str | None]:
    """Return the prefix of a name and the longest end of it that is an official name, or None."""
    parts = [part for part in full.split(".") if part not in _LAYER_PARTS]
    for start in range(len(parts)):
        name = ".".join(parts[start:])
        if name in official:
            return ".".join(parts[:start]), name
    return "", None


def _tensors(data: object, home: str = "", depth: int = 0) -> Iterator[tuple[str, Tensor | StoredTensor]]:
    if not isinstance(data, Mapping) or depth > _NESTING_LIMIT:
        return
    for key, value in data.items():
        if isinstance(value, Tensor | StoredTensor):
            yield f"{home}{key}", value
        else:
            yield from _tensors(value, f"{home}{key}.", depth + 1)


def _read(tensor: Tensor | StoredTensor) -> Tensor:
    return tensor.read() if isinstance(tensor, StoredTensor) else tensor


def _scale_of(found: _Weights, contents: Contents, recorded: float | None, alpha: float | None, path: Path) -> float:
    """Return the number that updates are multiplied by."""
    if not found.updates:
        return 1.0
    rank = len(next(iter(found.updates.values()))[0])
    if alpha is not None:
        return alpha / rank
    if recorded is not None:
        return recorded
    if _is_ours(contents):
        return ALPHA_OVER_RANK
    raise InputError(f"{path} has updates of LoRA and does not say their alpha; give --alpha")


def _replace(tensors: dict[str, Tensor], found: _Weights, scale: float, share: float) -> tuple[set[str], list[str]]:
    """Move the official tensors to the trained ones; return the names of those and phrases about misfits."""
    replaced, mismatched = set(), []
    for name, tensor in found.whole.items():
        if tensor.shape != tensors[name].shape:
            shapes = f"{tuple(tensor.shape)}, expected {tuple(tensors[name].shape)}"
            mismatched.append(f"{name} is {shapes}")
            continue
        tensors[name] = _between(tensors[name], tensor, share)
        replaced.add(name)
    for name, (down, up) in found.updates.items():
        if down.ndim != 2 or up.ndim != 2 or (len(up), down.shape[1]) != tuple(tensors[name].shape):
            shapes = f"{tuple(up.shape)} and {tuple(down.shape)}"
            mismatched.append(f"the update of {name} is {shapes}, expected one of {tuple(tensors[name].shape)}")
            continue
        total = tensors[name].float() + share * scale * (up.float() @ down.float())
        tensors[name] = total.to(tensors[name].dtype)
        replaced.add(name)
    return replaced, mismatched


def _between(official: Tensor, trained: Tensor, share: float) -> Tensor:
    """Return a tensor between two of a shape, in the type of the first; counts are the trained ones."""
    if share == 1 or not official.is_floating_point():
        return trained.to(official.dtype)
    return torch.lerp(official.float(), trained.float(), share).to(official.dtype)


def _write(path: Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> None:
    plain = {name: tensor.detach().contiguous().cpu() for name, tensor in tensors.items()}
    with atomic_path(path) as unfinished:
        try:
            if path.suffix == ".safetensors":
                save_file(plain, unfinished, metadata=dict(metadata))
            else:
                torch.save(plain, unfinished)
        except (SafetensorError, RuntimeError) as error:
            raise InputError(f"{path} cannot be written: {error}; check the disk and its rights") from error
