"""Figures follow from answers."""

from __future__ import annotations

import math

import pytest

from depthrt.bench.load.bare_engine import Bare
from depthrt.bench.load.clients import Answer, Load
from depthrt.bench.load.figures import Block, clients_cpu_ms, figures_of, joined, memory_of, rates_of


def load(per_second: float, *others: Answer) -> Load:
    answers = [Answer(number / per_second - 0.1, number / per_second, 200) for number in range(5)]
    return Load(3, (*answers, *others), 0.0, 100.0, clients_cpu_s=0.5)


def block(service: float, bare: float, in_turn: float) -> Block:
    return Block(load(service), 1.0, Bare(11, 10 / bare, 2.0), Bare(11, 10 / in_turn, 2.2))


def test_every_kind_of_answer_is_counted() -> None:
    others = Answer(0, 1, 503, retry_after_s=1), Answer(0, 1, 503), Answer(0, 1, 0, note="reset"), Answer(0, 1, 503)
    found = figures_of(load(2.0, *others))
    assert (found.clients, found.answers, found.refused) == (3, 5, 1)
    assert found.errors == {"status 503": 2, "reset": 1}
    assert found.p50_ms == pytest.approx(100) and found.per_second == pytest.approx(2)
    assert math.isnan(figures_of(Load(1, (), 0.0, 1.0, 0.0)).p99_ms)


def test_the_service_is_compared_with_the_faster_engine() -> None:
    assert block(9.0, 10.0, 8.0).ratio == pytest.approx(0.9)
    assert block(9.0, 8.0, 12.0).ratio == pytest.approx(0.75)


def test_rates_are_medians_and_cpu_time_is_shared_out() -> None:
    service, bare, in_turn = rates_of([block(1, 10, 5), block(3, 20, 5), block(2, 30, 5)]).values()
    assert [service.per_second, bare.per_second, in_turn.per_second] == pytest.approx([2, 20, 5])
    assert [service.cpu_ms, bare.cpu_ms, in_turn.cpu_ms] == pytest.approx([200, 2000 / 11, 200])


def test_joined_loads_count_all_answers() -> None:
    both = joined([load(1), load(2)])
    assert len(both.answers) == 10 and clients_cpu_ms(both) == pytest.approx(100)
    assert figures_of(both, per_second=1.5).per_second == 1.5


def test_memory_is_judged_after_it_is_warm() -> None:
    found = memory_of([(100, 10.0), (200, 50.0), (1000, 51.0), (2000, 52.0)], peak_mib=60.0)
    assert (found.answers, found.first_mib, found.last_mib) == (2000, 50.0, 52.0)
    assert found.growth == pytest.approx(0.04)
    assert memory_of([(3, 10.0)], 11.0).growth == 0
