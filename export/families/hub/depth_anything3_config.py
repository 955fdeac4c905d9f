"""The config.json of a Depth Anything 3 folder: that the network of its tensors computes as it asks.

Its own code writes it; `model_name` says which published model it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from ....engine.system.field_types import Count, Length, Name
from ...foreign_json import read_known
from ...network.depth_anything3.architecture import Da3Architecture
from .settings import FolderSettings, refuse_other_settings

_Numbers = Annotated[tuple[int, ...], Length(0, 1000)]
_PLAIN = -1  # the first block with turned queries, of a network without any


@dataclass(frozen=True, slots=True)
class NetConfig:
    """The encoder's settings; None: not given."""

    out_layers: _Numbers | None = None
    alt_start: int | None = None
    qknorm_start: int | None = None
    rope_start: int | None = None
    cat_token: bool | None = None


@dataclass(frozen=True, slots=True)
class HeadConfig:
    """The head's settings; None: not given."""

    dim_in: Count | None = None
    output_dim: Count | None = None
    features: Count | None = None
    out_channels: _Numbers | None = None


@dataclass(frozen=True, slots=True)
class BothConfigs:
    """The settings of encoder and head."""

    net: NetConfig = NetConfig()
    head: HeadConfig = HeadConfig()


@dataclass(frozen=True, slots=True)
class Da3Config:
    """A config.json of Depth Anything 3."""

    model_name: Name | None = None
    config: BothConfigs = BothConfigs()


def check_da3_config(settings: FolderSettings, architecture: Da3Architecture) -> None:
    """Refuse settings that the network of the tensors does not compute.

    Raises:
        ModelFileError: A value is wrong, or another one is asked for.
    """
    config = read_known(Da3Config, dict(settings.config), name=settings.config_name).config
    turned_from = _PLAIN if architecture.turned_from is None else architecture.turned_from
    any_view = not architecture.has_sky
    asked: list[tuple[str, object, object]] = [
        ("out_layers", config.net.out_layers, architecture.taps),
        ("alt_start", config.net.alt_start, turned_from),
        ("qknorm_start", config.net.qknorm_start, turned_from),
        ("rope_start", config.net.rope_start, turned_from),
        ("cat_token", config.net.cat_token, any_view),
        ("dim_in", config.head.dim_in, architecture.width * (2 if any_view else 1)),
        ("output_dim", config.head.output_dim, 2 if any_view else 1),
        ("features", config.head.features, architecture.features),
        ("out_channels", config.head.out_channels, architecture.reassembled),
    ]
    refuse_other_settings(f"{settings.folder}: config.json says", asked)
