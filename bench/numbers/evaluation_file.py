"""An evaluation as JSON."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from ...engine.errors import BackendUnavailable
from ...engine.system.files import atomic_path
from .evaluation import EvaluationReport
from .printable import printable

if TYPE_CHECKING:
    from pydantic import TypeAdapter


def write_evaluation(path: str | Path, report: EvaluationReport) -> None:
    """Write an evaluation as JSON, whole or not at all.

    Raises:
        InputError: The folder is missing or the disk refuses.
    """
    with atomic_path(path) as temporary:
        temporary.write_text(evaluation_to_json(report), encoding="utf-8")


def evaluation_to_json(report: EvaluationReport) -> str:
    """Return an evaluation as JSON; numbers keep all their digits."""
    return evaluation_type().dump_json(printable(report), indent=1).decode() + "\n"


@cache
def evaluation_type() -> TypeAdapter[EvaluationReport]:
    """Return pydantic's reader and writer of evaluations.

    Raises:
        BackendUnavailable: pydantic is not installed.
    """
    try:
        from pydantic import TypeAdapter
    except ImportError as error:
        raise BackendUnavailable("reports need pydantic: pip install 'depthrt[bench]'") from error
    return TypeAdapter(EvaluationReport)
