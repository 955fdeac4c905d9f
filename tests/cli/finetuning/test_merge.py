"""`depthrt finetune merge`: what it prints and refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from random_checkpoint import TINY, random_network, save_official
from run_verb import run


@pytest.fixture
def official(tmp_path: Path) -> Path:
    return save_official(random_network(TINY), tmp_path / "official.pth")


def test_replaced_kept_and_mismatched_tensors_are_reported(official: Path, tmp_path: Path) -> None:
    state = random_network(TINY, seed=1).state_dict()
    given = {f"module.{name}": value for name, value in state.items() if name.startswith("depth_head.projects")}
    given["module.pretrained.cls_token"], given["module.extra"] = torch.zeros(2), torch.zeros(2)
    torch.save({"model": given}, tmp_path / "latest.pth")
    out = tmp_path / "tuned.pth"
    result = run("finetune", "merge", tmp_path / "latest.pth", "--into", official, "-o", out)
    assert result.exit_code == 0
    kept = len(state) - 8
    assert result.stdout.splitlines() == [f"{out}: 8 tensors replaced, {kept} kept, 1 mismatched"]
    assert "pretrained.cls_token is (2,), expected (1, 1, 64); the official tensor was kept" in result.stderr
    assert "1 tensors are in no official file and were left out: model.module.extra" in result.stderr
    found = json.loads(
        run("finetune", "merge", tmp_path / "latest.pth", "--into", official, "-o", out, "--json").stdout
    )
    assert (found["path"], len(found["replaced"]), len(found["kept"])) == (str(out), 8, kept)


def test_no_overlap_is_one_line_and_exit_code_1(official: Path, tmp_path: Path) -> None:
    torch.save({"a": torch.zeros(2)}, tmp_path / "other.pth")
    result = run("finetune", "merge", tmp_path / "other.pth", "--into", official, "-o", tmp_path / "out.pth")
    assert result.exit_code == 1 and "has no tensor that fits into" in result.stderr
    assert len(result.stderr.splitlines()) == 1 and not (tmp_path / "out.pth").exists()
