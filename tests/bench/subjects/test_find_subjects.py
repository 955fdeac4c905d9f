from __future__ import annotations

import pickle
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from made_engine import write_engine
from random_checkpoint import TINY, random_network, save_official
from reference_depth_anything import reference_infer
from tiny_model import PHOTOS, TinyModel

from depthrt.bench.subjects.checkpoint_options import CheckpointOptions
from depthrt.bench.subjects.find_subjects import find_subjects
from depthrt.bench.subjects.study_serving import read_as_study
from depthrt.bench.subjects.subject import Subject, facts_of, open_subject, open_subjects
from depthrt.engine.errors import BackendUnavailable, DepthrtError, InputError, ModelFileError
from depthrt.engine.images.read import read_image
from depthrt.engine.modelfile.contract import read_contract
from depthrt.engine.runners.open_runner import available_choices

OPTIONS = CheckpointOptions(size=126, family="depth-anything-v2", kind="inverse")
COFFEE = PHOTOS / "coffee.jpg"
TOLERANCE = 1e-4  # of the range: the bar for float32
BF16_DRIFT = 2e-2  # mean, of the range; 3e-3 measured on random weights


@pytest.fixture(autouse=True, scope="module")
def threads_as_before() -> Iterator[None]:
    """A subject sets torch's threads for the whole process; the tests after these get theirs back."""
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def find(*models: str | Path, options: CheckpointOptions = OPTIONS, **more: object) -> list[Subject]:
    kept = {"devices": ["cpu"], "runners": ["onnxruntime"], "threads": 1, "compiled": False}
    arguments = kept | {"checkpoint": options} | more
    return find_subjects(models, **arguments)  # type: ignore[arg-type]


def depth_of(subject: Subject) -> np.ndarray:
    with open_subject(subject).model as model:
        return model.infer(read_image(COFFEE)).values


def distance(found: np.ndarray, reference: np.ndarray) -> float:
    """Largest difference over the reference's range."""
    return float(np.abs(found - reference).max() / np.ptp(reference))


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
        assert "tiny.engine runs on an NVIDIA GPU alone" in loaded.failures[subject.name]


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


def test_bf16_is_computed_in_bf16(tiny: TinyModel) -> None:
    exact, rounded = (depth_of(subject) for subject in find(tiny.checkpoint, precisions=("fp32", "bf16")))
    drift = np.abs(rounded - exact).mean() / np.ptp(exact)
    assert 1e-4 < drift < BF16_DRIFT


def test_the_contract_of_a_checkpoint_is_that_of_its_export(
    tiny: TinyModel, tiny_metric: TinyModel, tiny_static: TinyModel
) -> None:
    metric = replace(OPTIONS, kind="metric", max_depth_m=20.0)
    for model, options in ((tiny, OPTIONS), (tiny_metric, metric), (tiny_static, replace(OPTIONS, size=(126, 196)))):
        with open_subject(find(model.checkpoint, options=options)[0]).model as opened:
            exported = read_contract(model.onnx)
            assert opened.contract == replace(exported, canary=opened.contract.canary, attention="plain")


def test_what_cannot_be_opened_is_a_failure_and_the_others_go_on(tiny: TinyModel, tmp_path: Path) -> None:
    (tmp_path / "plan.engine").write_bytes(b"x")
    (tmp_path / "broken.pth").write_bytes(b"x")
    found = find(tmp_path / "none.onnx", tmp_path / "plan.engine", tmp_path / "broken.pth", tiny.onnx)
    loaded = open_subjects([*found, Subject("mine", open=lambda: 1 / 0)])  # type: ignore[arg-type, return-value]
    assert [*loaded.found] == ["tiny.onnx cpu"]
    failures = loaded.failures
    assert [*failures] == ["none.onnx cpu", "plan.engine cuda", "broken.pth torch fp32 cpu", "mine"]
    assert "does not exist" in failures["none.onnx cpu"] and "is no engine file" in failures["plan.engine cuda"]
    assert failures["mine"] == "ZeroDivisionError: division by zero"
    assert not any("\n" in why for why in failures.values())
    loaded.found["tiny.onnx cpu"].model.close()


def test_a_device_that_was_asked_for_and_does_not_work_is_a_failure(tiny: TinyModel) -> None:
    if torch.cuda.is_available():
        pytest.skip("CUDA works here")
    failures = open_subjects(find(tiny.onnx, tiny.checkpoint, devices=["cuda"])).failures
    assert [*failures] == ["tiny.onnx cuda", "tiny.pth torch fp32 cuda"]
    by_onnx, by_torch = failures.values()
    assert "CUDA" in by_onnx and "torch finds no CUDA device" in by_torch


def test_subjects_travel_to_other_processes(tiny: TinyModel) -> None:
    for subject in find(tiny.onnx, tiny.checkpoint, study=True):
        again: Subject = pickle.loads(pickle.dumps(subject))
        assert (again.name, again.facts, again.needs) == (subject.name, subject.facts, subject.needs)
        assert np.array_equal(depth_of(again), depth_of(subject))


def test_facts_say_what_truly_runs(tiny: TinyModel) -> None:
    (subject,) = find(tiny.onnx)
    with (opened := open_subject(subject)).model:
        facts = facts_of(opened, (400, 600))
    assert facts["file"] == str(tiny.onnx)
    assert (facts["runner"], facts["provider"], facts["precision"]) == ("onnxruntime", "CPUExecutionProvider", "fp32")
    assert (facts["input"], facts["threads"], facts["model"]) == ("126x196", "1", "depth-anything-v2-vit64x4")


def test_the_study_reads_the_weights_for_every_request(tmp_path: Path) -> None:
    path = save_official(random_network(TINY, seed=1), tmp_path / "served.pth")
    eager, study = find(path, study=True)
    image = read_image(COFFEE)
    with open_subject(eager).model as kept, open_subject(study).model as read_again:
        before = kept.infer(image).values
        assert distance(read_again.infer(image).values, before) <= TOLERANCE
        save_official(random_network(TINY, seed=2), path)
        assert np.array_equal(kept.infer(image).values, before)
        assert distance(read_again.infer(image).values, before) > 100 * TOLERANCE


def test_the_study_takes_either_colour_order(tiny: TinyModel) -> None:
    _, study = find(tiny.checkpoint, study=True)
    image = read_image(COFFEE)
    with open_subject(study).model as model:
        rgb = model.infer(np.ascontiguousarray(image[:, :, ::-1]), color="rgb")
        assert np.array_equal(rgb.values, model.infer(image).values)


def test_the_study_reads_images_with_opencv(tmp_path: Path) -> None:
    assert np.array_equal(read_as_study(COFFEE), read_image(COFFEE))
    (tmp_path / "text.jpg").write_text("text")
    with pytest.raises(InputError, match=r"text\.jpg cannot be read by cv2\.imread"):
        read_as_study(tmp_path / "text.jpg")


@pytest.mark.parametrize("kept", ["wrapped", "static"])
def test_what_a_studys_scripts_do_not_take_is_refused(tmp_path: Path, kept: str) -> None:
    path = tmp_path / "made.pth"
    state = random_network(TINY).state_dict()
    torch.save({"model": state} if kept == "wrapped" else state, path)
    options = OPTIONS if kept == "wrapped" else replace(OPTIONS, size=(126, 196))
    expected: tuple[type[DepthrtError], str] = (
        (ModelFileError, "not in upstream's layout") if kept == "wrapped" else (InputError, "take no static size")
    )
    _, study = find(path, options=options, study=True)
    with pytest.raises(expected[0], match=expected[1]):
        open_subject(study)


def test_a_closed_torch_model_says_so(tiny: TinyModel) -> None:
    with open_subject(find(tiny.checkpoint)[0]).model as model:
        pass
    with pytest.raises(InputError, match="closed"):
        model.infer(read_image(COFFEE))


def test_what_torch_refuses_is_one_line(tiny: TinyModel) -> None:
    model = open_subject(find(tiny.checkpoint)[0]).model
    with pytest.raises(BackendUnavailable, match="torch fails on this machine") as caught:
        model.runner.run(np.zeros((1, 5, 126, 126), np.float32))  # five channels
    assert "\n" not in str(caught.value)


def test_the_default_model_is_named_like_a_file() -> None:
    (subject,) = find("default", runners=["onnxruntime"])
    assert (subject.name, subject.facts["file"]) == ("default cpu", "default")
