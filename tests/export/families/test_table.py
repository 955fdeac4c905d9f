"""A name, a model_type and tensors lead to one row each, and each row makes the network that its tensors are of."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from made_families import official_midas
from made_marigold import tiny_marigold
from official_state import REAL, TINY, hollow, to_transformers
from random_depth_anything3 import TINY_ANY_VIEW, TINY_SKY, comfy_state, shared_da3
from random_zoedepth import shared_zoe

from depthrt.engine.terms import DEPTH_ANYTHING, Kind
from depthrt.export.families.rules import FamilyRules
from depthrt.export.families.table import TABLE, rules_of, rules_of_model_type, rules_of_tensors
from depthrt.export.network.architecture import ConvArchitecture
from depthrt.export.network.conv_depth import ConvDepth
from depthrt.export.network.depth_anything import DepthAnything

CONVOLUTIONS = ConvArchitecture(widths=(8, 16, 24, 32), depths=(1, 1, 2, 1), features=8)


@pytest.mark.parametrize("max_depth_m", [None, 20.0])
def test_a_transformer_reads_the_blocks_of_its_family(max_depth_m: float | None) -> None:
    for family in DEPTH_ANYTHING:
        kind: Kind = "inverse" if max_depth_m is None else "metric"
        with torch.device("meta"):
            network = rules_of(family).make(REAL["vits"], family=family, kind=kind, max_depth_m=max_depth_m)
        assert isinstance(network, DepthAnything)
        assert (network.family, network.max_depth_m) == (family, max_depth_m)
        assert network.pretrained.taps == REAL["vits"].taps(family)


def test_a_convolutional_architecture_makes_the_convolutional_network() -> None:
    network = rules_of("depthrt").make(CONVOLUTIONS, family="depthrt", kind="inverse", max_depth_m=None)
    assert isinstance(network, ConvDepth) and network.architecture == CONVOLUTIONS
    assert (network.family, network.max_depth_m) == ("depthrt", None)


def test_weights_are_those_of_torch_and_not_shared() -> None:
    rules = rules_of("depth-anything-v2")
    first, second = (rules.make(TINY, family="depth-anything-v2", kind="inverse", max_depth_m=None) for _ in range(2))
    name = "depth_head.projects.0.weight"
    assert not torch.equal(first.get_parameter(name), second.get_parameter(name))


OWN: dict[str, dict[str, torch.Tensor]] = {
    "Marigold": tiny_marigold("v1-1").state_dict(),
    "Depth Anything": hollow(TINY),
    "Depth Anything 3": shared_da3(TINY_SKY).state_dict(),
    "depthrt": ConvDepth(CONVOLUTIONS).state_dict(),
    "MiDaS": official_midas("vit"),
    "ZoeDepth": shared_zoe("N").state_dict(),
}


@pytest.mark.parametrize("rules", TABLE, ids=lambda rules: rules.name)
def test_a_row_owns_the_tensors_of_its_network_and_no_row_before_it_does(rules: FamilyRules[Any]) -> None:
    assert rules_of_tensors(OWN[rules.name]) is rules


def test_names_of_transformers_lead_to_the_same_row() -> None:
    assert rules_of_tensors(to_transformers(hollow(TINY))) is rules_of("depth-anything-v2")
    assert rules_of_tensors(["layer1.0.conv1.weight"]) is None
    repack = [name.removeprefix("model.") for name in comfy_state(shared_da3(TINY_ANY_VIEW))]
    assert rules_of_tensors(repack) is rules_of("depth-anything-3")


def test_a_model_type_leads_to_the_row_that_reads_it() -> None:
    assert rules_of_model_type("depth_anything") is rules_of("depth-anything-v1")
    assert rules_of_model_type("dpt") is rules_of("midas")
    assert rules_of_model_type("marigold") is rules_of("marigold")
    assert rules_of_model_type("zoedepth") is rules_of("zoedepth")
    assert rules_of_model_type("da3") is rules_of("depth-anything-3")
    assert rules_of_model_type("glpn") is None


def test_no_family_and_no_model_type_has_two_rows() -> None:
    families = [family for rules in TABLE for family in rules.families]
    model_types = [model_type for rules in TABLE for model_type in rules.model_types]
    assert len(set(families)) == len(families) and len(set(model_types)) == len(model_types)
