"""The study's way of serving: weights read and the network built for every request, torch, then a PNG; no HTTP.

Its network has random weights: reading and computing them costs what trained ones cost.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Literal, get_args

import cv2
import numpy as np
from numpy.typing import NDArray

from ...engine.errors import DepthrtError, InputError
from ...engine.model.depth_model import DepthModel
from ...engine.modelfile.shipped import DEFAULT
from ...engine.terms import Family
from .clients import run_clients
from .requests import make_request
from .server_process import ServerProcess, open_server

Network = Literal["vits", "vitb", "vitl"]
NETWORKS: tuple[Network, ...] = get_args(Network)
GAP_PX = 50
# Width, blocks, width of the hidden layer, channels of the fusion, of the four maps.
# Source: Depth-Anything-V2, model_configs in run.py; DINOv2, vision_transformer.py
_SIZES: Mapping[Network, tuple[int, int, int, int, tuple[int, int, int, int]]] = {
    "vits": (384, 12, 1536, 64, (48, 96, 192, 384)),
    "vitb": (768, 12, 3072, 128, (96, 192, 384, 768)),
    "vitl": (1024, 24, 4096, 256, (256, 512, 1024, 1024)),
}
_FAMILY: Family = "depth-anything-v2"
_PATCH_PX, _TABLE_SIDE = 14, 37


@dataclass(frozen=True, slots=True)
class Way:
    """Times of one way to answer the same photograph, in turns with the others.

    Args:
        name: What it is.
        times_ms: One for each round.
    """

    name: str
    times_ms: tuple[float, ...]

    @property
    def median_ms(self) -> float:
        """Return the median."""
        return float(np.median(self.times_ms))


def write_checkpoint(network: Network, path: Path) -> None:
    """Write a checkpoint of Depth Anything V2 with random weights, in the layout of the published ones."""
    import torch

    from ...export.network.architecture import Architecture
    from ...export.network.depth_anything import DepthAnything, randomise

    width, depth, hidden, features, reassembled = _SIZES[network]
    architecture = Architecture(width, depth, _PATCH_PX, _TABLE_SIDE, "mlp", hidden, features, reassembled)
    made = DepthAnything(architecture, family=_FAMILY, max_depth_m=None).eval()
    randomise(made, seed=0)
    torch.save(made.state_dict(), path)


def export(checkpoint: Path, path: Path) -> None:
    """Run `depthrt export` on a checkpoint of `write_checkpoint`.

    Raises:
        DepthrtError: It fails.
    """
    words = ["export", str(checkpoint), "-o", str(path), "--family", _FAMILY, "--kind", "inverse"]
    done = subprocess.run([sys.executable, "-m", "depthrt", *words], capture_output=True, text=True, check=False)
    if done.returncode:
        raise DepthrtError(f"depthrt export failed: {done.stderr.strip()}")


def answer_as_study(model: DepthModel, photo: bytes) -> bytes:
    """Return the study's answer: a PNG of the image, 50 px of white and the depth in gray.

    Args:
        model: Of study_serving.open_study; it reads its weights now.
        photo: An encoded image.

    Raises:
        InputError: OpenCV cannot read the image.
    """
    image = cv2.imdecode(np.frombuffer(photo, np.uint8), cv2.IMREAD_COLOR)
    if image is None:
        raise InputError("the photograph cannot be read by cv2.imdecode; give a JPEG or PNG file")
    values = model.infer(np.asarray(image, np.uint8)).values
    scaled = (values - values.min()) / (values.max() - values.min()) * 255.0
    gray: NDArray[np.uint8] = np.repeat(scaled.astype(np.uint8)[..., None], 3, axis=-1)
    gap = np.full((image.shape[0], GAP_PX, 3), 255, np.uint8)
    done, png = cv2.imencode(".png", cv2.hconcat([image, gap, gray]))
    assert done
    return png.tobytes()


def measure_ways(network: Network, photo: bytes, *, threads: int | None, rounds: int) -> list[Way]:
    """Time the study's way, our warm request for the same network, and for the model that comes with depthrt.

    Args:
        network: Of the study's way; ours is its export.
        photo: An encoded image, of all.
        threads: Of all; None for the usable cores.
        rounds: Number of turns.
    """
    from ..subjects.checkpoint_options import CheckpointOptions
    from ..subjects.study_serving import open_study

    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        checkpoint, file = folder / f"{network}.pth", folder / f"{network}.onnx"
        write_checkpoint(network, checkpoint)
        export(checkpoint, file)
        options = CheckpointOptions(family=_FAMILY, kind="inverse")
        study = stack.enter_context(open_study(checkpoint, options, threads))
        models = ["-m", f"mirror={file}", "-m", f"pretrained-mirror={DEFAULT}", "--device", "cpu"]
        server = stack.enter_context(open_server([*models, *(["--threads", str(threads)] if threads else [])]))
        return time_ways(ways_of(network, study, server, photo), rounds=rounds)


def ways_of(network: str, study: DepthModel, server: ServerProcess, photo: bytes) -> dict[str, Callable[[], object]]:
    """Return each way by its name.

    Args:
        network: Name of the study's network.
        study: Of study_serving.open_study.
        server: Serves the same network as mirror, and the model that comes with depthrt as pretrained-mirror.
        photo: An encoded image.
    """
    ask = partial(_ask, (server.host, server.port), photo)
    return {
        f"the study's way, {network}, torch {version('torch')}": partial(answer_as_study, study, photo),
        f"depthrt serve, {network}": partial(ask, "false"),
        "depthrt serve, the model that comes with it": partial(ask, "true"),
    }


def time_ways(ways: Mapping[str, Callable[[], object]], *, rounds: int) -> list[Way]:
    """Time each way once a round, in turns; a first round does not count."""
    times: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(rounds + 1):
        for name, answer in ways.items():
            start = perf_counter()
            answer()
            if number:
                times[name].append((perf_counter() - start) * 1e3)
    return [Way(name, tuple(found)) for name, found in times.items()]


def _ask(address: tuple[str, int], photo: bytes, pretrained: str) -> None:
    request = make_request(photo, "form", [("pretrained", pretrained)])
    load = run_clients(address, [request], clients=1, seconds=0, at_least=1)
    if load.errors or load.refused:
        raise DepthrtError(f"the service did not answer: {', '.join(load.errors) or 'status 503'}")
