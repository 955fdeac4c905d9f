"""An ONNX Runtime with a CUDA provider, for the stand-in GPU: the true one computes, on the CPU, in the stream's order.

test_ort_on_gpu.py holds its classes against the true ones.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import onnxruntime as true
from standin import at_address, driver

from depthrt.engine.cuda.driver.graph import is_recording
from depthrt.engine.modelfile.contract import read_contract

CPU, CUDA = "CPUExecutionProvider", "CUDAExecutionProvider"
ASYNCHRONOUS = "disable_synchronize_execution_providers"
_HOST_FUNCTION = ctypes.CFUNCTYPE(None, ctypes.c_void_p)

Bound = tuple[tuple[int, ...], int]


class IOBinding:
    """Where the input and the output are."""

    def __init__(self) -> None:
        self._bound: dict[str, Bound] = {}

    def bind_input(
        self, name: str, device_type: str, device_id: int, element_type: type, shape: Sequence[int], buffer_ptr: int
    ) -> None:
        """Bind an input on the GPU."""
        assert (device_type, device_id, element_type) == ("cuda", 0, np.float32)
        self._bound[name] = (tuple(shape), buffer_ptr)

    def bind_output(
        self, name: str, device_type: str, device_id: int, element_type: type, shape: Sequence[int], buffer_ptr: int
    ) -> None:
        """Bind an output on the GPU."""
        self.bind_input(name, device_type, device_id, element_type, shape, buffer_ptr)


class InferenceSession:
    """A session that works on the stream that it was told to."""

    works = True  # whether the CUDA provider starts
    failure = ""  # of the next run
    recordable = True  # whether a run can be recorded
    left_error = False  # by a recording that failed
    runs = 0

    def __init__(self, path: str, options: Any, providers: Sequence[Any]) -> None:  # noqa: ANN401
        self._session = true.InferenceSession(path, options, providers=[CPU])
        self._asked = [one if isinstance(one, str) else one[0] for one in providers]
        (given,) = [one[1] for one in providers if isinstance(one, tuple)] or [{}]
        exact = read_contract(path).precision == "fp32"
        assert CUDA not in self._asked or given.get("use_tf32") == ("0" if exact else "1"), given
        self._stream = int(given.get("user_compute_stream", 0))
        self._functions: dict[object, object] = {}  # C keeps no reference to them

    def get_providers(self) -> list[str]:
        """Return what runs the graph, best first."""
        return [one for one in self._asked if one == CPU or self.works]

    def io_binding(self) -> IOBinding:
        """Return a new binding."""
        return IOBinding()

    def run(
        self,
        output_names: Sequence[str],
        input_feed: dict[str, np.ndarray],
        run_options: Any = None,  # noqa: ANN401
    ) -> list[np.ndarray]:
        """Run on the host."""
        return list(self._session.run(output_names, input_feed, run_options))

    def run_with_iobinding(self, iobinding: IOBinding, run_options: Any) -> None:  # noqa: ANN401
        """Put a run on the stream."""
        failure, InferenceSession.failure = InferenceSession.failure, ""
        InferenceSession.runs += 1
        if failure:
            raise RuntimeError(failure)
        if self.left_error or (not self.recordable and is_recording(self._stream)):
            InferenceSession.left_error = is_recording(self._stream)  # CUDA's runtime keeps it for the next call
            raise RuntimeError("operation not permitted when stream is capturing")
        session = self._session
        (image_name,) = (one.name for one in session.get_inputs())
        names = [one.name for one in session.get_outputs()]
        image, outputs = iobinding._bound[image_name], tuple(iobinding._bound[name] for name in names)
        assert run_options.get_run_config_entry(ASYNCHRONOUS) == "1"

        def compute(_: object) -> None:
            answers = session.run(None, {image_name: at_address(image[1], image[0])})
            for (shape, address), answer in zip(outputs, answers, strict=True):
                at_address(address, shape)[:] = answer

        function = self._functions.setdefault((image, outputs), _HOST_FUNCTION(compute))
        assert driver().standin_launch(ctypes.c_void_p(self._stream), function, None) == 0


class Module(ModuleType):
    """The true module, but for its sessions."""

    InferenceSession, IOBinding = InferenceSession, IOBinding

    def get_available_providers(self) -> list[str]:
        """Return what was compiled in."""
        return [CUDA, CPU]

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401
        return getattr(true, name)


def write_gpu_build(folder: Path) -> None:
    """Write what says that onnxruntime-gpu is installed, for whoever has the folder on sys.path."""
    about = folder / f"onnxruntime_gpu-{true.__version__}.dist-info"
    about.mkdir(parents=True)
    fields = {"Metadata-Version": "2.1", "Name": "onnxruntime-gpu", "Version": true.__version__}
    (about / "METADATA").write_text("".join(f"{name}: {value}\n" for name, value in fields.items()))


def install() -> None:
    """Take the true module's place, before depthrt imports it."""
    sys.modules[true.__name__] = Module(true.__name__)
