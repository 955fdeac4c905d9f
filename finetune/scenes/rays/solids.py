"""Gathers the solids of several drafts in a table of tensors, with the scene of each row."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from ..draft import BALL, BOX, LACE, ROUND, Draft
from ..textures.materials import MATERIAL_FIELDS, MIRROR

KIND_BOX, KIND_BALL, KIND_ROUND, KIND_LACE = int(BOX), int(BALL), int(ROUND), int(LACE)
_GEOMETRY_FIELDS = 21  # kind, centre, rotation, half sizes, profile, opening, thing; the material follows
_MATERIAL = {name: _GEOMETRY_FIELDS + index for index, name in enumerate(MATERIAL_FIELDS)}


@dataclass(frozen=True, slots=True)
class Solids:
    """Table of the solids of several scenes; in its frame each solid fills [-1, 1] on all axes.

    Args:
        scene: (n,) int64, scene of each solid, ascending.
        first: (scenes + 1,) int64, first row of each scene, and the number of rows.
        kind: (n,) int64, KIND_BOX, KIND_BALL, KIND_ROUND or KIND_LACE (a ball with holes).
        centre: (n, 3) float64, world, metres.
        rotation: (n, 3, 3) float64, world from the solid's frame, without scale.
        half: (n, 3) float64, half sizes, metres.
        profile: (n, 3) float64, (q0, q1, q2) with x^2 + y^2 = q0 + q1 z + q2 z^2 of round solids.
        hollow: (n,) bool, open at the top.
        lace: (n,) float64, waves of holes over half the size of a lace solid.
        thing: (n,) int64, instance.
        material: {field: (n,) float32}.
    """

    scene: torch.Tensor
    first: torch.Tensor
    kind: torch.Tensor
    centre: torch.Tensor
    rotation: torch.Tensor
    half: torch.Tensor
    profile: torch.Tensor
    hollow: torch.Tensor
    lace: torch.Tensor
    thing: torch.Tensor
    material: dict[str, torch.Tensor]

    def of_nature(self, nature: float) -> torch.Tensor:
        """Return the rows with a material of a nature, (m,) int64."""
        return (self.material["nature"] == nature).nonzero()[:, 0]

    @property
    def mirrors(self) -> torch.Tensor:
        """Rows of the mirrors, (m,) int64."""
        return self.of_nature(MIRROR)


def gather_solids(drafts: Sequence[Draft], device: str) -> Solids:
    """Put the solids of drafts on a device."""
    return _table([draft.solids for draft in drafts], device)


def gather_windows(drafts: Sequence[Draft], device: str) -> Solids:
    """Put the marked openings of drafts on a device, as boxes without a material."""
    blank = (0.0,) * len(MATERIAL_FIELDS)
    return _table([[(*row, *blank) for row in draft.windows] for draft in drafts], device)


def _table(rows: Sequence[Sequence[tuple[float, ...]]], device: str) -> Solids:
    counts = [len(part) for part in rows]
    flat = [row for part in rows for row in part]
    width = _GEOMETRY_FIELDS + len(MATERIAL_FIELDS)
    values = torch.from_numpy(np.array(flat, np.float64).reshape(len(flat), width)).to(device)
    first = torch.tensor([0, *np.cumsum(counts)], device=device)
    kind = values[:, 0].long()
    return Solids(
        scene=torch.repeat_interleave(torch.tensor(counts, device=device)),
        first=first,
        kind=kind,
        centre=values[:, 1:4].contiguous(),
        rotation=values[:, 4:13].reshape(-1, 3, 3),
        half=values[:, 13:16].contiguous(),
        profile=values[:, 16:19].contiguous(),
        hollow=(values[:, 19] > 0) & (kind == KIND_ROUND),
        lace=values[:, 19] / (2 * math.pi),
        thing=values[:, 20].long(),
        material={name: values[:, at].float().contiguous() for name, at in _MATERIAL.items()},
    )
