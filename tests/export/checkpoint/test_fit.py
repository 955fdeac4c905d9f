"""Tensors are held to the sizes of their network: every name, shape and value."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch
from checkpoint_cases import FAILS_TO_FIT, assert_holds, assert_refused, read_tiny
from checkpoint_files import Write, plain, saved, without
from official_state import REAL, TINY, State, hollow, official_shapes, state_of

from depthrt.engine.errors import ModelFileError
from depthrt.export.checkpoint.checkpoint import describe_checkpoint
from depthrt.export.checkpoint.fit import fit
from depthrt.export.families.table import rules_of

FILE = Path("wild.pth")
RULES = rules_of("depth-anything-v2")


@pytest.fixture(scope="module")
def state() -> State:
    return state_of(TINY)


@pytest.mark.parametrize(("write", "fragment"), FAILS_TO_FIT.values(), ids=FAILS_TO_FIT)
def test_tensors_of_no_whole_network_are_refused_in_one_line(
    write: Write, fragment: str, state: State, tmp_path: Path
) -> None:
    assert_refused(write, fragment, state, tmp_path)


@pytest.mark.parametrize("encoder", REAL)
def test_the_published_sizes_are_told_apart(encoder: str, tmp_path: Path) -> None:
    path = tmp_path / "unnamed.pth"
    torch.save(hollow(REAL[encoder]), path)
    facts = describe_checkpoint(path)
    assert (facts.architecture, facts.architecture.encoder) == (REAL[encoder], encoder)
    assert (facts.family, facts.kind, facts.source, facts.official_name) == (None, None, "", None)


@pytest.mark.parametrize("encoder", REAL)
def test_a_published_network_has_the_published_tensors(encoder: str) -> None:
    assert RULES.expected_shapes(REAL[encoder]) == official_shapes(REAL[encoder])


def test_bfloat16_is_read_as_float32_with_a_remark(state: State, tmp_path: Path) -> None:
    narrow = {name: tensor.bfloat16() for name, tensor in state.items()}
    found = read_tiny(saved(lambda s: narrow)(tmp_path, state))
    assert_holds(found, narrow)
    assert "Weights in bfloat16 were converted to float32." in found.remarks


def test_tensors_that_no_network_uses_may_be_missing(state: State, tmp_path: Path) -> None:
    unused = r"mask_token|refinenet4\.resConfUnit1"
    found = read_tiny(saved(without(unused))(tmp_path, state))
    assert_holds(found, {n: torch.zeros_like(t) if re.search(unused, n) else t for n, t in state.items()})
    assert found.remarks == ("Tensors that the network never uses (5) are not in the file; zeros replace them.",)


def test_float32_tensors_are_not_copied(state: State) -> None:
    fitted, remarks = fit(state, RULES, TINY, FILE)
    assert all(fitted[name].data_ptr() == tensor.data_ptr() for name, tensor in state.items())
    assert remarks == []


def test_finite_values_whose_sum_overflows_are_taken(state: State) -> None:
    name = "pretrained.norm.bias"
    large = state | {name: torch.full_like(state[name], 3e38)}
    assert torch.equal(fit(large, RULES, TINY, FILE)[0][name], large[name])
    with pytest.raises(ModelFileError, match=r"wild.pth: pretrained.norm.bias holds NaN or infinite values"):
        fit(large | {name: large[name] * 10}, RULES, TINY, FILE)


def test_an_architecture_read_from_a_file_is_that_of_its_tensors(state: State, tmp_path: Path) -> None:
    assert read_tiny(saved(plain)(tmp_path, state)).architecture == TINY
