"""Measures the default model and two baselines that ignore the image: python docs/default_figures.py."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray

import depthrt
from depthrt.bench.accuracy.accuracy_meter import AccuracyMeter, Rules
from depthrt.bench.datasets.ground_truth import STEREO_MOTORCYCLE, open_ground_truth
from depthrt.bench.datasets.true_depth import Sample, TrueDepth
from depthrt.finetune.evaluation.scene_validation import CAP_M, HELD_OUT_SEED, HELD_OUT_TEXTURES
from depthrt.finetune.scenes.render import render_scenes

SCENES = 100  # of each setting
SIZE_PX = (480, 640)  # (h, w)

Answer = Callable[[NDArray[np.uint8]], NDArray[np.float32]]


def main() -> None:
    """Print abs_rel and delta1, after alignment by scale and shift, as a Markdown table."""
    with depthrt.load("default", device="cpu") as model:
        answers: Mapping[str, Answer] = {
            "default": lambda image: model.infer(image).values,
            "vertical gradient": vertical_gradient,
            "constant": constant,
        }
        print("| | pictures | model | abs_rel | delta1 |\n|---|---|---|---|---|")  # noqa: T201
        for name, samples, cap_m in data_sets():
            rules = Rules("scale-and-shift", cap_m)
            meters = {which: AccuracyMeter(name, rules) for which in answers}
            for sample in samples():
                for which, answer in answers.items():
                    meters[which].add(sample.name, answer(sample.image), sample.truth, kind="inverse")
            for which, meter in meters.items():
                found = meter.result()
                figures = f"{found.metrics['abs_rel']:.3f} | {found.metrics['delta1']:.3f}"
                print(f"| {name} | {len(found.images)} | {which} | {figures} |")  # noqa: T201


def data_sets() -> Iterator[tuple[str, Callable[[], Iterator[Sample]], float | None]]:
    """Yield name, samples and largest measured depth of each data set."""
    for setting, cap_m in CAP_M.items():
        yield f"{setting} scenes that no training used", partial(held_out, setting), cap_m
    truth = open_ground_truth(STEREO_MOTORCYCLE)
    yield "stereo_motorcycle, a photograph", truth.__iter__, truth.cap_m


def held_out(setting: str) -> Iterator[Sample]:
    """Yield scenes with other seeds and other textures than those of training."""
    for seed in range(HELD_OUT_SEED, HELD_OUT_SEED + SCENES):
        scenes = render_scenes(
            [seed], height_px=SIZE_PX[0], width_px=SIZE_PX[1], setting=setting, texture_seed=HELD_OUT_TEXTURES
        )
        image = np.ascontiguousarray(scenes.image[0].permute(1, 2, 0).numpy()[:, :, ::-1])
        depth_m = torch.where(scenes.valid[0], scenes.depth_m[0], torch.inf).numpy()
        yield Sample(f"{setting} {seed}", image, TrueDepth(depth_m, np.isfinite(depth_m)))


def vertical_gradient(image: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return inverse depth that grows linearly from top to bottom."""
    rows = np.linspace(0.0, 1.0, image.shape[0], dtype=np.float32)
    return np.repeat(rows[:, None], image.shape[1], axis=1)


def constant(image: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return constant inverse depth."""
    return np.ones(image.shape[:2], np.float32)


if __name__ == "__main__":
    main()
