"""The benchmark as a library call: it gives what the verb gives, and prints nothing."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import MISSING, fields, replace
from pathlib import Path
from typing import Any

import pytest
import torch
from run_verb import run
from tiny_model import PHOTOS, TinyModel

from depthrt.bench.bench import bench
from depthrt.bench.numbers.result import Report, SubjectResult
from depthrt.bench.numbers.result_file import read_result
from depthrt.bench.run.request import BenchRequest
from depthrt.cli.measure import measure
from depthrt.engine.errors import InputError

COFFEE = PHOTOS / "coffee.jpg"
ROUNDS = 2
CLI_ONLY = {"output", "command", "models"}  # of their own defaults, or positional


@pytest.fixture(autouse=True, scope="module")
def threads_as_before() -> Iterator[None]:
    """A subject sets torch's threads for the whole process; the tests after these get theirs back."""
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def request(*models: Path, **options: Any) -> BenchRequest:  # noqa: ANN401
    small = {"rounds": ROUNDS, "rate_hz": 0, "cold": 0, "throughput": False, "energy": False, "compiled": False}
    return BenchRequest(models, images=[COFFEE], runners=["onnxruntime"], threads=1, size=126, **small | options)


def without_times(report: Report) -> Report:
    """Return a report without what differs from run to run: times, and warnings about times and the machine."""
    return replace(
        report,
        machine=replace(report.machine, load=0.0),
        made=replace(report.made, started="", took_s=0.0, command=""),
        subjects=tuple(map(untimed, report.subjects)),
        warnings=(),
    )


def untimed(subject: SubjectResult) -> SubjectResult:
    counts = tuple(
        replace(latency, samples_ms=(0.0,) * len(latency.samples_ms), warmup=0, steady=True, **dict.fromkeys(FIGURES))  # type: ignore[arg-type]
        for latency in subject.latency
    )
    return replace(subject, latency=counts, stages_ms=dict.fromkeys(subject.stages_ms, 0.0), speed=None)


FIGURES = ("p50_ms", "p90_ms", "p95_ms", "p99_ms", "mean_ms")


def test_the_library_call_and_the_verb_give_the_same_report(
    tiny: TinyModel, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = request(
        tiny.onnx,
        tiny.checkpoint,
        family="depth-anything-v2",
        kind="inverse",
        scopes=["host"],
        output=tmp_path / "library",
    )
    steps: list[tuple[str, int, int]] = []
    result = bench(asked, on_step=lambda *step: steps.append(step))
    assert capsys.readouterr() == ("", "") and {"loading", "times", "drift"} <= {title for title, _, _ in steps}
    assert all(isinstance(title, str) and 0 <= done <= wanted for title, done, wanted in steps)
    assert result.files is not None and read_result(result.files.json) == result.report
    verb = run(
        *("bench", tiny.onnx, tiny.checkpoint, "--family", "depth-anything-v2", "--kind", "inverse"),
        *("--images", COFFEE, "--runner", "onnxruntime", "--threads", 1, "--size", 126, "--rounds", ROUNDS),
        *(
            "--rate",
            0,
            "--cold",
            0,
            "--no-throughput",
            "--no-energy",
            "--no-compile",
            "--scope",
            "host",
            "-o",
            tmp_path / "verb",
        ),
    )
    assert verb.exit_code == 0, verb.output
    assert without_times(read_result(tmp_path / "verb" / "report.json")) == without_times(result.report)
    names = {name: sorted(path.name for path in (tmp_path / name).iterdir()) for name in ("library", "verb")}
    assert names["library"] == names["verb"] == ["report.html", "report.json", "report.md"]


def test_without_a_folder_nothing_is_written_and_the_report_states_the_call(tiny: TinyModel, tmp_path: Path) -> None:
    model = Path(shutil.copy(tiny.onnx, tmp_path / "mine.onnx"))
    result = bench(request(model, scopes=["host"]))
    assert result.files is None and [path.name for path in tmp_path.iterdir()] == ["mine.onnx"]
    assert result.report.made.command.startswith(f"bench(BenchRequest(models=['{model}'], images=['{COFFEE}'], ")
    again: BenchRequest = eval(
        result.report.made.command.removeprefix("bench(").removesuffix(")"), {"BenchRequest": BenchRequest}
    )
    assert again == replace(again, scopes=["host"], rounds=ROUNDS, threads=1)


def test_each_option_of_the_verb_is_a_field_of_the_request_with_its_default() -> None:
    context = measure.make_context("measure", ["model.onnx"])
    given = {name: value for name, value in context.params.items() if name != "as_json"}
    assert set(given) == {field.name for field in fields(BenchRequest)} - {"command"}
    for field in fields(BenchRequest):
        if field.name not in CLI_ONLY:
            default = None if field.default is MISSING else field.default
            assert given[field.name] == default, field.name


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"reference": "other.onnx"}, r"^other\.onnx does not exist; give model files or checkpoints$"),
        ({"ground_truth": ["nowhere"]}, "nowhere does not exist, expected a folder"),
        ({"images": ["nowhere/*.jpg"]}, "no image or video matches"),
        ({"cap_m": 1e-4}, r"a cap of 0\.0001 m found, expected a finite depth above"),
    ],
)
def test_a_mistake_is_refused_before_anything_is_measured(
    tiny: TinyModel, tmp_path: Path, options: dict[str, Any], message: str
) -> None:
    titles: list[str] = []
    wrong = replace(request(tiny.onnx, output=tmp_path / "report"), **options)
    with pytest.raises(InputError, match=message):
        bench(wrong, on_step=lambda title, done, wanted: titles.append(title))
    assert not titles and not (tmp_path / "report").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "--family"),
        ({"family": "depth-anything-v2"}, "--kind"),
        ({"family": "depth-anything-v2", "kind": "metric"}, "--max-depth"),
        ({"family": "depth-anything-v2", "kind": "inverse", "size": (100, 100)}, "100"),
    ],
)
@pytest.mark.parametrize("place", ["model", "reference"])
def test_a_checkpoint_that_is_unclear_is_refused_before_anything_is_measured(
    tiny: TinyModel, tmp_path: Path, options: dict[str, Any], message: str, place: str
) -> None:
    unclear = Path(shutil.copy(tiny.checkpoint, tmp_path / "mine.pth"))
    titles: list[str] = []
    asked = request(tiny.onnx, unclear) if place == "model" else request(tiny.onnx, reference=unclear)
    asked = replace(asked, output=tmp_path / "report", **options)
    with pytest.raises(InputError, match=message):
        bench(asked, on_step=lambda title, done, wanted: titles.append(title))
    assert not titles and not (tmp_path / "report").exists()


def test_a_damaged_checkpoint_is_a_failure_and_the_others_are_measured(tiny: TinyModel, tmp_path: Path) -> None:
    (tmp_path / "broken.pth").write_bytes(b"x")
    broken, sound = bench(request(tmp_path / "broken.pth", tiny.onnx, scopes=["host"])).report.subjects
    assert broken.failure and not sound.failure and sound.latency


def test_a_name_that_is_no_file_may_be_a_mistyped_verb(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"comapre does not exist and is not a verb of `depthrt bench`; give model"):
        bench(BenchRequest(["comapre"]))


def test_the_json_of_the_verb_is_the_report(tiny: TinyModel, tmp_path: Path) -> None:
    options = ("--images", COFFEE, "--runner", "onnxruntime", "--threads", 1, "--scope", "host", "--quick", "--json")
    found = run("bench", tiny.onnx, *options, "--rounds", ROUNDS, "--rate", 0, "--cold", 0, "--out", tmp_path / "r")
    assert found.exit_code == 0, found.output
    assert json.loads(found.stdout) == json.loads((tmp_path / "r" / "report.json").read_text())
