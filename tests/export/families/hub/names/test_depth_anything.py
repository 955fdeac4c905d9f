"""Tensors of transformers get their official names, whichever release named them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from checkpoint_cases import assert_holds, read_tiny
from checkpoint_files import hugging_face, plain, saved
from official_state import TINY, State, state_of, to_transformers

from depthrt.engine.errors import ModelFileError
from depthrt.export.families.hub.names.depth_anything import DEPTH_ANYTHING_NAMES
from depthrt.export.families.hub.names.renaming import rename_tensors
from depthrt.export.network.architecture import Architecture

GATED = replace(TINY, feed_forward="swiglu", hidden=96)


def to_official_names(state: State) -> State:
    return rename_tensors(state, DEPTH_ANYTHING_NAMES)


def assert_equal(found: State, expected: State) -> None:
    assert found.keys() == expected.keys()
    assert all(torch.equal(found[name], tensor) for name, tensor in expected.items())


@pytest.mark.parametrize("architecture", [TINY, GATED], ids=["mlp", "swiglu"])
@pytest.mark.parametrize("newer", [False, True], ids=["older", "newer"])
def test_names_of_both_releases_become_the_official_ones(architecture: Architecture, newer: bool) -> None:
    state = state_of(architecture)
    assert_equal(to_official_names(to_transformers(state, newer=newer)), state)


def test_official_and_unknown_names_stay_as_they_are() -> None:
    state = state_of(TINY) | {"refiner.weight": torch.ones(2)}
    assert_equal(to_official_names(state), state)


def test_query_key_and_value_are_joined_in_the_official_order_whatever_theirs() -> None:
    parts = {part: torch.full((2, 2), float(number)) for number, part in enumerate(("query", "key", "value"))}
    names = {part: f"backbone.encoder.layer.7.attention.attention.{part}.weight" for part in parts}
    found = to_official_names({names[part]: parts[part] for part in ("value", "query", "key")})
    assert_equal(found, {"pretrained.blocks.7.attn.qkv.weight": torch.cat(list(parts.values()))})


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (
            ["backbone.encoder.layer.2.attention.attention.query.bias"],
            r"pretrained\.blocks\.2\.attn\.qkv\.bias needs the parts q, k, v, k, v is missing",
        ),
        (
            ["backbone.encoder.layer.0.mlp.gate_proj.weight"],
            r"pretrained\.blocks\.0\.mlp\.w12\.weight needs the parts g, u, u is missing",
        ),
        (
            ["backbone.encoder.layer.0.attention.o_proj.bias", "backbone.encoder.layer.0.attention.output.dense.bias"],
            r"pretrained\.blocks\.0\.attn\.proj\.bias is there twice, under names of two releases",
        ),
    ],
)
def test_a_missing_part_and_a_name_of_two_releases_are_refused(names: list[str], message: str) -> None:
    with pytest.raises(ModelFileError, match=message):
        to_official_names({name: torch.ones(2) for name in names})


def test_a_gated_encoder_is_read_under_names_of_both_releases(tmp_path: Path) -> None:
    state = state_of(GATED)
    for number, write in enumerate((saved(plain), hugging_face(), hugging_face(newer=True))):
        (folder := tmp_path / str(number)).mkdir()
        found = read_tiny(write(folder, state))
        assert_holds(found, state)
        assert found.architecture == GATED
