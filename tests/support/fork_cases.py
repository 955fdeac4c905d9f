"""A process that is forked while it holds models, as a program: `fork_cases.py CASE MODEL.onnx`."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import depthrt
from depthrt.engine.errors import BackendUnavailable, DepthrtError, InputError, ModelFileError
from depthrt.engine.runners.choice import Choice
from depthrt.engine.system.process.overlap import overlap

PATIENCE_S = 20
PAUSE_S = 0.002  # between inferences of a busy thread: the child must get a core
IDLE_S = 0.4  # after this time the threads of a session sleep; a fork then is the worst one for its end

image: NDArray[np.uint8] = np.random.default_rng(0).integers(0, 255, (120, 160, 3), np.uint8)
kept: list[depthrt.DepthModel] = []  # models that live until their process ends


def load(onnx: str, runner: str = "onnxruntime") -> depthrt.DepthModel:
    kept.append(depthrt.load(onnx, choice=Choice(runner, "fp32", 2)))  # type: ignore[arg-type]
    return kept[-1]


def in_child(work: Callable[[], None]) -> None:
    """Do work in a forked child, which ends as a program does; it must end well and in time."""
    child = os.fork()
    if child == 0:
        work()
        sys.exit(0)
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            assert status == 0, f"the child ended with {status}"
            return
        time.sleep(0.02)
    os.kill(child, 9)
    raise AssertionError("the child hangs")


@contextmanager
def refused(kind: type[DepthrtError], message: str) -> Iterator[None]:
    try:
        yield
    except kind as error:
        assert message in str(error), error
    else:
        raise AssertionError("nothing was refused")


def onnxruntime(onnx: str) -> None:
    os.chdir(Path(onnx).parent)
    model, expected = load(Path(onnx).name), load(onnx).infer(image).values
    assert np.array_equal(model.infer(image).values, expected)

    def infers() -> None:
        os.chdir("/")  # as a daemon does
        assert np.array_equal(model.infer(image).values, expected)

    def finds_another_file() -> None:
        os.utime(onnx, ns=(1, 1))
        with refused(ModelFileError, "has changed since this model was loaded"):
            model.infer(image)

    def closes() -> None:
        model.close()
        with refused(InputError, "this model is closed"):
            model.infer(image)

    time.sleep(IDLE_S)
    for work in (lambda: None, infers, closes, finds_another_file):
        in_child(work)
    assert np.array_equal(model.infer(image).values, expected)


def busy(onnx: str) -> None:
    model, stop = load(onnx), threading.Event()
    expected = model.infer(image).values

    def infer() -> None:
        while not stop.wait(PAUSE_S):
            model.infer(image)

    def infers() -> None:
        assert np.array_equal(model.infer(image).values, expected)

    threads = [threading.Thread(target=infer, daemon=True) for _ in range(2)]
    for thread in threads:
        thread.start()
    for _ in range(3):
        in_child(lambda: None)  # what other threads held in a runtime at the fork stays held in the child
    stop.set()  # never in a child: a thread may have held the event's lock at the fork
    for thread in threads:
        thread.join()
    in_child(infers)


def openvino(onnx: str) -> None:
    model = load(onnx, "openvino")
    expected = model.infer(image).values

    def infers() -> None:
        with refused(BackendUnavailable, "OpenVINO was started before this process was forked"):
            model.infer(image)

    def loads() -> None:
        with refused(BackendUnavailable, "OpenVINO was started before this process was forked"):
            load(onnx, "openvino")
        assert np.allclose(load(onnx).infer(image).values, expected, atol=1e-3)

    time.sleep(IDLE_S)
    for work in (lambda: None, infers, loads, model.close):
        in_child(work)
    assert np.array_equal(model.infer(image).values, expected)


def streams(onnx: str) -> None:
    stream = load(onnx).stream([image] * 5)
    expected = next(stream).values
    outcomes = overlap([1, 2, 3, 4], read=str, run=str, write=str)
    next(outcomes)

    def reads_on() -> None:
        for started in (stream, outcomes):
            with refused(InputError, "was begun in another process"):
                next(started)

    def closes() -> None:
        stream.close()
        outcomes.close()

    for work in (lambda: None, reads_on, closes):
        in_child(work)
    assert all(np.array_equal(depth.values, expected) for depth in stream)
    assert [outcome.result for outcome in outcomes] == ["2", "3", "4"]


def workers(onnx: str) -> None:
    expected = load(onnx).infer(image).values
    with get_context("fork").Pool(2) as pool:
        assert all(np.array_equal(values, expected) for values in pool.map(_infer, [image] * 4))


def _infer(picture: NDArray[np.uint8]) -> NDArray[np.float32]:
    return kept[-1].infer(picture).values


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
