"""What a process of Ray does with a job."""

from __future__ import annotations

import asyncio
import os
from functools import partial

from served import PHOTO
from tiny_model import TinyModel

from depthrt.engine.model.focal_length import Lens
from depthrt.serve.decode.options import Options
from depthrt.serve.refusal import Refusal
from depthrt.serve.replicas.ray_replica import RayReplica
from depthrt.serve.replicas.replica import Done
from depthrt.serve.routes import depth
from depthrt.serve.routes.depth import Sent
from depthrt.serve.settings import Settings


def test_it_answers_with_bytes_or_with_a_refusal_and_says_who_it_is(tiny: TinyModel) -> None:
    replica = RayReplica(Settings(models={"a": tiny.onnx}, threads=1, max_pixels=100_000))
    try:
        for photo in (PHOTO, b"no image"):
            job = partial(depth._answer, Sent(photo, Options(), "npy"), "a", "npy", Lens())
            outcome = asyncio.run(replica.do(job, "id"))
            assert isinstance(outcome.result, Done if photo is PHOTO else Refusal)
            assert outcome.replica == f"process {os.getpid()}" and "decode" in outcome.seconds
        assert asyncio.run(replica.facts())["a"].kind == "inverse"
    finally:
        replica._replica.close()
        replica._logs.__exit__(None, None, None)
