"""Describes a model file on this machine: its contract, and its tunings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ..modelfile.contract import Contract
from ..modelfile.model_file import open_model_file
from ..runners.tuning import Tuning, recall_tunings
from ..system.cores import usable_cores


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """Contract and tunings of an ONNX file of depthrt.

    Args:
        path: The file.
        contract: As it stands in the file.
        tunings: That `depthrt tune` made for it on this machine, by the threads that a load asks for.
        cores: Threads of a load that asks for no number.
    """

    path: Path
    contract: Contract
    tunings: Mapping[int, Tuning]
    cores: int


def describe_model(path: str | Path) -> ModelFacts:
    """Return contract and tunings of an ONNX file of depthrt; takes the same time for any size of file.

    Raises:
        ModelFileError, ContractError: As read_contract.
    """
    file, cores = open_model_file(path), usable_cores()
    return ModelFacts(file.path, file.contract, recall_tunings(file, cores), cores)
