"""Cases of the driver's modules on the stand-in GPU, a process a case: python driver_cases.py CASE [ARGUMENT ...]."""

from __future__ import annotations

import ctypes
import gc
import sys
import threading
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
from cuda_cases import LAUNCH_FAILED, LOST, OUT_OF_MEMORY, refused
from standin import at_address, driver, fail, limit_memory, live

from depthrt.engine.cuda.driver.calls import CallRefused, call, pop_context, status_of
from depthrt.engine.cuda.driver.driver import DriverFault, Gpu, find_gpu
from depthrt.engine.cuda.driver.gpu import Cuda
from depthrt.engine.cuda.driver.graph import Recording
from depthrt.engine.cuda.driver.handover import Handover
from depthrt.engine.cuda.driver.parts import DeviceMemory, Event, PinnedMemory, Stream
from depthrt.engine.errors import BackendUnavailable

N_BYTES = 1000
INVALID_VALUE, NOT_SUPPORTED = 1, 801  # Source: CUDA driver API, CUresult


# driver.py


def a_gpu_is_described() -> None:
    assert find_gpu() == Gpu("Stand-in GPU", "8.9")
    assert live() == {}  # no context was made


def a_gpu_that_does_not_exist_is_refused() -> None:
    message = r"the NVIDIA driver has 1 GPU\(s\), GPU 3 was asked for; numbers start at 0"
    with refused(BackendUnavailable, message):
        find_gpu(3)
    with refused(BackendUnavailable, message):
        Cuda(3)


def cannot_start(message: str) -> None:
    cannot_open(message, DriverFault)


# calls.py


def a_call_that_fails_names_itself_and_the_reason() -> None:
    for status, reason in [(OUT_OF_MEMORY, "out of memory"), (INVALID_VALUE, "an error of the stand-in")]:
        with Cuda() as gpu, gpu.current():
            fail("cuEventCreate", status)
            event = ctypes.c_void_p()
            with refused(CallRefused, f"^cuEventCreate failed: {reason}, error {status}$"):
                call("cuEventCreate", ctypes.byref(event), 0)
            assert event.value is None
            assert status_of("cuEventCreate", ctypes.byref(event), 0) == 0 and event.value is not None
            call("cuEventDestroy_v2", event)
    assert live() == {}


def an_empty_stack_of_contexts_is_an_error() -> None:
    with refused(CallRefused, "cuCtxPopCurrent_v2 failed: invalid device context, error 201"):
        pop_context()


# gpu.py


def cannot_open(message: str, kind: type[Exception] = BackendUnavailable) -> None:
    with refused(kind, message):
        Cuda()
    assert live() == {}


def the_threads_own_context_stays_current() -> None:
    gpus = [Cuda(), Cuda()]
    with gpus[0].current(), gpus[1].current(), gpus[0].current():
        assert live()["pushed"] == 1  # pycuda has one context on the driver's stack
    assert "pushed" not in live()
    with ThreadPoolExecutor(1) as other:
        other.submit(gpus[0].close).result()
    Stream(gpus[1]).synchronize()
    gpus[1].close()
    assert live() == {}


def a_refused_call_leaves_the_gpu_usable() -> None:
    with Cuda() as gpu, Stream(gpu) as stream:
        fail("cuStreamSynchronize", NOT_SUPPORTED)
        with refused(BackendUnavailable, r"Stand-in GPU refuses a CUDA call \(.*\); run `depthrt doctor`"):
            stream.synchronize()
        assert gpu.lost == ""
        stream.synchronize()
    assert live() == {}


def a_lost_gpu_refuses_every_call() -> None:
    gpu = Cuda()
    stream, memory = Stream(gpu), DeviceMemory(gpu, N_BYTES)
    fail("cuStreamSynchronize", LAUNCH_FAILED)
    with refused(BackendUnavailable, LOST):
        stream.synchronize()
    for use in (stream.synchronize, lambda: Stream(gpu), lambda: DeviceMemory(gpu, N_BYTES)):
        with refused(BackendUnavailable, LOST):
            use()
    memory.close()
    assert memory.closed and not stream.closed
    gpu.close()
    gpu.close()
    assert stream.closed and gpu.held == {}


def a_gpu_that_is_lost_while_it_closes_is_abandoned() -> None:
    gpu = Cuda()
    stream, handover = Stream(gpu), Handover(gpu)
    fail("cuEventDestroy_v2", LAUNCH_FAILED)
    gpu.close()
    assert handover.closed and stream.closed and gpu.held == {}
    with refused(BackendUnavailable, LOST):
        Stream(gpu)


def a_closed_gpu_refuses_every_call() -> None:
    gpu = Cuda()
    stream = Stream(gpu)
    gpu.close()
    gpu.close()
    assert stream.closed and live() == {}
    with refused(BackendUnavailable, "Stand-in GPU was closed; load the model again"):
        stream.synchronize()
    stream.close()


def a_forgotten_gpu_frees_itself() -> None:
    def forget() -> None:
        stream = Stream(Cuda())
        stream.synchronize()

    with ThreadPoolExecutor(1) as other:
        other.submit(forget).result()
    gc.collect()
    assert live() == {}


def the_process_ends_cleanly_without_close() -> None:
    globals()["kept"] = [PinnedMemory(Cuda(), N_BYTES)]


# parts.py


def copies_run_in_order() -> None:
    with Cuda() as gpu:
        stream, device = Stream(gpu), DeviceMemory(gpu, N_BYTES)
        source, target = PinnedMemory(gpu, N_BYTES), PinnedMemory(gpu, N_BYTES)
        source.array[:] = np.arange(N_BYTES) % 251
        stream.upload(device.address, source.array)
        stream.download(target.array, device.address)
        assert not np.array_equal(source.array, target.array)  # the stand-in is lazy, so a missing wait shows
        stream.synchronize()
        assert np.array_equal(source.array, target.array)
    assert live() == {}


def events_mark_and_time_a_stream() -> None:
    with Cuda() as gpu, Stream(gpu) as stream, DeviceMemory(gpu, N_BYTES) as device:
        source, first, last = PinnedMemory(gpu, N_BYTES), Event(gpu), Event(gpu)
        first.mark(stream)
        stream.upload(device.address, source.array)
        last.mark(stream)
        assert not first.passed and not last.passed
        first.synchronize()
        assert first.passed and not last.passed
        last.synchronize()
        assert last.passed and last.ms_since(first) >= 0
    assert live() == {}


def blanked_memory_is_nan() -> None:
    with Cuda() as gpu, Stream(gpu) as stream, DeviceMemory(gpu, 12) as device:
        ones = PinnedMemory(gpu, 12)
        ones.array.view(np.float32)[:] = 1
        stream.upload(device.address, ones.array)
        stream.blank(device.address + 4, 4)
        stream.synchronize()
        assert np.array_equal(at_address(device.address, (3,)), [1, np.nan, 1], equal_nan=True)
    assert live() == {}


def memory_is_freed_once() -> None:
    with Cuda() as gpu:
        device, pinned = DeviceMemory(gpu, N_BYTES), PinnedMemory(gpu, N_BYTES)
        assert device.address % 16 == 0 and device.n_bytes == pinned.n_bytes == len(pinned.array) == N_BYTES
        assert (live()["device"], live()["pinned"]) == (1, 1)
        for _ in range(2):
            device.close()
            pinned.close()
        assert "device" not in live() and "pinned" not in live() and len(pinned.array) == 0
        kept = PinnedMemory(gpu, N_BYTES)
    assert live() == {} and kept.closed


def memory_that_is_short_is_an_error_that_says_what_to_do() -> None:
    message = r"Stand-in GPU has not enough free memory \(.*out of memory.*\); close what else uses it"
    with Cuda() as gpu:
        limit_memory(N_BYTES - 1)
        with refused(BackendUnavailable, message):
            DeviceMemory(gpu, N_BYTES)
        fail("cuMemHostAlloc", OUT_OF_MEMORY)
        with refused(BackendUnavailable, message):
            PinnedMemory(gpu, N_BYTES)
        assert gpu.held == {} and gpu.lost == ""
        DeviceMemory(gpu, N_BYTES - 1)
    assert live() == {}


def a_graph_runs_again_on_what_its_memory_holds() -> None:
    with Cuda() as gpu, Stream(gpu) as stream, DeviceMemory(gpu, N_BYTES) as device:
        source, target = PinnedMemory(gpu, N_BYTES), PinnedMemory(gpu, N_BYTES)
        graph = stream.record(lambda: stream.upload(device.address, source.array), host=source)
        for value in (7, 8):
            source.array[:] = value
            graph.launch(stream)
            stream.download(target.array, device.address)
            stream.synchronize()
            assert (target.array == value).all()
        graph.close()
        assert "graph" not in live()
    assert live() == {}


# graph.py


def memory_of_the_host_that_nobody_keeps_is_not_recorded() -> None:
    with Cuda() as gpu, Stream(gpu) as stream, DeviceMemory(gpu, 4) as device, gpu.current():
        zeros = np.zeros(1, np.float32)
        start = zeros.ctypes.data
        for host in ((start + 1, 8), (start - 4, 4), (start, 0)):
            with refused(BackendUnavailable, "it copies memory of the host that may be gone in the next run"):
                Recording(stream.handle, lambda: stream.upload(device.address, zeros), host)
        Recording(stream.handle, lambda: stream.upload(device.address, zeros), (start - 4, 5)).destroy()
    assert live() == {}


def a_recording_runs_nothing() -> None:
    with Cuda() as gpu, Stream(gpu) as stream, DeviceMemory(gpu, 4) as device, gpu.current():
        zeros = np.zeros(1, np.float32)
        host = (zeros.ctypes.data, zeros.nbytes)
        recording = Recording(stream.handle, lambda: stream.upload(device.address, zeros), host)
        stream.synchronize()
        assert np.isnan(at_address(device.address, (1,)))  # fresh memory of the stand-in
        recording.launch(stream.handle)
        stream.synchronize()
        assert at_address(device.address, (1,)) == 0
        recording.destroy()
        assert "graph" not in live()
    assert live() == {}


def work_that_fails_ends_the_recording() -> None:
    def broken() -> None:
        stream.blank(device.address, 4)
        raise ValueError("broken on purpose")

    def waits() -> None:
        driver().cuStreamSynchronize(ctypes.c_void_p(stream.handle))  # not allowed, and nobody looks at its status

    with Cuda() as gpu, Stream(gpu) as stream, DeviceMemory(gpu, 4) as device, gpu.current():
        with refused(ValueError, "broken on purpose"):
            Recording(stream.handle, broken)
        assert gc.isenabled()
        with refused(CallRefused, "cuStreamEndCapture failed: .* previous error during capture, error 901"):
            Recording(stream.handle, waits)
        fail("cuGraphInstantiateWithFlags", OUT_OF_MEMORY)
        with refused(CallRefused, "cuGraphInstantiateWithFlags failed: out of memory, error 2"):
            Recording(stream.handle, lambda: None)
        assert "graph" not in live()
        stream.synchronize()  # the stream is not recording any more
        Recording(stream.handle, lambda: stream.blank(device.address, 4)).destroy()
    assert live() == {}


def the_garbage_collector_pauses_during_every_recording() -> None:
    """Two recordings overlap, and the recording that began first ends first."""
    begun, ended = threading.Event(), threading.Event()

    def first() -> None:
        future.append(pool.submit(record_second))
        assert begun.wait(20) and not gc.isenabled()

    def second() -> None:
        begun.set()
        assert ended.wait(20) and not gc.isenabled()

    def record_second() -> None:
        with gpu.current():
            Recording(other_stream.handle, second).destroy()

    for before in (True, False):
        (gc.enable if before else gc.disable)()
        future: list[Future[None]] = []
        begun.clear()
        ended.clear()
        with Cuda() as gpu, Stream(gpu) as stream, Stream(gpu) as other_stream, ThreadPoolExecutor(1) as pool:
            with gpu.current():
                Recording(stream.handle, first).destroy()
            ended.set()
            future[0].result()
            assert gc.isenabled() == before
        assert live() == {}


# handover.py, on standin_foreign.cpp


def our_stream_waits_for_theirs() -> None:
    with Cuda() as gpu, Stream(gpu) as ours, Stream(gpu) as theirs, DeviceMemory(gpu, N_BYTES) as device:
        source, target = PinnedMemory(gpu, N_BYTES), PinnedMemory(gpu, N_BYTES)
        late, handover = PinnedMemory(gpu, N_BYTES), Handover(gpu)
        source.array[:], late.array[:] = 1, 2
        theirs.upload(device.address, source.array)
        handover.wait(ours, theirs.handle)
        theirs.upload(device.address, late.array)
        ours.download(target.array, device.address)
        ours.synchronize()
        assert (target.array == 1).all()  # the work before the wait is done, the work after it is not
        theirs.synchronize()
        handover.close()
        handover.close()
    assert live() == {}


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
