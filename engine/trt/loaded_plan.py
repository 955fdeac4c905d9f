"""A plan on the GPU: an engine, and for each stream an execution context that starts the network's work."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any

from ..cuda.driver.calls import CallRefused
from ..cuda.driver.gpu import Cuda
from ..cuda.driver.held import Held
from ..cuda.network import NetworkCall
from ..errors import BackendUnavailable, ContractError, DepthrtError, InputError, ModelFileError
from ..runners.calls import one_line
from ..terms import INPUT, OUTPUTS
from .build_options import Profile, Shape
from .library import Message, TensorRT, tail
from .plan_file import PlanFile, PlanHeader


class LoadedPlan:
    """Starts the network's work on streams. Safe from several threads if no two of them share a stream.

    It is a Network of engine/cuda/network.py, and Recordable. The GPU's close() frees it.

    Args:
        gpu: Stays open as long as the plan.
        trt: The TensorRT that built the plan.
        plan: With its hash checked.
        path: For messages.

    Raises:
        ContractError: Its tensors are not those of an engine of depthrt.
        BackendUnavailable: TensorRT refuses it on this GPU.
    """

    def __init__(self, gpu: Cuda, trt: TensorRT, plan: PlanFile, path: Path) -> None:
        self.profile = _check_borders(plan.header, path)
        self._gpu, self._trt, self._path = gpu, trt, path
        self._engine = _Engine(gpu, trt, plan, path)
        self._contexts: dict[int, _Context] = {}  # by the stream's handle
        self._change = Lock()

    @property
    def batch(self) -> tuple[int, int]:
        """Return the smallest and the largest number of images that the engine takes at once."""
        return self.profile.min[0], self.profile.max[0]

    def __call__(self, call: NetworkCall) -> None:
        """Start the network for one image; the GPU's context is current."""
        self.start(shape=(1, 3, *call.input_px), input=call.input, outputs=(call.output,), stream=call.stream)

    def start(self, *, shape: Shape, input: int, outputs: Sequence[int], stream: int) -> None:
        """Put the network's work on a stream; returns without waiting.

        Args:
            shape: (N, 3, h, w) of the input.
            input: Address of the input, float32 on the GPU.
            outputs: Addresses of all outputs, each (N, h, w) float32 on the GPU, to be written.
            stream: Handle of the stream.

        Raises:
            InputError: The engine was not built for the shape.
            BackendUnavailable: TensorRT refuses, for example because memory is short.
        """
        self.check_shape(shape)
        self._context(stream).start(shape, input, tuple(outputs))

    def check_shape(self, shape: Shape) -> None:
        """Raise InputError unless the engine was built for an input (N, 3, h, w)."""
        if self.profile.takes(shape):
            return
        wanted, least, most = (f"{side[2]}x{side[3]}" for side in (shape, self.profile.min, self.profile.max))
        raise InputError(
            f"an input of {wanted} (HxW) is needed, {self._path} was built for {least} to {most}; build it for more "
            "(depthrt build --min --max), or crop the image"
        )

    def check_recordable(self, stream: int) -> None:
        """Raise CallRefused if TensorRT cannot record the work that was bound last in a graph."""
        self._context(stream).check_recordable()

    def forget(self, stream: int) -> None:
        """Free the execution context of a stream, whose work is done."""
        with self._change:
            context = self._contexts.pop(stream, None)
        if context is not None:
            context.close()

    def _context(self, stream: int) -> _Context:
        with self._change:
            if stream not in self._contexts:
                self._contexts[stream] = _Context(self._gpu, self._trt, self._engine, stream)
            return self._contexts[stream]


class _Engine(Held):
    """The deserialised plan."""

    def __init__(self, gpu: Cuda, trt: TensorRT, plan: PlanFile, path: Path) -> None:
        self._trt = trt
        super().__init__(gpu, lambda: _deserialise(gpu, trt, plan, path))

    def new_context(self) -> Any:  # noqa: ANN401 (TensorRT has no types)
        """Return an execution context, or None if TensorRT cannot make one.

        By default TensorRT-RTX computes a new size with slow kernels until a thread has compiled better ones, and a
        graph would keep the slow ones. With EAGER the first image of a size waits for its kernels.
        """
        trt = self._trt.module
        if not hasattr(getattr(trt, "IRuntimeConfig", None), "dynamic_shapes_kernel_specialization_strategy"):
            return self._held.create_execution_context()
        config = self._held.create_runtime_config()
        config.dynamic_shapes_kernel_specialization_strategy = trt.DynamicShapesKernelSpecializationStrategy.EAGER
        return self._held.create_execution_context(config)


class _Context(Held):
    """An execution context of a stream, and the addresses that its tensors are bound to."""

    def __init__(self, gpu: Cuda, trt: TensorRT, engine: _Engine, stream: int) -> None:
        self._trt, self._stream = trt, stream
        self._bound: tuple[Shape, int, tuple[int, ...]] | None = None
        super().__init__(gpu, lambda: _new_context(gpu, trt, engine, stream))

    def start(self, shape: Shape, input: int, outputs: tuple[int, ...]) -> None:
        """Start the network; the GPU's context is current."""
        with _calling(self._trt) as messages:
            if self._bound != (shape, input, outputs):
                self._bind(shape, input, outputs)
            if not self._held.execute_async_v3(self._stream):
                self._bound = None
                raise CallRefused(f"{self._trt.name} cannot start the network: {tail(messages)}")

    def check_recordable(self) -> None:
        """Raise CallRefused if TensorRT says that it cannot be recorded; a TensorRT without the question is tried."""
        asked = getattr(self._held, "is_stream_capturable", None)
        if asked is not None and not asked(self._stream):
            raise CallRefused(f"{self._trt.name} says that its work for this size is not capturable")

    def _bind(self, shape: Shape, input: int, outputs: tuple[int, ...]) -> None:
        """Bind the tensors to addresses; TensorRT answers False to a wrong name or shape, or nothing."""
        self._bound, context = None, self._held
        named = dict(zip(OUTPUTS, outputs, strict=False))
        addresses = {INPUT: input, **named}
        if not context.set_input_shape(INPUT, shape) or not all(
            context.set_tensor_address(name, address) for name, address in addresses.items()
        ):
            raise CallRefused(f"{self._trt.name} does not take an input of {shape}")
        expected = (shape[0], *shape[2:])
        for name in named:
            found = tuple(context.get_tensor_shape(name))
            if found != expected:  # it would be written past the end of the memory for it
                raise ModelFileError(
                    f"the engine answers {found} for an input of {shape}, expected {expected}; build it again"
                )
        self._bound = (shape, input, outputs)


@contextmanager
def _calling(trt: TensorRT) -> Iterator[list[Message]]:
    """Collect TensorRT's messages; what it raises in the block is refused like a call of CUDA."""
    with trt.collected() as messages:
        try:
            yield messages
        except (DepthrtError, CallRefused):
            raise
        except Exception as error:
            raise CallRefused(f"{trt.name}: {one_line(error)}") from error


def _check_borders(header: PlanHeader, path: Path) -> Profile:
    """Return the shapes that an engine takes; its tensors must be those of an engine of depthrt."""
    found = {tensor.name: (tensor.mode, tensor.dtype) for tensor in header.tensors}
    profiles = [profile for tensor in header.inputs() for profile in tensor.profiles]
    expected = {INPUT: ("input", "float32"), **dict.fromkeys(header.contract.outputs, ("output", "float32"))}
    if found != expected or len(profiles) != 1:
        raise ContractError(f"{path} has tensors {found}, expected {expected} and one profile; build the engine again")
    return profiles[0]


def _deserialise(gpu: Cuda, trt: TensorRT, plan: PlanFile, path: Path) -> Any:  # noqa: ANN401
    with _calling(trt) as messages:
        engine = trt.module.Runtime(trt.logger).deserialize_cuda_engine(plan.plan)
    if engine is None:
        raise BackendUnavailable(
            f"{trt.name} cannot load {path} on {gpu.name}: {tail(messages)}; build the engine again: depthrt build"
        )
    names = [engine.get_tensor_name(index) for index in range(engine.num_io_tensors)]
    expected = [tensor.name for tensor in plan.header.tensors]
    if sorted(names) != sorted(expected):
        raise ModelFileError(f"{path} has tensors {names}, its header says {expected}; build the engine again")
    return engine


def _new_context(gpu: Cuda, trt: TensorRT, engine: _Engine, stream: int) -> Any:  # noqa: ANN401
    with _calling(trt) as messages:
        context = engine.new_context()
        if context is None:
            raise BackendUnavailable(
                f"{trt.name} cannot make an execution context on {gpu.name}: {tail(messages)}; close what else uses "
                "the GPU (nvidia-smi lists it), or use device='cpu'"
            )
        # Only an engine's first context is sure to have profile 0.
        if context.active_optimization_profile != 0 and not context.set_optimization_profile_async(0, stream):
            raise CallRefused(f"{trt.name} cannot set the profile of an execution context: {tail(messages)}")
    return context
