"""A model file: its path, contract and identity, read once for each load."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from os import stat_result
from os.path import realpath
from pathlib import Path

from ..errors import ModelFileError
from ..system.machine import Machine, read_machine
from .contract import Contract, read_contract_of, stat_model

Identity = dict[str, object]


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A model file on this machine.

    Args:
        path: The file.
        contract: As it stands in the file.
        identity: Hash of its contract, its digest, and size and time of change of the file and of the weights beside
            it: they change with the file and not with its place, and take no reading of the weights. A part of cache
            keys.
        machine: The CPU and the versions here; another part of cache keys.
    """

    path: Path
    contract: Contract
    identity: Identity
    machine: Machine = field(default_factory=read_machine)

    def with_contract(self, contract: Contract) -> ModelFile:
        """Return the same file under another contract, such as that of an engine built of it."""
        stamps = self.identity["size_bytes_mtime_ns"]
        return replace(self, contract=contract, identity=_sums(contract) | {"size_bytes_mtime_ns": stamps})


def open_model_file(path: str | Path) -> ModelFile:
    """Read an .onnx file's contract and identity; takes the same time for any size of file.

    Raises:
        ModelFileError, ContractError: As read_contract.
    """
    path = Path(path)
    facts = stat_model(path)
    return with_identity(path, read_contract_of(path), facts)


def as_model_file(path: str | Path, contract: Contract) -> ModelFile:
    """Return a file as a model file with a contract that was read or made elsewhere.

    Raises:
        ModelFileError: The file cannot be read, or was removed.
    """
    path = Path(path)
    return with_identity(path, contract, _stat(path))


def with_identity(path: Path, contract: Contract, facts: stat_result) -> ModelFile:
    """Return a model file of its contract and of what stat_model returned before the contract was read."""
    stamps = _stamps([facts, *map(_stat, weights_beside(path, contract))])
    return ModelFile(path, contract, _sums(contract) | {"size_bytes_mtime_ns": stamps})


def weights_beside(path: Path, contract: Contract) -> list[Path]:
    """Return the files beside a model file that hold the weights of files with this contract."""
    # The name of such a file ends in the contract's hash; see export/onnx_file/weights_beside.py.
    return sorted(Path(realpath(path)).parent.glob(f"*-{_sha256(contract)[:12]}.data"))


def _sums(contract: Contract) -> Identity:
    """Return the part of an identity that stands in the contract."""
    sums: Identity = {"contract_sha256": _sha256(contract)}
    return sums if contract.digest is None else sums | {"sha256": contract.digest.sha256}


def _stamps(found: Iterable[stat_result]) -> list[list[int]]:
    return [[facts.st_size, facts.st_mtime_ns] for facts in found]


def _stat(path: Path) -> stat_result:
    try:
        return path.stat()
    except OSError as error:
        raise ModelFileError(f"{path} cannot be read: {error.strerror}; give the file that was loaded") from error


def _sha256(contract: Contract) -> str:
    return hashlib.sha256(contract.without_digest().to_json().encode()).hexdigest()
