"""The head of ZoeDepth: the maps of a relative network become metres.

Each pixel has bins, which are depths, and a distribution over them. Source: isl-org/ZoeDepth,
zoedepth/models/zoedepth/zoedepth_v1.py and zoedepth_nk/zoedepth_nk_v1.py.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from ..head import READOUT_WIDTH
from .architecture import ZoeArchitecture
from .bins import Attractor, Projection, SeedBins, attract
from .log_binomial import LogBinomial, expected_depth, resize_to
from .router import ROUTER_WIDTH, ROUTES, PatchTransformer, is_outdoor

MIN_DEPTH_M = 1e-3  # lower end of the bins of variant K
TRAINED_DEPTH_M = 80.0  # upper end of them in training; torch hub and transformers set 10


class MetricBins(nn.Module):
    """The head, with the names and shapes of a published checkpoint.

    Args:
        architecture: Sizes of the layers.
        max_depth_m: Upper end of the bins of variant K, None for TRAINED_DEPTH_M; the others have no upper end.
    """

    def __init__(self, architecture: ZoeArchitecture, max_depth_m: float | None) -> None:
        super().__init__()
        sizes, features, embedding = architecture, architecture.core.features, architecture.embedding
        self.architecture = architecture
        self.max_depth_m = (max_depth_m or TRAINED_DEPTH_M) if sizes.normed else None
        self.conv2 = nn.Conv2d(features, features, kernel_size=1)
        if sizes.routed:
            self.patch_transformer = PatchTransformer(features, sizes.router_hidden)
            self.mlp_classifier = nn.Sequential(
                nn.Linear(ROUTER_WIDTH, ROUTER_WIDTH), nn.ReLU(), nn.Linear(ROUTER_WIDTH, len(ROUTES))
            )
        self.add_module(_seeds_name(sizes), _for_each_route(sizes, lambda: _seeds(sizes)))
        self.seed_projector = Projection(features, sizes.projector_hidden, embedding)
        self.projectors = nn.ModuleList(
            Projection(features, sizes.projector_hidden, embedding) for _ in sizes.attractors
        )
        self.attractors = _for_each_route(sizes, lambda: _attractors(sizes))
        self.conditional_log_binomial = _for_each_route(sizes, lambda: _log_binomial(sizes))

    def metres(self, relative: Tensor, features: Tensor, maps: Sequence[Tensor]) -> Tensor:
        """Estimate depth.

        Args:
            relative: (N, 1, h, w), the output of the relative network, zero or more.
            features: (N, READOUT_WIDTH, h, w), what its last layer reads.
            maps: Its deepest map, at 1/32 of the size, and the results of its fusions, deep to shallow.

        Returns:
            (N, h, w): metres.
        """
        deepest, *fused = maps
        deepest = self.conv2(deepest)
        outdoor = is_outdoor(self.route(deepest)) if self.architecture.routed else None
        centres = self._run(_seeds_name(self.architecture), outdoor, deepest)
        embedding = self.seed_projector(deepest)
        for level, (projector, finer) in enumerate(zip(self.projectors, fused, strict=True)):
            coarse, embedding = embedding, projector(finer)
            attractors = self._run("attractors", outdoor, embedding + resize_to(coarse, embedding), part=f".{level}")
            centres = attract(resize_to(centres, embedding), attractors)
        read = features if self.architecture.routed else torch.cat((features, relative), dim=1)
        parts = self._run("conditional_log_binomial", outdoor, read, embedding)
        if self.max_depth_m is None:
            return expected_depth(parts, resize_to(centres, read))
        centres = centres.sort(dim=1).values.clamp(0.0, 1.0)
        return MIN_DEPTH_M + (self.max_depth_m - MIN_DEPTH_M) * expected_depth(parts, resize_to(centres, read))

    def route(self, deepest: Tensor) -> Tensor:
        """Return the logits of ROUTES, (N, 2), for the deepest map after conv2; only in a network with a router."""
        logits: Tensor = self.mlp_classifier(self.patch_transformer(deepest))
        return logits

    def _run(self, name: str, outdoor: Tensor | None, *inputs: Tensor, part: str = "") -> Tensor:
        """Run a network, or the two of the routes, of which each image keeps its own answer."""
        if outdoor is None:
            answer: Tensor = self.get_submodule(name + part)(*inputs)
            return answer
        indoor_answer, outdoor_answer = (self.get_submodule(f"{name}.{route}{part}")(*inputs) for route in ROUTES)
        return torch.where(outdoor, outdoor_answer, indoor_answer)


def _for_each_route(sizes: ZoeArchitecture, make: Callable[[], nn.Module]) -> nn.Module:
    return nn.ModuleDict({route: make() for route in ROUTES}) if sizes.routed else make()


def _seeds_name(sizes: ZoeArchitecture) -> str:
    return "seed_bin_regressors" if sizes.routed else "seed_bin_regressor"


def _seeds(sizes: ZoeArchitecture) -> nn.Module:
    return SeedBins(sizes.core.features, sizes.seed_hidden, sizes.bins, normed=sizes.normed)


def _attractors(sizes: ZoeArchitecture) -> nn.Module:
    return nn.ModuleList(Attractor(sizes.embedding, count, normed=sizes.normed) for count in sizes.attractors)


def _log_binomial(sizes: ZoeArchitecture) -> nn.Module:
    read = READOUT_WIDTH if sizes.routed else READOUT_WIDTH + 1  # N and K read the relative depth, too
    hidden = (read + sizes.embedding) // (4 if sizes.routed else 2)
    return LogBinomial(read, sizes.embedding, hidden)
