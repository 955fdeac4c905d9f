"""The scheduler_config.json of a diffusers folder: that its steps are those that are exported."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from .....engine.errors import ModelFileError
from .....engine.system.field_types import Count, Length, Name, Positive, Range
from ....checkpoint.safe_load import shown
from ....foreign_json import read_known
from ....network.marigold.sampling import Scheduler
from ..settings import FolderSettings, refuse_other_settings

CONSISTENCY = "LCMScheduler"
DENOISING = ("DDIMScheduler", "DDPMScheduler")  # E2E-FT's training writes the second; its one step is that of the first


# Source: diffusers schedulers/scheduling_ddim.py and scheduling_lcm.py
@dataclass(frozen=True, slots=True)
class SchedulerConfig:
    """A scheduler_config.json; the defaults are those of DDIMScheduler, but for clip_sample, which others leave out."""

    _class_name: Name | None = None
    num_train_timesteps: Count = 1000
    beta_schedule: Name = "linear"
    beta_start: Positive = 0.0001
    beta_end: Positive = 0.02
    trained_betas: Annotated[tuple[float, ...], Length(0, 10_000)] | None = None
    clip_sample: bool | None = None
    thresholding: bool | None = None
    prediction_type: Name = "epsilon"
    set_alpha_to_one: bool = True
    steps_offset: Annotated[int, Range(0, 1000)] = 0
    timestep_spacing: Name = "leading"
    rescale_betas_zero_snr: bool | None = None
    original_inference_steps: Count | None = None
    timestep_scaling: Positive | None = None


def read_scheduler(settings: FolderSettings) -> Scheduler:
    """Return the scheduler of a folder.

    Raises:
        ModelFileError: A value is wrong, or asks for steps that are not exported.
    """
    found: dict[str, Any] = settings.config["scheduler"]
    where = f"{settings.folder}: scheduler_config.json says"
    config = read_known(SchedulerConfig, found, name=f"{settings.folder / 'scheduler'}: config")
    kind = config._class_name
    if kind not in (CONSISTENCY, *DENOISING):
        raise ModelFileError(
            f"{where} {shown(kind or 'no _class_name')}, this version exports the steps of DDIMScheduler and "
            f"{CONSISTENCY}; download Marigold's folder again"
        )
    clips = config.clip_sample if config.clip_sample is not None else kind == "DDIMScheduler"
    refuse_other_settings(
        where,
        (
            ("prediction_type", config.prediction_type, "v_prediction"),
            ("clip_sample", clips, False),
            ("thresholding", config.thresholding, False),
            ("trained_betas", config.trained_betas, None),
        ),
    )
    for name, asked, known in (
        ("timestep_spacing", config.timestep_spacing, ("leading", "trailing")),
        ("beta_schedule", config.beta_schedule, ("scaled_linear", "linear")),
    ):
        if asked not in known:
            raise ModelFileError(f"{where} {name} {shown(asked)}, this version exports {' and '.join(known)} only")
    return Scheduler(
        consistency=kind == CONSISTENCY,
        spacing="leading" if config.timestep_spacing == "leading" else "trailing",
        betas="linear" if config.beta_schedule == "linear" else "scaled_linear",
        first_beta=config.beta_start,
        last_beta=config.beta_end,
        train_steps=config.num_train_timesteps,
        offset=config.steps_offset,
        zero_snr=bool(config.rescale_betas_zero_snr),
        ends_at_one=config.set_alpha_to_one,
        original_steps=config.original_inference_steps or 50,
        timestep_scale=config.timestep_scaling or 10.0,
    )
