"""Judges models on a data set with regions: what is flat, what is deep, what drifted, with intervals and examples.

from depthrt.finetune.evaluation.evaluate import evaluate
from depthrt.finetune.evaluation.request import EvaluateRequest

found = evaluate(EvaluateRequest(["trained.safetensors"], "rooms/", against="start.safetensors"))
for model in found.evaluation.models:
    print(model.name, model.figures["flat_residual"], model.moved.get("flat_residual"))
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from ...bench.datasets.ground_truth import GroundTruth
from ...bench.numbers.evaluation import Evaluation, ModelEvaluation
from ...bench.numbers.image_means import Draws
from ...bench.numbers.printable import printable
from ...bench.numbers.result import Picture
from ...bench.subjects.baselines import baseline_subjects
from ...bench.subjects.subject import Opened, Subject, facts_of, open_subjects
from ...bench.subjects.torch_threads import torch_threads_as_before
from ...engine.errors import InputError
from ...engine.terms import OnStep
from .examples import choose_examples
from .judging import Judging
from .mean_figures import mean_figures, moved_figures
from .request import EvaluateRequest, find_models, open_data


@dataclass(frozen=True, slots=True)
class Evaluated:
    """The result of an evaluation: all figures, and pictures of examples."""

    evaluation: Evaluation
    pictures: tuple[Picture, ...]


def evaluate(request: EvaluateRequest, *, on_step: OnStep = lambda title, done, wanted: None) -> Evaluated:
    """Judge models on a data set, image by image; blocks. A model that fails has the reason, and the others go on.

    Args:
        request: What is judged, on what.
        on_step: Called at each step.

    Raises:
        InputError: A file is missing, the options do not suit a checkpoint, the data set is not understood, or none of
            its images can be read.
        BackendUnavailable: A package that the data set needs is missing.
    """
    subjects, against = find_models(request)
    baselines = baseline_subjects() if request.baselines else []
    data = open_data(request)
    return judge_subjects(subjects, data, request, against=against, baselines=baselines, on_step=on_step)


def judge_subjects(
    subjects: Sequence[Subject],
    data: GroundTruth,
    request: EvaluateRequest,
    *,
    against: str = "",
    baselines: Sequence[Subject] = (),
    on_step: OnStep = lambda title, done, wanted: None,
) -> Evaluated:
    """Judge subjects on a data set, as evaluate does.

    Args:
        subjects: Names are unique.
        data: The data set.
        request: For the rules, the seed and the examples.
        against: Name of the subject that is the starting network; "" without one.
        baselines: Judged too, without examples.
        on_step: Called at each step.

    Raises:
        InputError: None of the images can be read, or the rules are wrong.
    """
    choices = request.rules()
    with torch_threads_as_before(), ExitStack() as stack:
        on_step("loading", 0, 1)
        loaded = open_subjects([*subjects, *baselines])
        for opened in loaded.found.values():
            stack.callback(opened.model.close)
        judging = Judging(data, loaded.found, against, choices)
        judging.judge_all(on_step)
        if not judging.scenes:
            raise InputError(f"no image of {data.name} could be read: {next(judging.warnings(), 'it has none')}")
        draws = Draws(judging.scenes, seed=request.seed)
        failures = {**loaded.failures, **judging.failures}
        models = [
            _conclude(subject, loaded.found, failures, judging, draws, against) for subject in (*subjects, *baselines)
        ]
        shown = models[: len(subjects)] if request.examples else []
        if len(shown) > 1:  # pictures of the others show the starting network too
            shown = [model for model in shown if model.name != against]
        chosen = {model.name: choose_examples(model) for model in shown if not model.failure}
        pictures = tuple(judging.draw(chosen, on_step))
    rules = choices.rules(data.kind, data)
    evaluation = Evaluation(
        dataset=data.name,
        images=len(judging.scenes),
        scenes=len(set(judging.scenes)),
        parts=dict(judging.parts),
        cap_m=rules.cap_m,
        crop=rules.crop,
        models=tuple(models),
        against=against,
        baselines=tuple(subject.name for subject in baselines),
        warnings=(*judging.warnings(), *judging.doubts()),
    )
    return printable(Evaluated(evaluation, pictures))


def _conclude(
    subject: Subject,
    opened: Mapping[str, Opened],
    failures: Mapping[str, str],
    judging: Judging,
    draws: Draws,
    against: str,
) -> ModelEvaluation:
    """Return the figures of one model, or why it has none."""
    name, found = subject.name, judging.found()
    if name not in found:
        return ModelEvaluation(name, subject.facts, failure=failures[name])
    meter, images = judging.meters[name], tuple(judged.image for judged in found[name])
    start = [judged.image for judged in found[against]] if against in found and against != name else None
    return ModelEvaluation(
        name=name,
        facts=facts_of(opened[name], judging.first_px) if subject.facts else {},
        notes=(*opened[name].model.runner.notes, *meter.notes()),
        alignment=meter.rules.alignment,
        figures=mean_figures(images, draws),
        moved={} if start is None else moved_figures(start, images, draws),
        images=images,
        parts=tuple(part for judged in found[name] for part in judged.parts),
    )
