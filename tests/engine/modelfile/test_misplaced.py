"""A file in the place of another is named by what it is, and by where it goes."""

from __future__ import annotations

import shlex
import shutil
from pathlib import Path

import pytest
import torch
from made_engine import write_engine
from made_image import crop_of_photo, packed
from made_video import write_video
from run_verb import run
from safetensors.torch import save_file

from depthrt.engine.modelfile.misplaced import misplaced
from depthrt.engine.modelfile.shipped import DEFAULT, model_path
from depthrt.engine.system.first_bytes import HEAD_BYTES


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("files")
    for format in ("jpeg", "png", "webp", "tiff", "bmp", "gif", "avif"):
        (folder / f"image.{format}").write_bytes(packed(crop_of_photo(), format.upper()))
    for suffix in ("mp4", "avi", "mkv"):
        write_video(folder / f"video.{suffix}", [0, 0.1], codec="mpeg4")
    shutil.copy(model_path(DEFAULT), folder / "an ONNX model.onnx")
    write_engine(folder / "a TensorRT engine.engine")
    weights = {"weight": torch.ones(3)}
    torch.save(weights, folder / "a checkpoint.pth")
    torch.save(weights, folder / "a checkpoint.old", _use_new_zipfile_serialization=False)
    save_file(weights, folder / "a checkpoint.safetensors")
    return folder


def test_each_kind_of_file_is_known_by_its_first_bytes(folder: Path) -> None:
    for path in folder.iterdir():
        stem = {"image": "an image", "video": "a video"}.get(path.stem, path.stem)
        head = path.read_bytes()[:HEAD_BYTES]
        assert misplaced(head, path.name, expected=stem) is None
        found = misplaced(head, path.name, expected="a report")
        assert found is not None and found.startswith(f"{path.name} is {stem}, expected a report; "), path


@pytest.mark.parametrize("content", [b"", b"\x08", b"plain text", b'{"a": 1}', b"\x00" * 64, b"\x80\x04", b"PK"])
def test_other_bytes_are_no_kind_that_is_known(content: bytes) -> None:
    assert misplaced(content, "x", expected="an image") is None


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            "run image.png -m image.jpeg",
            "image.jpeg is an image, expected an ONNX model; images and videos are the INPUTs",
        ),
        ("run image.png -m video.mp4", "video.mp4 is a video, expected an ONNX model"),
        ("run 'an ONNX model.onnx'", "is an ONNX model, expected an image; a model goes to --model: depthrt run IMAGE"),
        ("run 'a checkpoint.old'", "is a checkpoint, expected an image; make a model file of it first: depthrt export"),
        ("run 'a TensorRT engine.engine'", "is a TensorRT engine, expected an image; a model goes to --model"),
        ("export image.png -o x.onnx", "image.png is an image, expected a checkpoint"),
        ("export 'an ONNX model.onnx' -o x.onnx", "is an ONNX model, expected a checkpoint; a model goes to --model"),
        ("build image.png -o x.engine", "image.png is an image, expected an ONNX model"),
        ("build 'a checkpoint.old' -o x.engine", "is a checkpoint, expected an ONNX model; make a model file of it"),
        ("info image.png", "image.png is an image, expected a checkpoint"),
        ("tune image.png", "image.png is an image, expected an ONNX model"),
    ],
)
def test_swapped_arguments_are_named_with_the_option_they_belong_to(
    arguments: str, message: str, folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    here = shutil.copytree(folder, tmp_path / "here")
    monkeypatch.chdir(here)
    found = run(*shlex.split(arguments))
    assert found.exit_code == 1 and "error: " in found.stderr and message in found.stderr
    assert {path.name for path in here.rglob("*.*")} == {path.name for path in folder.iterdir()}, "nothing is left"
