"""Subjects of the tests' models and checkpoints, and how far apart their answers are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from tiny_model import PHOTOS

from depthrt.bench.subjects.checkpoint_options import CheckpointOptions
from depthrt.bench.subjects.find_subjects import find_subjects
from depthrt.bench.subjects.subject import Subject, open_subject
from depthrt.engine.images.read import read_image

OPTIONS = CheckpointOptions(size=126, family="depth-anything-v2", kind="inverse")
COFFEE = PHOTOS / "coffee.jpg"
TOLERANCE = 1e-4  # of the range: the bar for float32
BF16_DRIFT = 2e-2  # mean, of the range; 3e-3 measured on random weights


def find(*models: str | Path, options: CheckpointOptions = OPTIONS, **more: object) -> list[Subject]:
    kept = {"devices": ["cpu"], "runners": ["onnxruntime"], "threads": 1, "compiled": False}
    arguments = kept | {"checkpoint": options} | more
    return find_subjects(models, **arguments)  # type: ignore[arg-type]


def depth_of(subject: Subject) -> np.ndarray:
    with open_subject(subject).model as model:
        return model.infer(read_image(COFFEE)).values


def distance(found: np.ndarray, reference: np.ndarray) -> float:
    """Largest difference over the reference's range."""
    return float(np.abs(found - reference).max() / np.ptp(reference))
