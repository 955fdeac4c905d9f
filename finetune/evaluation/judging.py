"""Judges models image by image; answers are not kept, figures are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from functools import partial

from ...bench.accuracy.accuracy_meter import AccuracyMeter
from ...bench.accuracy.judge import RuleChoices
from ...bench.accuracy.known_share import KnownShare
from ...bench.datasets.ground_truth import GroundTruth, Pair
from ...bench.datasets.true_depth import Sample
from ...bench.numbers.result import Picture
from ...bench.subjects.stage import failure_of, failures_of
from ...bench.subjects.subject import Opened
from ...engine.images.readable import name_left_out
from ...engine.terms import OnStep
from .examples import draw_example
from .figures.drift import Start, start_of
from .figures.flat_parts import only_planes
from .figures.judge_answer import Judged, judge_answer, place_answer
from .figures.scene_view import SceneView, view_scene


class Judging:
    """Models that are judged on a data set. Not thread-safe.

    Args:
        data: The data set.
        opened: Models by name; they must stay open.
        against: Name of the starting network; "" without one.
        choices: Rules of the nine metrics.
    """

    def __init__(self, data: GroundTruth, opened: Mapping[str, Opened], against: str, choices: RuleChoices) -> None:
        self.scenes: list[str] = []  # of the judged images, in order
        self.parts: Counter[str] = Counter()  # judged parts by region
        self.failures: dict[str, str] = {}
        self.first_px = (1, 1)  # (H, W) of the first image
        self._data, self._against = data, against
        self._opened = dict(sorted(opened.items(), key=lambda item: item[0] != against))  # the starting network first
        self._rules = choices.rules(data.kind, data)  # for cap and crop, which all models share
        kinds = {name: one.model.kind for name, one in opened.items()}
        self.meters = {name: AccuracyMeter(data.name, choices.rules(kind, data)) for name, kind in kinds.items()}
        self._found: dict[str, list[Judged]] = {name: [] for name in opened}
        self._known = KnownShare()
        self._left_out: dict[str, str] = {}
        self._start: Start | None = None
        self._uneven = self._covered = self._without_regions = 0

    def judge_all(self, on_step: OnStep) -> None:
        """Judge all images; an unreadable image is left out."""
        for number, pair in enumerate(self._data.pairs):
            on_step(f"judging on {self._data.name}", number, len(self._data))
            try:
                sample = pair.read()
            except Exception as error:  # one damaged file must not lose the other figures
                self._left_out[f"{pair.name} of {self._data.name}"] = failure_of(error)
                continue
            self._judge_image(pair, sample)

    def found(self) -> dict[str, list[Judged]]:
        """Return the figures of each image in order, of the models that have not failed, by name."""
        return {name: judged for name, judged in self._found.items() if name not in self.failures}

    def draw(self, chosen: Mapping[str, list[tuple[str, str]]], on_step: OnStep) -> Iterator[Picture]:
        """Yield pictures of examples.

        Args:
            chosen: (image, title) by model.
            on_step: Called for each model.
        """
        pairs = {pair.name: pair for pair in self._data.pairs}
        for number, (name, examples) in enumerate(chosen.items()):
            on_step("drawing examples", number, len(chosen))
            for image, title in examples:
                yield self._draw(name, title, pairs[image])

    def warnings(self) -> Iterator[str]:
        """Yield what a reader must know before the figures, a sentence each."""
        name, images = self._data.name, len(self.scenes)
        yield from name_left_out(self._left_out, of=len(self._data))
        yield from (f"{name}: {remark}." for remark in (*self._data.notes, *self._known.sentences()))
        if images and self._without_regions == images:
            yield f"{name} has no masks of mirror, art, window and sky, so whole images are all that is judged."
        elif self._without_regions:
            yield f"images of {name} without a mask: {self._without_regions} of {images}."
        if self._uneven:
            yield f"mirrors and pictures that are not flat in the depth of {name} are not judged: {self._uneven}."
        if self._covered:
            yield f"images of {name} that are mirror and art almost whole have whole figures only: {self._covered}."
        if any(pair.split == "train" for pair in self._data.pairs):
            yield f"training images of {name} are among those judged; a --split leaves them out."

    def doubts(self) -> Iterator[str]:
        """Yield what is odd about the answers of models, a sentence each."""
        for name in self.found():
            yield from (f"{name}: {note}." for note in self.meters[name].notes())

    def _judge_image(self, pair: Pair, sample: Sample) -> None:
        self._known.add(sample.truth)
        scene, uneven = only_planes(view_scene(sample, self._rules))
        self.first_px = self.first_px if self.scenes else (sample.image.shape[0], sample.image.shape[1])
        self.scenes.append(pair.scene)
        self._uneven += uneven
        self._covered += not scene.alignable and bool(scene.judged.any())
        self._without_regions += sample.regions is None
        if scene.alignable:
            self.parts.update(part.name for part in (*scene.flat, *scene.windows))
        self._start = None
        left = [name for name in self._opened if name not in self.failures]
        self.failures |= failures_of({name: partial(self._judge, name, pair, scene) for name in left})

    def _judge(self, name: str, pair: Pair, scene: SceneView) -> None:
        model = self._opened[name].model
        depth = model.infer(scene.sample.image)
        judged = judge_answer(
            depth.values,
            depth.kind,
            scene,
            self.meters[name],
            scene_name=pair.scene,
            answer=lambda image: model.infer(image).values,
            start=self._start,
        )
        if name == self._against and scene.alignable:
            placed = place_answer(depth.values, depth.kind, scene, self._rules)
            self._start = start_of(placed.values, depth.kind, scene)
        self._found[name].append(judged)

    def _draw(self, name: str, title: str, pair: Pair) -> Picture:
        scene = view_scene(pair.read(), self._rules)
        shown = dict.fromkeys([*([self._against] if self._against in self.found() else []), name])
        answers = []
        for model in shown:
            depth = self._opened[model].model.infer(scene.sample.image)
            placed = place_answer(depth.values, depth.kind, scene, self.meters[model].rules)
            answers.append((model if model == name else f"start: {model}", placed.inverse))
        return draw_example(name, title, scene, answers)
