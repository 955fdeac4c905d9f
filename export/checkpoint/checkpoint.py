"""A checkpoint of any family becomes float32 tensors, a network or a few facts; a network becomes a checkpoint."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import Tensor

from ...engine.errors import InputError, ModelFileError
from ...engine.system.files import atomic_path
from ...engine.terms import Family, Kind, Noise, WhichWeights
from ..families.claim import Claim
from ..families.hub.settings import FolderSettings, check_preprocessor
from ..families.rules import Conventions, FamilyRules
from ..families.table import rules_of, rules_of_model_type
from ..network.network import AnyArchitecture, Network
from .fit import check_dtypes, fit
from .hf_folder import is_folder_model, load_folder
from .metadata import read_claim, read_notes, write_metadata
from .recognise import check_options, find_by_path, first_given, recognise
from .safe_load import Contents, load_file
from .unwrap import StateDict, unwrap

__all__ = [
    "Checkpoint",
    "CheckpointFacts",
    "conventions_of",
    "describe_checkpoint",
    "load_network",
    "read_checkpoint",
    "save_checkpoint",
]

_NO_NOTES: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A whole checkpoint: every tensor of its network, and what the network is.

    Args:
        path: The file or folder, as given.
        sha256: Of the file; for a sharded folder, of the shards' hexadecimal hashes one after the other.
        family: "depth-anything-v1", "midas", ...
        kind: "inverse" or "metric".
        max_depth_m: Upper end of a metric model's output; None for inverse, and for output without an upper end.
        architecture: As the tensors show it.
        tensors: By official name, float32, finite; large ones may stay in the file until they are used.
        licence: As the publisher of an official file states it, or as recorded in the file, or "unknown".
        remarks: What was inferred and from what, one sentence each.
    """

    path: Path
    sha256: str
    family: Family
    kind: Kind
    max_depth_m: float | None
    architecture: AnyArchitecture
    tensors: Mapping[str, Tensor]
    licence: str
    remarks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CheckpointFacts:
    """What a checkpoint shows without options.

    Args:
        path: The file or folder, as given.
        file_format: "PyTorch", "PyTorch before 1.6", "safetensors" or "Hugging Face folder".
        sha256: As in Checkpoint.
        architecture: As the tensors show it.
        parameters: Number of weights in the chosen network.
        dtypes: Types that the weights are stored in, e.g. ("float16",).
        wrapper: Prefix of their names in the file, e.g. "model.module.", or "".
        others: Prefixes of the other networks in the file, averages included.
        family, kind, max_depth_m: As recorded in the file or meant by its name; None if unknown.
        source: Where these three values come from, or "".
        official_name: Of the published model that the file is named after, if its encoder fits.
        licence: As in Checkpoint.
        notes: What training recorded, by name.
        remarks: What was chosen among the file's contents, one sentence each.
    """

    path: Path
    file_format: str
    sha256: str
    architecture: AnyArchitecture
    parameters: int
    dtypes: tuple[str, ...]
    wrapper: str
    others: tuple[str, ...]
    family: Family | None
    kind: Kind | None
    max_depth_m: float | None
    source: str
    official_name: str | None
    licence: str
    notes: Mapping[str, str]
    remarks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Examined:
    contents: Contents
    weights: StateDict
    rules: FamilyRules[Any]
    tensors: Mapping[str, Tensor]
    architecture: AnyArchitecture
    recorded: Claim | None
    remarks: tuple[str, ...]
    model_name: str


def read_checkpoint(
    path: str | Path,
    *,
    family: Family | None = None,
    kind: Kind | None = None,
    max_depth_m: float | None = None,
    weights: WhichWeights = "auto",
    steps: int | None = None,
    seed: int | None = None,
    noise: Noise | None = None,
) -> Checkpoint:
    """Read a checkpoint safely: no code in it is run, and every guess is a remark of the result.

    Args:
        path: A .pth, .pt, .ckpt, .bin or .safetensors file, or a Hugging Face folder.
        family: "depth-anything-v2", "midas", ...; needed unless the tensors, the file or its name says so.
        kind: "inverse" or "metric"; needed unless the tensors, the file or its name says so.
        max_depth_m: The depth that a metric network with an upper end was built with; needed unless the file or its
            name says so, or its training (ZoeDepth K).
        weights: "raw" or "ema" if the file holds both; "auto" takes the raw weights, with a remark.
        steps, seed, noise: Of a diffusion model: number of steps, seed of the noise that they start with, and whether
            they start with noise or zeros. None: the folder's default.

    Raises:
        ModelFileError: The file is damaged, unsafe, incomplete or another kind of model.
        InputError: The options are missing, impossible or contradict the file.
    """
    path = Path(path)
    options = Claim("the options", family, kind, None if max_depth_m is None else float(max_depth_m))
    check_options(family, kind, options.max_depth_m)
    examined = _examine(path, weights)
    recognised = recognise(
        path, options, examined.recorded, examined.rules, examined.architecture, model_name=examined.model_name
    )
    architecture = examined.rules.with_steps(examined.architecture, steps=steps, seed=seed, noise=noise)
    tensors, changed = fit(examined.tensors, examined.rules, examined.architecture, path)
    guessed = examined.rules.remarks(architecture, recognised.family)
    return Checkpoint(
        path=path,
        sha256=examined.contents.sha256,
        family=recognised.family,
        kind=recognised.kind,
        max_depth_m=recognised.max_depth_m,
        architecture=architecture,
        tensors=MappingProxyType(tensors),
        licence=recognised.licence,
        remarks=(*examined.remarks, *changed, *recognised.remarks, *guessed),
    )


def load_network(checkpoint: Checkpoint, *, mirror: bool = True) -> Network:
    """Return the network of a checkpoint: float32, in eval mode, with all its weights.

    Its weights share memory with the checkpoint's tensors; changing them does not change the file.

    Args:
        checkpoint: As read_checkpoint returns it.
        mirror: False leaves out the mean with the mirror image, in a network that takes it.
    """
    with torch.device("meta"):  # no memory for weights that load_state_dict replaces
        network = make_network(checkpoint, mirror=mirror)
    network.load_state_dict(dict(checkpoint.tensors), strict=True, assign=True)
    return network.eval()


def make_network(checkpoint: Checkpoint, *, mirror: bool = True) -> Network:
    """Return the network of a checkpoint with torch's initial weights; see load_network."""
    return rules_of(checkpoint.family).make(
        checkpoint.architecture,
        family=checkpoint.family,
        kind=checkpoint.kind,
        max_depth_m=checkpoint.max_depth_m,
        mirror=mirror,
    )


def conventions_of(checkpoint: Checkpoint) -> Conventions:
    """Return how images are brought to the network of a checkpoint, and its output back to them."""
    return rules_of(checkpoint.family).conventions(checkpoint.architecture, checkpoint.family)


def describe_checkpoint(path: str | Path, *, weights: WhichWeights = "auto") -> CheckpointFacts:
    """Return what a checkpoint shows without options; it may lack tensors unnoticed.

    Raises:
        ModelFileError: As read_checkpoint.
    """
    path = Path(path)
    examined = _examine(path, weights)
    named, entry = find_by_path(path, examined.architecture, model_name=examined.model_name)
    claims = [claim for claim in (examined.recorded, named) if claim is not None]
    claims = [claim for claim in claims if not claim.differences(claims[0])]  # a record overrules a name
    stored = examined.tensors.values()
    return CheckpointFacts(
        path=path,
        file_format=examined.contents.file_format,
        sha256=examined.contents.sha256,
        architecture=examined.architecture,
        parameters=sum(tensor.numel() for tensor in stored),
        dtypes=tuple(sorted({str(tensor.dtype).removeprefix("torch.") for tensor in stored})),
        wrapper=examined.weights.label,
        others=examined.weights.others,
        family=first_given(claims, "family"),
        kind=first_given(claims, "kind"),
        max_depth_m=first_given(claims, "max_depth_m"),
        source=" and ".join(claim.source for claim in claims),
        official_name=entry.name if entry and named else None,
        licence=first_given(claims, "licence") or "unknown",
        notes=MappingProxyType(read_notes(examined.contents.metadata)),
        remarks=examined.remarks,
    )


def save_checkpoint(
    path: str | Path,
    network: Network,
    *,
    family: Family,
    kind: Kind,
    max_depth_m: float | None,
    licence: str = "unknown",
    notes: Mapping[str, str] = _NO_NOTES,
) -> None:
    """Write a network as .safetensors with metadata of what it is; an older file is replaced whole or not at all.

    Args:
        path: Ends with .safetensors; its folder exists.
        network: In any float type, on any device.
        family: Recorded, as are kind, maximum depth and licence, so that read_checkpoint needs no options.
        kind: "inverse" or "metric".
        max_depth_m: The depth that a metric network was built with; None for inverse.
        licence: Of the weights.
        notes: Texts to record by name, e.g. the data set and the best score.

    Raises:
        InputError: The values contradict each other, or `path` cannot be written.
    """
    path = Path(path)
    claim = Claim("the arguments", family, kind, None if max_depth_m is None else float(max_depth_m), licence)
    metadata = write_metadata(claim, notes)
    if path.suffix != ".safetensors":
        raise InputError(f"{path} does not end with .safetensors; checkpoints are written in that format")
    tensors = {name: tensor.detach().contiguous().cpu() for name, tensor in network.state_dict().items()}
    with atomic_path(path) as unfinished:
        try:
            save_file(tensors, unfinished, metadata=metadata)
        except SafetensorError as error:
            raise InputError(f"{path} cannot be written: {error}; check the disk and its rights") from error


def _examine(path: Path, which: WhichWeights) -> _Examined:
    contents, settings = load_folder(path) if is_folder_model(path) else (load_file(path), None)
    weights = unwrap(contents.data, path, which=which)
    rules = weights.rules
    _refuse_other_config(path, settings, rules)
    held = {name: tensor for name, tensor in weights.tensors.items() if not rules.ignores(name)}
    ignored = {name: tensor for name, tensor in weights.tensors.items() if name not in held}
    check_dtypes(held, path)
    try:
        tensors = rules.to_official_names(held)
    except (ModelFileError, RuntimeError) as error:  # RuntimeError: shapes of parts that cannot be joined
        raise ModelFileError(f"{path}: {str(error).splitlines()[0]}") from error
    architecture = rules.infer(ignored | tensors, path, settings)
    recorded = read_claim(contents.metadata, path)
    remarks = [*weights.remarks, *rules.left_out(ignored)]
    if settings is not None:
        conventions = rules.conventions(architecture, rules.families[0])
        check_preprocessor(settings, conventions.mean, conventions.std)
        if recorded is None:
            recorded, scaled = rules.shown_by_config(settings, tensors, architecture)
            remarks += scaled
    recorded = recorded or rules.shown_by_tensors(architecture)
    model_name = "" if settings is None else settings.model_name
    return _Examined(contents, weights, rules, tensors, architecture, recorded, tuple(remarks), model_name)


def _refuse_other_config(path: Path, settings: FolderSettings | None, rules: FamilyRules[Any]) -> None:
    """Refuse a config.json of another family than the tensors."""
    if settings is not None and rules_of_model_type(settings.model_type) is not rules:
        raise ModelFileError(
            f"{path}: config.json says {settings.model_type}, the tensors are those of {rules.name}; "
            "download the folder again"
        )
