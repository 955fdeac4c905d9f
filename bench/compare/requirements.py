r"""Requirements of an evaluation: what must hold for each model, in the form of conditions.

A LIMIT with a sign is a change against the starting network, without a sign the model's own value:

    flat_residual<-60%    the flat residual is lower by over 60 %
    flat_residual<0.05    it is below 5 % of depth
    window.abs_rel<+2%    abs_rel in windows grew by less than 2 %
    drift<2%              depth outside mirrors and art moved by less than 2 %
    window_depth>-2%      windows lost less than two points of their depth: shares change by points
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ...engine.errors import InputError
from ..numbers.evaluation import EVALUATED, EvaluatedFigure, Evaluation, ModelEvaluation, Requirement, State
from ..numbers.result import Interval
from ..numbers.wording import amount, between
from .change import percent_change
from .conditions import Condition, read_condition

_EXAMPLES = "flat_residual<-60%, flat_residual<0.05, window.abs_rel<+2% or drift<2%"
_NAMED = ("flat_residual", "plane_error", "step_error", "picture_leak", "window_depth", "drift", "abs_rel")

Wanted = Condition[EvaluatedFigure]


def parse_requirements(texts: Sequence[str], *, against: bool) -> tuple[Wanted, ...]:
    """Read requirements, such as "flat_residual<-60%".

    Args:
        texts: As written.
        against: Whether there is a starting network, which changes are against.

    Raises:
        InputError: One is not understood, or is a change without a starting network.
    """
    found = tuple(read_condition(text, _figure, _EXAMPLES) for text in texts)
    for wanted in found:
        if not against and (wanted.change or wanted.figure.name == "drift"):
            raise InputError(f"requirement {wanted.text!r} is against a starting network; name it with --against")
    return found


def check_requirements(wanted: Sequence[Wanted], evaluation: Evaluation) -> tuple[Requirement, ...]:
    """Check requirements for every model but the starting network and the baselines.

    Args:
        wanted: As parse_requirements returns them.
        evaluation: Of the models.
    """
    return tuple(_check(one, model) for model in evaluation.judged() for one in wanted)


def _figure(name: str, text: str) -> EvaluatedFigure:
    figure = EVALUATED.get(name)
    if figure is None:
        raise InputError(
            f"requirement {text!r} is about {name!r}, expected {', '.join(_NAMED)} or another of the nine metrics, "
            "with mirror. art. window. clean. or clean_images. before it for a part of the pixels"
        )
    return figure


def _check(wanted: Wanted, model: ModelEvaluation) -> Requirement:
    value = _value(wanted, model)
    if value is None:
        why = model.failure or (
            f"{wanted.figure.title} was not measured" if not wanted.change else f"no change of {wanted.figure.title}"
        )
        return Requirement(wanted.text, model.name, "failed", why)
    return Requirement(wanted.text, model.name, _state(wanted, value), "".join(_reason(wanted, model, value)))


def _value(wanted: Wanted, model: ModelEvaluation) -> Interval | None:
    """Return what the limit is of; None if the model does not have it."""
    name = wanted.figure.name
    if not wanted.change:
        return model.figures.get(name)
    moved = model.moved.get(name)
    if moved is None:
        return None
    return moved.relative if wanted.relative else moved.absolute


def _state(wanted: Wanted, value: Interval) -> State:
    sign = 1 if wanted.above else -1
    if not sign * value.value > sign * wanted.limit:
        return "failed"
    least = value.low if wanted.above else value.high
    return "passed" if sign * least > sign * wanted.limit else "unclear"


def _reason(wanted: Wanted, model: ModelEvaluation, value: Interval) -> Iterator[str]:
    figure = wanted.figure
    if not wanted.change:
        yield f"{figure.title} {amount(value.value, figure.unit)}"
        yield f" (95 % {between(value, figure.unit)})" if value.low < value.high else ""
        return
    moved = model.moved[figure.name]
    yield f"{figure.title} {amount(moved.before, figure.unit)} -> {amount(moved.after, figure.unit)}: "
    if wanted.relative:
        yield percent_change(value)
    elif figure.unit == "share":
        yield f"{100 * value.value:+.3g} points (95 % {100 * value.low:+.3g} to {100 * value.high:+.3g})"
    else:
        yield f"{value.value:+.3g} (95 % {value.low:+.3g} to {value.high:+.3g})"
