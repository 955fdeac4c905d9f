"""The steps of a latent diffusion model: from a scheduler's settings to the factors of each step."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from ....engine.errors import InputError
from ....engine.terms import Noise

Spacing = Literal["leading", "trailing"]
Betas = Literal["linear", "scaled_linear"]

FEW_STEPS = 4  # a graph of more is slow to load: ONNX Runtime took 5, 37 and 158 s for 1, 4 and 10 steps
LEAST_LEADING = 10  # steps that begin near timestep 0 with fewer: one step is timestep 1, which is no noise
MOST_STEPS = 50
_SIGMA_DATA = 0.5  # Source: diffusers, schedulers/scheduling_lcm.py (get_scalings_for_boundary_condition_discrete)


@dataclass(frozen=True, slots=True)
class Scheduler:
    """The settings of a folder's scheduler; the network predicts v.

    Args:
        consistency: Whether it is that of a latent consistency model, of one step.
        spacing: Of the timesteps.
        betas: How the variance grows from first_beta to last_beta.
        first_beta, last_beta: Of the training steps.
        train_steps: Number of training steps.
        offset: Added to "leading" timesteps.
        zero_snr: Whether the last training step has no signal.
        ends_at_one: Whether the last step goes to a signal of 1, and not to that of the first training step.
        original_steps, timestep_scale: Of a consistency model.
    """

    consistency: bool
    spacing: Spacing
    betas: Betas = "scaled_linear"
    first_beta: float = 0.00085
    last_beta: float = 0.012
    train_steps: int = 1000
    offset: int = 1
    zero_snr: bool = False
    ends_at_one: bool = False
    original_steps: int = 50
    timestep_scale: float = 10.0


@dataclass(frozen=True, slots=True)
class Sampling:
    """How the steps run.

    Args:
        steps: Their number.
        seed: Of the noise that they start with; None starts with zeros.
    """

    steps: int
    seed: int | None


@dataclass(frozen=True, slots=True)
class Step:
    """One step: x becomes keep * x + add * v, where v is the network's answer at a timestep."""

    timestep: int
    keep: float
    add: float


def choose_sampling(
    scheduler: Scheduler, default: Sampling, *, named: bool, steps: int | None, seed: int | None, noise: Noise | None
) -> Sampling:
    """Return the steps that options ask for.

    Args:
        scheduler: Of the folder.
        default: What the folder asks for.
        named: Whether the folder says that it is Marigold.
        steps, seed, noise: The options; None takes the default.

    Raises:
        InputError: The options contradict each other or the scheduler.
    """
    if noise is None and not named:
        raise InputError(
            "the folder does not say how its steps start; E2E-FT's models start with zeros: give --noise zeros"
        )
    if noise == "zeros":
        return _zeros(steps, seed)
    count = default.steps if steps is None else steps
    if scheduler.consistency and count != 1:
        raise InputError(f"--steps {count} found, a latent consistency model is exported with 1 step; give --steps 1")
    if not 1 <= count <= MOST_STEPS:
        raise InputError(f"--steps {count} found, expected 1 to {MOST_STEPS}; the published models need 1 to 10")
    if scheduler.spacing == "leading" and not scheduler.consistency and count < LEAST_LEADING:
        raise InputError(
            f"--steps {count} found, a scheduler with leading timesteps (Marigold v1-0) never sees the full noise in "
            f"fewer than {LEAST_LEADING}; give --steps {LEAST_LEADING}, or take Marigold v1-1"
        )
    return replace(default, steps=count, seed=default.seed if seed is None else seed)


def _zeros(steps: int | None, seed: int | None) -> Sampling:
    if steps not in (None, 1):
        raise InputError(f"--noise zeros with --steps {steps}: a model that starts with zeros has 1 step; give 1")
    if seed is not None:
        raise InputError(f"--noise zeros with --seed {seed}: zeros need no seed; leave one out")
    return Sampling(1, None)


def plan_steps(scheduler: Scheduler, sampling: Sampling) -> tuple[Step, ...]:
    """Return the steps in order.

    Source: diffusers, schedulers/scheduling_ddim.py and scheduling_lcm.py; for zeros, VisualComputingInstitute/
    diffusion-e2e-ft training/train.py: the last timestep, and the answer is the predicted sample without noise
    """
    signal = _signal(scheduler)
    if sampling.seed is None:
        last = scheduler.train_steps - 1
        return (Step(last, 0.0, -_root(1 - signal[last])),)
    if scheduler.consistency:
        return (_consistency_step(scheduler, signal),)
    return tuple(
        _ddim_step(scheduler, signal, timestep, sampling.steps) for timestep in _timesteps(scheduler, sampling)
    )


def start_noise(seed: int, count: int) -> Tensor:
    """Return the first `count` values of torch's normal noise on a CPU, float32.

    They are those of torch.randn for each count that is a multiple of 16; for others its last 16 values differ, since
    torch draws them again. So one vector holds the noise of every input size.
    """
    blocks = -(-count // 16)
    return torch.randn(max(1, blocks) * 16, generator=torch.Generator().manual_seed(seed))[:count]


def _timesteps(scheduler: Scheduler, sampling: Sampling) -> list[int]:
    total, count = scheduler.train_steps, sampling.steps
    if scheduler.spacing == "leading":
        return [number * (total // count) + scheduler.offset for number in reversed(range(count))]
    return [int(value) - 1 for value in np.round(np.arange(total, 0, -total / count))]


def _ddim_step(scheduler: Scheduler, signal: Tensor, timestep: int, steps: int) -> Step:
    """Return A = sqrt(a' a) + sqrt((1 - a')(1 - a)), B = sqrt((1 - a') a) - sqrt(a' (1 - a)); a' is the next signal."""
    following = timestep - scheduler.train_steps // steps
    end = torch.tensor(1.0) if scheduler.ends_at_one else signal[0]
    now, then = signal[timestep], signal[following] if following >= 0 else end
    keep = _root(then) * _root(now) + _root(1 - then) * _root(1 - now)
    add = _root(1 - then) * _root(now) - _root(then) * _root(1 - now)
    return Step(timestep, keep, add)


def _consistency_step(scheduler: Scheduler, signal: Tensor) -> Step:
    """Return the only step of a latent consistency model."""
    timestep = scheduler.original_steps * (scheduler.train_steps // scheduler.original_steps) - 1
    scaled = timestep * scheduler.timestep_scale
    skip = _SIGMA_DATA**2 / (scaled**2 + _SIGMA_DATA**2)
    out = scaled / (scaled**2 + _SIGMA_DATA**2) ** 0.5
    return Step(timestep, out * _root(signal[timestep]) + skip, -out * _root(1 - signal[timestep]))


@cache
def _signal(scheduler: Scheduler) -> Tensor:
    """Return the share of the signal after each training step, float32 as diffusers computes it."""
    first, last = scheduler.first_beta, scheduler.last_beta
    if scheduler.betas == "linear":
        betas = torch.linspace(first, last, scheduler.train_steps)
    else:
        betas = torch.linspace(first**0.5, last**0.5, scheduler.train_steps) ** 2
    if not scheduler.zero_snr:
        return torch.cumprod(1 - betas, dim=0)
    roots = torch.cumprod(1 - betas, dim=0).sqrt()
    start, end = roots[0].clone(), roots[-1].clone()
    shifted = (roots - end) * (start / (start - end))
    squares = shifted**2
    alphas = torch.cat([squares[:1], squares[1:] / squares[:-1]])
    return torch.cumprod(alphas, dim=0)


def _root(value: Tensor) -> float:
    return float(value.double().clamp(min=0).sqrt())
