"""Plain data from a checkpoint file becomes the one set of named tensors that is a depth network."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from torch import Tensor

from ...engine.errors import InputError, ModelFileError
from .lookalikes import name_lookalike
from .safe_load import shown

Choice = Literal["auto", "raw", "ema"]
CHOICES: tuple[Choice, ...] = ("auto", "raw", "ema")

NESTING_LIMIT = 8  # mappings in mappings; deeper ones are no training file
# Parts of a name that wrapping modules add; no network of ours has a part of these names.
_WRAPPERS = {"module", "_orig_mod", "_fsdp_wrapped_module", "_checkpoint_wrapped_module"}
# Mappings beside the weights that hold tensors of another purpose.
_NOT_WEIGHTS = re.compile(r"optim|sched|lr_sched|scaler|callbacks|rng|loops", re.IGNORECASE)
# Tensors in the same mapping as the weights that belong to training and not to the network.
_TRAINING_ONLY = re.compile(r"(^|[._])(n_averaged|initted|step|num_updates|decay|criterion|loss\w*|metrics?)([._]|$)")
_AVERAGE = re.compile(r"(^|[._])(ema|shadow|swa|averaged?|avg)([._]|$)", re.IGNORECASE)
_PREFERRED = ("", "model", "state_dict", "model_state_dict", "network", "net", "weights", "params", "student")

_OFFICIAL = r"pretrained\.(?:cls_token|pos_embed|mask_token|patch_embed\.|blocks\.|norm\.|stem\.|stages\.)|depth_head\."
_TRANSFORMERS = (
    r"backbone\.(?:embeddings|encoder|layers?|layernorm)\."
    r"|neck\.(?:reassemble_stage|convs|fusion_stage)\.|head\.conv[123]\."
)
_ANCHOR = re.compile(rf"^(?P<prefix>(?:.+?\.)??)(?P<name>(?:{_OFFICIAL}|{_TRANSFORMERS}).*)$")


@dataclass(frozen=True, slots=True)
class WeightSet:
    """The tensors of one network in a file.

    Args:
        label: What stands before their names in the file, e.g. "model.module.", or "".
        average: Whether they are a running average over training (EMA).
        tensors: By name without the label: official names, or those of transformers.
        others: Labels of the other networks in the file.
        said: What was chosen and what was left, one sentence each.
    """

    label: str
    average: bool
    tensors: Mapping[str, Tensor]
    others: tuple[str, ...]
    said: tuple[str, ...]


@dataclass(slots=True)
class _Found:
    """One tensor: where its mapping stands, and its name with all that is before it."""

    home: str
    full_name: str
    tensor: Tensor


@dataclass(slots=True)
class _Candidate:
    label: str
    homes: set[str]
    tensors: dict[str, Tensor]

    @property
    def average(self) -> bool:
        return bool(_AVERAGE.search(self.label))

    @property
    def whole(self) -> bool:
        """Whether there is an encoder and a head, complete or not."""
        parts = {name.split(".", 1)[0] for name in self.tensors}
        return {"pretrained", "depth_head"} <= parts or {"backbone", "neck"} <= parts


def find_weights(data: object, path: Path, *, choice: Choice = "auto") -> WeightSet:
    """Find the network among wrappers, averages, optimizers and other company.

    Args:
        data: As saved: a mapping of names to tensors, or mappings of such mappings.
        path: For messages.
        choice: "raw" or "ema" where a file holds both; "auto" takes the raw weights and says so.

    Raises:
        ModelFileError: There are no weights, or they are of another kind of network.
        InputError: The choice is not in the file.
    """
    if choice not in CHOICES:
        raise InputError(f"--weights {shown(choice)} is unknown; choose one of {', '.join(CHOICES)}")
    found = list(_tensors(data, "", 0))
    if not found:
        raise ModelFileError(f"{path} holds no weights: {_inventory(data)}; give the file that holds the model itself")
    candidates, rest = _group(found, path)
    whole = [candidate for candidate in candidates if candidate.whole]
    homes = {home for candidate in whole for home in candidate.homes}
    names = [one.full_name for one in found if one.home in homes or not whole]
    lookalike = name_lookalike(names)
    if lookalike:
        raise ModelFileError(f"{path} looks like {lookalike}; this version exports Depth Anything V1 and V2")
    if not whole:
        raise ModelFileError(f"{path} {_no_network(candidates, names)}; this version exports Depth Anything V1 and V2")
    chosen, said = _choose(whole, path, choice)
    said += _company(chosen, rest, path)
    others = tuple(candidate.label for candidate in whole if candidate is not chosen)
    return WeightSet(chosen.label, chosen.average, chosen.tensors, others, tuple(said))


def _tensors(data: object, home: str, depth: int) -> Iterator[_Found]:
    if not isinstance(data, Mapping) or depth > NESTING_LIMIT:
        return
    for key, value in data.items():
        if not isinstance(key, str):
            continue
        if isinstance(value, Tensor):
            yield _Found(home, f"{home}{key}", value.detach())
        elif not _NOT_WEIGHTS.match(key):
            yield from _tensors(value, f"{home}{key}.", depth + 1)


def _group(found: list[_Found], path: Path) -> tuple[list[_Candidate], list[_Found]]:
    """Group tensors by what stands before the first name that is ours; return the rest, too."""
    candidates: dict[str, _Candidate] = {}
    rest = []
    for one in found:
        plain = ".".join(part for part in one.full_name.split(".") if part not in _WRAPPERS)
        match = _ANCHOR.match(plain)
        if match is None:
            rest.append(one)
            continue
        candidate = candidates.setdefault(match["prefix"], _Candidate("", set(), {}))
        candidate.label = max(candidate.label, _label(one.full_name, match["name"]), key=len)
        candidate.homes.add(one.home)
        if match["name"] in candidate.tensors:
            raise ModelFileError(
                f"{path} holds {shown(match['name'])} twice under {shown(candidate.label or 'no prefix')}; "
                "save the state_dict of one model"
            )
        candidate.tensors[match["name"]] = one.tensor
    return list(candidates.values()), rest


def _label(full_name: str, name: str) -> str:
    """Return what stands before the first part of a name, wrappers included."""
    first = name.split(".", 1)[0]
    parts = full_name.split(".")
    return "".join(f"{part}." for part in parts[: parts.index(first)])


def _choose(whole: list[_Candidate], path: Path, choice: Choice) -> tuple[_Candidate, list[str]]:
    raw = [candidate for candidate in whole if not candidate.average]
    averages = [candidate for candidate in whole if candidate.average]
    if (choice == "raw" and not raw) or (choice == "ema" and not averages):
        labels = ", ".join(shown(candidate.label or "(no prefix)") for candidate in whole)
        raise InputError(f"--weights {choice}: {path} holds no such weights, only {labels}; leave the option out")
    pool = averages if choice == "ema" or not raw else raw
    pool = sorted(pool, key=_rank)
    if len(pool) > 1 and _rank(pool[0]) == _rank(pool[1]):
        labels = " and ".join(shown(candidate.label) for candidate in pool[:2])
        raise ModelFileError(f"{path} holds several networks, {labels}; save the one you mean with torch.save")
    said = []
    chosen = pool[0]
    if chosen.label:
        said.append(f"The weights stand under {shown(chosen.label)} in the file.")
    left = [shown(candidate.label or "(no prefix)") for candidate in whole if candidate is not chosen]
    if left:
        said.append(f"The file also holds {', '.join(left)}, which was not used.")
    if averages and not chosen.average:
        said.append("Averaged (EMA) weights are there, too; --weights ema takes them.")
    if chosen.average and choice == "auto":
        said.append("They are averaged (EMA) weights, the only ones in the file.")
    return chosen, said


def _rank(candidate: _Candidate) -> int:
    """Return how unlikely a label is to mean the model itself; equal ranks cannot be told apart."""
    parts = [part for part in candidate.label.split(".") if part and part not in _WRAPPERS]
    first = next((part for part in parts if not _AVERAGE.search(part)), "")
    teacher = 2 * len(_PREFERRED) if any("teacher" in part for part in parts) else 0
    return teacher + (_PREFERRED.index(first) if first in _PREFERRED else len(_PREFERRED))


def _company(chosen: _Candidate, rest: list[_Found], path: Path) -> list[str]:
    """Refuse tensors beside the network that could change its output; say which others were left."""
    beside = [one.full_name for one in rest if one.home in chosen.homes]
    unknown = [name for name in beside if not _TRAINING_ONLY.search(name)]
    if unknown:
        raise ModelFileError(
            f"{path} holds tensors beside the network that this version does not know ({len(unknown)}): "
            f"{_some(unknown)}; a model with further parts cannot be exported"
        )
    return [f"Left out, since only training uses it: {_some(beside)}."] if beside else []


def _no_network(candidates: list[_Candidate], names: list[str]) -> str:
    parts = {name.split(".", 1)[0] for candidate in candidates for name in candidate.tensors}
    if parts & {"pretrained", "backbone"}:
        return "holds the encoder alone, without depth_head"
    if parts:
        return "holds the head alone, without the encoder"
    return f"is not Depth Anything: none of its tensors ({len(names)}) is known: {_some(names)}"


def _inventory(data: object) -> str:
    if not isinstance(data, Mapping):
        return f"it is a {type(data).__name__}"
    return f"only {_some([str(key) for key in data])}" if data else "it is an empty dict"


def _some(names: list[str]) -> str:
    """Return the first few names for a message."""
    listed = ", ".join(shown(name, 80) for name in names[:3])
    return f"{listed} and {len(names) - 3} more" if len(names) > 3 else listed
