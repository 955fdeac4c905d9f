"""What `depthrt doctor` prints."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from ...engine.system.escape import escaped
from .printing import held, print_result

if TYPE_CHECKING:
    from ...engine.model.doctor import Finding


def show_findings(findings: Sequence[Finding], *, as_json: bool) -> None:
    """Print what works on this machine."""
    if as_json:
        print_result(json.dumps([asdict(finding) for finding in findings]))
        return
    for finding in findings:
        mark = _coloured("works", "green") if finding.works else _coloured("no   ", "red")
        said = held(escaped(f"{finding.name:<17} {finding.detail}"), sys.stdout)
        click.echo(f"{mark}  {said}")  # the mark has a colour
        if finding.remedy:
            print_result(f"{'':<25}to have it: {finding.remedy}")


def _coloured(text: str, colour: str) -> str:
    return text if os.environ.get("NO_COLOR") else click.style(text, fg=colour)  # Source: no-color.org
