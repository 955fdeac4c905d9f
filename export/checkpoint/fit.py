"""Tensors under official names are checked against their network, every name, shape and value, and made float32."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ...engine.errors import ModelFileError
from ..families.rules import FamilyRules
from ..network.network import AnyArchitecture
from .safe_load import shown
from .torch_file.stored import check_held

MOST_REPEATED = 1 << 29  # values of a network for which a file holds no number, 2 GiB as float32
FLOATS = (torch.float32, torch.float16, torch.bfloat16, torch.float64)


def check_dtypes(tensors: Mapping[str, Tensor], path: Path) -> None:
    """Refuse weights that are not plain floats.

    Raises:
        ModelFileError: Names the first such tensor.
    """
    for name, tensor in tensors.items():
        if tensor.dtype not in FLOATS or tensor.layout != torch.strided:
            kind = str(tensor.dtype).removeprefix("torch.")
            raise ModelFileError(
                f"{path}: {shown(name)} is {kind}, expected float weights; quantised checkpoints cannot be exported, "
                "give the checkpoint that it was made from"
            )


def fit(
    tensors: Mapping[str, Tensor], rules: FamilyRules[Any], architecture: AnyArchitecture, path: Path
) -> tuple[dict[str, Tensor], list[str]]:
    """Check tensors against an architecture and convert them to float32.

    Args:
        tensors: By official name, of any float type. Float32 tensors are not copied.
        rules: Of the family that they are of.
        architecture: As inferred from them.
        path: For messages.

    Returns:
        Every tensor of the network, and remarks about what was changed, one sentence each.

    Raises:
        ModelFileError: A name or shape differs from the network, or a value is not finite.
    """
    expected = rules.expected_shapes(architecture)
    _check_names(tensors, expected, rules, path)
    try:
        check_held(tensors.values(), MOST_REPEATED)
    except ModelFileError as error:
        raise ModelFileError(f"{path} {error}") from error
    remarks = []
    absent = [name for name in expected if name not in tensors]
    if absent:
        remarks.append(f"Tensors that the network never uses ({len(absent)}) are not in the file; zeros replace them.")
    narrow = {str(tensor.dtype).removeprefix("torch.") for tensor in tensors.values()} - {"float32"}
    if narrow:
        remarks.append(f"Weights in {' and '.join(sorted(narrow))} were converted to float32.")
    fitted = {}
    for name, shape in expected.items():
        tensor = tensors[name].to(torch.float32) if name in tensors else torch.zeros(shape)
        _check_finite(name, tensor, path)
        fitted[name] = tensor
    return fitted, remarks


def _check_names(
    tensors: Mapping[str, Tensor], expected: Mapping[str, tuple[int, ...]], rules: FamilyRules[Any], path: Path
) -> None:
    missing = [name for name in expected if name not in tensors and not (rules.unused and rules.unused.match(name))]
    extra = [name for name in tensors if name not in expected]
    other = [
        f"{name} is {tuple(tensors[name].shape)} and not {shape}"
        for name, shape in expected.items()
        if name in tensors and tuple(tensors[name].shape) != shape
    ]
    phrases = (
        (f"lacks {len(missing)} of {len(expected)} tensors", missing),
        (f"holds unknown tensors ({len(extra)})", extra),
        (f"holds tensors of another shape ({len(other)})", other),
    )
    faults = [f"{phrase}: {_few(names)}" for phrase, names in phrases if names]
    if faults:
        raise ModelFileError(f"{path} is not a whole {rules.name} model: it {', '.join(faults)}; save the whole model")


def _few(names: list[str]) -> str:
    listed = ", ".join(shown(name) for name in names[:3])
    return f"{listed} and {len(names) - 3} more" if len(names) > 3 else listed


def _check_finite(name: str, tensor: Tensor, path: Path) -> None:
    # A sum is one pass without a second tensor. Finite values can overflow it, so the second test is exact.
    if torch.isfinite(tensor.sum()) or bool(torch.isfinite(tensor).all()):
        return
    raise ModelFileError(f"{path}: {name} holds NaN or infinite values; the training diverged, take an earlier file")
