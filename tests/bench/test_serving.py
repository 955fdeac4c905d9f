"""The load program measures a real server and writes what it found."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner
from tiny_model import PHOTOS, TinyModel

from depthrt.bench.serving import main


def test_the_service_and_the_bare_engine_are_measured(tiny: TinyModel, tmp_path: Path) -> None:
    out = tmp_path / "serving.json"
    words = ["-m", tiny.onnx, "--clients", 3, "--seconds", 1, "--blocks", 1, "--requests", 40, "--threads", 1]
    words += ["--sweep", "1", "--sweep-seconds", 0.2, "--rounds", 1, "-o", out, PHOTOS]
    found = CliRunner().invoke(main, list(map(str, words)), catch_exceptions=False)
    assert found.exit_code == 0, found.output
    result = json.loads(out.read_text())
    assert result["whole_run"]["errors"] == {} == result["service"]["errors"]
    assert result["memory"]["answers"] >= 40 and result["memory"]["first_mib"] > 0
    assert result["ratio"] > 0 and len(result["rates"]) == 3 and result["study"] == []
    assert [load["clients"] for load in result["sweep"]] == [1] and len(result["batches"]) == 3
    assert result["machine"]["cores"] and result["made"]["versions"]["onnxruntime"]
    assert "service over the faster bare engine" in found.stdout and "memory of the server over" in found.stdout
