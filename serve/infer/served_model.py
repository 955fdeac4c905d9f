"""A model that is served: loaded once, its canary asked, warm."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...engine.depth.depth import Depth
from ...engine.errors import DepthrtError, ParityError
from ...engine.images.limits import Limits
from ...engine.model.depth_model import load
from ...engine.model.focal_length import Lens
from ...engine.modelfile.contract import ENGINE_SUFFIX
from ...engine.modelfile.model_file import open_model_file
from ...engine.modelfile.shipped import model_path
from ...engine.runners.canary_check import Verdict, ask_canary
from ...engine.terms import MEANINGS, Device
from ...engine.trt.engine_file import open_engine_file
from .lineup import ModelFacts
from .stages import Stages

_WARM_PX = 512  # sides of the first image that runs
_FOLDERS = re.compile(r"(?<![\w.:/])(?:[A-Za-z]:)?[/\\](?:[^\s`'\",;:/\\]+[/\\])+")  # of an absolute path


class ServedModel:
    """A loaded model and what the service tells about it. Safe to call from several threads.

    Args:
        path: The file, or "default".
        device, threads, limits: As for depthrt.load.
        turn: Entered while the network runs, unless a GPU runs it: on a CPU two images at once share its threads.

    Raises:
        DepthrtError: As depthrt.load raises it; ParityError if the canary's answer is wrong now.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        device: Device,
        threads: int | None,
        limits: Limits,
        turn: AbstractContextManager[Any],
    ) -> None:
        self._turn = turn
        self.model = load(path, device=device, threads=threads, limits=limits)
        self._path = model_path(path)
        try:
            self.verdict = self._ask(self._path)
            self._warm()
        except DepthrtError:
            self.model.close()
            raise

    def infer(self, image: NDArray[np.uint8], stages: Stages, *, lens: Lens) -> Depth:
        """Return the depth of an image (H, W, 3) uint8 BGR.

        Args:
            image: As DepthModel.infer takes it.
            stages: Gets the times of the three stages.
            lens: Of the image's camera; used if the model needs it for metres.
        """
        focal_px = lens.focal_of(image.shape[:2]) if self.takes_focal else None
        with stages.time("prepare"):
            prepared = self.model.prepare(image, focal_px=focal_px)
        begun = perf_counter()
        with self._turn if prepared.image is None else nullcontext():
            stages.add("wait", perf_counter() - begun)
            with stages.time("run"):
                answer = self.model.run(prepared)
        with stages.time("finish"):
            depth = self.model.finish(answer)
        notes = tuple(map(self._public, depth.provenance.notes))
        return replace(depth, provenance=replace(depth.provenance, notes=notes))

    @property
    def takes_focal(self) -> bool:
        """Whether a focal length makes metres of the model's depth."""
        return self.model.contract.focal_unit_px is not None

    @property
    def sha256(self) -> str:
        """Return the sum of the model file; of its checkpoint for files of old versions, which have none."""
        digest = self.model.contract.digest
        return self.model.contract.source_sha256 if digest is None else digest.sha256

    def describe(self) -> Mapping[str, Any]:
        """Return what the service tells about the model, ready for JSON."""
        contract, runner = self.model.contract, self.model.runner
        meaning = MEANINGS[self.model.kind]
        return {
            "network": contract.model,
            "kind": self.model.kind,
            "unit": meaning.unit,
            "larger_is_nearer": meaning.larger_is_nearer,
            "max_depth_m": contract.max_depth_m,
            "takes_focal_length": self.takes_focal,
            "sha256": self.sha256,
            "source_sha256": contract.source_sha256,
            "licence": contract.licence,
            "runner": runner.name,
            "provider": runner.provider,
            "precision": runner.precision,
            "canary": str(self.verdict),
            "notes": list(map(self._public, self.model.notes)),
        }

    def facts(self) -> ModelFacts:
        """Return what is known of the model now; notes may come while it runs."""
        return ModelFacts(
            kind=self.model.kind,
            kind_with_lens=self.model.contract.kind_for(1.0 if self.takes_focal else None),
            takes_focal=self.takes_focal,
            runner=self.model.runner.name,
            told=self.describe(),
        )

    def close(self) -> None:
        """Free the model."""
        self.model.close()

    def _public(self, note: str) -> str:
        """Return a note as clients may read it: with the names of files, without their folders."""
        return _FOLDERS.sub("", note.replace(str(self._path), self._path.name))

    def _ask(self, path: Path) -> Verdict:
        """Ask the canary now, whatever is remembered: a service runs for months on this answer."""
        file = open_engine_file(path) if path.suffix == ENGINE_SUFFIX else open_model_file(path)
        verdict = ask_canary(self.model.runner, file.contract)
        if not verdict.passed:
            raise ParityError(f"{path} on {self.model.runner.name}: {verdict}; see depthrt doctor")
        return verdict

    def _warm(self) -> None:
        """Run an image, so that the first client does not wait for what a runtime does on its first one."""
        side = min(_WARM_PX, math.isqrt(self.model.limits.max_pixels))
        self.infer(np.full((side, side, 3), 127, np.uint8), Stages(), lens=Lens())
