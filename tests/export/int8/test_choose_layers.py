"""As many layers as a budget allows are chosen, the cheapest first, and the drift of the choice is measured."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt

import pytest

from depthrt import BudgetError
from depthrt.export.int8 import choose_layers as module
from depthrt.export.int8.calibrate import Calibration
from depthrt.export.int8.choose_layers import USEFUL, Trials, choose_layers
from depthrt.export.int8.int8_graph import Layer


class MadeTrials(Trials):
    """Trials of made layers whose squared drifts add up; counts them."""

    def __init__(self, drifts: dict[str, float]) -> None:
        self._made = drifts
        self.tried: list[tuple[str, ...]] = []

    def drifts(self, layers: Sequence[Layer], calibration: Calibration, *, images: int | None = None) -> list[float]:
        self.tried.append(tuple(layer.node for layer in layers))
        drift = sqrt(sum(self._made[layer.node] ** 2 for layer in layers))
        return [0.9 * drift, 1.1 * drift][:images]


def made(drifts: dict[str, float], work: dict[str, float]) -> tuple[MadeTrials, list[Layer], Calibration]:
    layers = [Layer(node, f"block.{node}", "image", node, None, 1) for node in drifts]
    return MadeTrials(drifts), layers, Calibration(ranges={}, work=work)


def choose(trials: MadeTrials, layers: list[Layer], calibration: Calibration, budget: float) -> tuple[set[str], float]:
    """Return the names of the chosen layers and their mean drift."""
    chosen, found = choose_layers(trials, layers, calibration, budget, lambda title, done, wanted: None)
    return {layer.node for layer in chosen}, sum(found) / len(found)


EQUAL_WORK = dict.fromkeys("abcdefgh", 1.0)
DRIFTS = {node: 0.001 * 2**number for number, node in enumerate("abcdefgh")}  # a 0.1 %, h 12.8 %


def test_all_layers_are_taken_if_the_budget_allows_in_one_trial() -> None:
    trials, layers, calibration = made(DRIFTS, EQUAL_WORK)
    assert choose(trials, layers, calibration, 0.2)[0] == set("abcdefgh")
    assert trials.tried == [tuple("abcdefgh")]


@pytest.mark.parametrize(
    ("budget", "chosen"), [(0.08, "abcdefg"), (0.04, "abcdef"), (0.02, "abcde"), (0.01, "abcd"), (0.003, "ab")]
)
def test_the_most_layers_that_fit_are_taken_the_cheapest_first(budget: float, chosen: str) -> None:
    trials, layers, calibration = made(DRIFTS, EQUAL_WORK)
    found, drift = choose(trials, layers, calibration, budget)
    assert found == set(chosen) and drift <= budget
    assert drift == pytest.approx(sqrt(sum(DRIFTS[node] ** 2 for node in chosen)))


def test_a_layer_with_much_work_is_worth_more_drift() -> None:
    trials, layers, calibration = made({"a": 0.01, "b": 0.012, "c": 0.02}, {"a": 1.0, "b": 8.0, "c": 1.0})
    assert choose(trials, layers, calibration, 0.013)[0] == {"b"}


def test_no_budget_for_a_useful_share_is_an_error_with_the_numbers() -> None:
    trials, layers, calibration = made(DRIFTS, EQUAL_WORK)
    message = (
        r"^int8 drifts 14\.78% with all 8 layers and 0\.22% with the 2 that drift least, a budget of 0\.10% was given; "
        r"no file is written; give a larger --drift-budget, other --images or --precision fp32$"
    )
    with pytest.raises(BudgetError, match=message):
        choose(trials, layers, calibration, 0.001)
    assert calibration.share(layers[:2]) == USEFUL


def test_the_search_tries_few_sets() -> None:
    drifts = {f"n{number}": 0.01 for number in range(32)}
    trials, layers, calibration = made(drifts, dict.fromkeys(drifts, 1.0))
    assert len(choose(trials, layers, calibration, 0.045)[0]) == 20  # 0.01 * sqrt(20) is 0.0447
    assert len(trials.tried) <= 1 + 32 + 1 + 5  # all, each by itself, the fewest, a search among 24 sets


def test_steps_are_told_within_their_number() -> None:
    trials, layers, calibration = made(DRIFTS, EQUAL_WORK)
    steps: list[tuple[str, int, int]] = []
    choose_layers(trials, layers, calibration, 0.01, lambda *step: steps.append(step))
    assert [title for title, done, _ in steps if done == 0] == [
        "measure every layer in int8",
        "try layers one by one",
        "find how many layers fit",
    ]
    assert all(0 <= done < wanted for _, done, wanted in steps)


def test_many_layers_are_tried_in_groups_of_neighbours_of_one_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_GROUPS", 4)
    names = [f"blocks.{block}.{kind}" for block in range(3) for kind in ("attn.qkv", "attn.proj", "mlp.fc1", "mlp.fc2")]
    groups = module._groups([Layer(name, name, "", "", None, 1) for name in names])
    grouped = [[layer.node for layer in group] for group in groups]
    assert sorted(name for group in grouped for name in group) == sorted(names)
    assert grouped == [
        ["blocks.0.attn.proj", "blocks.1.attn.proj", "blocks.2.attn.proj"],
        ["blocks.0.attn.qkv", "blocks.1.attn.qkv", "blocks.2.attn.qkv"],
        ["blocks.0.mlp.fc1", "blocks.0.mlp.fc2", "blocks.1.mlp.fc1"],
        ["blocks.1.mlp.fc2", "blocks.2.mlp.fc1", "blocks.2.mlp.fc2"],
    ]
