"""`depthrt bench MODEL... --probes`: table, files, exit code, and the options that it refuses."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import pytest
from run_verb import run
from tiny_model import TinyModel

from depthrt.finetune.probes import run as probes_run
from depthrt.finetune.probes.catalog import PROBES


@pytest.fixture(autouse=True)
def _two_probes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run two probes on small pictures; the whole table takes half a minute."""
    few = [probe for probe in PROBES if probe.name in ("size", "mirror")]
    small = partial(probes_run.probe_models, probes=few, size_px=(120, 160))
    monkeypatch.setattr(probes_run, "probe_models", small)


def test_the_table_goes_to_stdout_and_the_files_into_the_folder(tiny: TinyModel, tmp_path: Path) -> None:
    (tmp_path / "broken.pth").write_bytes(b"x")
    options = ("--probes", "--count", 1, "-o", tmp_path / "out")
    found = run("bench", tiny.onnx, tmp_path / "broken.pth", *options)
    assert found.exit_code == 1 and "error: broken.pth: " in found.stderr
    lines = found.stdout.splitlines()
    assert "Probes" in lines[0] and any("size" in line and "higher" in line and "failed" in line for line in lines)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["probes.html", "probes.json", "probes.png"]
    made = json.loads((tmp_path / "out" / "probes.json").read_text())
    assert [probe["name"] for probe in made["probes"]] == ["mirror", "size"]
    assert made["made"]["settings"]["scenes of each probe"] == "1" and made["machine"]["cores"] >= 1
    assert "tiny.onnx" in (tmp_path / "out" / "probes.html").read_text()


def test_json_goes_to_stdout_and_is_the_file(tiny: TinyModel, tmp_path: Path) -> None:
    found = run("bench", tiny.onnx, "--probes", "--count", 1, "--json", "-o", tmp_path)
    assert found.exit_code == 0, found.output
    assert json.loads(found.stdout) == json.loads((tmp_path / "probes.json").read_text())


@pytest.mark.parametrize(
    ("options", "refused"), [(("--images", "a.jpg"), "--images"), (("--rounds", 9, "--cap", 9), "--rounds, --cap")]
)
def test_an_option_of_other_measurements_is_refused(options: tuple[object, ...], refused: str, tiny: TinyModel) -> None:
    found = run("bench", tiny.onnx, "--probes", *options)
    assert found.exit_code == 2 and f"so it takes no {refused}." in found.stderr and not found.stdout


def test_a_missing_model_is_one_line_and_leaves_no_folder(tmp_path: Path) -> None:
    found = run("bench", tmp_path / "none.onnx", "--probes", "-o", tmp_path / "out")
    assert found.exit_code == 1 and found.stderr.startswith("error: ") and found.stderr.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_help_names_probes_among_the_options_of_measure() -> None:
    assert "--probes" in run("bench", "measure", "-h").output
