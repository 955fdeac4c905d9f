"""Nobody needs to listen."""

from __future__ import annotations

from typing import Any

from depthrt.robots.listener import BagListener


def test_a_plain_listener_hears_everything_and_does_nothing() -> None:
    nothing: Any = None
    BagListener().started(nothing, nothing, nothing)
    BagListener().ended(nothing)
