"""Attention inside windows; the numbers of whole networks are compared in test_midas_swin."""

from __future__ import annotations

import pytest
import torch
from made_midas_swin import TINY_SWIN, TINY_SWIN2, random_swin

from depthrt.export.network.midas.swin.architecture import SwinArchitecture
from depthrt.export.network.midas.swin.attention import MOST_BIAS, Attention2, WindowAttention
from depthrt.export.network.midas.swin.windows import relative_index, shift_mask
from depthrt.export.precision import set_precision

CPU = torch.device("cpu")
BOTH = pytest.mark.parametrize("architecture", [TINY_SWIN, TINY_SWIN2], ids=["1", "2"])


def attention_of(architecture: SwinArchitecture) -> WindowAttention:
    (first, *_) = (module for module in random_swin(architecture).modules() if isinstance(module, WindowAttention))
    return first


@BOTH
def test_windows_do_not_meet(architecture: SwinArchitecture) -> None:
    attention, window = attention_of(architecture), architecture.window
    tokens = torch.randn(4, window * window, architecture.width)
    index, mask = relative_index(window, CPU), shift_mask(2 * window, window, window // 2, CPU)
    with torch.inference_mode():
        together = attention(tokens, index, mask)
        for number in range(4):
            alone = attention(tokens[number : number + 1], index, mask[number : number + 1])
            assert torch.allclose(together[number : number + 1], alone, atol=1e-6)


def test_no_length_of_a_query_or_key_matters_to_version_2_and_no_half_overflows() -> None:
    attention = attention_of(TINY_SWIN2)
    assert isinstance(attention, Attention2)
    attention.q_bias.data.zero_()
    tokens = torch.randn(1, 64, 8)
    with torch.inference_mode():
        query, key, _ = attention.project(tokens)
        longer = attention.project(tokens * 3000)
        assert torch.allclose(longer[0], query, atol=1e-5) and torch.allclose(longer[1], key, atol=1e-5)
        set_precision(attention, "fp16")
        half = attention.project((tokens * 3000).half())
        assert torch.allclose(half[1].float(), key, atol=1e-2) and half[1].dtype == torch.float16
        assert torch.isfinite(attention.project(torch.zeros(1, 64, 8).half())[1]).all()


def test_the_scale_of_version_2_ends_at_a_hundred_and_its_biases_at_sixteen() -> None:
    attention = attention_of(TINY_SWIN2)
    assert isinstance(attention, Attention2)
    attention.logit_scale.data.fill_(9.0)
    attention.cpb_mlp.get_parameter("2.weight").data.fill_(9.0)
    assert torch.allclose(attention.factor(), torch.tensor(100.0))
    assert attention.table().max() <= MOST_BIAS


@BOTH
def test_baked_biases_stay_float32_in_a_network_in_half_precision(architecture: SwinArchitecture) -> None:
    attention = attention_of(architecture)
    before = attention.table()
    attention.bake()
    attention.half()
    assert attention.baked_table is not None and torch.equal(attention.baked_table, before)
