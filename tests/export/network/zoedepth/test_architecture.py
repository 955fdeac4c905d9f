"""The sizes of ZoeDepth networks: official names, and what their tensors show."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest
import torch
from random_zoedepth import tiny_zoe
from torch import Tensor

from depthrt.engine.errors import ModelFileError
from depthrt.export.network.zoedepth.architecture import UNUSED, Variant, ZoeArchitecture, infer, published
from depthrt.export.network.zoedepth.zoedepth import ZoeDepth

PATH = Path("model.pt")
VARIANTS: tuple[Variant, ...] = get_args(Variant)


def tensors_of(architecture: ZoeArchitecture) -> dict[str, Tensor]:
    with torch.device("meta"):
        return dict(ZoeDepth(architecture).state_dict())


@pytest.mark.parametrize("variant", VARIANTS)
def test_tensors_show_the_sizes_of_their_network(variant: Variant) -> None:
    for architecture, name in (
        (published(variant), f"ZoeD_M12_{variant}"),
        (tiny_zoe(variant), f"zoe-{variant.lower()}-beit64x4-64"),
        (replace(tiny_zoe(variant), attractors=(2, 2, 1, 1)), f"zoe-{variant.lower()}-beit64x4-64"),
    ):
        found = infer(tensors_of(architecture), PATH)
        assert found == architecture
        assert (found.encoder, found.patch_px) == (name, 32)


@pytest.mark.parametrize(
    "name",
    [
        "core.core.pretrained.model.fc_norm.weight",
        "core.core.pretrained.model.head.bias",
        "core.core.pretrained.model.blocks.0.attn.relative_position_index",
        "conditional_log_binomial.log_binomial_transform.k_idx",
        "conditional_log_binomial.nyu.log_binomial_transform.K_minus_1",
    ],
)
def test_tensors_that_no_output_depends_on_are_known(name: str) -> None:
    assert UNUSED.search(name)


def test_no_tensor_of_a_network_is_unused() -> None:
    assert not [name for variant in VARIANTS for name in tensors_of(tiny_zoe(variant)) if UNUSED.search(name)]


@pytest.mark.parametrize(
    ("lost", "message"),
    [
        ("seed_bin_regressor._net.2.weight", "lacks seed_bin_regressor._net.2.weight, so the size"),
        ("attractors.1._net.2.weight", "lacks attractors.1._net.2.weight, so the size"),
        ("core.core.pretrained.model.cls_token", "lacks pretrained.model.cls_token, so the size"),
        (
            "core.core.pretrained.model.blocks.0.attn.relative_position_bias_table",
            "lacks core.core.pretrained.model.blocks.0.attn.relative_position_bias_table: ZoeDepth is exported with "
            "BEiT or Depth Anything only; save the whole model",
        ),
    ],
)
def test_a_missing_tensor_that_shows_a_size_is_named(lost: str, message: str) -> None:
    tensors = tensors_of(tiny_zoe("N"))
    del tensors[lost]
    with pytest.raises(ModelFileError, match=f"^model.pt {message}"):
        infer(tensors, PATH)


def test_other_attractors_are_refused() -> None:
    tensors = tensors_of(tiny_zoe("N"))
    tensors["attractors.3._net.2.weight"] = torch.zeros(3, 16, 1, 1)
    expected = "^model.pt has 3 values for the attractors of its last map, expected 1 .N. or 2 .K.$"
    with pytest.raises(ModelFileError, match=expected):
        infer(tensors, PATH)
