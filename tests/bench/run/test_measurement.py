"""A request becomes what is measured, and the report states it."""

from __future__ import annotations

import pytest
from made_subjects import dataset, truth

from depthrt.bench.accuracy.judge import RuleChoices
from depthrt.bench.latency.narrowing import Narrowing
from depthrt.bench.latency.rate import FrameRate
from depthrt.bench.latency.throughput import LOADS
from depthrt.bench.latency.turns import Rounds
from depthrt.bench.run.measurement import Measurement, describe_settings, make_measurement
from depthrt.bench.run.request import QUICK, BenchRequest
from depthrt.engine.errors import InputError


def test_a_plain_request_measures_the_defaults() -> None:
    assert make_measurement(BenchRequest(["a.onnx"])) == Measurement()


def test_a_first_look_leaves_out_what_takes_long() -> None:
    found = make_measurement(BenchRequest(["a.onnx"], **QUICK))
    assert found == Measurement(
        Rounds(count=8), narrowing=None, frame_rate=FrameRate(bursts=1), loads=(), processes=1, energy=False
    )


def test_each_field_of_a_request_reaches_the_measurement() -> None:
    request = BenchRequest(
        ["a.onnx"], rounds=4, scopes=["host"], rate_hz=0, cold=0, builds=2, video=True, alignment="log", cap_m=5.0,
        crop="garg",
    )  # fmt: skip
    assert make_measurement(request) == Measurement(
        Rounds(count=4, scopes=("host",)), narrowing=None, frame_rate=None, loads=LOADS, processes=0, builds=2,
        video=True, rules=RuleChoices("log", 5.0, "garg"),
    )  # fmt: skip


def test_a_cap_that_judges_nothing_is_refused() -> None:
    with pytest.raises(InputError, match=r"a cap of 0\.0005 m found, expected a finite depth above"):
        make_measurement(BenchRequest(["a.onnx"], cap_m=5e-4))


def test_the_settings_state_rounds_until_a_speed_is_known() -> None:
    found = describe_settings(Measurement(narrowing=Narrowing(most_rounds=60, width=0.05)), units_per_m=1000)
    assert found["rounds"] == "30 of 3 calls, up to 60 until speeds are known to 5.0%"
    assert (found["scopes"], found["rate"]) == ("kernel, host, file", "30 Hz, 3 bursts")
    assert "ground truth" not in found and "depth units" not in found


def test_the_settings_state_what_was_left_out_and_how_depth_is_judged() -> None:
    measurement = Measurement(
        None, frame_rate=None, loads=(), processes=0, energy=False, rules=RuleChoices("scale", 10.0)
    )
    found = describe_settings(measurement, [dataset(truth(2.0), truth(3.0))], count=1, units_per_m=256)
    assert (found["rounds"], found["scopes"], found["rate"], found["throughput"]) == ("none", "none", "none", "no")
    assert (found["ground truth"], found["depth units"]) == ("made, 1 of 2 images", "256 a metre, of whole numbers")
    assert (found["alignment"], found["cap"], found["crop"]) == ("scale", "10 m", "none")
