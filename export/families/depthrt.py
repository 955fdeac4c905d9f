"""depthrt's own networks: a convolutional encoder with Depth Anything's head, which answers inverse depth."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from torch import Tensor

from ...engine.terms import Family, Kind
from ..network.architecture import ConvArchitecture
from ..network.conv_depth import ConvDepth
from ..network.infer import infer_convolutional
from .claim import Claim
from .hub.settings import FolderSettings
from .rules import Conventions, FamilyRules, Kinds


class DepthrtRules(FamilyRules[ConvArchitecture]):
    """The row of depthrt's own networks."""

    name = "depthrt"
    title = "depthrt's own networks"
    kinds: ClassVar[Kinds] = {"depthrt": ("inverse",)}
    mark = re.compile(r"^pretrained\.(stem|stages)\.")
    anchor = r"pretrained\.(?:stem|stages)\.|depth_head\."
    parts = (("pretrained", "depth_head"),)
    unused = re.compile(r"^depth_head\.scratch\.refinenet4\.resConfUnit1\..*$")

    def infer(
        self, tensors: Mapping[str, Tensor], path: Path, settings: FolderSettings | None = None
    ) -> ConvArchitecture:
        """Read the sizes of the network off its tensors."""
        return infer_convolutional(tensors, path)

    def shown_by_tensors(self, architecture: ConvArchitecture) -> Claim:
        """Return the family and the only kind that it has."""
        return Claim("its tensors", "depthrt", "inverse")

    def make(
        self,
        architecture: ConvArchitecture,
        *,
        family: Family,
        kind: Kind,
        max_depth_m: float | None,
        mirror: bool = True,
    ) -> ConvDepth:
        """Return the network with torch's initial weights."""
        return ConvDepth(architecture, mirrored=mirror)

    def conventions(self, architecture: ConvArchitecture, family: Family) -> Conventions:
        """Return those of Depth Anything V2, at the short side that it was trained at, and the mean with the mirror."""
        return Conventions((160, 160), "lower_bound", "bilinear_corners", mirrored=True, attention=False)
