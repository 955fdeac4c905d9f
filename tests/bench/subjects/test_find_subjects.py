from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from checkpoint_subjects import TOLERANCE, depth_of, distance, find
from made_engine import write_engine
from made_subjects import MadeRunner, slope
from made_subjects import subject as made_subject
from reference_depth_anything import reference_infer
from tiny_model import PHOTOS, TinyModel

from depthrt.bench.subjects import find_subjects as find_subjects_module
from depthrt.bench.subjects.find_subjects import open_file
from depthrt.bench.subjects.subject import facts_of, open_subject, open_subjects
from depthrt.engine.errors import BackendUnavailable
from depthrt.engine.images.read import read_image
from depthrt.engine.modelfile.contract import read_contract
from depthrt.engine.runners.choice import Choice
from depthrt.engine.runners.open_runner import available_choices
from depthrt.engine.terms import HardwareDevice, Precision

COFFEE = PHOTOS / "coffee.jpg"


@pytest.fixture(autouse=True, scope="module")
def threads_as_before() -> Iterator[None]:
    """A subject sets torch's threads for the whole process; the tests after these get theirs back."""
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def test_files_become_subjects_with_names_of_their_own(tiny: TinyModel) -> None:
    found = find(tiny.onnx, tiny.checkpoint, tiny.onnx, compiled=True, precisions=("fp32", "bf16"), study=True)
    assert [subject.name for subject in found] == [
        "tiny.onnx cpu",
        "tiny.pth torch fp32 cpu",
        "tiny.pth torch.compile fp32 cpu",
        "tiny.pth torch bf16 cpu",
        "tiny.pth torch.compile bf16 cpu",
        "tiny.pth study",
        "tiny.onnx cpu (2)",
    ]


def test_an_engine_is_one_subject_that_says_what_it_needs(tmp_path: Path) -> None:
    engine = write_engine(tmp_path / "tiny.engine")
    (subject,) = find(engine)
    assert (subject.name, subject.facts) == ("tiny.engine cuda", {"file": str(engine)})
    loaded = open_subjects([subject])
    if not loaded.found:
        assert "tiny.engine runs on NVIDIA GPUs only" in loaded.failures[subject.name]


def test_without_a_choice_each_device_that_works_is_taken(tiny: TinyModel) -> None:
    found = find(tiny.onnx, tiny.checkpoint, devices=None)
    assert ("tiny.pth torch fp32 cuda" in [subject.name for subject in found]) == torch.cuda.is_available()
    assert {"tiny.onnx cpu", "tiny.pth torch fp32 cpu"} <= {subject.name for subject in found}


def test_a_model_file_is_a_subject_for_each_runner_and_precision_of_the_cpu(tiny: TinyModel) -> None:
    choices = available_choices(read_contract(tiny.onnx), 1)
    found = find(tiny.onnx, runners=None)
    others = [f"tiny.onnx {choice.runner} {choice.precision}" for choice in choices[1:]]
    assert [one.name for one in found] == ["tiny.onnx cpu", *others]
    for subject, choice in zip(found, choices, strict=True):
        with (opened := open_subject(subject)).model:
            facts = facts_of(opened, (400, 600))
        assert (facts["runner"], facts["precision"], facts["threads"]) == (choice.runner, choice.precision, "1")
    of_one = find(tiny.onnx, runners=["openvino"])
    assert [one.name for one in of_one] == [one.name for one in found if " openvino " in one.name]


def test_a_runner_that_was_asked_for_and_is_not_there_is_a_failure(
    tiny: TinyModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "openvino", None)
    assert [one.name for one in find(tiny.onnx, runners=None)] == ["tiny.onnx cpu"]
    failures = open_subjects(find(tiny.onnx, runners=["openvino"])).failures
    ((name, why),) = failures.items()
    assert name == "tiny.onnx openvino fp32" and "pip install 'depthrt[cpu]'" in why


def test_all_subjects_of_one_network_agree_with_the_reference(tiny: TinyModel) -> None:
    reference = reference_infer(tiny.state, read_image(COFFEE), "depth-anything-v2", base_px=126)
    subjects = find(tiny.onnx, tiny.checkpoint, runners=None, study=True)
    found = {subject.name: depth_of(subject) for subject in subjects if " bf16" not in subject.name}
    assert {"tiny.onnx cpu", "tiny.pth torch fp32 cpu", "tiny.pth study"} <= found.keys()
    for name, values in found.items():
        assert distance(values, reference) <= TOLERANCE, name


def test_the_default_model_is_named_like_a_file() -> None:
    (subject,) = find("default", runners=["onnxruntime"])
    assert (subject.name, subject.facts["file"]) == ("default cpu", "default")


@pytest.mark.parametrize(
    ("device", "choice", "opens", "expected"),
    [
        ("cpu", Choice("openvino", "bf16", 1), ("openvino", "CPU", "bf16"), None),
        ("cpu", Choice("openvino", "bf16", 1), ("openvino", "CPU", "fp32"), "openvino fp32 on CPU"),
        (
            "cpu",
            Choice("openvino", "fp32", 1),
            ("onnxruntime", "CPUExecutionProvider", "fp32"),
            "onnxruntime fp32 on CPU",
        ),
        ("cuda", None, ("onnxruntime", "CPUExecutionProvider", "fp32"), "onnxruntime fp32 on CPUExecutionProvider"),
        ("cuda", None, ("onnxruntime", "CUDAExecutionProvider", "fp16"), None),
        ("cpu", None, ("onnxruntime", "CUDAExecutionProvider", "fp32"), "onnxruntime fp32 on CUDAExecutionProvider"),
    ],
)
def test_a_fallback_is_not_opened_under_the_name_of_a_subject(
    monkeypatch: pytest.MonkeyPatch,
    device: HardwareDevice,
    choice: Choice | None,
    opens: tuple[str, str, Precision],
    expected: str | None,
) -> None:
    runner = MadeRunner(slope(), opens[2])
    runner.name, runner.provider = opens[:2]
    closed: list[bool] = []
    runner.close = lambda: closed.append(True)  # type: ignore[method-assign]
    made = made_subject("made", runner).open()
    monkeypatch.setattr(find_subjects_module, "load", lambda *_, **__: made)
    if expected is None:
        assert open_file(Path("a.onnx"), device, None, choice) is made and not closed
        return
    with pytest.raises(BackendUnavailable, match=f"{expected}.* was opened in its place"):
        open_file(Path("a.onnx"), device, None, choice)
    assert closed == [True]
