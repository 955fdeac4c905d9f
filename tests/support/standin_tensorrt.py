"""A TensorRT for the stand-in GPU: it builds as the true one does, and its engines are run by ONNX Runtime.

What it runs is the ONNX file given to install(), on the addresses that the tensors are bound to, in the order of
the stream. Engines and contexts take device memory, so that what is not freed, or freed without a current context,
shows in standin.live(). test_runner.py holds its classes against the true ones.
"""

from __future__ import annotations

import ctypes
import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import onnxruntime as ort
from standin import at_address, driver

NAME = "tensorrt_rtx_bindings"
ERROR = SimpleNamespace(name="ERROR")
PLAN_MAGIC = b"vtrt"  # measured: the first bytes of every plan of TensorRT-RTX 1.7
CONTEXT_BYTES = 1 << 20
_HOST_FUNCTION = ctypes.CFUNCTYPE(None, ctypes.c_void_p)
_PROFILE_UNSET = -1


class Runtime:
    """What turns a plan into an engine."""

    onnx: Path
    executions = 0  # of all engines

    def __init__(self, logger: Any) -> None:  # noqa: ANN401 (TensorRT has no types)
        self.logger = logger

    def deserialize_cuda_engine(self, serialized_engine: bytes) -> ICudaEngine | None:
        """Return the engine, or None and a message."""
        if serialized_engine[: len(PLAN_MAGIC)] != PLAN_MAGIC:
            self.logger.log(ERROR, "Serialization assertion magicTagRead == kMAGIC_TAG failed.")
            return None
        memory = _allocate(len(serialized_engine))
        if memory is None:
            self.logger.log(ERROR, "Requested amount of GPU memory could not be allocated: out of memory")
            return None
        return ICudaEngine(self, memory)


class ICudaEngine:
    """A session of ONNX Runtime."""

    def __init__(self, runtime: Runtime, memory: object) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        self._session = ort.InferenceSession(str(runtime.onnx), options, providers=["CPUExecutionProvider"])
        self._runtime, self._memory, self._contexts = runtime, memory, 0
        self._names = [one.name for one in (*self._session.get_inputs(), *self._session.get_outputs())]

    @property
    def num_io_tensors(self) -> int:
        """Return how many inputs and outputs there are."""
        return len(self._names)

    def get_tensor_name(self, index: int) -> str:
        """Return an input's or output's name."""
        return str(self._names[index])

    def create_runtime_config(self) -> IRuntimeConfig:
        """Return how contexts are to work."""
        return IRuntimeConfig()

    def create_execution_context(self, runtime_config: IRuntimeConfig) -> IExecutionContext | None:
        """Return a context, or None and a message; the first has a profile."""
        strategy = runtime_config.dynamic_shapes_kernel_specialization_strategy
        assert strategy.name == "EAGER", "a graph may hold the kernels that a new size begins with"
        memory = _allocate(CONTEXT_BYTES)
        if memory is None:
            self._runtime.logger.log(ERROR, "IExecutionContext creation failed: out of memory")
            return None
        self._contexts += 1
        return IExecutionContext(self, memory, 0 if self._contexts == 1 else _PROFILE_UNSET)

    def _run(self, shape: tuple[int, ...], image: int, outputs: tuple[int, ...]) -> None:
        """Compute now, from address to addresses."""
        Runtime.executions += 1
        answers = self._session.run(None, {self._names[0]: at_address(image, shape)})
        for output, answer in zip(outputs, answers, strict=True):
            at_address(output, answer.shape)[:] = answer


class IRuntimeConfig:
    """How contexts are to work."""

    dynamic_shapes_kernel_specialization_strategy: Any = SimpleNamespace(name="LAZY")


class IExecutionContext:
    """What an engine is run in."""

    capturable = True

    def __init__(self, engine: ICudaEngine, memory: object, profile: int) -> None:
        self._engine, self._memory, self._profile = engine, memory, profile
        self._shape: tuple[int, ...] = ()
        self._addresses: dict[str, int] = {}
        self._functions: dict[object, object] = {}  # C keeps no reference to them

    @property
    def active_optimization_profile(self) -> int:
        """Return the profile, or -1."""
        return self._profile

    def set_optimization_profile_async(self, profile_index: int, stream_handle: int) -> bool:
        """Set the profile; there is one."""
        self._profile = profile_index
        return profile_index == 0

    def set_input_shape(self, name: str, shape: tuple[int, ...]) -> bool:
        """Set the input's shape; as in the true one a wrong name is silent."""
        (only,) = self._engine._session.get_inputs()
        if name != only.name:
            return True
        self._shape = tuple(shape)
        fits = [side == found for side, found in zip(only.shape, shape, strict=True) if isinstance(side, int)]
        return self._profile == 0 and all(fits)

    def set_tensor_address(self, name: str, memory: int) -> bool:
        """Bind a tensor."""
        self._addresses[name] = memory
        return name in self._engine._names

    def get_tensor_shape(self, name: str) -> tuple[int, ...]:
        """Return an output's shape."""
        assert name in self._engine._names[1:]
        return (self._shape[0], *self._shape[2:])

    def is_stream_capturable(self, stream: int) -> bool:
        """Return whether a graph can be made of the work."""
        return self.capturable

    def execute_async_v3(self, stream_handle: int) -> bool:
        """Put a run on the stream, with what is bound now."""
        engine, shape = self._engine, self._shape
        image, *outputs = (self._addresses[name] for name in engine._names)
        at = shape, image, *outputs
        if at not in self._functions:
            self._functions[at] = _HOST_FUNCTION(lambda _: engine._run(shape, image, tuple(outputs)))
        launched: bool = driver().standin_launch(ctypes.c_void_p(stream_handle), self._functions[at], None) == 0
        if not launched:
            self._engine._runtime.logger.log(ERROR, "IExecutionContext::enqueueV3: Error Code 1: Cuda Runtime")
        return launched


class Module(ModuleType):
    """The true module, but for what runs engines."""

    Runtime, ICudaEngine, IRuntimeConfig, IExecutionContext = Runtime, ICudaEngine, IRuntimeConfig, IExecutionContext

    def __init__(self, true: ModuleType) -> None:
        super().__init__(true.__name__)
        self._true = true

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401
        return getattr(self._true, name)


def install(onnx: Path) -> None:
    """Take the true module's place, before depthrt imports it; engines answer as the ONNX file does."""
    Runtime.onnx = onnx
    sys.modules[NAME] = Module(import_module(NAME))


def _allocate(n_bytes: int) -> object | None:
    """Return device memory that goes with its last reference, as in a C++ object; None where there is not enough.

    It is a capsule, because the garbage collector calls the destructors of Python's own objects when it likes.
    """
    address = ctypes.c_uint64()
    if driver().cuMemAlloc_v2(ctypes.byref(address), ctypes.c_size_t(n_bytes)) != 0:
        return None
    memory: object = _PYTHON.PyCapsule_New(address.value, None, _FREE)
    return memory


def _free(capsule: int) -> None:
    driver().cuMemFree_v2(ctypes.c_uint64(_PYTHON.PyCapsule_GetPointer(capsule, None)))


_FREE = _HOST_FUNCTION(_free)
_PYTHON = ctypes.PyDLL(None)
_PYTHON.PyCapsule_New.restype = ctypes.py_object
_PYTHON.PyCapsule_New.argtypes = (ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p)
_PYTHON.PyCapsule_GetPointer.restype = ctypes.c_void_p
_PYTHON.PyCapsule_GetPointer.argtypes = (ctypes.c_void_p, ctypes.c_char_p)
