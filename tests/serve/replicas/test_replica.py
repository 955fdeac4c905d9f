"""A replica does jobs with its models, and a job goes to another process whole."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
import pytest
from made_image import crop_of_photo
from served import PHOTO
from tiny_model import TinyModel

from depthrt.engine.model.focal_length import Lens
from depthrt.serve.decode.options import Options
from depthrt.serve.infer.stages import Stages
from depthrt.serve.replicas.replica import Replica, Task
from depthrt.serve.routes import depth, pointcloud, study, v2
from depthrt.serve.routes.depth import Sent
from depthrt.serve.settings import Settings

SENT = Sent(PHOTO, Options(), "npy")


@pytest.fixture(scope="module")
def replica(tiny: TinyModel) -> Iterator[Replica]:
    found = Replica(Settings(models={"a": tiny.onnx}, threads=1))
    yield found
    found.close()


def test_a_focal_length_shrinks_with_its_image(replica: Replica, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Lens] = []
    model = replica.models.get("a")
    infer = model.infer

    def spy(image: Any, stages: Stages, *, lens: Lens) -> Any:  # noqa: ANN401
        seen.append(lens)
        return infer(image, stages, lens=lens)

    monkeypatch.setattr(model, "infer", spy)
    task = Task(replica.models, Settings().limits)
    found = task.find(crop_of_photo, "a", lens=Lens(focal_px=100.0), max_side_px=45)
    assert seen == [Lens(focal_px=50.0)] and found.sent_px == (60, 90) and found.image.shape == (30, 45, 3)
    assert np.isfinite(found.depth.values).all() and task.spread is not None


@pytest.mark.parametrize(
    "job",
    [
        partial(depth._answer, SENT, "a", "npy", Lens()),
        partial(study._draw, PHOTO, "a", "gray"),
        partial(pointcloud._points, SENT, "a", Lens()),
        partial(v2._tensors, PHOTO, "0", "a"),
    ],
    ids=["depth", "form", "points", "v2"],
)  # fmt: skip
def test_the_job_of_each_route_is_its_image_and_little_else(job: Any) -> None:  # noqa: ANN401
    sent = pickle.dumps(job)
    assert PHOTO in sent and len(sent) < len(PHOTO) + 2000
    again = pickle.loads(sent)
    assert (again.func, again.args) == (job.func, job.args)


def test_a_job_that_went_through_a_pickle_gives_the_same_answer(replica: Replica) -> None:
    job = partial(depth._answer, SENT, "a", "npy", Lens())
    stages = Stages()
    done, again = (replica.do(one, stages, "id") for one in (job, pickle.loads(pickle.dumps(job))))
    assert done.body.content == again.body.content and done.spread == again.spread
    assert {"decode", "prepare", "run", "finish", "encode"} <= stages.seconds.keys()
