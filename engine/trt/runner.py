"""TensorRT as a runner: an engine on the GPU that takes images, which depthrt's kernels resize, or batches."""

from __future__ import annotations

import logging
from pathlib import Path

from ..cuda.driver.driver import find_gpu
from ..cuda.driver.gpu import Cuda
from ..cuda.host_batches import HostBatches
from ..cuda.kernels.resizes import host_note, missing_kernels
from ..cuda.network_on_gpu import NetworkOnGpu
from ..cuda.pipeline import SLOTS, DevicePipeline
from ..modelfile.model_file import ModelFile
from ..terms import Precision
from .compatibility import check_fit, gpu_note, options_for
from .library import import_tensorrt
from .loaded_plan import LoadedPlan
from .plan_cache import WAITING, cached_plan, find_cached_plan
from .plan_file import PlanFile, PlanHeader, read_plan, read_plan_header


class TrtRunner(NetworkOnGpu):
    """An engine on this machine's first GPU. Safe from several threads; close() frees it.

    Args:
        path: The engine file, or the ONNX file of `plan`.
        header: Of an engine file, read before; None reads it.
        plan: With its header, read before; None reads it from `path`.
        notes: Recorded before the runner's notes.
        slots: Images on the GPU at once.
        graphs: Whether images of one shape run as one CUDA graph.

    Raises:
        ModelFileError: The file is missing, foreign, truncated or damaged.
        ContractError: It is of another version of depthrt.
        BackendUnavailable: No GPU, no TensorRT or another version of it, or one of them refuses.
    """

    def __init__(
        self,
        path: Path,
        *,
        header: PlanHeader | None = None,
        plan: PlanFile | None = None,
        notes: tuple[str, ...] = (),
        slots: int = SLOTS,
        graphs: bool = True,
    ) -> None:
        header = plan.header if plan is not None else header or read_plan_header(path)
        trt = check_fit(header, path)
        plan = plan or PlanFile(header, read_plan(path, header))
        self.contract = header.contract
        self.name: str = header.flavour
        self.precision: Precision = header.precision
        self.plan_sha256 = header.plan_sha256
        self.tf32 = header.options.tf32  # float32 products round their factors to the length of float16
        super().__init__(Cuda())
        self.provider = self._gpu.name
        try:
            self._plan = LoadedPlan(self._gpu, trt, plan, path)
            self._batches = HostBatches(self._gpu, self._plan, outputs=len(header.contract.outputs))
            if self._plan.batch[0] == 1 and not missing_kernels(header.contract):
                self.pipeline = DevicePipeline(self._gpu, header.contract, self._plan, slots=slots, graphs=graphs)
        except BaseException:
            self._gpu.close()
            raise
        own = gpu_note(header, self.provider), host_note(header.contract), self._batch_note(path)
        self._notes = (*notes, *filter(None, own))

    @property
    def notes(self) -> tuple[str, ...]:
        """Return every fallback and compromise so far, a sentence each."""
        return (*self._notes, *(self.pipeline.notes if self.pipeline is not None else ()))

    def takes(self, input_px: tuple[int, int]) -> bool:
        """Return whether the engine was built for inputs of (h, w)."""
        return self._plan.profile.takes((self._plan.batch[0], 3, *input_px))

    def _batch_note(self, path: Path) -> str:
        if self._plan.batch[0] == 1:
            return ""
        return (
            f"{path} takes {self._plan.batch[0]} images or more at once, so each is resized on the CPU and "
            "repeated; build it for batches from 1 on"
        )


logger = logging.getLogger("depthrt")


def open_built(file: ModelFile) -> TrtRunner:
    """Open an ONNX file on this machine's first GPU; if no engine is in the cache, blocks while it is built.

    Raises:
        BackendUnavailable: There is no GPU, no TensorRT, or TensorRT does not support the GPU.
        BuildError: TensorRT refuses the file.
        ModelFileError, ContractError: As build_engine.
    """
    gpu = find_gpu()
    options = options_for(import_tensorrt(), gpu)
    said: set[str] = set()

    def say_once(title: str, done: int, wanted: int) -> None:
        what = "another process builds one" if title == WAITING else "building one now, which takes seconds to minutes"
        if what not in said:
            said.add(what)
            logger.warning("depthrt: no TensorRT engine of %s for %s is in the cache; %s", file.path, gpu.name, what)

    return TrtRunner(file.path, plan=cached_plan(file, options=options, on_step=say_once).plan)


def find_plan(file: ModelFile) -> PlanFile | None:
    """Return the plan that open_built would find in the cache, or None if it would build one.

    Raises:
        As open_built, if it could not build one.
    """
    gpu = find_gpu()
    return find_cached_plan(file, options=options_for(import_tensorrt(), gpu))
