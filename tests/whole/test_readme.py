"""The README's snippets run, and its commands parse, and so do those of docs/finetune.md and docs/adopt.md."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from run_verb import parse
from tiny_model import PHOTOS, TinyModel

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
FENCED = re.compile(r"```(\w+)\n(.*?)```", flags=re.DOTALL)
BLOCKS = FENCED.findall(README)
PAGES = [(ROOT / "docs" / name).read_text(encoding="utf-8") for name in ("finetune.md", "adopt.md")]
COMMANDS = [
    line.split("#")[0].strip()
    for language, block in [*BLOCKS, *(found for page in PAGES for found in FENCED.findall(page))]
    if language == "sh"
    for line in block.splitlines()
    if line.startswith("depthrt ")
]


def test_the_python_snippets_run(tiny_metric: TinyModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copy(tiny_metric.onnx, tmp_path / "model.onnx")
    from PIL import Image

    Image.open(PHOTOS / "coffee.jpg").resize((640, 480)).save(tmp_path / "photo.jpg")
    monkeypatch.chdir(tmp_path)
    code = "\n".join(block for language, block in BLOCKS if language == "python")
    names: dict[str, object] = {}
    exec(compile(code, "README.md", "exec"), names)
    points = names["points"]
    assert getattr(points, "shape", None) == (640 * 480, 3)
    assert (tmp_path / "depth.png").exists()


@pytest.mark.parametrize("command", COMMANDS)
def test_the_commands_parse(command: str) -> None:
    parse(command)


def test_the_table_of_families_is_made_from_the_list_of_models() -> None:
    made = subprocess.run([sys.executable, str(ROOT / "docs" / "families_table.py")], capture_output=True, check=True)
    assert made.stdout.decode() in README, "write it again: python docs/families_table.py --write"


def test_the_readme_is_short_and_its_picture_is_there() -> None:
    assert len(README.splitlines()) < 180
    for picture in re.findall(r"!\[.*?\]\((.*?)\)", README):
        assert (ROOT / picture).is_file()
