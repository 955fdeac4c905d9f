"""A weights file is read as plain data or refused in one line; no code in it ever runs."""

from __future__ import annotations

import hashlib
import os
import random
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch
from checkpoint_cases import COMPANY, FAILS_TO_LOAD, assert_holds, assert_refused, read_tiny
from checkpoint_files import Write, plain, safetensors, saved, upstream_training_file
from official_state import TINY, State, state_of

from depthrt.engine.errors import ModelFileError
from depthrt.export.checkpoint.checkpoint import load_network
from depthrt.export.checkpoint.safe_load import load_file, shown


@pytest.fixture(scope="module")
def state() -> State:
    return state_of(TINY)


@pytest.mark.parametrize(("write", "fragment"), FAILS_TO_LOAD.values(), ids=FAILS_TO_LOAD)
def test_a_file_that_cannot_be_read_safely_is_refused_in_one_line(
    write: Write, fragment: str, state: State, tmp_path: Path
) -> None:
    assert_refused(write, fragment, state, tmp_path)


@pytest.mark.parametrize(("old", "protocol"), [(False, 2), (True, 4)], ids=["zip", "old"])
@pytest.mark.parametrize("company", COMPANY.values(), ids=COMPANY)
def test_harmless_company_of_weights_is_left_aside(
    company: Callable[[], object], old: bool, protocol: int, state: State, tmp_path: Path
) -> None:
    data = {"model": state, "company": company(), "epoch": 3}
    try:
        path = saved(lambda s: data, old=old, protocol=protocol)(tmp_path, state)
    except RuntimeError as error:
        pytest.skip(f"torch cannot save it so: {error}")
    before = set(sys.modules)
    assert_holds(read_tiny(path), state)
    imported = {name for name in set(sys.modules) - before if not name.startswith("torch.")}
    assert imported == set(), "nothing that the file names is imported"


@pytest.mark.parametrize("seed", range(40))
def test_any_damage_to_a_pth_is_found_or_harmless(seed: int, state: State, tmp_path: Path) -> None:
    chance = random.Random(seed)
    path = saved(upstream_training_file)(tmp_path, state)
    content = bytearray(path.read_bytes())
    # The ends hold the pickle and the zip's tables, where damage does most.
    near = [chance.randrange(len(content)), chance.randrange(9_000), len(content) - 1 - chance.randrange(9_000)]
    place = near[seed % 3]
    if seed % 5 == 0:
        del content[place : place + chance.randrange(1, 3_000)]
    else:
        content[place] ^= 1 << chance.randrange(8)
    path.write_bytes(content)
    try:
        found = read_tiny(path)
    except ModelFileError as error:
        assert "\n" not in str(error)
    else:
        assert_holds(found, state)


@pytest.mark.parametrize(
    ("write", "file_format"),
    [
        (saved(plain), "PyTorch"),
        (saved(plain, old=True), "PyTorch before 1.6"),
        (safetensors(), "safetensors"),
        (safetensors(name="wild.pth"), "safetensors"),
    ],
    ids=["new", "old", "safetensors", "misnamed"],
)
def test_the_bytes_of_a_file_decide_its_format(write: Write, file_format: str, state: State, tmp_path: Path) -> None:
    path = write(tmp_path, state)
    found = load_file(path)
    assert found.file_format == file_format
    assert found.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert isinstance(found.data, dict) and found.data.keys() == state.keys()


def test_the_texts_of_a_safetensors_header_are_kept(tmp_path: Path) -> None:
    from safetensors.torch import save_file

    save_file({"x": torch.ones(2)}, tmp_path / "x.safetensors", metadata={"format": "pt", "by": "us"})
    assert load_file(tmp_path / "x.safetensors").metadata == {"format": "pt", "by": "us"}


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="reads Linux's list of mapped files")
@pytest.mark.parametrize("write", [saved(plain), safetensors()], ids=["pth", "safetensors"])
def test_weights_stay_in_the_file_until_they_are_used(write: Write, state: State, tmp_path: Path) -> None:
    path = write(tmp_path, state)
    found = read_tiny(path)
    network = load_network(found)
    assert str(path) in Path("/proc/self/maps").read_text()
    name = "pretrained.norm.weight"
    assert network.get_parameter(name).data_ptr() == found.tensors[name].data_ptr(), "the network shares memory"


@pytest.mark.parametrize("write", [saved(plain), safetensors()], ids=["pth", "safetensors"])
def test_training_a_loaded_network_leaves_its_file_as_it_was(write: Write, state: State, tmp_path: Path) -> None:
    path = write(tmp_path, state)
    before = path.read_bytes()
    network = load_network(read_tiny(path))
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(1)
    assert path.read_bytes() == before
    assert_holds(read_tiny(path), state)


@contextmanager
def unprivileged() -> Iterator[None]:
    """Drop root's right to read everything for a moment."""
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)  # nobody
    try:
        yield
    finally:
        os.seteuid(user)


def test_a_file_without_permission_is_refused_in_one_line(state: State, tmp_path: Path) -> None:
    path = saved(plain)(tmp_path, state)
    path.chmod(0)
    with unprivileged(), pytest.raises(ModelFileError, match=r"cannot be read: Permission denied$"):
        read_tiny(path)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a\nb\x1b[31m", "a?b?[31m"),
        ("  padded ", "padded"),
        ("x" * 121, "x" * 117 + "..."),
        ("x" * 120, "x" * 120),
        ("Tiefe: größer", "Tiefe: größer"),
    ],
)
def test_a_text_of_a_file_is_shown_in_one_printable_line(text: str, line: str) -> None:
    assert shown(text) == line
