from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from made import CONTRACT
from made_engine import make_header
from made_onnx import onnx_file

from depthrt import ContractError
from depthrt.engine.modelfile.contract import Contract, read_contract
from depthrt.engine.modelfile.model_file import open_model_file
from depthrt.engine.modelfile.seal import check_whole, seal_file
from depthrt.engine.system.records import check_record
from depthrt.engine.trt.plan_file import read_plan_header, write_plan_file

OLD = replace(CONTRACT, format=1)


def test_the_digest_of_a_file_of_format_1_still_verifies(tmp_path: Path) -> None:
    path = onnx_file(tmp_path / "old.onnx", {})
    sealed = seal_file(path, OLD)
    assert json.loads(sealed.to_json())["format"] == 1
    assert read_contract(path) == sealed
    for thorough in (False, True):
        check_whole(path, read_contract(path), thorough=thorough)


def test_files_of_the_two_formats_have_keys_of_their_own(tmp_path: Path) -> None:
    """An export again is another file, whose tunings are its own."""
    path = onnx_file(tmp_path / "model.onnx", {})
    whole, sums = path.read_bytes(), []
    for contract in (OLD, CONTRACT):
        path.write_bytes(whole)
        seal_file(path, contract)
        sums.append(open_model_file(path).identity["contract_sha256"])
    assert sums[0] != sums[1]


def test_the_header_of_an_engine_of_format_1_comes_back_as_it_stands(tmp_path: Path) -> None:
    header = make_header()
    header = replace(header, contract=replace(header.contract, format=1), plan_bytes=4)
    write_plan_file(tmp_path / "old.engine", header, b"plan")
    found = read_plan_header(tmp_path / "old.engine")
    assert found == header and "mirrored" not in found.to_dict()["contract"]


def test_a_contract_of_format_1_has_no_value_that_came_later() -> None:
    with pytest.raises(AssertionError, match="format 1"):
        replace(OLD, mirrored=True).to_json()
    with pytest.raises(ContractError, match=r"contract\.format is 3, this depthrt reads 1 and 2"):
        check_record(replace(CONTRACT, format=3), name="contract", remedy="mend it")
    assert Contract.from_json(OLD.to_json()) == OLD
