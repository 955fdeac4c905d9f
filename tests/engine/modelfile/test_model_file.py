from __future__ import annotations

import hashlib
import os
from dataclasses import replace
from pathlib import Path

import pytest
from made import CONTRACT
from made_engine import write_mean

from depthrt import ContractError, ModelFileError
from depthrt.engine.modelfile.contract import read_contract
from depthrt.engine.modelfile.model_file import ModelFile, as_model_file, open_model_file
from depthrt.engine.system.machine import read_machine

CONTRACT_SHA256 = hashlib.sha256(CONTRACT.to_json().encode()).hexdigest()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return write_mean(tmp_path / "model.onnx", CONTRACT)


def test_a_file_is_opened_as_what_it_is(path: Path) -> None:
    file, facts = open_model_file(path), path.stat()
    sealed = read_contract(path)
    assert file == ModelFile(path, sealed, file.identity, read_machine()) == as_model_file(str(path), sealed)
    assert sealed.digest is not None and sealed.without_digest() == CONTRACT
    # Names of cache entries are hashes of these keys: other keys would lose every cache that is in use.
    assert file.identity == {
        "contract_sha256": CONTRACT_SHA256,
        "size_bytes_mtime_ns": [[facts.st_size, facts.st_mtime_ns]],
        "sha256": sealed.digest.sha256,
    }
    del file.identity["sha256"]  # of a file that an older depthrt wrote
    assert as_model_file(path, CONTRACT).identity == file.identity


def test_weights_beside_the_file_are_part_of_its_identity(path: Path) -> None:
    alone = open_model_file(path).identity
    weights = path.with_name(f"model-01234567-{CONTRACT_SHA256[:12]}.data")
    weights.write_bytes(b"weights")
    path.with_name("model-01234567-0123456789ab.data").write_bytes(b"of another file")
    together = open_model_file(path).identity
    assert together != alone
    os.utime(weights, ns=(1, 1))
    assert open_model_file(path).identity not in (alone, together)


def test_another_contract_makes_another_identity_of_the_same_bytes(path: Path) -> None:
    other = replace(CONTRACT, producer="depthrt other")
    file = open_model_file(path)
    assert file.with_contract(other).contract == other
    assert file.with_contract(other).identity == as_model_file(path, other).identity != file.identity
    assert file.with_contract(file.contract) == file


def test_a_file_that_cannot_be_read_is_an_error_in_one_line(tmp_path: Path, path: Path) -> None:
    with pytest.raises(ModelFileError, match=r"nothing\.onnx does not exist; give the \.onnx file"):
        open_model_file(tmp_path / "nothing.onnx")
    with pytest.raises(ModelFileError, match=r"nothing\.onnx cannot be read: No such file.*; give the file that was"):
        as_model_file(tmp_path / "nothing.onnx", CONTRACT)
    with pytest.raises(ModelFileError, match="cannot be reached: File name too long; check its name and rights"):
        open_model_file(tmp_path / ("x" * 300))
    path.write_bytes(path.read_bytes().replace(b"lower_bound", b"lower_round"))
    with pytest.raises(ContractError, match=r"contract\.size\.rule is 'lower_round', expected one of lower_bound"):
        open_model_file(path)
