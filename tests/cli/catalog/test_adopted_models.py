"""`depthrt bench theirs.onnx ours.onnx`: a file of others is adopted for the run, or a line says what is missing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import Result
from foreign_layouts import CONFIG
from made_foreign import export_theirs
from run_verb import run
from tiny_model import TinyModel

from depthrt import InputError
from depthrt.cli.catalog.adopted_models import adopted_models
from depthrt.engine.modelfile.contract import read_contract

SHORT = (
    *("--rounds", "2", "--rate", "0", "--cold", "0", "--no-throughput", "--no-energy", "--scope", "kernel"),
    *("--runner", "onnxruntime", "--threads", "1"),
)
SIDES_PX = (98, 126)


@pytest.fixture(scope="module")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository's folder with a static file, which says what it is."""
    folder = tmp_path_factory.mktemp("their") / "repository"
    (folder / "onnx").mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps(CONFIG))
    return export_theirs(folder / "onnx" / "model.onnx", sides_px=SIDES_PX)


def bench(*arguments: object) -> Result:
    return run("bench", *arguments, *SHORT)


def test_a_file_of_others_is_measured_beside_ours(theirs: Path, tiny: TinyModel, tmp_path: Path) -> None:
    result = bench(theirs, tiny.onnx, "-o", tmp_path / "report")
    assert result.exit_code == 0, result.stderr
    report = json.loads((tmp_path / "report" / "report.json").read_text())
    assert [subject["name"] for subject in report["subjects"]] == [
        "model.onnx cpu",
        "tiny.onnx cpu",
    ]
    assert f"{theirs}: Its graph is pixel_values -> predicted_depth." in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["report"]


def test_what_is_missing_is_said_before_anything_is_measured(theirs: Path, tmp_path: Path) -> None:
    bare = tmp_path / "bare.onnx"
    bare.write_bytes(theirs.read_bytes())
    result = bench(bare, "-o", tmp_path / "report")
    assert result.exit_code == 1 and not (tmp_path / "report").exists()
    assert "does not say what its numbers mean; say it with --kind" in result.stderr
    assert f"adopt it first: depthrt adopt {bare} -o adopted-bare.onnx" in result.stderr


def test_options_say_what_a_file_does_not(theirs: Path, tmp_path: Path) -> None:
    bare = tmp_path / "bare.onnx"
    bare.write_bytes(theirs.read_bytes())
    with adopted_models([bare], family="depth-anything-v2", kind="inverse") as ours:
        path = ours[str(bare)]
        assert path.name == "bare.onnx" and read_contract(path).size.base_px == SIDES_PX
    assert not path.exists()


def test_files_of_one_name_are_told_apart_by_their_folders(theirs: Path, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps(CONFIG))
    second = tmp_path / "model.onnx"
    second.write_bytes(theirs.read_bytes())
    with adopted_models([theirs, second]) as ours:
        names = [path.name for path in ours.values()]
    assert names == ["repository-model.onnx", f"{tmp_path.name}-model.onnx"]


def test_other_models_are_left_as_they_are(tiny: TinyModel, tmp_path: Path) -> None:
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(b"nothing")
    with adopted_models([tiny.onnx, tiny.checkpoint, "default", tmp_path / "missing.onnx", broken]) as ours:
        assert ours == {}


def test_a_file_that_fails_its_probes_is_not_measured(theirs: Path) -> None:
    with (
        pytest.raises(InputError, match=r"its direction is swapped.*adopt it first"),
        adopted_models([theirs], kind="affine"),
    ):
        pass
