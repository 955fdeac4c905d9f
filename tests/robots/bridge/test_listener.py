"""Nobody needs to listen."""

from __future__ import annotations

from typing import Any

from depthrt.robots.bridge.listener import BridgeListener


def test_a_plain_listener_hears_everything_and_does_nothing() -> None:
    nothing: Any = None
    BridgeListener().started(nothing, nothing, "")
    BridgeListener().status(nothing)
    BridgeListener().failed(ValueError())
    BridgeListener().ended(nothing)
