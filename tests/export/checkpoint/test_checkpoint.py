"""Any checkpoint loads to the weights that went into it; what is saved reads back without options."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest
import torch
from checkpoint_cases import LOADS, assert_holds, read_tiny
from checkpoint_files import Write, other, plain, prefixed, saved, sharded
from official_state import TINY, State, state_of

from depthrt.engine.errors import InputError
from depthrt.engine.terms import Family
from depthrt.export.checkpoint.checkpoint import describe_checkpoint, load_network, read_checkpoint, save_checkpoint

V1: Family = "depth-anything-v1"
V2: Family = "depth-anything-v2"


@pytest.fixture(scope="module")
def state() -> State:
    return state_of(TINY)


@pytest.mark.parametrize("write", LOADS.values(), ids=LOADS)
def test_a_checkpoint_loads_to_the_weights_that_went_in(write: Write, state: State, tmp_path: Path) -> None:
    assert_holds(read_tiny(write(tmp_path, state)), state)


def test_a_saved_checkpoint_needs_no_options(state: State, tmp_path: Path) -> None:
    network = load_network(read_tiny(saved(plain)(tmp_path, state), max_depth_m=12.5))
    path = tmp_path / "tuned.safetensors"
    save_checkpoint(path, network, family=V2, kind="metric", max_depth_m=12.5, licence="MIT", notes={"data": "rooms"})
    found = read_checkpoint(path)
    assert_holds(found, state)
    assert (found.family, found.kind, found.max_depth_m, found.licence) == (V2, "metric", 12.5, "MIT")
    assert found.remarks[0] == "The family is depth-anything-v2, after its own record."
    facts = describe_checkpoint(path)
    assert (facts.kind, facts.max_depth_m, facts.source, dict(facts.notes)) == (
        "metric",
        12.5,
        "its own record",
        {"data": "rooms"},
    )
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["tuned.safetensors", "wild.pth"]


def test_a_record_outranks_a_name_and_is_not_overruled(state: State, tmp_path: Path) -> None:
    network = load_network(read_tiny(saved(plain)(tmp_path, state)))
    path = tmp_path / "depth_anything_v2_metric_hypersim_vits.safetensors"
    save_checkpoint(path, network, family=V1, kind="inverse", max_depth_m=None)
    found = read_checkpoint(path)
    assert (found.family, found.kind, found.max_depth_m) == (V1, "inverse", None)
    assert describe_checkpoint(path).max_depth_m is None
    with pytest.raises(
        InputError, match="--family depth-anything-v2 contradicts its own record, which says depth-anything-v1"
    ):
        read_checkpoint(path, family=V2)


@pytest.mark.parametrize(
    ("name", "options", "fragment"),
    [
        ("x.pth", {"kind": "inverse", "max_depth_m": None}, "does not end with .safetensors"),
        ("x.safetensors", {"kind": "metric", "max_depth_m": None}, "a metric checkpoint needs max_depth_m"),
        ("x.safetensors", {"kind": "inverse", "max_depth_m": 3.0}, "only metric models have one"),
        ("none/x.safetensors", {"kind": "inverse", "max_depth_m": None}, "does not exist"),
    ],
)
def test_a_checkpoint_that_could_not_be_read_back_is_not_written(
    name: str, options: dict[str, Any], fragment: str, state: State, tmp_path: Path
) -> None:
    network = load_network(read_tiny(saved(plain)(tmp_path, state)))
    with pytest.raises(InputError) as caught:
        save_checkpoint(tmp_path / name, network, family=V2, **options)
    assert fragment in str(caught.value)
    assert not (tmp_path / name).exists()


def test_the_hash_is_the_files(state: State, tmp_path: Path) -> None:
    path = saved(plain)(tmp_path, state)
    expected = hashlib.sha256(path.read_bytes()).hexdigest()
    assert read_tiny(path).sha256 == describe_checkpoint(path).sha256 == expected


def test_the_hash_of_shards_is_over_their_hashes(state: State, tmp_path: Path) -> None:
    folder = sharded()(tmp_path, state)
    hashes = [hashlib.sha256(shard.read_bytes()).hexdigest() for shard in sorted(folder.glob("model-*"))]
    assert read_tiny(folder).sha256 == hashlib.sha256("".join(hashes).encode()).hexdigest()


def test_a_description_names_what_is_in_the_file(state: State, tmp_path: Path) -> None:
    half = {name: tensor.half() for name, tensor in state.items()}
    path = saved(lambda s: {"model": prefixed(half, "module."), "ema": other(half), "epoch": 1})(tmp_path, state)
    facts = describe_checkpoint(path)
    assert (facts.file_format, facts.wrapper, facts.others) == ("PyTorch", "model.module.", ("ema.",))
    assert (facts.dtypes, facts.architecture) == (("float16",), TINY)
    assert facts.parameters == sum(tensor.numel() for tensor in state.values())
    assert describe_checkpoint(path, weights="ema").wrapper == "ema."


def test_a_loaded_network_is_ready_to_answer_and_to_train(state: State, tmp_path: Path) -> None:
    network = load_network(read_tiny(saved(plain)(tmp_path, state), max_depth_m=20))
    assert not network.training
    assert all(parameter.requires_grad for parameter in network.parameters())
    depth = network(torch.zeros(1, 3, 28, 42)).detach()
    assert depth.shape == (1, 28, 42)
    assert 0 < float(depth.min()) <= float(depth.max()) < 20
