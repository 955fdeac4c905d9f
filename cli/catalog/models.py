"""`depthrt models`: the published models that depthrt exports."""

from __future__ import annotations

import click

from ...engine.terms import FAMILIES, Family
from ...exits import one_line_errors
from ..params import NameType
from ..show.models import show_model, show_models


@click.command()
@click.argument("name", type=NameType(), required=False)
@click.option("--family", type=click.Choice(FAMILIES), help="Only models of this family. Default: all.")
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON.")
@one_line_errors
def models(name: str | None, family: Family | None, as_json: bool) -> None:
    """List the published models that depthrt exports, or print everything about NAME.

    No model is listed that was not run: "verified" is how. Nothing is downloaded; `depthrt fetch NAME` does that.

    \b
    Example:
      depthrt models --family midas
      depthrt models depth-anything-v2-vitl
    """
    from ...export.catalog import CATALOG, find_published
    from ...export.listing import describe

    if name is not None:
        show_model(describe(find_published(name)), as_json=as_json)
        return
    listed = [describe(entry) for entry in CATALOG if entry.published and family in (None, entry.family)]
    show_models(listed, as_json=as_json)
