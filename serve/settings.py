"""Settings of the service; each has a default that suits a laptop and a small container."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path

from ..engine.errors import InputError
from ..engine.images.limits import Limits
from ..engine.modelfile.shipped import DEFAULT
from ..engine.terms import Device

MIB = 2**20
NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")  # of a served model: it stands in addresses, headers and labels
SHORTEST_KEY = 16  # characters; shorter ones are guessed


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How the service runs.

    Args:
        models: Files by the names under which they are served.
        device, threads: As for depthrt.load.
        workers: Requests that are decoded, run and encoded at once; the network runs one image at a time on a CPU.
        waiting: Requests that may wait for a worker; more are answered 503.
        timeout_s: From the end of a request's body to its answer.
        upload_timeout_s: From the first byte of a body to its last.
        max_body_mib: Largest body.
        bodies_mib: All bodies that are held at once; more are answered 503.
        max_connections: Open at once; more are answered 503.
        max_pixels, max_aspect: Largest image; see Limits.
        drain_s: After SIGTERM: how long new requests are still taken while /readyz says no.
        api_key: That requests for depth must carry; None asks for none.
    """

    models: Mapping[str, Path | str] = field(default_factory=lambda: {DEFAULT: DEFAULT})
    device: Device = "auto"
    threads: int | None = None
    workers: int = 2
    waiting: int = 32
    timeout_s: float = 60.0
    upload_timeout_s: float = 30.0
    max_body_mib: float = 32.0
    bodies_mib: float = 512.0
    max_connections: int = 500
    max_pixels: int = 25_000_000
    max_aspect: float = 8.0
    drain_s: float = 0.0
    api_key: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if not self.models:
            raise InputError("no model found, expected one or more to serve")
        for name in self.models:
            if not NAME.fullmatch(name):
                raise InputError(
                    f"{name!r} found as the name of a model, expected up to 64 of a-z, 0-9, '.', '_', '-', "
                    "the first a letter or digit"
                )
        if self.api_key is not None and (len(self.api_key) < SHORTEST_KEY or not self.api_key.isascii()):
            raise InputError(f"an API key was given, expected {SHORTEST_KEY} ASCII characters or more")
        for entry in fields(self):
            value = getattr(self, entry.name)
            least = 0 if entry.name in ("waiting", "drain_s") else 1e-9
            if isinstance(value, (int, float)) and not least <= value < math.inf:
                raise InputError(
                    f"{entry.name} {value} found, expected a number {'of 0 or more' if not least else 'above 0'}"
                )

    @property
    def max_body_bytes(self) -> int:
        """Return max_body_mib in bytes."""
        return int(self.max_body_mib * MIB)

    @property
    def bodies_bytes(self) -> int:
        """Return bodies_mib in bytes; a body of the largest size always fits."""
        return max(int(self.bodies_mib * MIB), self.max_body_bytes)

    @property
    def limits(self) -> Limits:
        """Return the limits of an image as the engine takes them."""
        return Limits(max_pixels=self.max_pixels, max_aspect=self.max_aspect, max_file_mib=self.max_body_mib)
