"""What `depthrt export` and `depthrt adopt` print."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from ...export.licences import LICENCES
from .file import adoption_words
from .printing import print_result, say

if TYPE_CHECKING:
    from ...export.adopt.adopt import Adopted
    from ...export.to_onnx import Exported


def show_exported(exported: Exported, *, triton: Path | None = None, as_json: bool) -> None:
    """Print what an export wrote and its drift; the file of weights beside it goes to standard error.

    Args:
        exported: The export.
        triton: The model's folder in a repository of Triton, if it was written.
        as_json: Whether a machine reads it.
    """
    contract = exported.contract
    _say_beside(exported.weights, contract.licence)
    if as_json:
        parity = [asdict(compared) for compared in exported.parity]
        found = {"path": str(exported.path), "model": contract.model, "file_mib": exported.file_mib, "parity": parity}
        if exported.weights is not None:
            found["weights"] = str(exported.weights)
        if triton is not None:
            found["triton"] = str(triton)
        if contract.in_float32:
            found["in_float32"] = contract.in_float32
        if exported.quantised is not None:
            found["quantised"] = {key: value for key, value in asdict(exported.quantised).items() if key != "canary"}
        print_result(json.dumps(found))
        return
    print_result(f"{exported.path}: {contract.model}, {contract.precision}, {exported.file_mib:.1f} MiB")
    if contract.in_float32:
        print_result(f"  in float32: {', '.join(contract.in_float32)}")
    for compared in exported.parity:
        shape = "x".join(str(side) for side in (compared.images, 3, *compared.input_px))
        print_result(
            f"  against torch on {compared.name} ({shape}): drift {compared.drift:.1e} of the range, "
            f"at most {compared.largest:.1e}"
        )
    if triton is not None:
        print_result(f"  for Triton: {triton}, see its README.md")
    if exported.quantised is not None:
        print_result(f"  {exported.quantised}")


def show_adopted(adopted: Adopted, *, as_json: bool) -> None:
    """Print what an adoption wrote, and what is known of the file; the file of weights goes to standard error."""
    contract = adopted.contract
    _say_beside(adopted.weights, contract.licence)
    adoption = contract.adopted
    assert adoption is not None
    if as_json:
        found = {"path": str(adopted.path), "model": contract.model, "file_mib": adopted.file_mib}
        found |= {"kind": contract.kind, "precision": contract.precision, "adopted": asdict(adoption)}
        if adopted.weights is not None:
            found["weights"] = str(adopted.weights)
        print_result(json.dumps({**found, "remarks": adopted.remarks}))
        return
    print_result(f"{adopted.path}: {contract.model}, {contract.precision}, {adopted.file_mib:.1f} MiB")
    print_result(f"  {adoption_words(adoption)}")


def _say_beside(weights: Path | None, licence_name: str) -> None:
    """Say where the weights lie, and a licence that restricts the use."""
    if weights is not None:
        say(f"note: its weights are in {weights}, which has to stay beside it")
    licence = LICENCES.get(licence_name)
    if licence is not None and licence.restriction:
        say(f"note: the file has the licence of its weights, {licence}")
