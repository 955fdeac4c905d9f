"""`depthrt fetch` prints where a model lies and its licence; `export --fetch` takes it from there into a model file."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from made import CONTRACT
from onnx import helper
from published_files import Publisher
from run_verb import run

from depthrt.engine.terms import OnStep
from depthrt.export import to_onnx
from depthrt.export.download import transfer
from depthrt.export.to_onnx import Exported

WEIGHTS = bytes(1000)
ONNX = helper.make_model(helper.make_graph([], "graph", [], [])).SerializeToString()
NAME, RESTRICTED = "dpt_large_384", "depth-anything-v2-vitl"
REPOSITORY = "onnx-community/depth-anything-v2-small"


@pytest.fixture(autouse=True)
def _published(publisher: Publisher) -> None:
    publisher.releases["isl-org/MiDaS/v3/dpt_large_384.pt"] = WEIGHTS
    publisher.models["depth-anything/Depth-Anything-V2-Large"] = {"depth_anything_v2_vitl.pth": WEIGHTS}
    publisher.models[REPOSITORY] = {
        "config.json": b"{}",
        "onnx/model.onnx": ONNX,
        "onnx/model.onnx_data": WEIGHTS,
        "onnx/model_q4.onnx": ONNX,
    }
    publisher.cards[REPOSITORY] = {"license": "apache-2.0"}


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


def test_a_repository_is_listed_and_nothing_is_downloaded(publisher: Publisher) -> None:
    result = run("fetch", REPOSITORY)
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        f"{REPOSITORY} at 0123456789ab, Apache-2.0, https://www.apache.org/licenses/LICENSE-2.0",
        "  file                precision    size  weights beside it",
        "  onnx/model.onnx     fp32       0.0 MB             1 file",
        "  onnx/model_q4.onnx  4-bit      0.0 MB",
    ]
    assert result.stderr == (
        f"Nothing was downloaded. Take one with: depthrt fetch {REPOSITORY} --file onnx/model.onnx\n"
    )
    assert [asked.path for asked in publisher.asked] == [f"/api/models/{REPOSITORY}/revision/main"]
    found = json.loads(run("fetch", REPOSITORY, "--json").stdout)
    assert (found["name"], found["licence"], len(found["files"])) == (REPOSITORY, "Apache-2.0", 2)
    assert found["files"][0]["beside"] == ["onnx/model.onnx_data"]


def test_a_file_of_a_repository_is_fetched_and_the_way_on_is_told(tmp_path: Path) -> None:
    result = run("fetch", REPOSITORY, "--file", "model.onnx", "-o", tmp_path / "here")
    path = tmp_path / "here/depth-anything-v2-small/onnx/model.onnx"
    assert (result.exit_code, result.stdout) == (0, f"{path}\n") and path.read_bytes() == ONNX
    assert f"{REPOSITORY}: Apache-2.0, https://www.apache.org/licenses/LICENSE-2.0\n" in result.stderr
    assert result.stderr.endswith(f"Make a model file of it with: depthrt adopt {path} -o model.onnx\n")
    assert json.loads(run("fetch", REPOSITORY, "--file", "model.onnx", "--json").stdout)["name"] == REPOSITORY


def test_a_file_of_a_model_of_the_catalog_is_not_asked_for() -> None:
    result = run("fetch", NAME, "--file", "model.onnx")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == (
        f"error: --file model.onnx found, {NAME} is a model of the catalog; leave it out, or give ORG/NAME\n"
    )
