"""A float32 network simulates a lower precision: each operator computes in float32, and its result is rounded.

GPUs compute this way: products in half precision, sums in float32. Torch's float16 takes ten times as long on a CPU.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from ...engine.images.preprocess import Float32
from ...engine.terms import Precision
from ..network.network import Network
from ..precision import DTYPES, InFloat32, set_precision


def rounded_answer(network: Network, precision: Precision) -> Callable[[Float32], Float32]:
    """Return a function that runs inputs (N, 3, h, w) float32 in a precision, like the exported graph.

    Attention is plain. Norms and softmax compute in float32, as in "fp16-safe"; in "fp16" a runtime can do worse.
    Modules that the precision keeps in float32 round nothing but their outputs, and parts that every precision keeps
    round nothing.
    """
    dtype = DTYPES[precision]
    rounded = copy.deepcopy(network)
    set_precision(rounded, precision)
    rounded.float()
    rounded.set_attention("plain")  # so that its logits are rounded too
    for name in network.float32_parts:  # a wider type is not rounded
        setattr(rounded, name, copy.deepcopy(network.get_submodule(name)).double())
    rounding = _Rounding(dtype)
    for module in rounded.modules():
        if isinstance(module, InFloat32):
            module.module.register_forward_pre_hook(rounding.pause)
            module.module.register_forward_hook(rounding.resume)

    def answer(batch: Float32) -> Float32:
        with torch.inference_mode(), rounding:
            values = rounded(torch.from_numpy(batch))
        found: Float32 = values.float().numpy()
        return found

    return answer


class _Rounding(TorchFunctionMode):
    """Rounds every float32 tensor that a function of torch returns, unless it is paused."""

    def __init__(self, dtype: torch.dtype) -> None:
        super().__init__()
        self._dtype = dtype
        self._paused = False

    def pause(self, *_: object) -> None:
        """Round nothing until `resume`; a hook of a module."""
        self._paused = True

    def resume(self, *_: object) -> None:
        """Round again; a hook of a module."""
        self._paused = False

    def __torch_function__(
        self,
        func: Callable[..., object],
        types: Sequence[type],
        args: Sequence[object] = (),
        kwargs: Mapping[str, object] | None = None,
    ) -> object:
        answer = func(*args, **(kwargs or {}))
        if isinstance(answer, Tensor) and answer.dtype == torch.float32 and not self._paused:
            return answer.to(self._dtype).float()
        return answer
