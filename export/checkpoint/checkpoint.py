"""Any Depth Anything checkpoint becomes float32 tensors, a network or a few facts; a network becomes a checkpoint."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import torch
from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import Tensor

from ...engine.errors import InputError, ModelFileError
from ...engine.system.files import atomic_path
from ...engine.terms import Kind
from ..network.architecture import PUBLISHED, ConvArchitecture, Family
from ..network.make_network import AnyArchitecture, Network, make_network
from .find_weights import Choice, WeightSet, find_weights
from .hf_folder import claim_of_config, is_folder_model, load_folder, scale_output
from .identity import Claim, check_options, find_by_path, first_said, identify
from .infer_architecture import LEAST_BLOCKS, check_dtypes, fit, infer_architecture
from .key_maps import to_official
from .record import check_complete, read_notes, read_record, write_record
from .safe_load import Contents, load_file

__all__ = ["Checkpoint", "CheckpointFacts", "describe_checkpoint", "load_network", "read_checkpoint", "save_checkpoint"]

_NO_NOTES: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A checkpoint that is known to be whole.

    Args:
        path: As given.
        sha256: Of the file; of the shards' hashes one after the other for a sharded folder.
        family: "depth-anything-v1", "depth-anything-v2" or "depthrt".
        kind: "inverse" or "metric".
        max_depth_m: Upper end of a metric model's output; None for inverse.
        architecture: Read off the tensors.
        tensors: By official name, float32, finite; large ones may lie in the file and not in memory.
        licence: As the publisher of an official file states it, or as recorded, else "unknown".
        said: What was inferred and from what, one sentence each.
    """

    path: Path
    sha256: str
    family: Family
    kind: Kind
    max_depth_m: float | None
    architecture: AnyArchitecture
    tensors: Mapping[str, Tensor]
    licence: str
    said: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CheckpointFacts:
    """What a checkpoint shows without being told what it is.

    Args:
        path: As given.
        file_format: "PyTorch", "PyTorch before 1.6", "safetensors" or "Hugging Face folder".
        sha256: As in Checkpoint.
        architecture: Read off the tensors.
        parameters: Number of weights in the chosen network.
        dtypes: Types they are stored in, e.g. ("float16",).
        wrapper: What stands before their names in the file, e.g. "model.module.", or "".
        others: Wrappers of the other networks in the file, averages among them.
        family, kind, max_depth_m: As recorded in the file or meant by its name; None where unknown.
        source: Where these three come from, or "".
        official_name: Of the published model that the file is named after, if its encoder fits.
        licence: As in Checkpoint.
        notes: What training recorded.
        said: What was chosen among the file's contents, one sentence each.
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
    said: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Examined:
    contents: Contents
    weights: WeightSet
    tensors: Mapping[str, Tensor]
    architecture: AnyArchitecture
    recorded: Claim | None
    said: tuple[str, ...]


def read_checkpoint(
    path: str | Path,
    *,
    family: Family | None = None,
    kind: Kind | None = None,
    max_depth_m: float | None = None,
    weights: Choice = "auto",
) -> Checkpoint:
    """Read a checkpoint safely: no code that stands in it is run, and nothing is guessed in silence.

    Args:
        path: A .pth, .pt, .ckpt, .bin or .safetensors file, or a Hugging Face folder.
        family: V1 or V2, where neither the file nor its name says so.
        kind: "inverse" or "metric", where neither says so.
        max_depth_m: The depth that a metric network was built with, where neither says so.
        weights: "raw" or "ema" where the file holds both; "auto" takes the raw ones and says so.

    Raises:
        ModelFileError: The file is damaged, unsafe, incomplete or another kind of model.
        InputError: The options are missing, impossible or contradict the file.
    """
    path = Path(path)
    options = Claim("the options", family, kind, None if max_depth_m is None else float(max_depth_m))
    check_options(family, kind, options.max_depth_m)
    examined = _examine(path, weights)
    identity = identify(path, options, examined.recorded, examined.architecture)
    tensors, changed = fit(examined.tensors, examined.architecture, path)
    return Checkpoint(
        path=path,
        sha256=examined.contents.sha256,
        family=identity.family,
        kind=identity.kind,
        max_depth_m=identity.max_depth_m,
        architecture=examined.architecture,
        tensors=MappingProxyType(tensors),
        licence=identity.licence,
        said=(*examined.said, *changed, *identity.said, *_guessed(examined.architecture, identity.family)),
    )


def load_network(checkpoint: Checkpoint) -> Network:
    """Make the network of a checkpoint: float32, in eval mode, every tensor in its place.

    Its weights share memory with the checkpoint's tensors; changing them does not change the file.
    """
    with torch.device("meta"):  # no memory for weights that are replaced at once
        network = make_network(checkpoint.architecture, family=checkpoint.family, max_depth_m=checkpoint.max_depth_m)
    network.load_state_dict(dict(checkpoint.tensors), strict=True, assign=True)
    return network.eval()


def describe_checkpoint(path: str | Path, *, weights: Choice = "auto") -> CheckpointFacts:
    """Say what a checkpoint is, as far as it shows by itself; a missing tensor need not be noticed.

    Raises:
        ModelFileError: As read_checkpoint.
    """
    path = Path(path)
    examined = _examine(path, weights)
    named, entry = find_by_path(path, examined.architecture)
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
        family=first_said(claims, "family"),
        kind=first_said(claims, "kind"),
        max_depth_m=first_said(claims, "max_depth_m"),
        source=" and ".join(claim.source for claim in claims),
        official_name=entry.name if entry and named else None,
        licence=first_said(claims, "licence") or "unknown",
        notes=MappingProxyType(read_notes(examined.contents.metadata)),
        said=examined.said,
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
    """Write a network as .safetensors with a record of what it is; an older file is replaced at once or not at all.

    Args:
        path: Ends with .safetensors; its folder exists.
        network: In any float type, on any device.
        family: Recorded, so that nobody has to give it again; and so are the next two.
        kind: "inverse" or "metric".
        max_depth_m: The depth that a metric network was built with; None for inverse.
        licence: Of the weights.
        notes: Texts to record, e.g. the data set and the best score.

    Raises:
        InputError: The record would be impossible, or the path is none for such a file.
    """
    path = Path(path)
    claim = Claim("the arguments", family, kind, None if max_depth_m is None else float(max_depth_m), licence)
    check_complete(claim)
    if path.suffix != ".safetensors":
        raise InputError(f"{path} does not end with .safetensors; checkpoints are written in that format")
    tensors = {name: tensor.detach().contiguous().cpu() for name, tensor in network.state_dict().items()}
    with atomic_path(path) as unfinished:
        try:
            save_file(tensors, unfinished, metadata=write_record(claim, notes))
        except SafetensorError as error:
            raise InputError(f"{path} cannot be written: {error}; check the disk and its rights") from error


def _guessed(architecture: AnyArchitecture, family: Family) -> tuple[str, ...]:
    """Tell what no tensor says: which blocks of an encoder of an unpublished depth feed the head."""
    if isinstance(architecture, ConvArchitecture) or family == "depth-anything-v1":
        return ()
    if architecture.depth in {LEAST_BLOCKS, *(depth for _, depth in PUBLISHED)}:  # of the fewest, all are read
        return ()
    taps = ", ".join(str(tap + 1) for tap in architecture.taps(family))
    return (f"No published encoder has {architecture.depth} blocks: the head is taken to read blocks {taps}.",)


def _examine(path: Path, choice: Choice) -> _Examined:
    contents = load_folder(path) if is_folder_model(path) else load_file(path)
    weights = find_weights(contents.data, path, choice=choice)
    check_dtypes(weights.tensors, path)
    try:
        tensors = to_official(weights.tensors)
    except (ModelFileError, RuntimeError) as error:  # RuntimeError: parts whose shapes do not join
        raise ModelFileError(f"{path}: {str(error).splitlines()[0]}") from error
    architecture = infer_architecture(tensors, path)
    recorded = read_record(contents.metadata, path)
    said = list(weights.said)
    if isinstance(architecture, ConvArchitecture):
        recorded = recorded or Claim("its tensors", "depthrt", "inverse")
    elif contents.config is not None and recorded is None:
        recorded = claim_of_config(contents.config, architecture, path)
        said += scale_output(tensors, contents.config)
    return _Examined(contents, weights, tensors, architecture, recorded, tuple(said))
