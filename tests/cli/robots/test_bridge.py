"""`depthrt bridge` as a program: what it prints, and how it ends."""

from __future__ import annotations

import json
import signal
import subprocess
import sys

import pytest
from run_verb import run
from tiny_model import TinyModel
from zenoh_peers import Heard, free_endpoint, number_of, peer, send_until, tokens, wait_for

COMMAND = [sys.executable, "-m", "depthrt", "bridge", "--in", "/front/image_raw", "--threads", "1"]


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_ends_it_after_the_image_and_takes_its_names_back(
    tiny: TinyModel, number: signal.Signals, code: int
) -> None:
    place = free_endpoint()
    options = ["-m", str(tiny.onnx), "--connect", place, *(["--json"] if code == 143 else [])]
    with (
        peer(listen=place) as other,
        subprocess.Popen([*COMMAND, *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process,
    ):
        depths = Heard(other, "0/front/inverse_depth/**")
        send_until(other, 5, lambda: len(depths) or process.poll() is not None)
        assert len(tokens(other)) == 4  # the node, two subscriptions, one publisher
        assert number_of(depths.message()) == 5
        first = process.stdout.readline() if process.stdout is not None and "--json" in options else ""
        process.send_signal(number)
        out, talk = process.communicate(timeout=60)
        wait_for(lambda: tokens(other) == [])
    assert process.returncode == code, talk
    assert f"/front/image_raw -> /front/inverse_depth, through {place}; Ctrl-C ends it" in talk
    assert " images in, " in talk and talk.splitlines()[-1].startswith("stopped by ")
    assert "Traceback" not in talk
    if first:
        assert [json.loads(line)["failed"] for line in (first + out).splitlines()]
    else:
        assert out == ""


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--in", "image"], "--in 'image' found"),
        (["--in", "/image", "--out", "/front/depth"], "not in metres"),
        (["--in", "/image", "--listen", "nonsense"], "Zenoh cannot"),
    ],
)
def test_what_cannot_be_done_is_a_line(tiny: TinyModel, arguments: list[str], complaint: str) -> None:
    found = run("bridge", *arguments, "-m", tiny.onnx, "--threads", "1")
    assert found.exit_code == 1 and found.stdout == "" and found.stderr.count("error:") == 1
    assert complaint in found.stderr


def test_without_zenoh_the_extra_is_named() -> None:
    code = "import sys; sys.modules['zenoh'] = None; from depthrt.cli import main; main()"
    command = [sys.executable, "-c", code, "bridge", "--in", "/image"]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    assert found.returncode == 1 and "pip install 'depthrt[zenoh]'" in found.stderr
