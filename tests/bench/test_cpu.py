from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from made_report import BF16, EAGER, FP32, INT8, make_report
from tiny_model import PHOTOS, TinyModel

from depthrt.bench import cpu
from depthrt.bench.cpu import cpu_subjects, to_table, with_shares
from depthrt.bench.numbers.result_file import read_result
from depthrt.bench.subjects.checkpoint_options import CheckpointOptions
from depthrt.bench.subjects.find_subjects import find_subjects
from depthrt.bench.subjects.subject import open_subject
from depthrt.engine.errors import InputError
from depthrt.engine.images.read import read_image

SIZE = (98, 126)
OPTIONS = CheckpointOptions(SIZE, "depth-anything-v2", "inverse")
TOLERANCE = 1e-4  # of the range: the bar for float32
BF16_TOLERANCE = 0.2  # largest, of the range; bf16 keeps 8 bits, and a wrong graph is off by the whole range


def test_every_way_of_a_cpu_answers_like_torch(tiny: TinyModel, tmp_path: Path) -> None:
    found = cpu_subjects(tiny.checkpoint, [tiny.onnx], OPTIONS, tmp_path, threads=1, compiled=False)
    names = [one.name for one in found]
    assert names[0] == "tiny.pth torch fp32 cpu"
    assert {"naive export onnxruntime fp32", "tiny.onnx cpu"} <= set(names)
    image = read_image(PHOTOS / "coffee.jpg")
    answers = {}
    for one in found:
        if one.name.startswith(("tiny.pth", "naive")):  # the model file has another size
            with open_subject(one).model as model:
                answers[one.name] = model.infer(image).values
    reference = answers[names[0]]
    for name, values in answers.items():
        tolerance = TOLERANCE if "fp32" in name else BF16_TOLERANCE
        assert np.abs(values - reference).max() / np.ptp(reference) < tolerance, name


def test_a_naive_export_asks_for_one_size(tiny: TinyModel, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="518 found, expected HxW"):
        cpu_subjects(tiny.checkpoint, [], CheckpointOptions(size=518), tmp_path, threads=1)


def test_each_subject_tells_its_share_of_its_own_precisions_ceiling() -> None:
    report = make_report(only=(EAGER, FP32, BF16, INT8))
    shown = with_shares(report, 115.0, {"fp32": 200.0, "bf16": 400.0})
    facts = {one.name: one.facts for one in shown.subjects}
    kernel = {one.name: one.latency[0].p50_ms.value for one in report.subjects if one.latency}
    assert int(facts[BF16]["GFLOP/s"]) == round(115e3 / kernel[BF16])
    assert float(facts[FP32]["of ceiling"].rstrip("%")) == pytest.approx(115e3 / kernel[FP32] / 2, abs=0.51)
    assert "of ceiling" not in facts[INT8]
    lines = to_table(shown).splitlines()
    assert len(lines) == 1 + len(report.subjects)
    assert "no CUDA device" in lines[-1]


def test_the_program_keeps_the_higher_ceilings_and_prints_what_it_writes(
    tiny: TinyModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ceilings = iter(({"fp32": 100.0, "bf16": 400.0}, {"fp32": 200.0, "bf16": 300.0}))
    monkeypatch.setattr(cpu, "measure_ceilings", lambda threads: next(ceilings))
    monkeypatch.setattr(cpu, "count_work", lambda checkpoint, options: options.size[0] * options.size[1] / 1000)
    monkeypatch.setattr(
        cpu, "cpu_subjects", lambda checkpoint, models, *_, threads, **__: find_subjects(models, threads=threads)
    )
    names = [str(path) for path in (tiny.checkpoint, tiny.onnx, tmp_path / "cpu.json")]
    options = ["--size", "100x50", "--rounds", "3", "--calls", "2", "--warmup-s", "0", "--cold", "0", "--threads", "1"]
    found = CliRunner().invoke(cpu.main, [*names[:2], *options, "-o", names[2]], catch_exceptions=False)
    assert found.exit_code == 0, found.output
    report = read_result(names[2])
    subject = next(subject for subject in report.subjects if subject.facts["precision"] == "fp32")
    settings = report.made.settings
    assert len(subject.latency[0].samples_ms) == 3 * 2
    assert (settings["size"], settings["work"], settings["rounds"]) == ("100x50", "5.0 GFLOP", "3 of 2 calls")
    assert (settings["ceiling fp32"], settings["ceiling bf16"]) == ("200 GFLOP/s", "400 GFLOP/s")
    assert found.stdout.startswith(to_table(report)) and "Memory of a fresh process" in found.stdout
    share = float(subject.facts["GFLOP/s"]) / 200
    assert float(subject.facts["of ceiling"].rstrip("%")) / 100 == pytest.approx(share, abs=0.01)


def test_a_name_does_not_move_the_cursor_of_a_terminal() -> None:
    report = make_report(only=(FP32,))
    table = to_table(replace(report, subjects=(replace(report.subjects[0], name="a\x1b[2J\nb"),)))
    assert r"a\x1b[2J\nb  " in table and "\x1b" not in table and len(table.splitlines()) == 2
