"""Cases of images and depth that stay on the stand-in GPU, a process a case: device_cases.py CASE [ARGUMENT ...]."""

from __future__ import annotations

import gc
import re
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import ort_cases
import standin_onnxruntime
import trt_cases
from cuda_cases import (
    LAUNCH_FAILED,
    LOST,
    OUT_OF_MEMORY,
    THREADS,
    assert_close,
    does_not_grow,
    picture,
    refused,
)
from foreign import ROUNDS, NetworkRunner, both, check_on_gpu, make_default_stream, move_to_other_gpu, peek
from standin import fail, limit_memory, live

import depthrt
from depthrt import DepthModel
from depthrt.engine.errors import BackendUnavailable, InputError
from depthrt.engine.images.limits import Limits
from depthrt.engine.images.preprocess import Color
from depthrt.engine.modelfile.contract import read_contract

LEGACY, PER_THREAD = 1, 2  # Source: Numba, CUDA Array Interface (version 3), Synchronization
MIB = 1 << 20


def answers_like_the_host(onnx: str) -> None:
    """Image and depth on the GPU or on the host, contiguous rows and others, with and without a graph."""
    colors: list[Color] = ["bgr", "rgb"]
    with both(onnx) as (cpu, model, producer):
        for height, width, row_bytes in [(90, 120, 0), (90, 120, 512), (120, 70, 211), (1, 1, 0)]:
            for color in colors:
                images = [picture(height, width, seed) for seed in range(ROUNDS)]
                expected = [cpu.infer(image, color=color) for image in images]
                for image, wanted in zip(images, expected, strict=True):
                    with producer.put(image, row_bytes=row_bytes) as theirs:
                        assert_close(model.infer(theirs, color=color).values, wanted.values)
                for image, wanted in zip(images, expected, strict=True):
                    with (
                        producer.put(image, row_bytes=row_bytes) as theirs,
                        model.infer_on_device(theirs, color=color) as found,
                    ):
                        assert_close(peek(found), wanted.values)
                for image, wanted in zip(images, expected, strict=True):
                    with model.infer_on_device(image, color=color) as found:
                        assert_close(peek(found), wanted.values)
                        depth = found.to_host()
                    assert_close(depth.values, wanted.values)
                    assert np.array_equal(depth.valid, wanted.valid)
                    assert (depth.kind, depth.max_depth_m) == (wanted.kind, wanted.max_depth_m)
                    assert (found.kind, found.shape, found.unit) == (depth.kind, depth.shape, depth.unit)
                    assert depth.provenance is found.provenance
                    assert depth.provenance.input_px == wanted.provenance.input_px
        assert model.notes == ()


def a_single_row_or_column_has_any_stride(onnx: str) -> None:
    with both(onnx) as (cpu, model, producer):
        for size_px, strides in [((1, 5), (0, 3, 1)), ((5, 1), (3, 77, 1))]:
            with producer.put(picture(*size_px), strides=strides) as theirs:
                assert_close(model.infer(theirs).values, cpu.infer(picture(*size_px)).values)


def an_engine_takes_them(engine: str, onnx: str) -> None:
    with trt_cases.both(engine, onnx) as (cpu, model):
        check_on_gpu(cpu, model)


def onnx_runtime_takes_them(onnx: str) -> None:
    standin_onnxruntime.install()
    with ort_cases.both(onnx) as (cpu, model):
        check_on_gpu(cpu, model)


def runs_as_a_graph(onnx: str) -> None:
    """The network is called twice, then to be recorded, and then not again, although each image has another address."""
    with both(onnx) as (cpu, model, producer):
        assert isinstance(model.runner, NetworkRunner)
        for keep in (False, True):
            before = model.runner.network.calls
            kept = [producer.put(picture(90, 120, seed)) for seed in range(6)]
            assert len({theirs.memory.address for theirs in kept}) == len(kept)
            for seed, theirs in enumerate(kept):
                expected = cpu.infer(picture(90, 120, seed)).values
                if keep:
                    with model.infer_on_device(theirs) as found:
                        assert_close(peek(found), expected)
                else:
                    assert_close(model.infer(theirs).values, expected)
            assert model.runner.network.calls - before == 3


def waits_for_the_stream_that_is_named(onnx: str) -> None:
    with both(onnx) as (cpu, model, producer):
        image = picture(90, 120)
        expected = cpu.infer(image).values
        for handle in (LEGACY, PER_THREAD):
            make_default_stream(handle, producer.stream)
            with producer.put(image, stream=handle) as theirs:
                assert_close(model.infer(theirs).values, expected)
        with producer.put(image, version=2) as theirs:  # torch names no stream and works on the default stream
            del theirs.__cuda_array_interface__["stream"]
            assert_close(model.infer(theirs).values, expected)
        for key in ({"stream": None}, {}):
            with producer.put(image) as theirs:
                del theirs.__cuda_array_interface__["stream"]
                theirs.__cuda_array_interface__.update(key)
                assert not np.allclose(model.infer(theirs).values, expected)  # nobody waits for the image
                producer.stream.synchronize()
                assert_close(model.infer(theirs).values, expected)


def batches_and_streams_take_them(onnx: str) -> None:
    sides = [(90, 120), (90, 120), (120, 90), (60, 60)]
    with both(onnx) as (cpu, model, producer):
        images = [picture(*sides[number % len(sides)], number) for number in range(9)]
        expected = [cpu.infer(image).values for image in images]
        mixed = [producer.put(image) if number % 3 else image for number, image in enumerate(images)]
        for depths in (model.infer_batch(mixed), list(model.stream(iter(mixed)))):
            for depth, values in zip(depths, expected, strict=True):
                assert_close(depth.values, values)
        seen: list[depthrt.Depth] = []
        with refused(InputError, "of type <f4 found"):
            seen.extend(model.stream([mixed[0], mixed[1], producer.put(images[0], typestr="<f4")]))
        assert len(seen) == 2


def what_does_not_fit_is_refused(onnx: str) -> None:
    with both(onnx) as (cpu, model, producer):
        image = picture(20, 30)
        expected = r"expected __cuda_array_interface__ of \(H, W, 3\) uint8; "
        cases: list[tuple[dict[str, Any], str]] = [
            (
                {"typestr": "<f4"},
                rf"image: ForeignArray \(20, 30, 3\) of type <f4 found, {expected}convert it on the GPU",
            ),
            ({"shape": (3, 20, 30)}, r"ForeignArray \(3, 20, 30\) of type \|u1 found"),
            ({"shape": (20, 30)}, r"ForeignArray \(20, 30\) of type"),
            ({"shape": (0, 30, 3)}, r"ForeignArray \(0, 30, 3\) of type"),
            ({"strides": (120, 4, 1)}, rf"strides \(120, 4, 1\) found, {expected}rows may lie apart, pixels not"),
            ({"strides": (90, 3, -1)}, r"strides \(90, 3, -1\) found"),
            ({"strides": (-90, 3, 1)}, r"strides \(-90, 3, 1\) found"),
            ({"strides": (0, 3, 1)}, r"strides \(0, 3, 1\) found"),
            ({"mask": image}, "with a mask found"),
            ({"version": 1}, "version 1 of the interface found"),
            ({"stream": 0}, "stream 0, which the interface forbids found"),
            ({"data": (64, False)}, "the address 0x40 found, which is on no GPU; expected an address on Stand-in"),
        ]
        for interface, message in cases:
            with producer.put(image, **interface) as theirs, refused(InputError, message):
                model.infer(theirs)
        with producer.put(image) as theirs:
            assert_close(model.infer(theirs).values, cpu.infer(image).values)
            with refused(InputError, "color 'gbr' found"):
                model.infer(theirs, color="gbr")  # type: ignore[arg-type]
            with refused(InputError, "and this model resizes on the CPU; copy it to the host"):
                cpu.infer(theirs)
            with refused(InputError, "depth that stays on a GPU was asked for, .*onnxruntime .*use infer"):
                cpu.infer_on_device(image)
            model.limits = Limits(max_pixels=100)
            with refused(InputError, "the image is 20x30 px"):
                model.infer(theirs)
            model.limits = Limits()
            move_to_other_gpu(theirs.memory.address)
            with refused(InputError, "on GPU 1 found, the model is on GPU 0, Stand-in GPU; copy it to that GPU"):
                model.infer(theirs)
        with refused(InputError, "list found, expected a numpy array"):
            model.infer([[1, 2, 3]])  # type: ignore[arg-type]


def depth_is_freed_once(onnx: str) -> None:
    with both(onnx) as (_, model, _):
        image = picture(20, 30)
        model.infer_on_device(image).close()
        before = live()["device"]
        first, second = model.infer_on_device(image), model.infer_on_device(image)
        assert live()["device"] == before + 2
        first.close()
        first.close()
        assert live()["device"] == before + 1
        with refused(InputError, "this depth was freed, by its close"):
            first.to_host()
        with refused(InputError, "this depth was freed, by its close"):
            _ = first.__cuda_array_interface__
        assert re.search("20x30 inverse, on Stand-in GPU", repr(second)) and "closed" in repr(first)
        del second
        gc.collect()
        assert live()["device"] == before
        with ThreadPoolExecutor(1) as other:  # freed in another thread
            other.submit(model.infer_on_device(image).close).result()
        assert live()["device"] == before
        kept = model.infer_on_device(image)
    with refused(InputError, "this depth was freed, by its close"):
        kept.to_host()
    kept.close()
    with refused(InputError, "this model is closed; load it again"):
        model.infer_on_device(image)


def depth_holds_while_others_are_computed(onnx: str) -> None:
    with both(onnx) as (cpu, model, _):
        images = [picture(40, 60, seed) for seed in range(8)]
        found = [model.infer_on_device(image) for image in images]
        assert len({depth.__cuda_array_interface__["data"] for depth in found}) == len(found)
        for depth, image in zip(found, images, strict=True):
            assert_close(peek(depth), cpu.infer(image).values)
            assert_close(depth.to_host().values, cpu.infer(image).values)


def many_threads(onnx: str, count: str) -> None:
    images = [picture(40 + number, 60, number) for number in range(THREADS)]

    def infer(which: int, repeat: int) -> None:
        if repeat % 40 < 20:
            assert_close(model.infer(theirs[which]).values, expected[which])
        else:
            with model.infer_on_device(theirs[which]) as found:
                assert_close(peek(found), expected[which])

    def warm_up(which: int) -> None:
        model.infer(theirs[which])
        model.infer_on_device(theirs[which]).close()

    with both(onnx) as (cpu, model, producer):
        expected = [cpu.infer(image).values for image in images]
        theirs = [producer.put(image) for image in images]
        does_not_grow(int(count), warm_up=warm_up, infer=infer, pieces=True)


def memory_runs_out(onnx: str) -> None:
    with both(onnx) as (cpu, model, producer):
        small, large = picture(40, 50), picture(1500, 1500)
        model.infer_on_device(small).close()
        theirs = producer.put(large)
        before = live()
        limit_memory(16 * MIB)
        for _ in range(3):
            with refused(BackendUnavailable, "Stand-in GPU has not enough free memory"):
                model.infer_on_device(theirs)
        with model.infer_on_device(small) as found:
            assert_close(peek(found), cpu.infer(small).values)
        fail("cuMemAlloc_v2", OUT_OF_MEMORY, calls_before=1)  # the depth's memory; pycuda tries again
        limit_memory(64 * MIB)
        with model.infer_on_device(theirs) as found:
            assert_close(peek(found), cpu.infer(large).values)
        model.infer_on_device(small).close()
        assert live()["device"] == before["device"]


def an_error_midway_leaves_nothing(onnx: str) -> None:
    """Memory for depth that was not finished is freed with the next image, when the GPU no longer writes to it."""
    with both(onnx) as (cpu, model, producer):
        image = picture(40, 50)
        expected = cpu.infer(image).values
        model.infer_on_device(image).close()
        before = live()["device"]
        # The kernel that writes the depth, in a run with and in a run without the tables; then the wait for the stream.
        for function, calls_before in [("cuLaunchKernel", 5), ("cuLaunchKernel", 1), ("cuStreamWaitEvent", 0)]:
            with producer.put(image) as theirs:
                fail(function, 1, calls_before=calls_before)
                with refused(BackendUnavailable, "Stand-in GPU refuses a CUDA call"):
                    model.infer_on_device(theirs)
                with model.infer_on_device(theirs) as found:
                    assert_close(peek(found), expected)
            assert live()["device"] == before


def loses_the_gpu(onnx: str, function: str) -> None:
    runner = NetworkRunner(onnx)
    model = DepthModel(runner, read_contract(onnx), limits=Limits())
    kept = model.infer_on_device(picture(40, 50))
    fail(function, LAUNCH_FAILED)
    for _ in range(2):
        with refused(BackendUnavailable, LOST):
            for _ in range(4):
                model.infer_on_device(picture(40, 50))
    with refused(BackendUnavailable, LOST):
        kept.to_host()
    kept.close()
    model.close()


def exits_cleanly_without_close(onnx: str) -> None:
    model = DepthModel(NetworkRunner(onnx), read_contract(onnx), limits=Limits())
    globals()["kept"] = [model, model.infer_on_device(picture(40, 50))]


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
