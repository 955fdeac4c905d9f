"""A checkpoint becomes a file that answers like torch, or no file; an older file is never damaged."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from random_checkpoint import TINY, random_network, save_official
from shared_traces import shared_traces
from tiny_model import PHOTOS, TinyModel, read_inverse

import depthrt
from depthrt import InputError, ModelFileError, ParityError
from depthrt.engine.modelfile.canary import canary_drift, canary_input
from depthrt.engine.modelfile.contract import read_contract
from depthrt.engine.modelfile.model_file import open_model_file
from depthrt.engine.runners.open_runner import open_runner
from depthrt.engine.terms import OnStep, Precision
from depthrt.export import to_onnx
from depthrt.export.checkpoint.checkpoint import Checkpoint, read_checkpoint
from depthrt.export.onnx_file import saved
from depthrt.export.parity import parity
from depthrt.export.to_onnx import export_checkpoint, export_onnx


@pytest.fixture(autouse=True)
def _shared_traces() -> Iterator[None]:
    with shared_traces():
        yield


def stop_at(word: str) -> OnStep:
    """Return an on_step that raises KeyboardInterrupt at the step with a word in its title."""

    def interrupt(title: str, done: int, wanted: int) -> None:
        if word in title:
            raise KeyboardInterrupt

    return interrupt


def test_the_canary_catches_a_scale_off_by_two_percent(tiny: TinyModel) -> None:
    contract = read_contract(tiny.onnx)
    runner = open_runner(open_model_file(tiny.onnx), device="cpu", threads=None)
    answer = runner.run(canary_input(contract.canary.size_px, contract.mean, contract.std))[0]
    assert canary_drift(contract.canary, answer) <= contract.canary.tolerance
    assert canary_drift(contract.canary, answer * np.float32(1.02)) > 100 * contract.canary.tolerance


def test_a_file_that_departs_from_torch_is_not_left(
    tiny: TinyModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(parity.TOLERANCE, "fp32", 0.0)
    with pytest.raises(ParityError, match=r"drift .* at most 0 is allowed in fp32; no file is left"):
        export_onnx(read_inverse(tiny), tmp_path / "model.onnx", size=(28, 42))
    assert list(tmp_path.iterdir()) == []


def test_an_interrupt_leaves_the_file_that_was_there(tiny: TinyModel, tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(b"what was there")

    with pytest.raises(KeyboardInterrupt):
        export_onnx(read_inverse(tiny), path, size=(28, 42), on_step=stop_at("photograph"))
    assert path.read_bytes() == b"what was there" and list(tmp_path.iterdir()) == [path]


def test_weights_too_large_for_one_file_go_beside_it(
    tiny: TinyModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(saved, "PROTOBUF_LIMIT_BYTES", 1000)
    exported = export_onnx(read_inverse(tiny), tmp_path / "model.onnx", size=(126, 196))
    weights = [path for path in tmp_path.iterdir() if path.suffix == ".data"]
    assert weights == [exported.weights] and weights[0].stat().st_size > 100_000 > exported.path.stat().st_size
    image = depthrt.read_image(PHOTOS / "coffee.jpg")
    with depthrt.load(exported.path) as model:
        assert np.isfinite(model.infer(image).values).all()


def test_a_failed_export_leaves_the_large_weights_of_the_file_that_was_there(
    tiny: TinyModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(saved, "PROTOBUF_LIMIT_BYTES", 1000)
    exported = export_onnx(read_inverse(tiny), tmp_path / "model.onnx", size=(28, 42))
    assert exported.weights is not None
    before = {path: path.read_bytes() for path in (exported.path, exported.weights)}
    # Half storage makes other weights of the same contract.
    with pytest.raises(KeyboardInterrupt):
        export_onnx(read_inverse(tiny), exported.path, size=(28, 42), half_storage=True, on_step=stop_at("photograph"))
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_two_exports_to_one_file_leave_one(tiny: TinyModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(saved, "PROTOBUF_LIMIT_BYTES", 1000)
    path = tmp_path / "model.onnx"
    checkpoint = read_inverse(tiny)

    def export_another(title: str, done: int, wanted: int) -> None:
        if "photograph" in title and not path.exists():
            export_onnx(checkpoint, path, size=(28, 42))

    last = export_onnx(checkpoint, path, size=(28, 42), on_step=export_another)
    assert set(tmp_path.iterdir()) == {path, last.weights}
    with depthrt.load(path) as model:
        assert np.isfinite(model.infer(depthrt.read_image(PHOTOS / "coffee.jpg")).values).all()


def test_large_weights_go_with_the_last_file_that_names_them(
    tiny: TinyModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(saved, "PROTOBUF_LIMIT_BYTES", 1000)
    path, copied = tmp_path / "model.onnx", tmp_path / "copied.onnx"
    first = export_onnx(read_inverse(tiny), path, size=(28, 42)).weights
    shutil.copy(path, copied)
    second = export_onnx(read_inverse(tiny), path, size=(28, 42)).weights
    assert first is not None and second is not None
    assert set(tmp_path.iterdir()) == {path, copied, first, second}
    copied.unlink()
    shutil.copy(first, tmp_path / "of-somebody.data")
    monkeypatch.undo()
    whole = export_onnx(read_inverse(tiny), path, size=(28, 42))
    assert whole.weights is None and set(tmp_path.iterdir()) == {path, first, tmp_path / "of-somebody.data"}


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("model", r"model found as the file to write, expected a name that ends in \.onnx"),
        ("tiny.pth", r"tiny\.pth found as the file to write"),
        ("link.onnx", r"link\.onnx is .*tiny\.pth, which the file is made from"),
        ("nowhere/model.onnx", r"the folder .*nowhere does not exist"),
        ("/proc/model.onnx", r"/proc/model\.onnx cannot be written: "),  # a folder that takes no file
    ],
)
def test_a_place_where_no_file_can_come_is_refused_before_the_work(
    tiny: TinyModel, tmp_path: Path, name: str, message: str
) -> None:
    if name.startswith("/proc") and not Path("/proc").is_dir():
        pytest.skip("this system has no /proc")
    checkpoint = Path(shutil.copy(tiny.checkpoint, tmp_path / "tiny.pth"))
    (tmp_path / "link.onnx").symlink_to(checkpoint)
    found = read_checkpoint(checkpoint, family="depth-anything-v2", kind="inverse")
    steps: list[str] = []
    with pytest.raises(InputError, match=message):
        export_onnx(found, tmp_path / name, size=(28, 42), on_step=lambda title, done, wanted: steps.append(title))
    assert steps == [] and checkpoint.read_bytes() == tiny.checkpoint.read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link.onnx", "tiny.pth"]


@pytest.mark.parametrize(
    ("name", "value", "found"),
    [("bias", -1000.0, "0 everywhere"), ("weight", 3e38, "numbers that are not finite")],
)
def test_a_network_that_collapsed_is_refused(tmp_path: Path, name: str, value: float, found: str) -> None:
    network = random_network(TINY)
    torch.nn.init.constant_(network.depth_head.scratch.get_parameter(f"output_conv2.2.{name}"), value)
    path = save_official(network, tmp_path / "dead.pth")
    checkpoint = read_checkpoint(path, family="depth-anything-v2", kind="inverse")
    with pytest.raises(ModelFileError, match=rf"dead\.pth answers {found} on the canary; .*take an earlier file"):
        export_onnx(checkpoint, tmp_path / "model.onnx", size=(28, 42))
    assert list(tmp_path.iterdir()) == [path]


def test_half_storage_halves_the_file_and_changes_no_bit(tiny: TinyModel, tmp_path: Path) -> None:
    rounded = {name: tensor.half() for name, tensor in tiny.state.items()}
    torch.save(rounded, tmp_path / "rounded.pth")
    checkpoint = read_checkpoint(tmp_path / "rounded.pth", family="depth-anything-v2", kind="inverse")
    image = depthrt.read_image(PHOTOS / "coffee.jpg")
    values, sizes = [], []
    for half_storage in (False, True):
        exported = export_onnx(checkpoint, tmp_path / "model.onnx", size=(126, 196), half_storage=half_storage)
        with depthrt.load(exported.path) as model:
            values.append(model.infer(image).values)
        sizes.append(exported.file_mib)
    assert np.array_equal(values[0], values[1])
    assert sizes[1] < 0.7 * sizes[0]


@pytest.mark.parametrize("options", [{"images": [PHOTOS / "coffee.jpg"]}, {"budget": 0.01}])
def test_images_and_a_budget_are_for_int8_only(tiny: TinyModel, tmp_path: Path, options: dict[str, Any]) -> None:
    message = "--images or --drift-budget found with fp32; they are for --precision int8"
    with pytest.raises(InputError, match=message):
        export_onnx(read_inverse(tiny), tmp_path / "model.onnx", size=(28, 42), **options)
    with pytest.raises(InputError, match=message):  # before the checkpoint is read
        export_checkpoint(tmp_path / "missing.pth", tmp_path / "model.onnx", **options)


def test_one_call_reads_gives_every_note_and_hands_on_every_option(
    tiny: TinyModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: dict[str, Any] = {}
    notes: list[str] = []

    def record(checkpoint: Checkpoint, path: Path, **options: object) -> str:
        asked.update(options, family=checkpoint.family, kind=checkpoint.kind, path=path)
        return "what export_onnx returns"

    monkeypatch.setattr(to_onnx, "export_onnx", record)
    torch.save({"model": tiny.state, "ema": tiny.state}, wrapped := tmp_path / "wrapped.pth")
    options: dict[str, Any] = {
        "size": (28, 42),
        "precision": "int8",
        "attention": "plain",
        "mirror": False,
        "half_storage": True,
        "images": [PHOTOS / "coffee.jpg"],
        "budget": 0.5,
        "on_step": lambda title, done, wanted: None,
    }
    found = export_checkpoint(
        wrapped,
        tmp_path / "model.onnx",
        family="depth-anything-v1",
        kind="inverse",
        weights="ema",
        on_note=notes.append,
        **options,
    )
    assert found == "what export_onnx returns"  # type: ignore[comparison-overlap]
    assert asked == options | {"family": "depth-anything-v1", "kind": "inverse", "path": tmp_path / "model.onnx"}
    assert notes[:2] == ["The weights stand under ema. in the file.", "The file also holds model., which was not used."]
    assert notes[2].startswith("warning: the mean with the mirror image is left out")
    assert notes[3].startswith("warning: int8 is calibrated on 1 image and its drift") and len(notes) == 4


@pytest.mark.parametrize(
    ("count", "found"), [(None, "the photograph that comes with depthrt"), (1, "1 image"), (3, "3 images"), (4, None)]
)
def test_few_images_for_int8_are_warned_of(count: int | None, found: str | None) -> None:
    images = None if count is None else [PHOTOS / "coffee.jpg"] * count
    warnings = to_onnx._warnings("int8", images, True)
    assert [warning.split(" is calibrated on ")[1].split(" and its")[0] for warning in warnings] == [found] * bool(
        found
    )
    assert to_onnx._warnings("fp32", images, True) == ()
    assert to_onnx._warnings("fp32", None, False) == (to_onnx._NO_MIRROR,)


@pytest.mark.parametrize("precision", ["int8", "bf16"])
def test_a_temporary_folder_that_refuses_is_named_and_no_file_is_left(
    tiny: TinyModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, precision: Precision
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
    with pytest.raises(InputError, match=r"temporary files cannot be written to .*gone: No such file.*TMPDIR"):
        export_onnx(read_inverse(tiny), tmp_path / "model.onnx", size=(126, 196), precision=precision)
    assert list(tmp_path.iterdir()) == []


def test_images_that_cannot_be_read_are_left_out_counted_and_named_before_the_export(
    tiny: TinyModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: list[list[Path]] = []
    monkeypatch.setattr(to_onnx, "export_onnx", lambda *_, images, **__: taken.append(images))
    bad = [tmp_path / "empty.jpg", tmp_path / "cut.png"]
    bad[0].touch()
    bad[1].write_bytes(b"\x89PNG\r\n\x1a\n")
    notes: list[str] = []
    asked: dict[str, Any] = {"family": "depth-anything-v2", "kind": "inverse", "precision": "int8"}
    good = PHOTOS / "coffee.jpg"
    export_checkpoint(
        tiny.checkpoint, tmp_path / "model.onnx", images=[bad[0], good, bad[1], good], on_note=notes.append, **asked
    )
    assert taken == [[good]]
    said = [note for note in notes if note.startswith("warning: ")]
    assert [f"{path} is left out: " in note for path, note in zip(bad, said, strict=False)] == [True, True]
    assert said[2] == "warning: 2 of 3 images are left out." and "calibrated on 1 image " in said[3]
    with pytest.raises(InputError, match=r"none of 2 images can be read; .*empty\.jpg is left out"):
        export_checkpoint(tiny.checkpoint, tmp_path / "model.onnx", images=bad, **asked)
