"""Which outputs of earlier runs are still those of this model and these options.

The cache remembers, for each output folder, what its last run was made with and since when; older outputs are stale.
"""

from __future__ import annotations

import hashlib
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ..errors import InputError
from ..model.focal_length import ANY_LENS, Lens
from ..modelfile.contract import Contract
from ..system.cache.store import REMEDY, Store
from ..system.field_types import Name, NotNegative, Sha256
from ..system.records import read_record, to_json_object
from .jobs import Style

STORE = Store("runs", content="made", most=1024)  # a few hundred bytes each; 4 MiB in disk blocks


@dataclass(frozen=True, slots=True)
class With:
    """What outputs are made with.

    Args:
        contract_sha256: Of the model's contract, and of the lens if anything is known of it.
        colormap, value_range: As in Style.
    """

    contract_sha256: Sha256
    colormap: Name | None
    value_range: tuple[float, float] | None


@dataclass(frozen=True, slots=True)
class Made:
    """What the outputs of a folder are made with, and from when on, in seconds since 1970."""

    made_with: With
    since_s: NotNegative


def made_since(
    output: Path, contract: Contract, style: Style, *, lens: Lens = ANY_LENS, start_s: float, resume: bool
) -> float:
    """Return the time from which on outputs are of this model and these options, and remember it for the next run.

    Outputs that nothing is remembered of count as such if the run is resumed.

    Args:
        output: Folder or file of the run.
        contract, style, lens: What it is made with.
        start_s: When the run began, in seconds since 1970.
    """
    key = {"output": str(output.resolve())}
    made_by = contract.to_json() + (repr(lens) if lens.known else "")
    now = With(hashlib.sha256(made_by.encode()).hexdigest(), style.colormap, style.value_range)
    found = STORE.recall(key, _read, remedy="outputs that exist count as done")
    if found is not None and found.made_with == now:
        return found.since_s
    made = Made(now, 0.0 if found is None and resume else start_s)
    with suppress(InputError):  # a full disk of the cache must not stop a run
        STORE.remember(key, to_json_object(made))
    return made.since_s


def _read(found: object) -> Made:
    return read_record(Made, found, name="run", remedy=REMEDY)
