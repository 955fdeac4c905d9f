"""The forms of attention compute the same, and baked positions hold for one grid."""

from __future__ import annotations

import pytest
import torch
from network_answers import GATED, SAME_FORMULA, answer, difference, photo_batch
from random_checkpoint import TINY, random_network

from depthrt.engine.errors import InputError
from depthrt.export.network.encoder import Attention, check_attention_form


def test_plain_attention_gives_the_same_answer_as_eager() -> None:
    network = random_network(GATED).double()
    batch = photo_batch(140, 182).double()
    eager = answer(network, batch)
    network.set_attention("plain")
    assert difference(answer(network, batch), eager) < SAME_FORMULA


def test_a_softmax_in_another_type_leaves_the_type_of_the_answer() -> None:
    attention = Attention(128).half()
    attention.form, attention.softmax_dtype = "plain", torch.float32
    with torch.inference_mode():
        assert attention(torch.randn(1, 5, 128).half()).dtype == torch.float16


def test_an_unknown_attention_form_is_refused_in_one_line() -> None:
    expected = r"^attention form 'flash' found, expected one of eager, fused, plain$"
    with pytest.raises(InputError, match=expected):
        check_attention_form("flash")
    with pytest.raises(InputError, match=expected):
        random_network(TINY).set_attention("flash")  # type: ignore[arg-type]


def test_set_attention_reaches_every_block() -> None:
    network = random_network(TINY)
    network.set_attention("plain")
    forms = [module.form for module in network.modules() if isinstance(module, Attention)]
    assert forms == ["plain"] * TINY.depth
