"""A checkpoint as the study serves it, for a baseline: weights read for every request, float32 eager, cv2 and numpy.

The arithmetic is upstream's, so its answers are right; only its cost is of interest.
Source: Depth-Anything-V2, run.py, depth_anything_v2/dpt.py and util/transform.py.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from time import perf_counter

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import interpolate

from ...engine.depth.depth import Depth
from ...engine.depth.intrinsics import Intrinsics
from ...engine.depth.provenance import Timings
from ...engine.errors import InputError, ModelFileError
from ...engine.images.limits import Limits
from ...engine.images.preprocess import Color, fit_image
from ...engine.model.depth_model import Answer, DepthModel, Prepared
from ...engine.system.cores import usable_cores
from ...engine.terms import Precision
from ...export.checkpoint.checkpoint import Checkpoint, make_network
from ...export.network.network import Network
from .checkpoint_options import CheckpointOptions
from .torch_runner import torch_contract
from .torch_threads import use_torch_threads


class StudyRunner:
    """Reads the weights and builds the network in every run."""

    name = "torch, weights read for every request"
    provider = "cpu"
    precision: Precision = "fp32"
    notes: tuple[str, ...] = ()

    def __init__(self, checkpoint: Checkpoint) -> None:
        self._path = checkpoint.path
        self._checkpoint = replace(checkpoint, tensors={})  # read again in every run

    def run(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the network's output (N, h, w) float32 for inputs (N, 3, h, w) float32; blocks."""
        network = self.load()
        with torch.no_grad():
            answer: NDArray[np.float32] = network(torch.from_numpy(batch)).numpy()
        return answer

    def load(self) -> Network:
        """Build the network and read its weights from the disk, as upstream's scripts begin.

        Raises:
            ModelFileError: The file's tensor names are not upstream's, so upstream's scripts cannot load it either.
        """
        network = make_network(self._checkpoint)
        try:
            network.load_state_dict(_read_state(self._path))
        except (RuntimeError, TypeError) as error:
            raise ModelFileError(
                f"{self._path} is not in upstream's layout, so the study's scripts cannot load it; "
                "leave it out, or give the published .pth file"
            ) from error
        return network.eval()

    def close(self) -> None:
        """Free nothing: the runner holds nothing between runs."""


class StudyModel(DepthModel):
    """Prepares and finishes as upstream: float64 with cv2 and numpy, then torch."""

    def prepare(
        self,
        image: NDArray[np.uint8],
        *,
        color: Color = "bgr",
        focal_px: float | None = None,
        camera: Intrinsics | None = None,
    ) -> Prepared:
        """Do the first stage of infer; no model that the study serves takes a focal length."""
        start = perf_counter()
        image_px = (image.shape[0], image.shape[1])
        fit = fit_image(self.contract.size, image_px)
        rgb = cv2.cvtColor(image, cv2.COLOR_BGR2RGB) if color == "bgr" else image
        pixels: NDArray[np.float64] = np.asarray(rgb / 255.0, np.float64)
        height, width = fit.input_px
        resized = cv2.resize(pixels, (width, height), interpolation=cv2.INTER_CUBIC)  # (w, h)
        normalised = (resized - np.array(self.contract.mean)) / np.array(self.contract.std)
        batch = np.ascontiguousarray(normalised.transpose(2, 0, 1)[None], np.float32)  # (1, 3, h, w)
        return Prepared(batch, fit, image_px, (perf_counter() - start) * 1e3, camera=camera)

    def finish(self, answer: Answer) -> Depth:
        """Do the last stage of infer."""
        start = perf_counter()
        prepared = answer.prepared
        output = torch.from_numpy(answer.output)[None, None]  # (1, 1, h, w)
        mode = "bicubic" if self.contract.final_resize == "bicubic" else "bilinear"
        corners = self.contract.final_resize == "bilinear_corners"
        resized = interpolate(output, prepared.image_px, mode=mode, align_corners=corners)
        values: NDArray[np.float32] = resized[0, 0].numpy()
        timings = Timings(prepared.preprocess_ms, answer.run_ms, (perf_counter() - start) * 1e3)
        provenance = self._provenance(prepared, timings)
        return Depth(values, self.contract.kind, np.isfinite(values), provenance, self.contract.max_depth_m)


def open_study(path: Path, options: CheckpointOptions, threads: int | None) -> DepthModel:
    """Return the baseline for a checkpoint file in upstream's layout.

    Raises:
        ModelFileError, InputError: As read_checkpoint; or the layout is not upstream's, the size is static, or the
            family resizes images in another way.
    """
    if isinstance(options.size, tuple):
        raise InputError(f"size {options.size} found: the study's scripts take no static size; give a short side")
    checkpoint = options.read(path)
    contract = torch_contract(checkpoint, options.size, "fp32")
    if contract.input_resize != "cubic" or contract.size.margin != "none":
        raise InputError(
            f"{path} is of the family {checkpoint.family}, and the study's scripts resize images by another rule; "
            "leave out --study, or give a checkpoint of Depth Anything or MiDaS"
        )
    use_torch_threads(threads or usable_cores())
    runner = StudyRunner(checkpoint)
    runner.load()  # raises now and not in the first run
    return StudyModel(runner, contract, limits=Limits())


def read_as_study(path: Path) -> NDArray[np.uint8]:
    """Read an image with cv2.imread: (H, W, 3) uint8, BGR.

    Raises:
        InputError: OpenCV cannot read it.
    """
    image = cv2.imread(str(path))
    if image is None:
        raise InputError(f"{path} cannot be read by cv2.imread; give a JPEG or PNG file")
    return np.asarray(image, np.uint8)


def _read_state(path: Path) -> dict[str, Tensor]:
    if path.suffix == ".safetensors":
        from safetensors.torch import load_file

        return dict(load_file(path))
    if path.is_dir():
        raise TypeError(f"{path} is a folder")
    state: dict[str, Tensor] = torch.load(path, map_location="cpu", weights_only=True)
    return state
