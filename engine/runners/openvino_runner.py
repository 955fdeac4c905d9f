"""OpenVINO as a runner: float32 on any x86 or ARM CPU, bf16 if the CPU computes in it."""

from __future__ import annotations

from collections import deque
from functools import cache
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import BackendUnavailable, InputError
from ..modelfile.contract import Contract
from ..modelfile.model_file import ModelFile
from ..system.cache.compiled import compiled_folder
from ..system.closable import never_destroy, tell_of_forks
from ..system.process.mapped_pages import release_mapped
from ..system.process.telemetry import without_openvino_reports
from ..terms import INPUT, OUTPUT, SKY, Precision
from .calls import calling

DEVICE = "CPU"
CACHE = "openvino"
_PROBE = 64  # rows and columns: enough for the kernels that a layer of a network gets
# A diffusion model halves its latent three times. A first input whose coarsest level is 1x1 made OpenVINO 2026.4.1
# answer every later one wrongly, by up to 0.9 of the range.
_WARM_UP_OF_STEPS = 16
_WARM_UP_PATCHES = 2  # on a side of the first input; see _place_weights
# OpenVINO's names of the precisions that it can be set to compute in.
_HINTS: dict[Precision, str] = {"fp32": "f32", "bf16": "bf16"}
_PRECISIONS: dict[str, Precision] = {hint: precision for precision, hint in _HINTS.items()}


class OpenVinoRunner:
    """A compiled OpenVINO model. `run` is safe from several threads, which share the same cores."""

    name = "openvino"

    def __init__(self, file: ModelFile, *, precision: Precision, threads: int) -> None:
        contract = file.contract
        ov, core = import_openvino(), the_core()
        check_precision(core, precision)
        if contract.precision == "int8" and not sums_int8_exactly():
            raise BackendUnavailable(
                "this CPU has no VNNI, without which sums of int8 products overflow in OpenVINO; use ONNX Runtime, or "
                "a file exported with --precision fp32"
            )
        self.provider, self._path = DEVICE, file.path
        self._compiled: Any = _compile(ov, core, file, precision, threads)
        self._idle: deque[Any] = deque()  # infer requests that no thread uses
        hint = str(self._compiled.get_property("INFERENCE_PRECISION_HINT").get_type_name())
        if hint != _HINTS.get(precision, "f32"):
            raise BackendUnavailable(f"OpenVINO compiled {file.path} in {hint}, {precision} was asked for")
        self.precision: Precision = "int8" if contract.precision == "int8" and hint == "f32" else _PRECISIONS[hint]
        self.notes: tuple[str, ...] = _notes(contract, self.precision)
        tell_of_forks(self)

    def run(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the network's output (N, h, w) float32 for inputs (N, 3, h, w) float32; blocks."""
        (output,) = self._outputs(batch, OUTPUT)
        return output

    def run_with_sky(self, batch: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return depth and the value for the sky, each (N, h, w) float32, of a file that has it; blocks."""
        depth, sky = self._outputs(batch, OUTPUT, SKY)
        return depth, sky

    def _outputs(self, batch: NDArray[np.float32], *names: str) -> list[NDArray[np.float32]]:
        """Return outputs of the graph by name."""
        compiled = self._compiled
        if compiled is None:
            raise InputError("this model is closed; load it again")
        the_core()  # refuses in a forked child
        with calling("OpenVINO", f"cannot run an input of {batch.shape} through", self._path):
            try:
                request = self._idle.pop()
            except IndexError:
                request = compiled.create_infer_request()
            # Its output is copied: the next run of the request writes to the same memory.
            answer = request.infer({INPUT: np.ascontiguousarray(batch)}, share_inputs=True, share_outputs=False)
            outputs: list[NDArray[np.float32]] = [answer[name] for name in names]
        self._idle.append(request)
        if self._compiled is None:  # another thread closed it
            self._idle.clear()
        return outputs

    def close(self) -> None:
        """Drop the compiled model."""
        self._compiled = None
        self._idle.clear()

    def after_fork(self) -> None:
        """Keep a forked child from destroying what it inherits, which would wait for threads that were not forked."""
        never_destroy(self._compiled, *self._idle)


def import_openvino() -> ModuleType:
    """Import openvino or name the extra that brings it; it reports nothing to its maker."""
    try:
        with without_openvino_reports():
            import openvino
    except ImportError as error:
        raise BackendUnavailable(
            f"openvino cannot be imported ({error}); install it with: pip install 'depthrt[cpu]'"
        ) from error
    module: ModuleType = openvino
    return module


def the_core() -> Any:  # noqa: ANN401
    """Return the process's only OpenVINO core, which is never dropped.

    The CPU plugin gives the thread that loads it a stack for signals, and frees that stack with the last core: the next
    Ctrl-C, which Python handles on it, would end the process (seen in 2026.4.1).

    Raises:
        BackendUnavailable: The process was forked from one that used OpenVINO. Its threads were not forked: a run
            stops for ever if one of them worked at that time, with a new core as well (seen in 2026.4.1).
    """
    if _INHERITED:
        raise BackendUnavailable(
            "OpenVINO was started before this process was forked, and does not survive a fork; start processes with "
            "the 'spawn' method, load models only in the child processes, or use ONNX Runtime"
        )
    return _start_core()


@cache
def _start_core() -> Any:  # noqa: ANN401
    core = import_openvino().Core()
    tell_of_forks(_KEEPER)
    return core


class _CoreKeeper:
    """Keeps a forked child from using or destroying the core that it inherits."""

    def after_fork(self) -> None:
        never_destroy(_start_core())
        _INHERITED.append(True)


_KEEPER = _CoreKeeper()
_INHERITED: list[bool] = []  # not empty in a process that was forked from one with a core


def cpu_precisions() -> tuple[Precision, ...]:
    """Return the precisions in which OpenVINO runs a float32 file on this machine, slowest first; () without OpenVINO.

    Never raises: `depthrt doctor` reports a broken installation.
    """
    try:
        import_openvino()
        return ("fp32", "bf16") if has_bf16(_start_core()) else ("fp32",)
    except Exception:
        return ()


def check_precision(core: Any, precision: Precision) -> None:  # noqa: ANN401 (openvino is imported on use)
    """Raise BackendUnavailable unless this CPU computes in the precision."""
    if precision == "bf16" and not has_bf16(core):
        raise BackendUnavailable(
            "this CPU does not compute in bf16 (it has neither AVX512-BF16 nor AMX); use precision fp32"
        )
    if precision not in (*_HINTS, "int8"):
        raise BackendUnavailable(f"OpenVINO does not compute in {precision} on a CPU; use precision fp32")


def has_bf16(core: Any) -> bool:  # noqa: ANN401
    """Return whether OpenVINO computes in bf16 on this CPU."""
    return "BF16" in core.get_property(DEVICE, "OPTIMIZATION_CAPABILITIES")


@cache
def sums_int8_exactly() -> bool:
    """Return whether OpenVINO sums products of int8 exactly on this CPU; tried on one product of matrices.

    Without VNNI, or if ONEDNN_MAX_CPU_ISA hides it, oneDNN adds pairs of products in 16 bits, where they overflow.
    """
    from openvino import Model
    from openvino import opset13 as ops

    image = ops.parameter([8, _PROBE], np.float32)
    zero, one = np.float32(0), np.float32(1)
    rounded = ops.fake_quantize(image, zero, one, zero, one, 256)
    weights = ops.multiply(
        ops.convert(ops.constant(np.full((_PROBE, _PROBE), 127, np.int8)), np.float32),
        ops.constant(np.full((1, _PROBE), 1 / 127, np.float32)),
    )
    model = Model([ops.matmul(rounded, weights, False, False)], [image])
    settings = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": 1}
    (answer,) = the_core().compile_model(model, DEVICE, settings)([np.ones((8, _PROBE), np.float32)]).values()
    return bool(np.allclose(answer, _PROBE, rtol=1e-3))


def _compile(
    ov: ModuleType,
    core: Any,  # noqa: ANN401
    file: ModelFile,
    precision: Precision,
    threads: int,
) -> Any:  # noqa: ANN401
    """Compile a file, or load it from the cache."""
    settings = {
        "INFERENCE_PRECISION_HINT": _HINTS.get(precision, "f32"),
        "INFERENCE_NUM_THREADS": threads,
        "PERFORMANCE_HINT": "LATENCY",
    }
    key = file.identity | {
        "path": str(file.path.absolute()),
        "precision": precision,
        "openvino": ov.__version__,
        "machine": file.machine.key(),  # what is compiled fits a CPU
    }
    with compiled_folder(CACHE, key) as folder:
        if folder is not None:
            settings["CACHE_DIR"] = str(folder)
        with calling("OpenVINO", "refuses", file.path):
            compiled = core.compile_model(str(file.path), DEVICE, settings)
            if not file.contract.size.static:
                _place_weights(compiled, file.contract)
        if folder is not None:
            release_mapped(folder)
    return compiled


def _place_weights(compiled: Any, contract: Contract) -> None:  # noqa: ANN401
    """Run the smallest input, so that OpenVINO lays the weights out for the CPU.

    It does that in the first run of a dynamic graph. Here it happens before the first image: the weights of the file
    have left the memory when the image needs some, which is 90 MiB less at the peak for Depth Anything V2 Small, bf16.
    """
    patches = _WARM_UP_PATCHES if contract.steps is None else _WARM_UP_OF_STEPS
    side = contract.size.multiple_px * patches
    compiled.create_infer_request().infer({INPUT: np.zeros((1, 3, side, side), np.float32)})


def _notes(contract: Contract, precision: Precision) -> tuple[str, ...]:
    if contract.precision == "int8":
        return () if precision == "int8" else (f"OpenVINO computes in {precision} what this file leaves in float32",)
    if contract.precision != "fp32":
        return (f"a CPU computes this {contract.precision} file in {precision}",)
    return ()
