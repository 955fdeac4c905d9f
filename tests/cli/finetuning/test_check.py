"""`depthrt finetune check` prints what is wrong, exits with 1 if anything is, and writes what is good."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from depth_datasets import depth_map, holed, pairs_in, photo, put
from made_terminal import make_terminal
from run_verb import run

from depthrt.bench.datasets.manifest import read_manifest
from depthrt.bench.datasets.regions import REGIONS
from depthrt.cli import main


@pytest.fixture
def rooms(tmp_path: Path) -> Path:
    folder = pairs_in(tmp_path / "my [rooms]")
    put(folder / "rgb" / "b.png", photo())
    put(folder / "depth" / "b.npy", depth_map())
    return folder


def test_a_good_data_set_is_one_line_and_0(rooms: Path) -> None:
    result = run("finetune", "check", rooms)
    assert (result.exit_code, result.stdout) == (0, f"{rooms}: 2 of 2 pairs good, 2 scenes\n")
    assert result.stderr == ""


def test_what_is_wrong_is_listed_and_the_rest_is_written(rooms: Path) -> None:
    (rooms / "depth" / "b.npy").write_bytes(b"")
    put(rooms / "rgb" / "c.png", photo())
    result = run("finetune", "check", rooms, "-o", rooms / "manifest.jsonl")
    first, second, last = result.stdout.splitlines()
    assert result.exit_code == 1
    assert first.startswith(f"unreadable: {rooms / 'depth' / 'b.npy'} ") and second.startswith("missing: ")
    assert last == f"{rooms}: 1 of 3 pairs good, 1 scene, 1 missing, 1 unreadable"
    assert result.stderr == f"{rooms / 'manifest.jsonl'}: 1 pair\n"
    assert [entry.image for entry in read_manifest(rooms / "manifest.jsonl")] == ["rgb/a.png"]
    assert run("finetune", "check", rooms).exit_code == 0


def test_json_holds_the_same(rooms: Path) -> None:
    (rooms / "depth" / "b.npy").write_bytes(b"")
    result = run("finetune", "check", rooms, "--json")
    (found,) = json.loads(result.stdout)
    assert result.exit_code == 1
    assert (found["dataset"], found["pairs"], found["good"], found["scenes"]) == (str(rooms), 2, 1, 1)
    (flaw,) = found["flaws"]
    assert (flaw["kind"], flaw["name"]) == ("unreadable", "rgb/b") and "b.npy" in flaw["reason"]


def test_upstream_s_lists_become_a_manifest(rooms: Path, tmp_path: Path) -> None:
    for name, pair in (("train.txt", "a"), ("val.txt", "b")):
        (tmp_path / name).write_text(f"/far/rgb/{pair}.png /far/depth/{pair}.npy 721.5\n")
    lists = (tmp_path / "train.txt", tmp_path / "val.txt")
    assert run("finetune", "check", *lists).exit_code == 1
    result = run("finetune", "check", *lists, "--root", rooms, "-o", tmp_path / "m.jsonl", "--depth-units", 256)
    assert result.exit_code == 0
    assert f"note: images and depth files of train.txt are read below {rooms} instead of /far" in result.stderr
    entries = read_manifest(tmp_path / "m.jsonl")
    assert [(entry.split, entry.scene, entry.units_per_m) for entry in entries] == [
        ("train", "a", 256.0),
        ("val", "b", 256.0),
    ]


def test_masks_show_what_is_said(rooms: Path) -> None:
    put(rooms / "mask" / "a.npy", holed())
    refused = run("finetune", "check", rooms, "-o", rooms / "m.jsonl")
    assert refused.exit_code == 1 and "says which pixels of" in refused.stderr
    assert run("finetune", "check", rooms, "-o", rooms / "m.jsonl", "--masks", "art").exit_code == 0
    assert [entry.mask for entry in read_manifest(rooms / "m.jsonl")] == ["regions/rgb/a.png.png", None]
    assert f"[{'|'.join(REGIONS)}]" in run("finetune", "check", "--help").stdout


def test_a_terminal_shows_how_many_pairs_are_read(rooms: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = make_terminal(monkeypatch, "stderr")
    with pytest.raises(SystemExit):
        main(["finetune", "check", str(rooms)], standalone_mode=False)
    assert "pairs" in terminal.shown() and "2/2" in terminal.shown()


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("missing",), 1, "error: missing does not exist, expected a folder with images"),
        ((), 2, "Missing argument 'DATASET...'"),
        (("", "-o", "m.jsonl"), 2, "names no file"),
        (("stereo_motorcycle", "-o", "m.jsonl"), 1, "error: stereo_motorcycle is one file"),
        (("missing", "-o", "m.json"), 1, "error: m.json found as the manifest to write"),
        (("missing", "-o", "nowhere/m.jsonl"), 1, "error: nowhere/m.jsonl cannot be written: the folder"),
    ],
)
def test_what_cannot_be_done_is_said(
    arguments: tuple[str, ...], code: int, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = run("finetune", "check", *arguments)
    assert result.exit_code == code and message in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_help_has_defaults_and_an_example() -> None:
    text = " ".join(run("finetune", "check", "--help").stdout.split())
    assert "Default: 1000." in text and "Example:" in text and "depthrt finetune check " in text


def test_a_check_loads_no_torch() -> None:
    code = "import sys; from depthrt.finetune.data.checks import several, write_good; print('torch' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout == "False\n"
