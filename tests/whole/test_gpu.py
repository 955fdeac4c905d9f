"""The CUDA layer and the pipeline on a true GPU. The tests of tests/engine/cuda need no GPU.

Tests that end a process or break its GPU run in another process: gpu_cases.py.
"""

from __future__ import annotations

import gc
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from gpu_cases import picture, red_plane
from gpu_garbage import Forgotten, make_collector_due
from kernels_on_host import HERE
from made import CONTRACT
from made_onnx import with_contract
from made_resizes import WITH_KERNELS, with_kernels, without_kernels
from random_checkpoint import TINY, random_network
from tiny_model import TinyModel
from torch_on_gpu import TorchNetwork, at_address

from depthrt.engine.cuda.device_image import OnDevice, read_interface
from depthrt.engine.cuda.driver.gpu import Cuda
from depthrt.engine.cuda.driver.parts import DeviceMemory, Event, PinnedMemory, Stream
from depthrt.engine.cuda.network import NetworkCall
from depthrt.engine.cuda.pipeline import DevicePipeline
from depthrt.engine.errors import BackendUnavailable, InputError
from depthrt.engine.images.preprocess import Color, fit_image, to_image_size, to_input
from depthrt.engine.modelfile.contract import Contract, FinalResize, read_contract
from depthrt.engine.modelfile.size_rule import SizeRule
from depthrt.engine.runners.ort_session import CUDA

pytestmark = pytest.mark.gpu

# float32 with fused multiply-adds against float64, on values up to 2.7 and the overshoot of the cubic resize. Compiled
# for a CPU with fused multiply-adds, the kernels differ by 7e-6 at most.
TOLERANCE = 2e-5
NETWORK_TOLERANCE = 1e-3  # of the range; a random network amplifies differences of its input
SIZES = [(480, 640), (1080, 1920), (3000, 4000), (37, 53), (1, 1), (24, 9001), (480, 641)]
RULES = [SizeRule((518, 518), 14, "lower_bound"), SizeRule((252, 336), 14, "letterbox")]
MORE_RULES = [
    SizeRule((384, 512), 32, "minimal"),
    SizeRule((384, 384), 32, "square"),
    SizeRule((256, 256), 32, "upper_bound"),
    SizeRule((252, 336), 14, "letterbox"),
]
DYNAMIC = replace(CONTRACT, size=RULES[0])
SMALL = replace(CONTRACT, size=SizeRule((126, 126), 14, "lower_bound"))
ROUNDS = 5  # two runs step by step, then three as a graph
LONG_CYCLES = 100_000_000  # of the GPU: 50 ms and more
MIB = 1 << 20

Put = Callable[[np.ndarray], OnDevice]


@pytest.fixture(scope="module")
def gpu() -> Iterator[Cuda]:
    try:
        opened = Cuda()
    except BackendUnavailable as error:
        pytest.skip(str(error))
    with opened:
        yield opened


def expect_red(image: np.ndarray, color: Color = "bgr", contract: Contract = DYNAMIC) -> np.ndarray:
    """Return the depth that the pipeline must give with red_plane as its network."""
    fit = fit_image(contract.size, image.shape[:2])
    batch = np.empty((3, *fit.input_px), np.float32)
    to_input(image, contract, fit, color=color, out=batch)
    return to_image_size(batch[0], contract, fit, image.shape[:2])


def assert_near(found: np.ndarray, expected: np.ndarray, tolerance: float = TOLERANCE) -> None:
    assert found.shape == expected.shape and found.dtype == np.float32
    assert np.abs(found - expected).max() <= tolerance


@pytest.mark.parametrize("mode", ["bilinear_corners", "bilinear_centres"])
@pytest.mark.parametrize("rule", RULES, ids=["dynamic", "static"])
def test_the_gpu_prepares_and_finishes_as_preprocess_does(gpu: Cuda, rule: SizeRule, mode: FinalResize) -> None:
    contract = replace(CONTRACT, size=rule, final_resize=mode)
    with DevicePipeline(gpu, contract, red_plane) as pipeline:
        for size in SIZES:
            if max(fit_image(rule, size).input_px) > 20_000:
                continue  # larger than any network takes
            for seed in range(4):  # two runs step by step, then two as a graph
                image = picture(*size, seed)
                assert_near(pipeline.infer(image).values, expect_red(image, contract=contract))
            image = picture(*size, 9)
            assert_near(pipeline.infer(image, color="rgb").values, expect_red(image, "rgb", contract))
        assert pipeline.notes == ()


@pytest.mark.parametrize("number", range(len(WITH_KERNELS)), ids=map("-".join, WITH_KERNELS))
@pytest.mark.parametrize("rule", MORE_RULES, ids=lambda rule: rule.rule)
def test_every_resize_that_has_kernels_answers_as_preprocess_does(gpu: Cuda, rule: SizeRule, number: int) -> None:
    contract = with_kernels(CONTRACT, rule)[number]
    with DevicePipeline(gpu, contract, red_plane) as pipeline:
        for size in [(480, 640), (1080, 1920), (37, 53), (5, 4), (480, 641)]:
            for seed in range(4):  # two runs step by step, then two as a graph
                image = picture(*size, seed)
                assert_near(pipeline.infer(image).values, expect_red(image, contract=contract))
            kept = pipeline.infer_kept(image, color="rgb")
            assert_near(look_by_torch(kept.memory, size), expect_red(image, "rgb", contract))
            kept.memory.close()
        assert pipeline.notes == ()


def test_hundreds_of_sizes_are_right(gpu: Cuda) -> None:
    random = np.random.default_rng(0)
    with DevicePipeline(gpu, SMALL, red_plane) as pipeline:
        for seed in range(300):
            height, width = (int(side) for side in random.integers(1, 400, 2))
            if max(height, width) > 20 * min(height, width):
                continue
            image = picture(height, width, seed)
            assert_near(pipeline.infer(image).values, expect_red(image, contract=SMALL))


def test_a_stream_gives_each_image_its_own_answer(gpu: Cuda) -> None:
    images = [np.full((480, 640, 3), level, np.uint8) for level in range(0, 250, 5)]
    with DevicePipeline(gpu, DYNAMIC, red_plane) as pipeline:
        for image, answer in zip(images, pipeline.stream(images), strict=True):
            expected = (image[0, 0, 0] / 255 - DYNAMIC.mean[0]) / DYNAMIC.std[0]
            assert np.abs(answer.values - expected).max() <= TOLERANCE


def test_sizes_may_change_within_a_stream(gpu: Cuda) -> None:
    images = [picture(200 + 40 * (number % 3), 300, number) for number in range(40)]
    expected = [expect_red(image) for image in images]
    with DevicePipeline(gpu, DYNAMIC, red_plane) as pipeline:
        for values, answer in zip(expected, pipeline.stream(images), strict=True):
            assert_near(answer.values, values)


def test_threads_get_their_own_answers(gpu: Cuda) -> None:
    images = [picture(300 + 10 * (number % 2), 400, number) for number in range(8)]
    expected = [expect_red(image) for image in images]

    def worker(number: int) -> None:
        for repeat in range(40):
            which = (number + repeat // 5) % len(images)
            assert_near(pipeline.infer(images[which]).values, expected[which])

    with DevicePipeline(gpu, DYNAMIC, red_plane) as pipeline, ThreadPoolExecutor(8) as pool:
        list(pool.map(worker, range(8)))
        assert pipeline.notes == ()


def test_pinned_copies_come_in_order(gpu: Cuda) -> None:
    n_bytes = 64 * MIB
    with (
        Stream(gpu) as stream,
        DeviceMemory(gpu, n_bytes) as device,
        PinnedMemory(gpu, n_bytes) as source,
        PinnedMemory(gpu, n_bytes) as target,
        Event(gpu) as first,
        Event(gpu) as last,
    ):
        source.array[:] = np.arange(n_bytes) % 251
        first.mark(stream)
        stream.upload(device.address, source.array)
        stream.download(target.array, device.address)
        last.mark(stream)
        assert not last.passed  # 128 MiB take a millisecond and more
        last.synchronize()
        assert last.passed and 0.5 < last.ms_since(first) < 1000
        assert np.array_equal(source.array, target.array)


# Images and depth of other libraries


def put_by_torch(image: np.ndarray) -> torch.Tensor:
    return torch.as_tensor(image).to("cuda")


def put_by_cupy(image: np.ndarray) -> OnDevice:
    theirs: OnDevice = pytest.importorskip("cupy").asarray(image)
    return theirs


def look_by_torch(memory: DeviceMemory, shape: tuple[int, int]) -> np.ndarray:
    return at_address(memory.address, shape).cpu().numpy()


@pytest.mark.parametrize("put", [put_by_torch, put_by_cupy])
def test_images_are_read_where_other_libraries_put_them(gpu: Cuda, put: Put) -> None:
    with DevicePipeline(gpu, DYNAMIC, red_plane) as pipeline:
        for size in [(480, 640), (1080, 1920), (1, 1), (37, 53)]:
            for seed in range(ROUNDS):
                image = picture(*size, seed)
                theirs = read_interface(put(image))
                pipeline.check(theirs)
                assert_near(pipeline.infer(theirs).values, expect_red(image))
                kept = pipeline.infer_kept(theirs, color="rgb")
                assert_near(look_by_torch(kept.memory, size), expect_red(image, "rgb"))
                kept.memory.close()
                kept = pipeline.infer_kept(image)
                assert_near(look_by_torch(kept.memory, size), expect_red(image))
                kept.memory.close()
        assert pipeline.notes == ()


@pytest.mark.parametrize("put", [put_by_torch, put_by_cupy])
def test_a_crop_is_read_without_a_copy(gpu: Cuda, put: Put) -> None:
    image = picture(300, 500)
    crop = put(image)[20:220, 31:431]  # type: ignore[index]
    with DevicePipeline(gpu, DYNAMIC, red_plane) as pipeline:
        for _ in range(ROUNDS):
            assert_near(pipeline.infer(read_interface(crop)).values, expect_red(image[20:220, 31:431].copy()))


def test_what_is_on_the_default_stream_is_waited_for(gpu: Cuda) -> None:
    """torch writes the image after a long kernel on the default stream."""
    image = picture(480, 640)
    ready = torch.as_tensor(image).to("cuda")
    with DevicePipeline(gpu, DYNAMIC, red_plane) as pipeline:
        for _ in range(ROUNDS):
            theirs = torch.zeros_like(ready)
            torch.cuda.synchronize()
            torch.cuda._sleep(LONG_CYCLES)
            theirs.copy_(ready)
            assert_near(pipeline.infer(read_interface(theirs)).values, expect_red(image))


def test_the_stream_that_cupy_names_is_waited_for(gpu: Cuda) -> None:
    cupy = pytest.importorskip("cupy")
    image = picture(480, 640)
    ready, slow = cupy.asarray(image), cupy.cuda.Stream(non_blocking=True)
    with DevicePipeline(gpu, DYNAMIC, red_plane) as pipeline:
        for _ in range(ROUNDS):
            theirs = cupy.zeros_like(ready)
            cupy.cuda.Device().synchronize()
            with torch.cuda.stream(torch.cuda.ExternalStream(slow.ptr)):
                torch.cuda._sleep(LONG_CYCLES)
            with slow:
                theirs[:] = ready
                found = read_interface(theirs)
            assert found.stream == slow.ptr
            assert_near(pipeline.infer(found).values, expect_red(image))


def test_an_address_of_the_host_is_refused(gpu: Cuda) -> None:
    image = picture(10, 10)
    theirs = read_interface(put_by_torch(image))
    with DevicePipeline(gpu, DYNAMIC, red_plane) as pipeline, pytest.raises(InputError, match="is on no GPU"):
        pipeline.check(replace(theirs, address=image.ctypes.data))


# Networks


def test_a_torch_network_runs_and_becomes_a_graph(gpu: Cuda) -> None:
    network = random_network(TINY)
    calls = []
    on_gpu = TorchNetwork(network.to("cuda"))

    def counted(call: NetworkCall) -> None:
        calls.append(call)
        on_gpu(call)

    images = [picture(90, 120, seed) for seed in range(8)]
    with DevicePipeline(gpu, SMALL, counted, slots=1) as pipeline:
        found = [pipeline.infer(image).values for image in images]
        assert pipeline.notes == () and len(calls) == 3
    with DevicePipeline(gpu, SMALL, on_gpu) as pipeline:
        streamed = [answer.values for answer in pipeline.stream(images * 4)]
    network.to("cpu")
    for index, image in enumerate(images):
        fit = fit_image(SMALL.size, image.shape[:2])
        batch = np.empty((1, 3, *fit.input_px), np.float32)
        to_input(image, SMALL, fit, color="bgr", out=batch[0])
        with torch.inference_mode():
            answer = network(torch.from_numpy(batch)).numpy()[0]
        expected = to_image_size(answer, SMALL, fit, image.shape[:2])
        assert np.abs(found[index] - expected).max() <= NETWORK_TOLERANCE * np.ptp(expected)
        for repeat in range(4):
            values = streamed[index + repeat * len(images)]
            assert np.abs(values - expected).max() <= NETWORK_TOLERANCE * np.ptp(expected)


def test_a_network_that_waits_for_the_gpu_gets_no_graph(gpu: Cuda) -> None:
    def waits(call: NetworkCall) -> None:
        red_plane(call)
        torch.cuda.ExternalStream(call.stream).synchronize()

    image = picture(200, 300)
    with DevicePipeline(gpu, DYNAMIC, waits, slots=1) as pipeline:
        for _ in range(ROUNDS):
            assert_near(pipeline.infer(image).values, expect_red(image))
        (note,) = pipeline.notes
        assert "cannot be recorded as a CUDA graph" in note
    with DevicePipeline(gpu, DYNAMIC, red_plane, slots=1) as pipeline:  # the GPU still works
        for _ in range(ROUNDS):
            assert_near(pipeline.infer(image).values, expect_red(image))
        assert pipeline.notes == ()


def test_a_network_that_forgets_when_it_is_recorded_gets_no_graph(gpu: Cuda) -> None:
    calls = []

    def forgets(call: NetworkCall) -> None:
        calls.append(call)
        if len(calls) != 3:
            red_plane(call)

    image = picture(200, 300)
    with DevicePipeline(gpu, DYNAMIC, forgets, slots=1) as pipeline:
        for _ in range(ROUNDS):
            assert_near(pipeline.infer(image).values, expect_red(image))
        (note,) = pipeline.notes
        assert "the recorded CUDA graph answers nan away" in note


def test_the_collector_waits_for_a_recording(gpu: Cuda) -> None:
    """Memory on the GPU that the garbage collector frees would end the recording."""
    calls, held = [], len(gpu.held)
    forgotten = [Forgotten(gpu) for _ in range(2)]

    def forgets(call: NetworkCall) -> None:
        calls.append(call)
        red_plane(call)
        if len(calls) == 3:
            forgotten.clear()
            make_collector_due()

    image = picture(200, 300)
    with DevicePipeline(gpu, DYNAMIC, forgets, slots=1) as pipeline:
        for _ in range(ROUNDS):
            assert_near(pipeline.infer(image).values, expect_red(image))
        assert pipeline.notes == () and len(calls) == 3
    gc.collect()
    assert len(gpu.held) == held


def test_other_threads_work_while_a_graph_is_recorded(gpu: Cuda) -> None:
    """torch works on its default stream, and memory is allocated and freed."""
    recording, go_on, done = threading.Event(), threading.Event(), []
    calls = []

    def slow(call: NetworkCall) -> None:
        calls.append(call)
        red_plane(call)
        if len(calls) == 3:
            recording.set()
            assert go_on.wait(20)

    def other() -> None:
        assert recording.wait(20)
        try:
            done.append(float(torch.ones(1000, device="cuda").sum()))
            torch.cuda.current_stream().synchronize()
            with DeviceMemory(gpu, MIB), PinnedMemory(gpu, MIB), Stream(gpu) as stream:
                stream.synchronize()
            done.append(True)
        finally:
            go_on.set()

    image = picture(200, 300)
    with ThreadPoolExecutor(1) as pool, DevicePipeline(gpu, DYNAMIC, slow, slots=1) as pipeline:
        future = pool.submit(other)
        for _ in range(ROUNDS):
            assert_near(pipeline.infer(image).values, expect_red(image))
        future.result()
        assert done == [1000.0, True] and pipeline.notes == () and len(calls) == 3


# Memory and ends


def free_mib(gpu: Cuda) -> int:
    """Return the free memory of the GPU."""
    with gpu.current():
        free, _ = gpu.pycuda.mem_get_info()
    return int(free) // MIB


def test_a_pipeline_works_on_after_memory_ran_out(gpu: Cuda) -> None:
    small, large = picture(200, 300), np.zeros((9000, 9000, 3), np.uint8)
    with DevicePipeline(gpu, DYNAMIC, red_plane, slots=1) as pipeline:
        expected = pipeline.infer(small).values
        torch.cuda.empty_cache()
        free = free_mib(gpu)
        with DeviceMemory(gpu, (free - 200) * MIB):
            for _ in range(2):
                with pytest.raises(BackendUnavailable, match=r"has not enough free memory .*close what else uses it"):
                    pipeline.infer(large)
            assert np.array_equal(pipeline.infer(small).values, expected)
        assert pipeline.infer(large).values.shape == (9000, 9000)
        assert np.array_equal(pipeline.infer(small).values, expected)


def test_nothing_is_left_behind(gpu: Cuda) -> None:
    """The free memory is that of the whole GPU, so no other program may use the GPU meanwhile."""

    def use() -> int:
        with DevicePipeline(gpu, DYNAMIC, red_plane) as pipeline:
            for size in [(480, 640), (1080, 1920)]:
                for _ in range(ROUNDS):
                    pipeline.infer(picture(*size))
                    pipeline.infer_kept(picture(*size)).memory.close()
        gc.collect()
        return free_mib(gpu)

    use()
    held, free = len(gpu.held), use()
    assert len(gpu.held) == held
    for _ in range(5):
        last = use()
    assert free - last <= 2


def run_case(case: str, *arguments: str) -> None:
    command = [sys.executable, "-W", "ignore::DeprecationWarning", str(HERE / "gpu_cases.py"), case, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0 and not done.stderr, f"{done.returncode}\n{done.stdout}{done.stderr}"


@pytest.mark.parametrize(
    "case",
    [
        "forked",
        "lost",
        "lost_while_streaming",
        "exits_without_close",
        "exits_without_close_of_kept_depth",
        "forgotten_in_another_thread",
        "before_torch",
    ],
)
def test_the_end_of_a_process(gpu: Cuda, case: str) -> None:
    run_case(case)


# Model files in ONNX Runtime's CUDA provider


@pytest.fixture
def cuda_provider(gpu: Cuda) -> None:
    if CUDA not in onnxruntime.get_available_providers():
        pytest.skip(f"onnxruntime {onnxruntime.__version__} has no CUDA provider")


@pytest.mark.usefixtures("cuda_provider")
@pytest.mark.parametrize("case", ["model_answers_like_the_cpu", "model_in_threads", "forked_model"])
def test_a_model_of_any_size(case: str) -> None:
    run_case(case, "default")


@pytest.mark.usefixtures("cuda_provider")
@pytest.mark.parametrize("case", ["model_answers_like_the_cpu", "model_in_threads", "forked_model"])
def test_a_model_of_one_size(tiny_static: TinyModel, case: str) -> None:
    run_case(case, str(tiny_static.onnx))


@pytest.mark.usefixtures("cuda_provider")
def test_a_model_with_the_resizes_of_zoedepth(tiny: TinyModel, tmp_path: Path) -> None:
    contract = with_kernels(read_contract(tiny.onnx), SizeRule((126, 168), 14, "minimal"))[-1]
    run_case("model_answers_like_the_cpu", str(with_contract(tiny.onnx, tmp_path / "tiny.onnx", contract)))


@pytest.mark.usefixtures("cuda_provider")
def test_a_model_whose_resizes_have_no_kernels(tiny: TinyModel, tmp_path: Path) -> None:
    contract, words = without_kernels(read_contract(tiny.onnx), 126, 14)[0]
    run_case("model_resized_on_the_cpu", str(with_contract(tiny.onnx, tmp_path / "tiny.onnx", contract)), words)
