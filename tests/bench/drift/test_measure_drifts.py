"""Drift and accuracy of several subjects: one that fails leaves with its reason, and what is sound is measured."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from made import make_contract
from numpy.typing import NDArray

from depthrt.bench.accuracy.accuracy_meter import Rules
from depthrt.bench.accuracy.ground_truth import GroundTruth, Pair
from depthrt.bench.accuracy.judge import RuleChoices, judge
from depthrt.bench.accuracy.true_depth import Sample, TrueDepth
from depthrt.bench.drift.measure_drifts import measure_drifts
from depthrt.bench.machine import energy as energy_module
from depthrt.bench.machine.energy import RAPL, Meter
from depthrt.bench.numbers.result import Report
from depthrt.bench.numbers.result_file import read_result, to_json
from depthrt.bench.report.page import write_report
from depthrt.bench.run.measurement import Measurement
from depthrt.bench.run.run_bench import run_bench
from depthrt.bench.subjects.subject import Opened, Subject, open_subject
from depthrt.engine.errors import InputError
from depthrt.engine.images.limits import Limits
from depthrt.engine.images.write import write_image
from depthrt.engine.model.depth_model import DepthModel
from depthrt.engine.modelfile.contract import SizeRule
from depthrt.engine.terms import Kind, Precision

SIDE_PX = 28
ANSWERS_ALONE = Measurement(None, frame_rate=None, loads=(), processes=0, energy=False)

Answer = Callable[[int], NDArray[np.float32]]  # takes the number of the call, gives (h, w) float32


class MadeRunner:
    """Answers what it is told to."""

    name, provider = "made", "cpu"
    notes: tuple[str, ...] = ()

    def __init__(self, answer: Answer, precision: Precision = "fp32") -> None:
        self.answer = answer
        self.precision: Precision = precision
        self.calls = 0

    def run(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        self.calls += 1
        return self.answer(self.calls)[None]

    def close(self) -> None:
        """Hold nothing."""


def slope(offset: float = 0.0) -> Answer:
    """Answer a slope from 1 to 2, off by a planted amount."""
    values = np.linspace(1, 2, SIDE_PX * SIDE_PX, dtype=np.float32).reshape(SIDE_PX, SIDE_PX)
    values[:7, :7] += np.float32(offset)
    return lambda call: values


def fails_at(number: int) -> Answer:
    def answer(call: int) -> NDArray[np.float32]:
        if call >= number:
            raise RuntimeError("the device is gone")
        return slope(0.1)(call)

    return answer


def subject(name: str, runner: MadeRunner, kind: Kind = "inverse") -> Subject:
    contract = make_contract(size=SizeRule((SIDE_PX, SIDE_PX), 14, "lower_bound"))
    if kind == "metric":
        contract = replace(contract, kind="metric", max_depth_m=20.0)
    return Subject(name, lambda: DepthModel(runner, contract, limits=Limits()))


def opened(name: str, answer: Answer, kind: Kind = "inverse") -> Opened:
    return open_subject(subject(name, MadeRunner(answer), kind))


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("images")
    paths = [folder / f"{number}.png" for number in range(3)]
    for number, path in enumerate(paths):
        write_image(path, np.full((SIDE_PX, SIDE_PX, 3), 40 * number, np.uint8))
    return paths


def truth(metres: float) -> Sample:
    values = np.full((SIDE_PX, SIDE_PX), metres, np.float32)
    return Sample(f"at {metres} m", np.zeros((SIDE_PX, SIDE_PX, 3), np.uint8), TrueDepth(values, values > 0))


def dataset(*samples: Sample) -> GroundTruth:
    return GroundTruth("made", tuple(Pair(one.name, lambda one=one: one) for one in samples), cap_m=10.0)  # type: ignore[misc]


def unreadable() -> Sample:
    raise InputError("room.png cannot be read as depth; write it again")


@pytest.mark.parametrize("number", [1, 2, 4], ids=["at once", "on the second image", "for its pictures"])
def test_a_subject_that_fails_in_drift_leaves_and_the_others_go_on(images: list[Path], number: int) -> None:
    base, bad, good = opened("base", slope()), opened("bad", fails_at(number)), opened("good", slope(0.1))
    drifts = measure_drifts(base, [bad, good], images)
    assert drifts.found["good"].images == 3 and {one.subject for one in drifts.pictures} == {"good"}
    if number > len(images):
        assert drifts.notes == {"bad": ("no pictures of its drift: RuntimeError: the device is gone",)}
        assert drifts.found["bad"].mean == drifts.found["good"].mean and not drifts.failures
    else:
        assert drifts.failures == {"bad": "RuntimeError: the device is gone"} and "bad" not in drifts.found


def test_without_its_reference_there_is_no_drift_and_it_is_said(images: list[Path]) -> None:
    subjects = [subject("base", MadeRunner(fails_at(2))), subject("other", MadeRunner(slope(0.1)))]
    report = run_bench(subjects, images, ANSWERS_ALONE, reference="base").report
    base, other = report.subjects
    assert base.failure == "RuntimeError: the device is gone" and not other.failure
    assert other.drift is None and other.notes == ("no drift: the reference base failed",)
    assert "other: no drift: the reference base failed." in report.warnings
    assert report.reference == ""


def test_pictures_ask_each_model_once_an_image(images: list[Path]) -> None:
    runners = {"base": MadeRunner(slope()), "other": MadeRunner(slope(0.1))}
    found = run_bench([subject(*one) for one in runners.items()], images, ANSWERS_ALONE, reference="base")
    assert len(found.pictures) > len(images)  # some image has two of the worst tiles
    assert {name: one.calls for name, one in runners.items()} == dict.fromkeys(runners, 2 * len(images))


def test_a_subject_that_fails_on_a_data_set_leaves_and_the_others_go_on() -> None:
    judgement = judge([opened("bad", fails_at(2)), opened("good", slope())], dataset(truth(2.0), truth(4.0)))
    assert judgement.failures == {"bad": "RuntimeError: the device is gone"}
    assert list(judgement.found) == ["good"] and len(judgement.found["good"].images) == 2


@pytest.mark.parametrize(
    ("asked", "metric", "inverse"),
    [
        (RuleChoices(), Rules("none", 10.0), Rules("scale-and-shift", 10.0)),
        (RuleChoices(crop="eigen"), Rules("none", 10.0, "eigen"), Rules("scale-and-shift", 10.0, "eigen")),
        (RuleChoices(cap_m=5.0), Rules("none", 5.0), Rules("scale-and-shift", 5.0)),
        (RuleChoices("scale"), Rules("scale", 10.0), Rules("scale", 10.0)),
    ],
)
def test_what_is_not_asked_for_stays_the_data_set_s_custom(asked: RuleChoices, metric: Rules, inverse: Rules) -> None:
    subjects = [opened("metric", slope(), "metric"), opened("inverse", slope())]
    found = judge(subjects, dataset(truth(2.0)), asked).found
    rules = {name: Rules(one.alignment, one.cap_m, one.crop) for name, one in found.items()}
    assert rules == {"metric": metric, "inverse": inverse}


def test_depth_without_a_unit_has_no_cap_and_is_aligned() -> None:
    unitless = replace(dataset(truth(2.0)), cap_m=None)
    assert [RuleChoices(crop="garg").rules(kind, unitless) for kind in ("metric", "inverse")] == [
        Rules("scale-and-shift", None, "garg")
    ] * 2


def test_a_cap_that_judges_nothing_is_refused_when_it_is_asked_for() -> None:
    with pytest.raises(InputError, match=r"a cap of 0\.0005 m found"):
        RuleChoices(cap_m=0.0005)


@pytest.mark.parametrize(
    ("precision", "warnings"),
    [("fp32", []), ("fp16", ["The reference is fp16, so drift is from fp16 and not from float32."])],
)
def test_a_reference_that_is_no_float32_is_said(images: list[Path], precision: Precision, warnings: list[str]) -> None:
    subjects = [subject("base", MadeRunner(slope(), precision)), subject("other", MadeRunner(slope(0.1)))]
    report = run_bench(subjects, images, ANSWERS_ALONE, reference="base").report
    assert [one for one in report.warnings if "reference" in one] == warnings


def test_a_name_that_is_no_utf_8_can_be_written_and_read(images: list[Path], tmp_path: Path) -> None:
    path = tmp_path / "caf\udce9.png"
    try:
        path.write_bytes(images[0].read_bytes())
    except (OSError, UnicodeError):
        pytest.skip("files have names in Unicode alone here")
    subjects = [subject(one, MadeRunner(slope(offset))) for one, offset in (("base", 0.0), ("other", 0.1))]
    found = run_bench(subjects, [path], ANSWERS_ALONE, reference="base", settings={"given": path.name})
    files = write_report(tmp_path / "report", found.report, found.pictures)
    report = read_result(files.json)
    assert report == found.report
    drift = report.subjects[1].drift
    assert drift is not None and drift.worst_image == report.made.settings["given"] == r"caf\udce9.png"
    assert r"caf\udce9.png" in files.html.read_text(encoding="utf-8")
    raw = replace(report, made=replace(report.made, command=path.name))
    assert r"caf\\udce9.png" in to_json(raw)


def test_an_image_that_cannot_be_read_is_left_out_before_anything_is_measured(
    images: list[Path], tmp_path: Path
) -> None:
    damaged = tmp_path / "damaged.png"
    damaged.write_bytes(images[0].read_bytes()[:50])
    subjects = [subject(one, MadeRunner(slope(offset))) for one, offset in (("base", 0.0), ("other", 0.1))]
    report = run_bench(subjects, [damaged, *images], ANSWERS_ALONE, reference="base").report
    assert [one for one in report.warnings if one.startswith(f"{damaged} is left out: {damaged}")]
    assert report.made.settings["images"] == "3, first 0.png"
    assert report.subjects[1].drift is not None and report.subjects[1].drift.images == 3
    with pytest.raises(InputError, match=r"none of 1 images can be read; .*damaged\.png is left out"):
        run_bench(subjects, [damaged], ANSWERS_ALONE, reference="base")


def test_rules_that_suit_one_subject_alone_cost_the_other_its_accuracy_and_no_more() -> None:
    subjects = [opened("metric", slope(), "metric"), opened("inverse", slope())]
    found = judge(subjects, dataset(truth(2.0)), RuleChoices("none"))
    assert list(found.found) == ["metric"] and not found.failures
    assert found.notes["inverse"][0].startswith("no accuracy on made: the model gives inverse depth without a unit")


def judged(data: GroundTruth, images: list[Path]) -> Report:
    return run_bench([subject("one", MadeRunner(slope()))], images, ANSWERS_ALONE, ground_truth=[data]).report


def test_a_data_set_without_a_pixel_to_judge_is_a_note_and_the_run_goes_on(images: list[Path]) -> None:
    (one,) = judged(dataset(truth(20.0)), images).subjects  # all beyond the cap
    assert not one.failure and one.accuracy == ()
    (note,) = one.notes
    assert note.startswith("no accuracy on made: none of 1 images of made has 10 known pixels")


def test_an_image_of_a_data_set_that_cannot_be_read_is_left_out_with_a_warning(images: list[Path]) -> None:
    whole = dataset(truth(2.0), truth(3.0))
    report = judged(GroundTruth("made", (Pair("room", unreadable), *whole.pairs), whole.cap_m), images)
    assert [image.image for image in report.subjects[0].accuracy[0].images] == ["at 2.0 m", "at 3.0 m"]
    assert report.warnings[-1] == "room of made is left out: room.png cannot be read as depth; write it again."


def test_energy_that_cannot_be_measured_is_a_note_and_the_run_goes_on(
    images: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    # A virtual machine counts no energy, so the counter is planted; the subject and its failure are not.
    monkeypatch.setattr(energy_module, "find_meter", lambda provider: Meter(RAPL, lambda: 0.0))
    measurement = Measurement(None, frame_rate=None, loads=(), processes=0)
    (one,) = run_bench([subject("one", MadeRunner(fails_at(1)))], images, measurement).report.subjects
    assert one.energy is None and one.notes == ("no energy: RuntimeError: the device is gone",)
