"""LoRA begins with the network's own answers, trains small updates, and ends as a plain network."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from random_checkpoint import TINY, random_network
from tiny_training import QUICK, Brightness, run, small_convolutions

from depthrt.engine.errors import BackendUnavailable, InputError
from depthrt.export.checkpoint.checkpoint import load_network, read_checkpoint
from depthrt.finetune.adapt.freeze import freeze
from depthrt.finetune.adapt.lora import add_updates, is_base, is_update, with_updates_added

SAME = 1e-5  # a matrix with its update against the two one after the other, in float32
RANK = 4


def answers(network: torch.nn.Module) -> torch.Tensor:
    with torch.inference_mode():
        answer: torch.Tensor = network(torch.rand((1, 3, 28, 28), generator=torch.Generator().manual_seed(0)))
    return answer


def test_updates_change_nothing_at_first_and_are_small() -> None:
    network = random_network(TINY)
    before, weights = answers(network), sum(parameter.numel() for parameter in network.parameters())
    add_updates(network, RANK, seed=0)
    assert torch.equal(answers(network), before)
    freeze(network, replace(QUICK, lora_rank=RANK, freeze_decoder=True))
    trained = {name: parameter.numel() for name, parameter in network.named_parameters() if parameter.requires_grad}
    assert trained and all(map(is_update, trained))
    assert sum(trained.values()) < 0.2 * weights
    assert {name for name in network.state_dict() if is_base(name)}


def test_a_training_by_lora_writes_a_plain_checkpoint_with_the_same_answers(tmp_path: Path) -> None:
    network = random_network(TINY)
    add_updates(network, RANK, seed=0)
    options = replace(QUICK, lora_rank=RANK, freeze_decoder=True, steps=4, validate_every=4, learning_rate=0.05)
    result = run(tmp_path, options, network=network, validation=Brightness())
    assert result.best is not None
    plain = load_network(read_checkpoint(result.best))
    assert list(plain.state_dict()) == list(random_network(TINY).state_dict())
    torch.testing.assert_close(answers(plain), answers(network), rtol=0, atol=SAME)
    first = answers(random_network(TINY))
    assert float((answers(plain) - first).abs().max()) > 100 * SAME, "the updates learnt"
    changed = {
        name.rsplit(".", 2)[1]
        for name, value in plain.state_dict().items()
        if not torch.equal(value, random_network(TINY).state_dict()[name])
    }
    assert changed == {"qkv", "proj", "fc1", "fc2"}, "only the matrices changed"


def test_a_network_without_updates_is_returned_as_it_is() -> None:
    network = random_network(TINY)
    assert with_updates_added(network) is network


def test_what_lora_cannot_update_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match="has no linear layers, which LoRA updates; train it in full"):
        add_updates(small_convolutions(), RANK, seed=0)
    monkeypatch.setitem(sys.modules, "peft", None)
    with pytest.raises(BackendUnavailable, match="peft is missing, which LoRA needs"):
        add_updates(random_network(TINY), RANK, seed=0)
