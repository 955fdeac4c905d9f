"""Every block of the encoder has an attention that can change its form."""

from __future__ import annotations

from random_checkpoint import TINY, random_network

from depthrt.export.network.attention import Attention


def test_set_attention_reaches_every_block() -> None:
    network = random_network(TINY)
    network.set_attention("plain")
    forms = [module.form for module in network.modules() if isinstance(module, Attention)]
    assert forms == ["plain"] * TINY.depth
