"""Times of two reports that share a reference are judged by what they changed beyond the reference's."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from made_report import BF16, CALLS, EAGER, FP32, make_latency, make_report, make_subject

from depthrt.bench.compare.checks import Check
from depthrt.bench.compare.compare import compare
from depthrt.bench.compare.reference import find_reference
from depthrt.bench.numbers.figures import FIGURES
from depthrt.bench.numbers.result import Latency, Report

TWIN = "twin.onnx cpu"  # as slow as the reference
EXTRA_MS = 150.0  # of the reference's 1020
ANOTHER_DAY = 0.05  # of a ratio of two scopes that were drawn apart; each has a level of its own, 0.8 %
CONDITIONS = ("p50>+5%", "kernel.p50>+5%", "host.p90>+9%")
SEEDS = range(4)


def wandered(report: Report, factor: float) -> Report:
    """Return the report of a machine whose every call takes longer by a factor."""
    subjects = []
    for subject in report.subjects:
        latency = tuple(
            make_latency(one.scope, [ms * factor for ms in one.samples_ms]) if one.scope != "rate" else one
            for one in subject.latency
        )
        subjects.append(replace(subject, latency=latency))
    return replace(report, subjects=tuple(subjects))


def changed(report: Report, change: Callable[[Latency], Latency | None]) -> Report:
    """Return a report with the latency of every subject changed alike, left out where the change gives None."""
    subjects = [
        replace(subject, latency=tuple(filter(None, map(change, subject.latency)))) for subject in report.subjects
    ]
    return replace(report, subjects=tuple(subjects))


def later(latency: Latency, ms: float, *, scopes: tuple[str, ...] = ("host", "file")) -> Latency:
    """Return a latency whose every call takes so much longer, if it is of one of the scopes."""
    return make_latency(latency.scope, [one + ms for one in latency.samples_ms]) if latency.scope in scopes else latency


def with_twin(seed: int) -> Report:
    """Return a report of the reference, one that is as slow, and the float32 file."""
    report = make_report(seed, only=(EAGER, FP32))
    twin = make_subject(TWIN, 1015.0, seed * 1000 + 700, precision="fp32", runner="x", drift=0.0, abs_rel=0.05)
    return replace(report, subjects=(*report.subjects, twin))


def checks(before: Report, after: Report) -> dict[tuple[str, str], Check]:
    return {(one.subject, one.condition): one for one in compare(before, after, CONDITIONS).checks}


@pytest.mark.parametrize("seed", SEEDS)
def test_a_machine_that_wanders_raises_no_alarm_and_it_is_said(seed: int) -> None:
    before, after = make_report(seed), wandered(make_report(seed + 30), 1.2)
    assert not compare(before, after, CONDITIONS).failed
    for name in (BF16, FP32, EAGER):
        assert checks(before, after)[name, "p50>+5%"].state == "unclear"
    assert "beyond the reference, whose own time changed by +" in checks(before, after)[BF16, "p50>+5%"].reason
    assert "it is the reference, whose time shows the machine" in checks(before, after)[EAGER, "p50>+5%"].reason


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("machine", [0.85, 1.2])
def test_a_subject_that_slows_down_is_caught_whatever_the_machine_does(seed: int, machine: float) -> None:
    before, after = make_report(seed), wandered(make_report(seed + 30, slower=1.15), machine)
    failed = {one.subject for one in compare(before, after, CONDITIONS[:2]).failed}
    assert failed == {BF16}


@pytest.mark.parametrize("condition", ["p50>+15ms", "kernel.p50>+15ms"])
@pytest.mark.parametrize("seed", SEEDS)
def test_a_limit_in_ms_is_of_what_changed_beyond_the_reference_too(seed: int, condition: str) -> None:
    before, machine = make_report(seed, only=(BF16, EAGER)), 1.2  # takes over 15 ms longer by the clock
    same, slower = (wandered(make_report(seed + 30, only=(BF16, EAGER), slower=by), machine) for by in (1.0, 1.3))
    assert not compare(before, same, [condition]).failed
    (failed,) = compare(before, slower, [condition]).failed
    assert failed.subject == BF16
    assert re.search(r"\+\d+(\.\d+)? %.*, \d+(\.\d+)? ms, beyond the reference, whose own time", failed.reason)


def test_a_slower_tail_is_caught_beside_a_reference_that_kept_its_own() -> None:
    before, after = make_report(1), make_report(2)

    def heavy(samples_ms: tuple[float, ...]) -> list[float]:
        return [ms * (1.6 if at % 4 == 0 else 1.0) for at, ms in enumerate(samples_ms)]

    subjects = [
        replace(one, latency=tuple(make_latency(part.scope, heavy(part.samples_ms)) for part in one.latency[:3]))
        if one.name == BF16
        else one
        for one in after.subjects
    ]
    found = checks(before, replace(after, subjects=tuple(subjects)))
    assert found[BF16, "host.p90>+9%"].state == "failed"
    assert found[FP32, "host.p90>+9%"].state != "failed"


def test_without_a_shared_reference_the_clock_decides() -> None:
    before, after = make_report(1, only=(BF16, EAGER)), wandered(make_report(2, only=(BF16, EAGER)), 1.2)
    other = replace(after, reference=BF16)
    assert compare(before, after, CONDITIONS).exit_code == 0
    assert {one.subject for one in compare(before, other, CONDITIONS).failed} == {BF16, EAGER}


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("machine", [1.0, 1.2])
def test_slower_code_that_the_reference_runs_too_is_not_taken_for_the_machine(seed: int, machine: float) -> None:
    before = with_twin(seed)
    after = wandered(changed(with_twin(seed + 30), lambda one: later(one, EXTRA_MS)), machine)
    found = checks(before, after)
    for name in (EAGER, TWIN, FP32):
        assert found[name, "p50>+5%"].state == "failed"
        assert found[name, "kernel.p50>+5%"].state != "failed"
        assert "beyond the reference's network" in found[name, "p50>+5%"].reason
        assert "so code that all subjects share grew slower" in found[name, "p50>+5%"].reason


@pytest.mark.parametrize("seed", SEEDS)
def test_networks_that_all_became_faster_leave_nothing_slower(seed: int) -> None:
    """A new runtime: the code around the network is as it was, and a larger part of what is left."""
    rest_ms = {"kernel": 0.0, "host": 5.6, "file": 27.4, "rate": 0.0}  # as make_subject has them

    def faster(one: Latency) -> Latency:
        rest = rest_ms[one.scope]
        return make_latency(one.scope, [0.2 * (ms - rest) + rest for ms in one.samples_ms])

    before, after = with_twin(seed), changed(with_twin(seed + 30), faster)
    failed = compare(before, after, ["kernel.p50>+5%", "p50>+5%", "file.p50>+5%", "file.p90>+9%"]).failed
    assert not {EAGER, TWIN} & {one.subject for one in failed}
    shared = find_reference(before, after)
    assert shared is not None and not shared.shared_code_grew(FIGURES["file.p50"])


@pytest.mark.parametrize("seed", SEEDS)
def test_without_the_networks_own_time_nothing_is_said_for_sure(seed: int) -> None:
    def without_network(report: Report) -> Report:
        return changed(report, lambda one: None if one.scope == "kernel" else one)

    before, after = without_network(with_twin(seed)), without_network(wandered(with_twin(seed + 30), 1.2))
    comparison = compare(before, after, ["p50>+5%"])
    assert {one.state for one in comparison.checks} == {"unclear"}
    for one in comparison.checks:
        assert "without the scope kernel, the machine and code that all subjects share look alike" in one.reason
        assert "shows the machine" not in one.reason


def test_a_gain_that_was_demanded_is_no_fault_of_the_reference() -> None:
    before, after = make_report(0), wandered(make_report(30), 0.8)
    states = {one.subject: one.state for one in compare(before, after, ["p50>-5%"]).checks}
    assert states[EAGER] == "passed" and states[FP32] != "passed"


def test_a_network_on_a_gpu_tells_nothing_of_the_processor_around_it() -> None:
    def on_gpu(report: Report) -> Report:
        subjects = [replace(one, facts={**one.facts, "provider": "cuda"}) for one in report.subjects]
        return replace(report, subjects=tuple(subjects))

    before, after = with_twin(1), changed(with_twin(2), lambda one: later(one, EXTRA_MS))
    assert checks(before, after)[TWIN, "p50>+5%"].state == "failed"
    assert checks(on_gpu(before), on_gpu(after))[TWIN, "p50>+5%"].state == "unclear"


@pytest.mark.parametrize("figure", ["host.p50", "host.p90", "host.mean"])
def test_rounds_of_the_main_scope_alone_are_not_held_against_the_network(figure: str) -> None:
    """Such rounds come last: where the machine is slow by then, the network was never timed on a slow machine."""

    def slow_at_last(one: Latency) -> Latency:
        rounds = len(one.samples_ms) // CALLS
        if one.scope != "host":
            return replace(one, rounds=rounds)
        longer = make_latency("host", [*one.samples_ms, *(1.3 * ms for ms in one.samples_ms * 3)])
        return replace(longer, rounds=4 * rounds)

    before, after = changed(with_twin(1), lambda one: replace(one, rounds=30)), changed(with_twin(2), slow_at_last)
    assert not compare(before, after, [f"{figure}>+5%"]).failed
    shared = find_reference(before, after)
    assert shared is not None
    beyond = shared.take_off_network(FIGURES[figure], shared.before, shared.after)
    assert beyond is not None and abs(beyond.value) < ANOTHER_DAY
