"""The last layer of a random network gets a level and a spread."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

from depthrt.export.network.midas.settle import INVERSE_LEVEL, settle


def test_the_settled_answer_to_the_same_picture_has_the_level_and_a_spread_of_one() -> None:
    torch.manual_seed(0)
    body, last = nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(8, 1, 1)
    seen = []

    def values(batch: torch.Tensor) -> torch.Tensor:
        seen.append(batch)
        answer: torch.Tensor = last(F.relu(body(batch)) * 100 + 7)
        return answer

    settle(last, values, (64, 96), seed=0)
    with torch.inference_mode():
        answer = values(seen[0])
    assert answer.shape == (1, 1, 64, 96)
    assert abs(float(answer.mean()) - INVERSE_LEVEL) < 1e-3 and abs(float(answer.std()) - 1) < 1e-3
