"""Plain data from a checkpoint file becomes the state dict of one depth network, without wrappers and other company."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from ...engine.errors import InputError, ModelFileError
from ...engine.terms import WHICH_WEIGHTS, WhichWeights
from ..families.rules import FamilyRules
from ..families.table import EXPORTED, TABLE, rules_of_tensors
from .other_models import name_other_model
from .safe_load import shown
from .torch_file.objects import StandIn, type_name
from .torch_file.stored import StoredTensor

NESTING_LIMIT = 8  # mappings in mappings; no training file has more
MOST_ENTRIES = 1_000_000  # of all mappings in a file; a network and its optimizer have about 10,000
# Parts of a name that wrapping modules add; no network here has a part of these names.
_WRAPPERS = {"module", "_orig_mod", "_fsdp_wrapped_module", "_checkpoint_wrapped_module"}
# Mappings beside the weights whose tensors are not weights.
_NOT_WEIGHTS = re.compile(r"optim|sched|lr_sched|scaler|callbacks|rng|loops", re.IGNORECASE)
# Tensors in the same mapping as the weights that belong to training rather than to the network.
_TRAINING_ONLY = re.compile(r"(^|[._])(n_averaged|initted|step|num_updates|decay|criterion|loss\w*|metrics?)([._]|$)")
_AVERAGE = re.compile(r"(^|[._])(ema|shadow|swa|averaged?|avg)([._]|$)", re.IGNORECASE)
_PREFERRED = ("", "model", "state_dict", "model_state_dict", "network", "net", "weights", "params", "student")

_ANCHOR = re.compile(rf"^(?P<prefix>(?:.+?\.)??)(?P<name>(?:{'|'.join(rules.anchor for rules in TABLE)}).*)$")


@dataclass(frozen=True, slots=True)
class StateDict:
    """The tensors of one network in a file.

    Args:
        label: Prefix of their names in the file, e.g. "model.module.", or "".
        average: Whether they are a running average over training (EMA).
        rules: Of the family that its tensors are of.
        tensors: By name without the label: official names, or those of transformers.
        others: Labels of the other networks in the file.
        remarks: What was chosen and what was left out, one sentence each.
    """

    label: str
    average: bool
    rules: FamilyRules[Any]
    tensors: Mapping[str, Tensor]
    others: tuple[str, ...]
    remarks: tuple[str, ...]


@dataclass(slots=True)
class _NamedTensor:
    """A tensor, the prefix of the mapping that holds it, and its name with that prefix."""

    home: str
    full_name: str
    tensor: Tensor | StoredTensor


@dataclass(slots=True)
class _Candidate:
    label: str
    homes: set[str]
    tensors: dict[str, Tensor | StoredTensor]

    @property
    def average(self) -> bool:
        return bool(_AVERAGE.search(self.label))

    @property
    def rules(self) -> FamilyRules[Any]:
        """The family that its tensors are of; any for a part that several have."""
        return rules_of_tensors(self.tensors) or TABLE[-1]

    @property
    def whole(self) -> bool:
        """Whether it has tensors of an encoder and of a head, all of them or not."""
        return any({*pair} <= self.parts for pair in self.rules.parts)

    @property
    def parts(self) -> set[str]:
        """The first parts of its names."""
        return {name.split(".", 1)[0] for name in self.tensors}


def unwrap(data: object, path: Path, *, which: WhichWeights = "auto") -> StateDict:
    """Find the network among wrappers, averages, optimizers and other company.

    Args:
        data: As saved: a mapping of names to tensors, or mappings of such mappings.
        path: For messages.
        which: "raw" or "ema" if a file holds both; "auto" takes the raw weights, with a remark.

    Raises:
        ModelFileError: The file holds no weights, or those of another kind of network.
        InputError: The file holds no weights as asked for by `which`.
    """
    if which not in WHICH_WEIGHTS:
        raise InputError(f"--weights {shown(which)} is unknown; choose one of {', '.join(WHICH_WEIGHTS)}")
    entries = iter(range(MOST_ENTRIES))
    found = list(_tensors(data, "", 0, entries))
    if next(entries, None) is None:
        raise ModelFileError(f"{path} holds more than {MOST_ENTRIES} values; save only the weights of one model")
    if not found:
        raise ModelFileError(f"{path} holds no weights: {_inventory(data)}; give the file that holds the model itself")
    candidates, rest = _group(found, path)
    whole = [candidate for candidate in candidates if candidate.whole]
    homes = {home for candidate in whole for home in candidate.homes}
    names = [named.full_name for named in found if named.home in homes or not whole]
    other = name_other_model(names)
    if other:
        raise ModelFileError(f"{path} looks like {other}; {EXPORTED}")
    if not whole:
        raise ModelFileError(f"{path} {_no_network(candidates, names)}; {EXPORTED}")
    chosen, remarks = _choose(whole, path, which)
    rest = _take_beside(chosen, rest)
    remarks += _company(chosen, rest, path) + _not_read(data)
    others = tuple(candidate.label for candidate in whole if candidate is not chosen)
    return StateDict(chosen.label, chosen.average, chosen.rules, _read(chosen.tensors, path), others, tuple(remarks))


def _read(tensors: Mapping[str, Tensor | StoredTensor], path: Path) -> dict[str, Tensor]:
    """Return the tensors of a file, which only now have to be plain ones."""
    return {name: _read_one(name, tensor, path) for name, tensor in tensors.items()}


def _read_one(name: str, tensor: Tensor | StoredTensor, path: Path) -> Tensor:
    try:
        return tensor.read() if isinstance(tensor, StoredTensor) else tensor.detach()
    except ModelFileError as error:
        raise ModelFileError(f"{path}: {shown(name)} {error}") from error


def _tensors(data: object, home: str, depth: int, entries: Iterator[int]) -> Iterator[_NamedTensor]:
    """Yield the tensors of mappings in mappings, until no more entries may be looked at."""
    if isinstance(data, StandIn):
        data = data.items
    if not isinstance(data, Mapping) or depth > NESTING_LIMIT:
        return
    for key, value in data.items():
        if next(entries, None) is None:
            return
        if not isinstance(key, str):
            continue
        if isinstance(value, Tensor | StoredTensor):
            yield _NamedTensor(home, f"{home}{key}", value)
        elif not _NOT_WEIGHTS.match(key):
            yield from _tensors(value, f"{home}{key}.", depth + 1, entries)


def _group(found: list[_NamedTensor], path: Path) -> tuple[list[_Candidate], list[_NamedTensor]]:
    """Group tensors by the prefix before their official or transformers name; also return those without such a name."""
    candidates: dict[str, _Candidate] = {}
    rest = []
    for named in found:
        plain = ".".join(part for part in named.full_name.split(".") if part not in _WRAPPERS)
        match = _ANCHOR.match(plain)
        if match is None:
            rest.append(named)
            continue
        candidate = candidates.setdefault(match["prefix"], _Candidate("", set(), {}))
        candidate.label = max(candidate.label, _label(named.full_name, match["name"]), key=len)
        candidate.homes.add(named.home)
        if match["name"] in candidate.tensors:
            raise ModelFileError(
                f"{path} holds {shown(match['name'])} twice under {shown(candidate.label or 'no prefix')}; "
                "save the state_dict of one model"
            )
        candidate.tensors[match["name"]] = named.tensor
    return list(candidates.values()), rest


def _label(full_name: str, name: str) -> str:
    """Return the prefix before the first part of a name, wrappers included."""
    first = name.split(".", 1)[0]
    parts = full_name.split(".")
    return "".join(f"{part}." for part in parts[: parts.index(first)])


def _choose(whole: list[_Candidate], path: Path, which: WhichWeights) -> tuple[_Candidate, list[str]]:
    raw = [candidate for candidate in whole if not candidate.average]
    averages = [candidate for candidate in whole if candidate.average]
    if (which == "raw" and not raw) or (which == "ema" and not averages):
        labels = ", ".join(shown(candidate.label or "(no prefix)") for candidate in whole)
        raise InputError(f"--weights {which}: {path} holds no such weights, only {labels}; leave the option out")
    pool = averages if which == "ema" or not raw else raw
    pool = sorted(pool, key=_rank)
    if len(pool) > 1 and _rank(pool[0]) == _rank(pool[1]):
        labels = " and ".join(shown(candidate.label) for candidate in pool[:2])
        raise ModelFileError(f"{path} holds several networks, {labels}; save the network you mean with torch.save")
    remarks = []
    chosen = pool[0]
    if chosen.label:
        remarks.append(f"The weights stand under {shown(chosen.label)} in the file.")
    left = [shown(candidate.label or "(no prefix)") for candidate in whole if candidate is not chosen]
    if left:
        remarks.append(f"The file also holds {', '.join(left)}, which was not used.")
    if averages and not chosen.average:
        remarks.append("The file also holds averaged (EMA) weights; --weights ema takes them.")
    if chosen.average and which == "auto":
        remarks.append("They are averaged (EMA) weights, the only ones in the file.")
    return chosen, remarks


def _rank(candidate: _Candidate) -> int:
    """Return how unlikely it is that a label means the model itself; equal ranks cannot be told apart."""
    parts = [part for part in candidate.label.split(".") if part and part not in _WRAPPERS]
    first = next((part for part in parts if not _AVERAGE.search(part)), "")
    teacher = 2 * len(_PREFERRED) if any("teacher" in part for part in parts) else 0
    return teacher + (_PREFERRED.index(first) if first in _PREFERRED else len(_PREFERRED))


def _take_beside(chosen: _Candidate, rest: list[_NamedTensor]) -> list[_NamedTensor]:
    """Add to a network its tensors whose names other networks have, too; return the others."""
    pattern = chosen.rules.beside
    if pattern is None:
        return rest
    left = []
    for named in rest:
        plain = named.full_name.removeprefix(chosen.label)
        taken = named.full_name.startswith(chosen.label) and pattern.match(plain) and plain not in chosen.tensors
        if taken:
            chosen.tensors[plain] = named.tensor
        else:
            left.append(named)
    return left


def _company(chosen: _Candidate, rest: list[_NamedTensor], path: Path) -> list[str]:
    """Refuse tensors beside the network that could change its output; return a remark about the others."""
    beside = [named.full_name for named in rest if named.home in chosen.homes]
    unknown = [name for name in beside if not _TRAINING_ONLY.search(name)]
    if unknown:
        raise ModelFileError(
            f"{path} holds tensors beside the network that this version does not know ({len(unknown)}): "
            f"{_some(unknown)}; a model with further parts cannot be exported"
        )
    return [f"Left out, since only training uses it: {_some(beside)}."] if beside else []


def _not_read(data: object) -> list[str]:
    """Return a remark about objects of a class whose name in the file says that they are a model."""
    objects = data.items() if isinstance(data, Mapping) else ()
    return [
        f"{shown(key)} was not read: it is an object of class {shown(value.name)}, which was not run."
        for key, value in objects
        if key in _PREFERRED and isinstance(value, StandIn) and not value.items
    ]


def _no_network(candidates: list[_Candidate], names: list[str]) -> str:
    for candidate in candidates:
        encoder, head = ({pair[number] for pair in candidate.rules.parts} & candidate.parts for number in (0, 1))
        if encoder:
            return f"holds only the encoder, without {candidate.rules.parts[0][1]}"
        if head:
            return "holds only the head, without the encoder"
    return f"is no model that this version knows: none of its tensors ({len(names)}) is known: {_some(names)}"


def _inventory(data: object) -> str:
    if not isinstance(data, Mapping):
        return f"it is a {type(data).__name__}"
    held = [
        f"{key} (of class {type_name(value)}, which was not run)" if isinstance(value, StandIn) else str(key)
        for key, value in itertools.islice(data.items(), 4)
    ]
    more = f" and {len(data) - 3} more" if len(data) > 3 else ""
    return f"only {', '.join(shown(text) for text in held[:3])}{more}" if data else "it is an empty dict"


def _some(names: list[str]) -> str:
    """Return the first three names, for a message."""
    listed = ", ".join(shown(name, 80) for name in names[:3])
    return f"{listed} and {len(names) - 3} more" if len(names) > 3 else listed
