"""A whole run on made subjects: each stage adds its figures, and what fails is named."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from made_subjects import (
    ANSWERS_ALONE,
    MadeRunner,
    dataset,
    fails_at,
    slope,
    subject,
    truth,
    uneven,
    unreadable,
    write_images,
)
from tiny_model import PHOTOS, TinyModel

import depthrt
from depthrt.bench.datasets.ground_truth import GroundTruth, Pair
from depthrt.bench.latency.turns import Rounds
from depthrt.bench.machine import energy as energy_module
from depthrt.bench.machine.energy import RAPL, Meter
from depthrt.bench.numbers.result import Report
from depthrt.bench.numbers.result_file import read_result, to_json
from depthrt.bench.report.page import write_report
from depthrt.bench.run.measurement import Measurement
from depthrt.bench.run.run_bench import choose_reference, run_bench
from depthrt.bench.subjects.find_subjects import find_subjects
from depthrt.bench.subjects.subject import Subject
from depthrt.engine.errors import InputError
from depthrt.engine.model.depth_model import DepthModel
from depthrt.engine.terms import Precision


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return write_images(tmp_path_factory.mktemp("images"))


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


def judged(data: GroundTruth, images: list[Path]) -> Report:
    return run_bench([subject("one", MadeRunner(slope()))], images, ANSWERS_ALONE, ground_truth=[data]).report


def test_each_data_set_adds_its_accuracy_and_its_notes(images: list[Path]) -> None:
    data = [
        replace(dataset(truth(2.0)), name="near"),
        replace(dataset(truth(20.0)), name="far"),  # all beyond the cap
        replace(dataset(truth(3.0), truth(20.0)), name="some"),
        replace(dataset(truth(20.0)), name="farther"),
    ]
    report = run_bench([subject("one", MadeRunner(slope()))], images, ANSWERS_ALONE, ground_truth=data).report
    (one,) = report.subjects
    assert [accuracy.dataset for accuracy in one.accuracy] == ["near", "some"]
    assert [note.split(":")[0] for note in one.notes] == [
        "no accuracy on far",
        "1 images of some have too few measured pixels",
        "no accuracy on farther",
    ]
    assert [warning for warning in report.warnings if warning.startswith("one: ")] == [
        f"one: {note.rstrip('.')}." for note in one.notes
    ]


def test_a_data_set_without_a_pixel_to_judge_is_a_note_and_the_run_goes_on(images: list[Path]) -> None:
    (one,) = judged(dataset(truth(20.0)), images).subjects  # all beyond the cap
    assert not one.failure and one.accuracy == ()
    (note,) = one.notes
    assert note.startswith("no accuracy on made: none of 1 images of made has 10 known pixels")


def test_an_image_of_a_data_set_that_cannot_be_read_is_left_out_with_a_warning(images: list[Path]) -> None:
    whole = dataset(uneven(2.0), uneven(3.0))
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


def test_a_subject_that_fails_on_the_way_keeps_what_it_was(tiny: TinyModel, tmp_path: Path) -> None:
    calls = 0

    class Failing:
        name, provider = "onnxruntime", "CPUExecutionProvider"
        precision: Precision = "fp32"
        notes: tuple[str, ...] = ()

        def __init__(self, model: DepthModel) -> None:
            self._runner = model.runner

        def run(self, batch: np.ndarray) -> np.ndarray:
            nonlocal calls
            calls += 1
            if calls > 6:  # two of warm-up in each scope, then its first turn
                raise RuntimeError("the device is gone")
            return self._runner.run(batch)

        def close(self) -> None:
            self._runner.close()

    def open_failing() -> DepthModel:
        model = depthrt.load(tiny.onnx, device="cpu")
        return DepthModel(Failing(model), model.contract, limits=model.limits)

    subjects = [*find_subjects([tiny.onnx], devices=["cpu"], runners=["onnxruntime"]), Subject("failing", open_failing)]
    rounds = Rounds(count=2, calls=1, warmup_calls=1)
    measurement = Measurement(rounds, frame_rate=None, loads=(), processes=0, energy=False)
    found = run_bench(subjects, [PHOTOS / "coffee.jpg"], measurement).report.subjects
    assert not found[0].failure and found[0].latency
    assert found[1].failure == "RuntimeError: the device is gone"
    assert found[1].facts["runner"] == "onnxruntime"


def test_the_reference_must_be_measured(tiny: TinyModel) -> None:
    subjects = find_subjects([tiny.onnx], devices=["cpu"], runners=["onnxruntime"])
    assert choose_reference(subjects, None) == ""
    assert choose_reference(subjects, tiny.onnx) == "tiny.onnx cpu"
    with pytest.raises(InputError, match=r"reference other\.onnx found, expected one of the files that are measured"):
        choose_reference(subjects, "other.onnx")


def test_the_reference_is_the_first_that_torch_runs_eager_in_float32() -> None:
    names = {
        "a.onnx cpu": "a.onnx",
        "a.pth torch bf16 cpu": "a.pth",
        "a.pth torch.compile fp32 cpu": "a.pth",
        "a.pth torch fp32 cpu": "a.pth",
        "b.pth torch fp32 cpu": "b.pth",
    }
    subjects = [Subject(name, lambda: None, {"file": file}) for name, file in names.items()]  # type: ignore[arg-type,return-value]
    assert choose_reference(subjects, None) == "a.pth torch fp32 cpu"
    assert choose_reference(subjects, "a.pth") == "a.pth torch fp32 cpu"
    assert choose_reference(subjects, Path("b.pth")) == "b.pth torch fp32 cpu"
    assert choose_reference(subjects[:3], "a.pth") == "a.pth torch bf16 cpu"
    assert choose_reference(subjects[:3], None) == ""


@pytest.mark.parametrize(("subjects", "paths"), [(0, 1), (1, 0)])
def test_without_a_subject_or_an_image_nothing_is_measured(images: list[Path], subjects: int, paths: int) -> None:
    given = [subject("one", MadeRunner(slope()))][:subjects]
    with pytest.raises(InputError, match=f"{subjects} subjects and {paths} images found, expected"):
        run_bench(given, images[:paths], ANSWERS_ALONE)
