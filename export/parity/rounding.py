"""A float32 network answers as in a lower precision: each operator computes in float32, and its answer is rounded.

GPUs compute so: products in half precision, their sums in float32. Torch's own float16 takes a CPU ten times as long.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from ...engine.images.preprocess import Float32
from ..network.make_network import Network
from ..precision import DTYPES, ExportPrecision


def rounded_answer(network: Network, precision: ExportPrecision) -> Callable[[Float32], Float32]:
    """Return what answers inputs (N, 3, h, w) in a precision, as the exported graph with plain attention would.

    Norms and softmax compute in float32 here, as "fp16-safe" has them; in "fp16" a runtime's own can do worse.
    """
    dtype = DTYPES[precision]
    rounded = copy.deepcopy(network).to(dtype).float()
    rounded.set_attention("plain")  # so that its logits are rounded too

    def answer(batch: Float32) -> Float32:
        with torch.inference_mode(), _Rounding(dtype):
            values = rounded(torch.from_numpy(batch))
        found: Float32 = values.numpy()
        return found

    return answer


class _Rounding(TorchFunctionMode):
    """Rounds the float32 tensors that torch's functions answer."""

    def __init__(self, dtype: torch.dtype) -> None:
        super().__init__()
        self._dtype = dtype

    def __torch_function__(
        self,
        func: Callable[..., object],
        types: Sequence[type],
        args: Sequence[object] = (),
        kwargs: Mapping[str, object] | None = None,
    ) -> object:
        answer = func(*args, **(kwargs or {}))
        if isinstance(answer, Tensor) and answer.dtype == torch.float32:
            return answer.to(self._dtype).float()
        return answer
