"""The steps are those of diffusers' schedulers, and what no scheduler does well is refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from made_marigold import PredictedSample, make_scheduler, tiny_architecture

from depthrt.engine.errors import InputError
from depthrt.export.network.marigold.architecture import Variant
from depthrt.export.network.marigold.sampling import Sampling, choose_sampling, plan_steps, start_noise

SAME = 2e-6  # of values near 1, float32
# A step's factors as worked out by hand from the published schedulers: keep, add.
PUBLISHED = {"v1-1": (0.02916, -0.99957), "lcm": (0.06827, -0.99767), "e2e-ft": (0.0, -0.99767)}


@pytest.mark.parametrize(
    ("variant", "steps"), [("v1-1", 1), ("v1-1", 4), ("v1-1", 10), ("v1-0", 10), ("lcm", 1), ("e2e-ft", 1)]
)
def test_each_step_is_that_of_diffusers(variant: Variant, steps: int) -> None:
    scheduler = make_scheduler(variant)
    if variant == "e2e-ft":
        scheduler = PredictedSample.from_config(scheduler.config)
    scheduler.set_timesteps(steps)
    generator = torch.Generator().manual_seed(1)
    expected = torch.randn(50, generator=generator) * (variant != "e2e-ft")
    found = expected.clone()
    planned = plan_steps(tiny_architecture(variant).scheduler, tiny_architecture(variant, steps).sampling)
    assert [step.timestep for step in planned] == scheduler.timesteps.tolist()
    for step in planned:
        velocity = torch.randn(50, generator=generator)
        expected = scheduler.step(velocity, step.timestep, expected).prev_sample
        found = step.keep * found + step.add * velocity
        assert (found - expected).abs().max() < SAME * expected.abs().max()


@pytest.mark.parametrize("variant", PUBLISHED)
def test_one_step_has_the_published_factors(variant: Variant) -> None:
    (step,) = plan_steps(tiny_architecture(variant).scheduler, tiny_architecture(variant, 1).sampling)
    assert (step.keep, step.add) == pytest.approx(PUBLISHED[variant], abs=1e-5)
    assert step.timestep == 999


def test_noise_is_that_of_torch_for_every_input_size() -> None:
    longest = start_noise(5, 4 * 96 * 96)
    for shape in ((1, 4, 96, 72), (1, 4, 12, 9), (1, 4, 96, 1)):
        expected = torch.randn(shape, generator=torch.Generator().manual_seed(5))
        assert torch.equal(longest[: expected.numel()].view(shape), expected)
    assert torch.equal(start_noise(5, 23), longest[:23])
    assert not torch.equal(start_noise(6, 23), longest[:23])


@pytest.mark.parametrize(
    ("variant", "options", "message"),
    [
        ("v1-0", {"steps": 4}, "--steps 4 found, a scheduler with leading timesteps .* fewer than 10; give --steps 10"),
        ("lcm", {"steps": 4}, "--steps 4 found, a latent consistency model is exported with 1 step; give --steps 1"),
        ("v1-1", {"steps": 51}, "--steps 51 found, expected 1 to 50"),
        ("v1-1", {"steps": 0}, "--steps 0 found, expected 1 to 50"),
        ("v1-1", {"noise": "zeros", "steps": 4}, "--noise zeros with --steps 4: a model that starts with zeros has 1"),
        ("v1-1", {"noise": "zeros", "seed": 3}, "--noise zeros with --seed 3: zeros need no seed; leave one out"),
        ("e2e-ft", {}, "the folder does not say how its steps start; E2E-FT's models start with zeros: give --noise z"),
    ],
)
def test_steps_that_no_model_was_made_for_are_refused(variant: Variant, options: dict[str, Any], message: str) -> None:
    architecture = tiny_architecture(variant)
    asked = {"steps": None, "seed": None, "noise": None} | options
    with pytest.raises(InputError, match=message):
        choose_sampling(architecture.scheduler, architecture.sampling, named=architecture.named, **asked)


def test_options_replace_the_defaults_of_the_folder() -> None:
    architecture = tiny_architecture("v1-1")

    def chosen(**options: Any) -> Sampling:  # noqa: ANN401
        asked = {"steps": None, "seed": None, "noise": None} | options
        return choose_sampling(architecture.scheduler, architecture.sampling, named=True, **asked)

    assert chosen() == Sampling(4, 0)
    assert chosen(steps=1, seed=7, noise="gaussian") == Sampling(1, 7)
    assert chosen(noise="zeros") == chosen(noise="zeros", steps=1) == Sampling(1, None)
    linear = plan_steps(replace(architecture.scheduler, betas="linear"), Sampling(4, 0))
    assert linear != plan_steps(architecture.scheduler, Sampling(4, 0))
