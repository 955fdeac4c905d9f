"""What test_runner.py runs on the stand-in GPU, a process a case: python trt_cases.py CASE [ARGUMENT ...]."""

from __future__ import annotations

import gc
import logging
import os
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from click.testing import CliRunner
from cuda_cases import (
    LAUNCH_FAILED,
    LOST,
    MIB,
    OUT_OF_MEMORY,
    THREADS,
    assert_close,
    does_not_grow,
    metres_and_sky_are_the_same,
    picture,
    refused,
)
from standin import driver, fail, limit_memory, live
from standin_tensorrt import IExecutionContext, Runtime, install

import depthrt
from depthrt import BackendUnavailable, DepthModel, InputError
from depthrt.cli import main
from depthrt.engine import errors
from depthrt.engine.images.limits import Limits
from depthrt.engine.images.preprocess import Color
from depthrt.engine.images.write import write_image
from depthrt.engine.modelfile.contract import read_contract
from depthrt.engine.modelfile.model_file import open_model_file
from depthrt.engine.runners.open_runner import open_runner
from depthrt.engine.runners.runner import EngineRunner
from depthrt.engine.terms import Device
from depthrt.engine.trt.runner import TrtRunner

KEPT_PX = (126, 140)  # every size rule keeps it inside the range of the engines
SIDES = [(90, 120), (90, 120), (120, 90), (126, 126)]


class Said(logging.Handler):
    """What depthrt says on the way."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []
        logging.getLogger("depthrt").addHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


@contextmanager
def both(engine: str, onnx: str) -> Iterator[tuple[DepthModel, DepthModel]]:
    """Load the ONNX file on the CPU and the engine on the stand-in, and see that nothing is left behind."""
    install(Path(onnx))
    with depthrt.load(onnx, device="cpu", threads=1) as cpu, depthrt.load(engine) as model:
        assert isinstance(model.runner, TrtRunner) and isinstance(model.runner, EngineRunner)
        yield cpu, model
    assert live() == {}


def answers_like_the_cpu(engine: str, onnx: str) -> None:
    wide = picture(96, 260)[:, 30:190]  # rows lie apart
    images = [(picture(90, 120), "bgr"), (picture(90, 120, 1), "rgb"), (wide, "bgr"), (picture(1, 1), "bgr")]
    with both(engine, onnx) as (cpu, model):
        before = Runtime.executions
        for image, named in images:
            color: Color = "rgb" if named == "rgb" else "bgr"
            expected = cpu.infer(image, color=color)
            for _ in range(4):  # twice as it is, then as a graph
                depth = model.infer(image, color=color)
                assert_close(depth.values, expected.values)
                found, wanted = depth.provenance, expected.provenance
                assert (found.runner, found.provider) == ("tensorrt-rtx", "Stand-in GPU")
                assert (found.precision, found.input_px, found.image_px) == ("fp32", wanted.input_px, wanted.image_px)
                assert min(found.timings.preprocess_ms, found.timings.run_ms, found.timings.postprocess_ms) > 0
                assert np.array_equal(depth.valid, expected.valid) and depth.kind == expected.kind
        assert model.notes == ()
        assert Runtime.executions - before == 5 * len(images)  # once more, to compare the graph


def takes_batches_of_any_length(engine: str, onnx: str) -> None:
    with both(engine, onnx) as (cpu, model):
        for count, size_px in [(1, (126, 126)), (5, (126, 168)), (2, (168, 126)), (4, (126, 126))]:
            batch = np.random.default_rng(count).standard_normal((count, 3, *size_px)).astype(np.float32)
            for plane, expected in zip(model.runner.run(batch), cpu.runner.run(batch), strict=True):
                assert_close(plane, expected)
        images = [picture(*SIDES[number % len(SIDES)], number) for number in range(9)]
        for depths in (model.infer_batch(images), list(model.stream(iter(images)))):
            for depth, image in zip(depths, images, strict=True):
                assert_close(depth.values, cpu.infer(image).values)
        assert model.infer_batch([]) == []


def an_engine_for_batches_alone_goes_by_the_host(engine: str, onnx: str) -> None:
    said = Said()
    with both(engine, onnx) as (cpu, model):
        image = picture(90, 120)
        (note,) = model.infer(image).provenance.notes
        assert "takes 2 images or more at once, so each is resized on the CPU" in note
        assert said.lines == [f"depthrt: {note}"]
        assert_close(model.infer(image).values, cpu.infer(image).values)
        for depth in model.infer_batch([image] * 3):
            assert_close(depth.values, cpu.infer(image).values)


def resizes_without_kernels_go_by_the_host(engine: str, onnx: str, words: str) -> None:
    said = Said()
    with both(engine, onnx) as (cpu, model):
        images = [picture(*KEPT_PX, seed) for seed in range(3)]
        for depths in (list(map(model.infer, images)), model.infer_batch(images), list(model.stream(images))):
            for depth, image in zip(depths, images, strict=True):
                assert_close(depth.values, cpu.infer(image).values)
                (note,) = depth.provenance.notes
                assert note == f"depthrt has no GPU kernel for {words}, so the CPU resizes images and depth"
        assert said.lines == [f"depthrt: {note}"]
        with refused(InputError, "depth that stays on a GPU was asked for, .* resizes on the CPU; use infer"):
            model.infer_on_device(images[0])


def metres_and_sky_are_those_of_the_cpu(engine: str, onnx: str) -> None:
    images, said = [picture(*KEPT_PX, seed) for seed in range(3)], Said()
    with both(engine, onnx) as (cpu, model):
        metres_and_sky_are_the_same(cpu, model, images)
        (note,) = model.notes
        assert "no GPU kernel for input_resize area_uint8 and sky_from" in note and said.lines == [f"depthrt: {note}"]


def resizes_with_kernels_stay_on_the_gpu(engine: str, onnx: str) -> None:
    said = Said()
    with both(engine, onnx) as (cpu, model):
        for seed in range(4):  # two runs step by step, then two as a graph
            image = picture(*KEPT_PX, seed)
            depth = model.infer(image)
            assert_close(depth.values, cpu.infer(image).values)
            assert depth.provenance.notes == () and said.lines == []
        model.infer_on_device(image).close()


def stages_are_those_of_infer(engine: str, onnx: str) -> None:
    with both(engine, onnx) as (cpu, model):
        image = picture(90, 120)
        prepared = model.prepare(image)
        assert np.array_equal(prepared.batch, cpu.prepare(image).batch)
        assert_close(model.finish(model.run(prepared)).values, cpu.infer(image).values)
        assert_close(model.runner.run(prepared.batch)[0], cpu.runner.run(prepared.batch)[0])


def the_verb_writes_depth(engine: str, onnx: str, folder: str) -> None:
    names = [f"{folder}/{number}.png" for number in range(3)]
    for number, name in enumerate(names):
        write_image(name, picture(*SIDES[number], number))
    with both(engine, onnx) as (cpu, _):
        arguments = ["run", *names, "-m", engine, "-f", "npy", "-o", f"{folder}/depth", "--json"]
        done = CliRunner().invoke(main, arguments)
        assert done.exit_code == 0 and "fp32 on tensorrt-rtx, Stand-in GPU" in done.stderr, done.output
        for name in names:
            found = np.load(f"{folder}/depth/{Path(name).stem}.npy")
            assert_close(found, cpu.infer(depthrt.read_image(name)).values)


def streams_stop_where_an_image_is_bad(engine: str, onnx: str) -> None:
    with both(engine, onnx) as (_, model):
        images = [picture(90, 120), picture(90, 120, 1), np.zeros((4, 4, 3))]
        seen: list[depthrt.Depth] = []
        with refused(InputError, "float64"):
            seen.extend(model.stream(images))
        assert len(seen) == 2
        unread = model.stream([picture(90, 120)] * 5)
        next(unread)
        unread.close()
        with refused(InputError, "color 'gbr' found"):
            model.infer(picture(90, 120), color="gbr")  # type: ignore[arg-type]


def other_sizes_are_refused(engine: str, onnx: str) -> None:
    message = r"an input of 126x\d+ \(HxW\) is needed, .*engine was built for 126x126 to 224x224; build it for more"
    with both(engine, onnx) as (cpu, model):
        small = picture(90, 120)
        for _ in range(2):
            with refused(InputError, message):
                model.infer(picture(90, 400))
            assert_close(model.infer(small).values, cpu.infer(small).values)
        with refused(InputError, message):
            model.runner.run(np.zeros((3, 3, 126, 700), np.float32))


@contextmanager
def both_unasked(engine: str, onnx: str) -> Iterator[tuple[DepthModel, DepthModel]]:
    """The same for a network without a true canary."""
    install(Path(onnx))
    contract = read_contract(onnx)
    cpu = DepthModel(open_runner(open_model_file(onnx), device="cpu", threads=1), contract, limits=Limits())
    with cpu, DepthModel(TrtRunner(Path(engine)), contract, limits=Limits()) as model:
        yield cpu, model
    assert live() == {}


def many_threads(engine: str, onnx: str, count: str, network: str = "") -> None:
    images = [picture(*SIDES[number % len(SIDES)], number) for number in range(THREADS)]
    if network == "mean":
        images = [image[:20, :30] for image in images]

    def infer(which: int, repeat: int) -> None:
        assert_close(model.infer(images[which]).values, expected[which])

    with (both_unasked if network == "mean" else both)(engine, onnx) as (cpu, model):
        expected = [cpu.infer(image).values for image in images]
        does_not_grow(int(count), warm_up=lambda which: model.infer(images[which]), infer=infer)


def refuses(engine: str, onnx: str, kind: str, message: str, function: str = "", code: str = "") -> None:
    """Loading fails with one line, and leaves nothing."""
    install(Path(onnx))
    for _ in range(2):
        if function:
            fail(function, int(code))
        with refused(getattr(errors, kind), message):
            depthrt.load(engine)
        assert live() == {}


def memory_runs_out(engine: str, onnx: str) -> None:
    install(Path(onnx))
    for calls_before, message in [
        (0, r"TensorRT-RTX \S+ cannot load \S+ on Stand-in GPU: .*out of memory; build the engine again"),
        # The second allocation is pycuda's, which tries again.
        (2, r"cannot make an execution context on Stand-in GPU: .*out of memory; close what else uses the GPU"),
    ]:
        fail("cuMemAlloc_v2", OUT_OF_MEMORY, calls_before=calls_before)
        with refused(BackendUnavailable, message):
            depthrt.load(engine)
        assert live() == {}
    with both(engine, onnx) as (cpu, model):
        small, large = picture(40, 50), picture(1500, 1500)
        assert_close(model.infer(small).values, cpu.infer(small).values)
        limit_memory(12 * MIB)  # the engine has 6
        for _ in range(3):
            with refused(BackendUnavailable, "Stand-in GPU has not enough free memory"):
                model.infer(large)
        assert_close(model.infer(small).values, cpu.infer(small).values)
        limit_memory(64 * MIB)
        assert_close(model.infer(large).values, cpu.infer(large).values)


def loses_the_gpu(engine: str, onnx: str, function: str) -> None:
    install(Path(onnx))
    model = depthrt.load(engine)
    model.infer(picture(40, 50))
    fail(function, LAUNCH_FAILED)
    for _ in range(2):
        with refused(BackendUnavailable, LOST):
            for _ in range(4):
                model.infer(picture(40, 50))
    with refused(BackendUnavailable, LOST):
        next(iter(model.stream([picture(40, 50)])))
    with refused(BackendUnavailable, LOST):
        model.runner.run(np.zeros((1, 3, 126, 126), np.float32))
    model.close()
    model.close()


def tensorrt_refuses_to_start(engine: str, onnx: str) -> None:
    with both(engine, onnx) as (cpu, model):
        image = picture(40, 50)
        fail("standin_launch", OUT_OF_MEMORY)
        with refused(BackendUnavailable, r"cannot start the network: IExecutionContext::enqueueV3"):
            model.infer(image)
        for _ in range(4):
            assert_close(model.infer(image).values, cpu.infer(image).values)


def closed(engine: str, onnx: str) -> None:
    with both(engine, onnx) as (_, model):
        model.infer(picture(40, 50))
    with refused(InputError, "this model is closed; load it again"):
        model.infer(picture(40, 50))
    with refused(InputError, "this model is closed; load it again"):
        model.runner.run(np.zeros((1, 3, 126, 126), np.float32))


def forgotten_models_free_themselves(engine: str, onnx: str) -> None:
    def forget() -> None:
        model = depthrt.load(engine)
        model.infer(picture(40, 50))
        model.runner.run(np.zeros((1, 3, 126, 126), np.float32))

    install(Path(onnx))
    with ThreadPoolExecutor(1) as other:
        other.submit(forget).result()
    gc.collect()
    assert live() == {}


def exits_cleanly_without_close(engine: str, onnx: str) -> None:
    install(Path(onnx))
    globals()["kept"] = depthrt.load(engine)
    globals()["kept"].infer(picture(40, 50))


def forked(engine: str, onnx: str) -> None:
    with both(engine, onnx) as (cpu, model):
        image = picture(40, 50)
        expected = cpu.infer(image).values
        assert_close(model.infer(image).values, expected)
        child = os.fork()
        if child == 0:
            code = 1
            try:
                with refused(BackendUnavailable, "was opened before this process was forked, and CUDA does not"):
                    model.infer(image)
                model.close()
                code = 0
            finally:
                os._exit(code)
        assert os.waitpid(child, 0)[1] == 0
        assert_close(model.infer(image).values, expected)


def the_canary_is_asked_once(engine: str, onnx: str, other: str) -> None:
    install(Path(onnx))
    for executions in (1, 1):
        with depthrt.load(engine) as model:
            assert Runtime.executions == executions
            assert live().get("pinned", 0) == 0  # what the canary took is free again
            assert model.notes == ()
    install(Path(other))
    os.utime(engine)  # so that it counts as another file
    for _ in range(2):
        with refused(
            depthrt.ParityError, "tensorrt-rtx fp32 on Stand-in GPU does not answer .*: drift .* on the canary"
        ):
            depthrt.load(engine)
        assert live() == {}


def a_canary_that_does_not_fit_is_said(engine: str, onnx: str) -> None:
    said = Said()
    with both(engine, onnx) as (_, model):
        (note,) = model.infer(picture(90, 120)).provenance.notes
        assert "the engine takes no input of 252x336, so its answer to the canary is not known" in note
    assert said.lines == [f"depthrt: {note}"]


def an_onnx_file_gets_an_engine(onnx: str) -> None:
    install(Path(onnx))
    said = Said()
    image = picture(90, 120)
    with depthrt.load(onnx, threads=1) as model:
        expected = model.infer(image)
        assert (expected.provenance.runner, said.lines) == ("onnxruntime", [])
        assert any("no TensorRT engine of" in note and "none is built unasked" in note for note in model.notes)
    with depthrt.load(onnx, device="cuda") as model:
        assert "is in the cache; building one now, which takes seconds to minutes" in said.lines.pop()
        assert_close(model.infer(image).values, expected.values)
        assert (model.runner.name, model.notes) == ("tensorrt-rtx", ())
    devices: list[Device] = ["cuda", "auto"]
    for device in devices:
        with depthrt.load(onnx, device=device) as model:
            assert_close(model.infer(image).values, expected.values)
            assert (model.runner.name, model.notes, said.lines) == ("tensorrt-rtx", (), [])
    with depthrt.load(onnx, device="cpu") as model:
        assert model.runner.name == "onnxruntime"
    assert live() == {}


def an_engine_that_fails_is_replaced(onnx: str, other: str) -> None:
    install(Path(other))
    said = Said()
    message = "no CUDA provider.*; tensorrt-rtx fp32 on Stand-in GPU does not answer .* as its checkpoint does"
    with refused(BackendUnavailable, message):
        depthrt.load(onnx, device="cuda")
    assert "building one now" in said.lines.pop()
    with depthrt.load(onnx, threads=1) as model:
        assert model.runner.name == "onnxruntime"
        assert model.notes[0].endswith("onnxruntime fp32 is used instead")
        assert said.lines == [f"depthrt: {model.notes[0]}"] and "Stand-in GPU does not answer" in said.lines[0]
    assert live() == {}


def a_graph_that_fails_is_said_once(engine: str, onnx: str) -> None:
    with both(engine, onnx) as (_, model):
        said = Said()
        fail("cuStreamBeginCapture_v2", 1)
        depths = [model.infer(picture(90, 120)) for _ in range(4)]
        (note,) = depths[-1].provenance.notes
        assert "cannot be recorded as a CUDA graph" in note and depths[0].provenance.notes == ()
        assert said.lines == [f"depthrt: {note}"] and model.notes == (note,)


def a_network_that_cannot_be_recorded_is_said_once(engine: str, onnx: str) -> None:
    IExecutionContext.capturable = False
    with both(engine, onnx) as (cpu, model):
        said, before = Said(), Runtime.executions
        for image in (picture(90, 120), picture(120, 90)):
            for _ in range(4):
                depth = model.infer(image)
                assert_close(depth.values, cpu.infer(image).values)
        (note,) = depth.provenance.notes
        assert "cannot be recorded as a CUDA graph" in note and "says that its work for this size is not cap" in note
        assert said.lines == [f"depthrt: {note}"] and Runtime.executions - before == 8  # each once, and no graph


if __name__ == "__main__":
    assert driver()
    globals()[sys.argv[1]](*sys.argv[2:])
