"""`depthrt fetch` prints where a model lies and its licence; `export --fetch` takes it from there into a model file."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from made import CONTRACT
from published_files import Publisher
from run_verb import run

from depthrt.engine.terms import OnStep
from depthrt.export import to_onnx
from depthrt.export.download import transfer
from depthrt.export.to_onnx import Exported

WEIGHTS = bytes(1000)
NAME, RESTRICTED = "dpt_large_384", "depth-anything-v2-vitl"


@pytest.fixture(autouse=True)
def _published(publisher: Publisher) -> None:
    publisher.releases["isl-org/MiDaS/v3/dpt_large_384.pt"] = WEIGHTS
    publisher.models["depth-anything/Depth-Anything-V2-Large"] = {"depth_anything_v2_vitl.pth": WEIGHTS}


def test_the_path_is_the_result_and_the_licence_is_talk(tmp_path: Path) -> None:
    result = run("fetch", NAME, "-o", tmp_path / "here")
    assert result.stdout == f"{tmp_path / 'here' / 'dpt_large_384.pt'}\n"
    assert "dpt_large_384 has the licence MIT, https://opensource.org/license/mit\n" in result.stderr
    assert "download dpt_large_384.pt, 0.0 MB ...\n" in result.stderr


def test_json_has_the_licence(tmp_path: Path) -> None:
    found = json.loads(run("fetch", RESTRICTED, "--accept-licence", "--json").stdout)
    assert Path(found.pop("path")).read_bytes() == WEIGHTS
    assert found == {
        "name": RESTRICTED,
        "licence": "CC-BY-NC-4.0",
        "licence_link": "https://creativecommons.org/licenses/by-nc/4.0/legalcode",
    }


def test_a_restricted_licence_is_one_line_until_it_is_accepted() -> None:
    result = run("fetch", RESTRICTED)
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (1, "", 1)
    assert "CC-BY-NC-4.0 (no commercial use), https://" in result.stderr
    assert run("fetch", RESTRICTED, "--accept-licence").exit_code == 0
    assert run("fetch", RESTRICTED).exit_code == 0


def test_ctrl_c_says_that_the_next_call_goes_on(monkeypatch: pytest.MonkeyPatch, publisher: Publisher) -> None:
    def interrupt(path: Path) -> str:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(transfer, "file_sha256", interrupt)
        result = run("fetch", NAME)
    assert (result.exit_code, result.stdout) == (130, "")
    assert result.stderr.endswith("stopped by Ctrl-C; what was received is kept, and the next call goes on with it\n")
    publisher.asked.clear()
    assert run("fetch", NAME).exit_code == 0


def test_export_takes_what_was_fetched_and_fetches_if_asked(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, publisher: Publisher
) -> None:
    taken: list[Path] = []

    def export_checkpoint(
        checkpoint: Path, path: Path, *, on_note: Callable[[str], None], on_step: OnStep, **options: object
    ) -> Exported:
        taken.append(checkpoint)
        return Exported(path, CONTRACT, 1.5, ())

    monkeypatch.setattr(to_onnx, "export_checkpoint", export_checkpoint)
    refused = run("export", RESTRICTED, "-o", "a.onnx")
    assert refused.exit_code == 1 and "give --fetch" in refused.stderr and publisher.asked == []
    refused = run("export", RESTRICTED, "-o", "a.onnx", "--fetch")
    assert refused.exit_code == 1 and "--accept-licence" in refused.stderr and publisher.asked == []
    assert run("export", RESTRICTED, "-o", "a.onnx", "--fetch", "--accept-licence").exit_code == 0
    publisher.asked.clear()
    again = run("export", RESTRICTED, "-o", "a.onnx")
    assert again.exit_code == 0 and publisher.asked == []
    assert taken[0] == taken[1] and taken[0].read_bytes() == WEIGHTS
    assert again.stderr == f"{RESTRICTED} is {taken[0]}.\n"
