"""`depthrt models` lists what is published and was run; quickly, and without a connection."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from published_files import Publisher
from run_verb import run

from depthrt.export.catalog import CATALOG


def test_every_published_model_is_listed(publisher: Publisher) -> None:
    result = run("models")
    listed = {line.split()[0] for line in result.stdout.splitlines() if line.startswith("  ")}
    assert result.exit_code == 0 and publisher.asked == []
    assert {entry.name for entry in CATALOG if entry.published} <= listed
    assert "depth-anything-v2-vitg" not in result.stdout


def test_a_family_is_chosen(publisher: Publisher) -> None:
    found = json.loads(run("models", "--family", "marigold", "--json").stdout)
    assert {model["family"] for model in found} == {"marigold"}
    assert [model["name"] for model in found] == [entry.name for entry in CATALOG if entry.family == "marigold"]


@pytest.mark.parametrize("name", ["depth-anything-v2-vitl", "depth_anything_v2_vitl.pth"])
def test_one_model_is_told_whole(name: str, publisher: Publisher) -> None:
    found = json.loads(run("models", name, "--json").stdout)
    assert (found["name"], found["licence"], found["accepted"]) == ("depth-anything-v2-vitl", "CC-BY-NC-4.0", False)
    text = run("models", name).stdout
    assert "CC-BY-NC-4.0 (no commercial use), https://" in text and "accepted     no: --accept-licence" in text


def test_an_unknown_name_is_one_line(publisher: Publisher) -> None:
    result = run("models", "dpt_larg")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("error: 'dpt_larg' is no model of the catalog; did you mean dpt_large_384")


def test_the_list_loads_no_heavy_package() -> None:
    heavy = ("torch", "onnx", "onnxruntime", "cv2", "av", "numpy", "transformers", "huggingface_hub")
    code = (
        "import sys; from depthrt.cli import main\n"
        "try: main(['models'])\n"
        "except SystemExit: pass\n"
        f"print([name for name in {heavy} if name in sys.modules], file=sys.stderr)"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stderr.strip() == "[]" and "zoedepth" in found.stdout
