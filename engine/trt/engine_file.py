"""An engine file as a model file: what loads it needs, read once."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from ..modelfile.contract import stat_model
from ..modelfile.model_file import ModelFile, with_identity
from .plan_file import PlanHeader, read_plan_header


@dataclass(frozen=True, slots=True)
class EngineFile(ModelFile):
    """An engine file on this machine.

    Args:
        header: As it stands in the file.
    """

    header: PlanHeader = field(kw_only=True)


def open_engine_file(path: Path) -> EngineFile:
    """Read an engine file's header and identity; takes the same time for any size of plan.

    Raises:
        ModelFileError, ContractError: As stat_model and read_plan_header.
    """
    facts = stat_model(path)
    header = read_plan_header(path)
    file = with_identity(path, header.contract, facts)
    return EngineFile(file.path, file.contract, file.identity, file.machine, header=header)
