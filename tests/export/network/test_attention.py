"""The forms of attention compute the same, with and without a bias."""

from __future__ import annotations

import pytest
import torch
from network_answers import GATED, SAME_FORMULA, answer, difference, photo_batch
from random_checkpoint import TINY, random_network

from depthrt.engine.errors import InputError
from depthrt.export.network.attention import Attention, SelfAttention, check_attention_form


def test_plain_attention_gives_the_same_answer_as_eager() -> None:
    network = random_network(GATED).double()
    batch = photo_batch(140, 182).double()
    eager = answer(network, batch)
    network.set_attention("plain")
    assert difference(answer(network, batch), eager) < SAME_FORMULA


@pytest.mark.parametrize("images", [1, 3])
def test_both_forms_add_a_bias_to_the_products(images: int) -> None:
    attention = Attention(2, scale=0.3)
    query, key, value = torch.randn(3, 3, 5, 8, dtype=torch.float64)
    bias = torch.randn(images, 2, 5, 5, dtype=torch.float64)
    eager, unbiased = attention.attend(query, key, value, bias), attention.attend(query, key, value)
    attention.form = "plain"
    assert difference(attention.attend(query, key, value, bias), eager) < SAME_FORMULA < difference(unbiased, eager)


def test_a_large_bias_picks_the_value_of_one_token() -> None:
    attention = Attention(2, scale=0.3)
    query, key, value = torch.randn(3, 1, 5, 8)
    bias = torch.full((1, 2, 5, 5), -1e9)
    bias[:, :, 1, 3] = 0  # of the second query and the fourth key
    assert torch.equal(attention.attend(query, key, value, bias)[0, 1], value[0, 3])


def test_a_softmax_in_another_type_leaves_the_type_of_the_answer() -> None:
    attention = SelfAttention(128).half()
    attention.form, attention.softmax_dtype = "plain", torch.float32
    with torch.inference_mode():
        assert attention(torch.randn(1, 5, 128).half()).dtype == torch.float16


def test_an_unknown_attention_form_is_refused_in_one_line() -> None:
    expected = r"^attention form 'flash' found, expected one of eager, fused, plain$"
    with pytest.raises(InputError, match=expected):
        check_attention_form("flash")
    with pytest.raises(InputError, match=expected):
        random_network(TINY).set_attention("flash")  # type: ignore[arg-type]
