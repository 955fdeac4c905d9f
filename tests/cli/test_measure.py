"""`depthrt bench measure`: a whole run on tiny models, what it leaves behind, and what it refuses."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import cv2
import numpy as np
import pytest
import torch
from click.testing import Result
from made_report import make_report
from run_verb import run
from tiny_model import PHOTOS, TinyModel

import depthrt
from depthrt.bench.accuracy.judge import RuleChoices, judge
from depthrt.bench.bench import BenchResult
from depthrt.bench.datasets.ground_truth import open_ground_truth
from depthrt.bench.numbers.result import Report
from depthrt.bench.numbers.result_file import read_result, write_result
from depthrt.bench.run.request import QUICK, BenchRequest
from depthrt.bench.subjects.find_subjects import find_subjects
from depthrt.bench.subjects.subject import open_subject
from depthrt.cli.measure import measure as measure_verb
from depthrt.engine.images.write import write_image
from depthrt.engine.terms import OnStep

SHORT = (
    *("--rounds", "2", "--rate", "0", "--cold", "0", "--no-throughput", "--no-energy", "--no-compile"),
    *("--runner", "onnxruntime", "--threads", "1"),
)
SAME = 1e-4  # of the range: torch and ONNX Runtime add up in another order
KITTI_STEPS = 0.02  # of an error in metres: depth in steps of 1/256 m
SMALL_PX = (180, 120)  # (w, h): reading and writing are measured here, and need not take long


@pytest.fixture(autouse=True, scope="module")
def threads_as_before() -> Iterator[None]:
    """A subject sets torch's threads for the whole process; the tests after these get theirs back."""
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def bench(*arguments: object) -> Result:
    return run("bench", *arguments)


def measured(tiny: TinyModel, photos: Path, out: Path, *more: object) -> tuple[Result, Report]:
    result = bench(tiny.onnx, "--images", photos, "--out", out, "--size", 126, *SHORT, *more)
    return result, read_result(out / "report.json")


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two small photographs, each with a made depth of its own beside it."""
    folder = tmp_path_factory.mktemp("photos")
    for name in ("coffee", "chelsea"):
        image = cv2.resize(depthrt.read_image(PHOTOS / f"{name}.jpg"), SMALL_PX, interpolation=cv2.INTER_AREA)
        write_image(folder / f"{name}.png", np.asarray(image, np.uint8))
        rows = np.linspace(1, 4, image.shape[0], dtype=np.float32)[:, None]
        np.save(folder / f"{name}.npy", np.repeat(rows, image.shape[1], axis=1))
    return folder


@pytest.fixture(scope="module")
def whole(tiny: TinyModel, photos: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Result, Report, Path]:
    out = tmp_path_factory.mktemp("whole") / "report"
    more = ("--reference", tiny.checkpoint, "--family", "depth-anything-v2", "--kind", "inverse", "--study")
    result, report = measured(tiny, photos, out, *more, "--ground-truth", photos)
    return result, report, out


def test_a_run_leaves_a_report_for_people_and_one_for_machines(whole: tuple[Result, Report, Path]) -> None:
    result, report, folder = whole
    assert result.exit_code == 0, result.output
    assert sorted(path.name for path in folder.iterdir()) == ["report.html", "report.json", "report.md"]
    assert json.loads((folder / "report.json").read_text())["schema"] == report.schema
    page = (folder / "report.html").read_text()
    assert all(one.name in page for one in report.subjects)
    assert "http://" not in page and "https://" not in page
    assert report.made.versions["depthrt"] == depthrt.__version__


def test_every_subject_has_times_drift_and_accuracy(whole: tuple[Result, Report, Path], photos: Path) -> None:
    _, report, _ = whole
    names = [one.name for one in report.subjects]
    assert names == ["tiny.onnx cpu", "tiny.pth torch fp32 cpu", "tiny.pth study"]
    assert report.reference == "tiny.pth torch fp32 cpu"
    for one in report.subjects:
        assert [(found.scope, len(found.samples_ms)) for found in one.latency] == [
            ("kernel", 6),
            ("host", 6),
            ("file", 6),
        ]
        assert one.accuracy[0].dataset == photos.name and len(one.accuracy[0].images) == 2
        assert set(one.stages_ms) == {"decode", "preprocess", "run", "postprocess", "encode"}
        assert (one.drift is None) == (one.speed is None) == (one.name == report.reference)
    drifts = {one.name: one.drift.mean for one in report.subjects if one.drift}
    assert max(drifts.values()) < SAME
    first, second, _ = (one.accuracy[0].metrics["abs_rel"] for one in report.subjects)
    assert first == pytest.approx(second, abs=SAME)


def test_the_table_goes_to_standard_output_and_talk_to_standard_error(whole: tuple[Result, Report, Path]) -> None:
    result, _, folder = whole
    assert "tiny.onnx cpu" in result.stdout and "abs_rel" in result.stdout
    assert "times ..." in result.stderr and str(folder / "report.html") in result.stderr
    assert "..." not in result.stdout


def test_a_subject_that_fails_is_named_and_the_others_go_on(tiny: TinyModel, photos: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(tiny.onnx.read_bytes()[:5000])
    result, report = measured(tiny, photos, tmp_path / "report", broken)
    assert result.exit_code == 1
    assert "error: broken.onnx cpu: " in result.stderr
    good, bad = report.subjects
    assert good.latency and not good.failure
    assert bad.failure and not bad.latency


@pytest.mark.parametrize("name", ["missing.onnx", "comapre"])
def test_a_name_without_a_file_replaces_no_report(tiny: TinyModel, tmp_path: Path, name: str) -> None:
    (tmp_path / "report.json").write_text("of yesterday")
    result = bench(name, tiny.onnx, "--out", tmp_path)
    assert result.exit_code == 1
    assert (
        result.stderr
        == f"error: {name} does not exist and is not a verb of `depthrt bench`; give model files or checkpoints\n"
    )
    assert (tmp_path / "report.json").read_text() == "of yesterday"


@pytest.fixture(scope="module")
def chosen(tiny: TinyModel, photos: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Result, Report]:
    """A run with choices of its own, on KITTI's unit."""
    folder = tmp_path_factory.mktemp("chosen")
    image = folder / "coffee.png"
    image.write_bytes((photos / "coffee.png").read_bytes())
    for name in ("coffee", "chelsea"):
        (folder / "kitti" / "rgb").mkdir(parents=True, exist_ok=True)
        (folder / "kitti" / "depth").mkdir(exist_ok=True)
        (folder / "kitti" / "rgb" / f"{name}.png").write_bytes((photos / f"{name}.png").read_bytes())
        codes = (np.load(photos / f"{name}.npy") * 256).astype(np.uint16)
        cv2.imwrite(str(folder / "kitti" / "depth" / f"{name}.png"), codes)
    options = ("--depth-units", 256, "--count", 1, "--crop", "garg", "--scope", "host", "--video", "--json")
    command = (tiny.onnx, "--images", image, "--ground-truth", folder / "kitti", "--out", folder / "report")
    result = bench(*command, *SHORT, *options)
    return result, read_result(folder / "report" / "report.json")


def test_what_the_user_chose_is_in_the_report(chosen: tuple[Result, Report]) -> None:
    _, report = chosen
    expected = {
        "images": "1, first coffee.png",
        "video": "yes",
        "rounds": "2 of 3 calls",
        "scopes": "host",
        "rate": "none",
        "throughput": "no",
        "energy": "no",
        "cold starts": "0",
        "builds": "0",
        "ground truth": "kitti, 1 of 2 images",
        "depth units": "256 a metre, of whole numbers",
        "alignment": "the data set's custom",
        "cap": "the data set's custom",
        "crop": "garg",
    }
    assert {key: report.made.settings.get(key) for key in expected} == expected


def test_depth_is_judged_in_the_unit_that_was_given(
    chosen: tuple[Result, Report], tiny: TinyModel, photos: Path
) -> None:
    _, report = chosen
    (one,) = report.subjects[0].accuracy
    assert (one.alignment, one.cap_m, one.crop) == ("scale-and-shift", 80.0, "garg")
    opened = open_subject(find_subjects([tiny.onnx], devices=["cpu"], runners=["onnxruntime"], threads=1)[0])
    with opened.model:
        (in_metres,) = judge([opened], open_ground_truth(photos).spread(1), RuleChoices(crop="garg")).found.values()
    assert one.metrics["rmse"] == pytest.approx(in_metres.metrics["rmse"], rel=KITTI_STEPS)


def test_what_is_printed_is_what_was_written(chosen: tuple[Result, Report]) -> None:
    result, report = chosen
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["made"]["settings"] == report.made.settings


@pytest.mark.parametrize("place", ["file", "folder/report.html"])
def test_a_place_that_takes_no_report_is_said_before_anything_is_measured(
    tiny: TinyModel, photos: Path, tmp_path: Path, place: str
) -> None:
    out = tmp_path / place
    if place == "file":
        out.write_text("mine")
    else:
        out.mkdir(parents=True)
        out = out.parent
    result = bench(tiny.onnx, "--images", photos, "--out", out, *SHORT)
    assert result.exit_code == 1
    assert len(result.stderr.splitlines()) == 1 and result.stderr.startswith("error: ")


def test_quick_changes_what_was_not_given_and_nothing_else() -> None:
    def taken(*options: object) -> dict[str, object]:
        context = measure_verb.make_context("measure", ["model.onnx", *map(str, options)])
        return {name: context.params[name] for name in ("rounds", "bursts", "throughput", "energy", "cold", "builds")}

    usual = {"rounds": None, "bursts": 3, "throughput": True, "energy": True, "cold": 3, "builds": 0}
    quick = {**QUICK, "builds": 0}
    assert taken() == usual
    assert taken("--quick") == quick
    asked = {"rounds": 40, "bursts": 2, "throughput": True, "energy": True, "cold": 5, "builds": 2}
    options = ("--rounds", 40, "--bursts", 2, "--throughput", "--energy", "--cold", 5, "--builds", 2)
    assert taken("--quick", *options) == taken(*options, "--quick") == asked
    assert taken("--rounds", "auto", "--quick") == quick | {"rounds": None}


def test_two_reports_of_one_model_compare_without_alarm_and_a_limit_is_held(
    whole: tuple[Result, Report, Path], tmp_path: Path
) -> None:
    _, report, folder = whole
    write_result(tmp_path / "again.json", report)
    path = folder / "report.json"
    passed = bench("compare", path, tmp_path / "again.json", "--fail-on", "p50>+5%", "--fail-on", "drift>0.5%")
    assert passed.exit_code == 0, passed.output
    failed = bench("compare", path, tmp_path / "again.json", "--fail-on", "p50>0.000001ms")
    assert failed.exit_code == 1
    assert "p50>0.000001ms" in failed.output


@pytest.mark.parametrize("rounds", ["1", "0", "-3", "some"])
def test_rounds_that_are_no_number_are_wrong_usage(rounds: str) -> None:
    result = bench("model.onnx", "--rounds", rounds)
    assert result.exit_code == 2
    assert f"'{rounds}' found, expected auto or a number of 2 or more" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("measure",), "Missing argument 'MODEL...'."),
        (("a.onnx", "--scope", "whole"), "'whole' is not one of 'kernel', 'host', 'file'."),
        (("a.onnx", "--runner", "tensorrt"), "'tensorrt' is not one of "),
        (("a.onnx", "--threads", 0), "0 is not in the range x>=1."),
        (("a.onnx", "--cap", 0), "0.0 is not in the range x>0."),
        (("a.onnx", "--drift-budget", "much"), "'much' found, expected a percentage from 0%, such as 0.5%"),
        (("a.onnx", "--size", "big"), "'big' found, expected a number such as 518, or HxW such as 518x686"),
    ],
)
def test_wrong_usage_names_the_option(arguments: tuple[object, ...], message: str) -> None:
    result = bench(*arguments)
    assert (result.exit_code, result.stdout) == (2, "") and message in result.stderr.splitlines()[-1]


@pytest.fixture
def requests(monkeypatch: pytest.MonkeyPatch) -> list[BenchRequest]:
    """Requests that the library gets, which measures nothing and returns a made report."""
    found: list[BenchRequest] = []

    def bench_library(request: BenchRequest, *, on_step: OnStep) -> BenchResult:
        found.append(request)
        on_step("times", 0, 30)
        return BenchResult(make_report(), (), None)

    monkeypatch.setattr("depthrt.bench.bench.bench", bench_library)
    return found


@pytest.mark.parametrize("verb", [(), ("measure",)])
def test_each_option_reaches_the_request(
    verb: tuple[str, ...], requests: list[BenchRequest], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", ["depthrt", "bench", "a b.onnx"])
    options = ("--scope", "host", "--rate", 0, "--images", "a", "--images", "b", "--size", "126x196")
    result = bench(*verb, "a.onnx", "b.pth", *options, "--drift-budget", "2%", "--no-energy", "-o", "out [1]")
    (request,) = requests
    assert (request.models, request.images, request.scopes) == (("a.onnx", "b.pth"), ("a", "b"), ("host",))
    assert (request.rate_hz, request.size, request.energy, request.throughput) == (0.0, (126, 196), False, True)
    assert (request.drift_budget, request.output) == (0.02, Path("out [1]"))
    assert request.command == "depthrt bench 'a b.onnx'" and "times ...\n" in result.stderr


def test_a_subject_that_failed_makes_the_exit_code_1(
    requests: list[BenchRequest], monkeypatch: pytest.MonkeyPatch
) -> None:
    failed = bench("a.onnx")
    assert failed.exit_code == 1 and "error: vits-fp16.onnx cuda: no CUDA device was found\n" in failed.stderr
    assert "fastest" in failed.stdout
    report = make_report()
    sound = replace(report, subjects=tuple(subject for subject in report.subjects if not subject.failure))
    monkeypatch.setattr("depthrt.bench.bench.bench", lambda *_, **__: BenchResult(sound, (), None))
    assert bench("a.onnx").exit_code == 0


def test_a_missing_package_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "depthrt.bench.bench", ModuleType("depthrt.bench.bench"))
    result = bench("a.onnx")
    assert result.exit_code == 1 and result.stderr.endswith("; install it with: pip install 'depthrt[bench]'\n")


def test_ctrl_c_is_one_word_and_130(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*arguments: object, **options: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("depthrt.bench.bench.bench", interrupted)
    result = bench("a.onnx")
    assert (result.exit_code, result.stdout, result.stderr) == (
        130,
        "",
        "stopped by Ctrl-C; no report was written into report\n",
    )


def test_help_has_defaults_and_an_example() -> None:
    text = bench("measure", "--help").stdout
    assert "--ground-truth" in text and "[default: report]" in text and "Example:\n    depthrt bench model.onnx" in text


def taken(name: str, *options: str) -> object:
    return measure_verb.make_context("measure", ["model.onnx", *options]).params[name]


@pytest.mark.parametrize("option", ["-o", "--output", "--out"])
def test_the_folder_has_its_old_name_too(option: str) -> None:
    assert (taken("output", option, "somewhere"), taken("output")) == (Path("somewhere"), Path("report"))
    help_text = bench("measure", "--help").output
    assert "-o, --output" in help_text and "--out " not in help_text


@pytest.mark.parametrize(
    ("given", "budget", "note"),
    [
        ("0.5%", 0.005, ""),
        ("0", 0.0, ""),
        ("2", 0.02, "note: --drift-budget 2 is read as 2%; write 2%\n"),
        ("150%", 1.5, ""),
    ],
)
def test_a_drift_budget_without_a_sign_is_percent_with_a_note(
    given: str, budget: float, note: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert taken("drift_budget", "--drift-budget", given) == pytest.approx(budget)
    assert (capsys.readouterr().err, taken("drift_budget")) == (note, 0.01)
