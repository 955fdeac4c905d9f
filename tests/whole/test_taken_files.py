"""Every row of the README's table of files holds: what it names is taken."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from checkpoint_files import Write, hugging_face, plain, safetensors, saved
from foreign_layouts import LAYOUTS
from made_engine import write_engine
from run_verb import run
from tiny_model import PHOTOS, TinyModel

import depthrt
from depthrt.export.checkpoint.checkpoint import read_checkpoint

README = (Path(__file__).resolve().parents[2] / "README.md").read_text(encoding="utf-8")
TABLE = README.split("| files that depthrt takes |")[1].split("\n\n")[0]
ROWS = dict(re.findall(r"^\| \*\*([^*]+)\*\*[^|]*?: ([^|]+) \|", TABLE, flags=re.MULTILINE))

# What tests/export/adopt/test_layouts.py adopts, for each word of the row.
LAYOUT_OF = {
    "float32": "optimum, dynamic",
    "fp16": "fp16",
    "int8": "int8, dynamic",
    "uint8": "uint8, dynamic",
    "4 bits": "4 bits",
    "static": "optimum, static",
    "dynamic": "optimum, dynamic",
    "NCHW": "image -> depth",
    "NHWC": "image (n, h, w, 3)",
    "uint8 images": "image (n, h, w, 3) uint8",
    "weights inside": "optimum, dynamic",
    "weights beside": "weights in a file beside",
    **{f"opset {number}": f"opset {number}" for number in (11, 17, 23)},
}


def take_checkpoints(words: list[str], tiny: TinyModel, folder: Path) -> None:
    for word in words:
        suffix = word.strip("`")
        write: Write = saved(plain, f"tiny{suffix}")
        if suffix == ".safetensors":
            write = safetensors(name="tiny.safetensors")
        elif suffix == "folders":
            write = hugging_face()
        (folder / suffix).mkdir()
        found = read_checkpoint(write(folder / suffix, tiny.state), family="depth-anything-v2", kind="inverse")
        assert found.family == "depth-anything-v2"


def take_files_of_others(words: list[str], tiny: TinyModel, folder: Path) -> None:
    assert {LAYOUT_OF[word] for word in words} <= LAYOUTS.keys()


def take_models(words: list[str], tiny: TinyModel, folder: Path) -> None:
    assert words == [f"`{tiny.onnx.suffix}`"]
    with depthrt.load(tiny.onnx, device="cpu", threads=1) as model:
        assert model.infer(depthrt.read_image(PHOTOS / "coffee.jpg")).kind == "inverse"


def take_engines(words: list[str], tiny: TinyModel, folder: Path) -> None:
    assert words == ["`.engine`"]
    assert run("info", write_engine(folder / "tiny.engine")).exit_code == 0


TAKE: dict[str, Callable[[list[str], TinyModel, Path], None]] = {
    "checkpoints": take_checkpoints,
    "ONNX files of others": take_files_of_others,
    "model files": take_models,
    "engines": take_engines,
}


def test_the_table_has_these_rows() -> None:
    assert ROWS.keys() == TAKE.keys()


@pytest.mark.parametrize("row", TAKE)
def test_what_a_row_names_is_taken(row: str, tiny: TinyModel, tmp_path: Path) -> None:
    words = re.split(r"[,;] ", re.sub(r" \(\[.*", "", ROWS[row]))
    TAKE[row](words, tiny, tmp_path)
