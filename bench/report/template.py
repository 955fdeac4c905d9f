"""Templates of pages that need no network, script or other file, and the pictures inside them."""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from ...engine.errors import BackendUnavailable
from ..numbers.result import Picture

PICTURES_BYTES = 1_300_000  # of JPEG in a page; 1.75 MB in base64, so that a page stays under 2 MB
_BEFORE_UNIT = re.compile(r"(?<=\d) (?=%|ms\b|m\b|MiB)")


@dataclass(frozen=True, slots=True)
class Shown:
    """A picture of a page."""

    subject: str
    title: str
    base64: str


def need_jinja2() -> ModuleType:
    """Return jinja2.

    Raises:
        BackendUnavailable: jinja2 is not installed.
    """
    try:
        import jinja2
    except ImportError as error:
        raise BackendUnavailable("the report needs jinja2: pip install 'depthrt[bench]'") from error
    return jinja2


def render(template: str, **values: object) -> str:
    """Return the page of a template beside this file.

    Args:
        template: Name of its file.
        values: What it shows, by the names that it has there.

    Raises:
        BackendUnavailable: jinja2 is not installed.
    """
    jinja2 = need_jinja2()
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,  # file names and subject names may hold markup
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["unbroken"] = _unbroken
    page: str = environment.get_template(template).render(**values)
    return page


def show_pictures(pictures: Sequence[Picture]) -> list[Shown]:
    """Return pictures in order while they fit a page."""
    shown, used = [], 0
    for picture in pictures:
        used += len(picture.jpeg)
        if used > PICTURES_BYTES:
            break
        shown.append(Shown(picture.subject, picture.title, base64.b64encode(picture.jpeg).decode("ascii")))
    return shown


def _unbroken(text: str) -> str:
    """Keep numbers and their units on one line."""
    return _BEFORE_UNIT.sub("\u00a0", text)
