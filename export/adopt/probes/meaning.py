"""Probes of what the values mean, on rooms of exact depth: direction, metres, and the colours that the file expects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from ....engine.images.preprocess import Float32
from ....engine.modelfile.contract import Contract
from ....engine.terms import MEANINGS
from .asked import Asked, smaller
from .finding import Finding
from .ranks import rank_correlation
from .rooms import Room

# Mean rank correlation with nearness. The model that comes with depthrt has 0.97, a vertical gradient 0.47, random
# networks up to 0.4 either way.
LEAST_AGREEMENT = 0.5
MOST_FACTOR = 8.0  # between metres and exact metres; millimetres are off by 1000, a bare sigmoid of 20 m by 20
# Of the mean rank correlation, in every room, at the size of the probe. Wrong colours cost that model 0.06 ([-1, 1]),
# 0.26 ([0, 1]) and 0.77 ([0, 255]).
BETTER_COLOURS = 0.05
SURE_AGREEMENT = 0.8  # of the better colours: a network with less is too weak to tell

Colours = tuple[tuple[float, float, float], tuple[float, float, float]]  # mean and std of RGB in [0, 1]
IN_USE: Mapping[str, Colours] = {
    "ImageNet's colours": ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
    "colours in [-1, 1]": ((0.5,) * 3, (0.5,) * 3),
    "colours in [0, 1]": ((0.0,) * 3, (1.0,) * 3),
    "colours in [0, 255]": ((0.0,) * 3, (1 / 255,) * 3),
}


def probe_direction(contract: Contract, rooms: Sequence[Room], answers: Sequence[Float32]) -> Finding:
    """Return whether near is large, or small, as the kind promises."""
    sign = 1 if MEANINGS[contract.kind].larger_is_nearer else -1
    agreement = sign * float(np.mean([_nearness(*pair) for pair in zip(rooms, answers, strict=True)]))
    passed = agreement >= LEAST_AGREEMENT
    promised = f"near {'large' if sign > 0 else 'small'}, as kind {contract.kind} promises"
    figures = f"rank correlation {agreement:.2f} with the exact depth of {len(rooms)} rendered scenes"
    if passed:
        sentence = f"{promised.replace('near', 'near is', 1)}: {figures}"
    elif agreement <= -LEAST_AGREEMENT:
        kinds = "metric or --kind affine" if sign > 0 else "inverse"
        sentence = f"its direction is swapped: {figures}, expected {promised}; try --kind {kinds}"
    else:
        sentence = (
            f"its answers are not depth: {figures}, expected {LEAST_AGREEMENT:g} or more ({promised}); check "
            "--output-name, --mean and --std, and that its weights are trained"
        )
    return Finding("direction", passed, sentence, {"agreement": agreement})


def probe_metres(asked: Asked, rooms: Sequence[Room], answers: Sequence[Float32]) -> Finding | None:
    """Return whether metric depth is above 0, at most the largest promised and about as far as the rooms; else None."""
    contract = asked.contract
    if contract.kind != "metric":
        return None
    metres = [
        room.at_depth(answer)[room.known] * asked.factor(room.focal_px, room.image.shape[:2])
        for room, answer in zip(rooms, answers, strict=True)
    ]
    least, most = (
        float(one(values)) for one, values in ((np.min, np.concatenate(metres)), (np.max, np.concatenate(metres)))
    )
    factor = float(
        np.median([np.median(found / room.depth_m[room.known]) for room, found in zip(rooms, metres, strict=True)])
    )
    figures = {"factor": factor, "least_m": least, "most_m": most}
    fault = _fault_of_metres(contract, factor, least, float(max(answer.max() for answer in answers)))
    good = f"its metres are {factor:.2g} times the exact ones of {len(rooms)} rendered scenes"
    return Finding("metres", fault is None, fault or good, figures)


def probe_colours(asked: Asked, rooms: Sequence[Room]) -> Finding:
    """Return whether the mean and deviation of the contract serve the file as well as all others in use."""
    contract = asked.contract if asked.contract.size.static else smaller(asked.contract)
    claimed = _agreements(asked.under(contract), rooms)
    gains: dict[str, float] = {}
    for name, (mean, std) in IN_USE.items():
        if not np.allclose([mean, std], [contract.mean, contract.std], atol=1e-3):
            others = _agreements(asked.under(replace(contract, mean=mean, std=std)), rooms)
            gains[name] = float(np.mean(others - claimed)) if (others > claimed).all() else 0.0
    best = max(gains, key=lambda name: gains[name])
    better = float(claimed.mean()) + gains[best]
    passed = gains[best] < BETTER_COLOURS or better < SURE_AGREEMENT
    figures = {"agreement": float(claimed.mean()), "gain": gains[best]}
    found = f"mean {_listed(contract.mean)} and std {_listed(contract.std)}"
    sentence = f"{found} serve it as well as any other in use"
    if not passed:
        mean, std = IN_USE[best]
        sentence = (
            f"{found} do not fit it: its depth agrees with that of {len(rooms)} rendered scenes by "
            f"{claimed.mean():.2f}, and by {better:.2f} with {best}; give "
            f"--mean {_listed(mean)} --std {_listed(std)}"
        )
    return Finding("colours", passed, sentence, figures)


def _nearness(room: Room, answer: Float32) -> float:
    return rank_correlation(room.at_depth(answer)[room.known], 1 / room.depth_m[room.known])


def _agreements(asked: Asked, rooms: Sequence[Room]) -> np.ndarray:
    """Return the rank correlation with exact depth of each room; 0 for an answer that is not finite."""
    sign = 1 if MEANINGS[asked.contract.kind].larger_is_nearer else -1
    answers = [asked.answer(room.image) for room in rooms]
    return np.array(
        [
            sign * _nearness(room, answer) if np.isfinite(answer).all() else 0.0
            for room, answer in zip(rooms, answers, strict=True)
        ]
    )


def _fault_of_metres(contract: Contract, factor: float, least: float, largest: float) -> str | None:
    """Return what is wrong with metres; None if nothing is.

    Args:
        contract: Of the file.
        factor: Median of metres over exact metres.
        least: Smallest of metres.
        largest: Largest value of the file, before the focal length of the camera counts.
    """
    if least < 0:
        return (
            f"its smallest depth is {least:.3g} m, expected above 0 for kind metric; try --kind affine, or --kind "
            "inverse if near is large"
        )
    if contract.max_depth_m is not None and largest > contract.max_depth_m * 1.01:
        return (
            f"its largest depth is {largest:.4g} m, expected at most --max-depth {contract.max_depth_m:g}; give the "
            "right one, or none"
        )
    if not 1 / MOST_FACTOR <= factor <= MOST_FACTOR:
        return (
            f"its metres are {factor:.2g} times the exact ones of rendered scenes, expected {1 / MOST_FACTOR:g} to "
            f"{MOST_FACTOR:g}: its unit is another; adopt it with --kind affine"
        )
    return None


def _listed(values: Sequence[float]) -> str:
    return ",".join(f"{value:.4g}" for value in values)
