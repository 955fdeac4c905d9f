"""The times of stages add up."""

from __future__ import annotations

from depthrt.serve.infer.stages import Stages


def test_a_stage_that_is_entered_twice_has_the_sum() -> None:
    stages = Stages()
    stages.add("wait", 0.25)
    stages.add("wait", 0.5)
    assert stages.to_ms() == {"wait": 750.0}
    assert stages.server_timing() == "wait;dur=750"


def test_a_block_is_timed_also_if_it_fails() -> None:
    stages = Stages()
    try:
        with stages.time("run"):
            raise ValueError
    except ValueError:
        pass
    assert stages.seconds["run"] >= 0 and "decode" not in stages.seconds
