"""Verbs run with a home of their own: they leave nothing in it but depthrt's cache, and they look up no host."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tiny_model import PHOTOS, TinyModel

# Variables by which a runtime knows that it is tested, and is quiet.
_TESTED = (
    "CI",
    "GITHUB_ACTIONS",
    "TF_BUILD",
    "JENKINS_URL",
    "ORT_DISABLE_TELEMETRY",
    "DEPTHRT_CACHE",
    "XDG_CACHE_HOME",
)
_VERBS = """
import sys
from importlib.util import find_spec

def refuse(event, arguments):
    if event in ("socket.getaddrinfo", "socket.connect") and not isinstance(arguments[-1], str):
        sys.stderr.write(f"reached for the network: {event} {arguments}\\n")

sys.addaudithook(refuse)
from click.testing import CliRunner
from depthrt.cli import main

model, checkpoint, photos, folder = sys.argv[1:]
verbs = [
    ["doctor"],
    ["info", model],
    ["info", checkpoint],
    ["models"],
    ["run", photos, "-m", model, "-o", f"{folder}/out"],
    ["tune", model, "--images", photos, "--rounds", "5"],
]
if find_spec("tensorrt_rtx_bindings"):
    verbs.append(["build", model, "-o", f"{folder}/model.engine"])
for verb in verbs:
    result = CliRunner().invoke(main, verb)
    if result.exit_code and verb != ["doctor"]:
        sys.exit(f"{verb}: {result.output} {result.exception!r}")
"""


def test_verbs_leave_nothing_outside_depthrts_cache_and_reach_for_no_host(tiny: TinyModel, tmp_path: Path) -> None:
    home, photos = tmp_path / "home", tmp_path / "photos"
    home.mkdir()
    photos.mkdir()
    (photos / "coffee.jpg").write_bytes((PHOTOS / "coffee.jpg").read_bytes())
    kept = {name: value for name, value in os.environ.items() if name not in _TESTED}
    done = subprocess.run(
        [sys.executable, "-c", _VERBS, str(tiny.onnx), str(tiny.checkpoint), str(photos), str(tmp_path)],
        env=kept | {"HOME": str(home), "USERPROFILE": str(home), "LOCALAPPDATA": str(home / "local")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "reached for the network" not in done.stderr
    left = [path.relative_to(home) for path in home.rglob("*") if path.is_file()]
    assert left and all("depthrt" in path.parts for path in left), left
