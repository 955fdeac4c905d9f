"""`depthrt bench` from the command line: a whole run on tiny models, and what it leaves behind."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest
import torch
from click.testing import CliRunner, Result
from onnx import numpy_helper
from tiny_model import PHOTOS, TinyModel

import depthrt
from depthrt.bench.accuracy.ground_truth import open_ground_truth
from depthrt.bench.accuracy.judge import RuleChoices, judge
from depthrt.bench.numbers.result import Report
from depthrt.bench.numbers.result_file import read_result, write_result
from depthrt.bench.subjects.find_subjects import find_subjects
from depthrt.bench.subjects.subject import open_subject
from depthrt.cli import main
from depthrt.engine.images.write import write_image

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
    return CliRunner().invoke(main, ["bench", *map(str, arguments)], catch_exceptions=False)


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
    result = CliRunner().invoke(main, ["bench", name, str(tiny.onnx), "--out", str(tmp_path)])
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


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("compare", "a.json", "a.json", "--fail-on", "pace>5"), "condition 'pace>5' is about 'pace', expected one"),
        (("compare", "none.json", "a.json"), "none.json"),
    ],
)
def test_bad_comparisons_are_refused_in_one_line(
    whole: tuple[Result, Report, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    write_result("a.json", whole[1])
    result = bench(*arguments)
    assert result.exit_code == 1
    assert result.stderr.startswith("error: ") and message in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_the_bisect_verb_names_a_planted_layer(tiny: TinyModel, tmp_path: Path) -> None:
    model = onnx.load(tiny.onnx)
    weight = next(
        one for one in model.graph.initializer if "blocks.2.attn.proj.weight" in one.name or "blocks.2" in one.name
    )
    spoilt = numpy_helper.to_array(weight) * np.float32(1.5)
    weight.CopyFrom(numpy_helper.from_array(spoilt.astype(np.float32), weight.name))
    onnx.save(model, tmp_path / "spoilt.onnx")
    found = bench("bisect", tiny.onnx, tmp_path / "spoilt.onnx")
    assert found.exit_code == 1
    assert "departs at " in found.stdout and "blocks.2" in found.stdout
    same = bench("bisect", tiny.onnx, tiny.onnx)
    assert same.exit_code == 0 and "no departure" in same.stdout


def test_help_shows_every_verb_and_its_example() -> None:
    group, verb = bench("--help"), bench("measure", "--help")
    assert "measure" in group.output and "compare" in group.output and "bisect" in group.output
    assert "Example:" in group.output and "--ground-truth" in verb.output
