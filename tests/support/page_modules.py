"""Calls of the page's modules in a browser, on an empty document with the security headers of the service."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
from browser import open_tab
from numpy.typing import NDArray

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

# Bytes cross as base64. `load` imports a module; `floats` and `write` are of both ways.
_CALL = """async (given) => {
    const read = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)).buffer;
    const write = (bytes) => {
        let text = "";
        for (const byte of bytes) text += String.fromCharCode(byte);
        return { bytes: btoa(text) };
    };
    const load = (name) => import("/page/" + name);
    const floats = (buffer) => new Float32Array(buffer);
    const isBytes = (value) => value !== null && typeof value === "object" && "bytes" in value;
    const values = given.map((value) => isBytes(value) ? read(value.bytes) : value);
    return (async (%s) => { %s })(load, floats, write, ...values);
}"""


@contextmanager
def module_tab(browser: Browser, address: str, *, expected: tuple[str, ...] = ("status of 404",)) -> Iterator[Page]:
    """Open an empty document of the service."""
    with open_tab(browser, address, expected=expected) as tab:
        tab.goto(f"{address}/healthz")
        tab.evaluate("document.body.replaceChildren()")
        yield tab


def call(tab: Page, code: str, **given: object) -> Any:  # noqa: ANN401 (what JavaScript returns)
    """Run the body of an asynchronous function and return what it returns.

    Args:
        tab: Of `module_tab`.
        code: It sees `load(module)`, `floats(buffer)`, `write(bytes)` and what is given, by name.
        given: Bytes and arrays become an ArrayBuffer; what `write` made becomes bytes here.
    """
    names = ", ".join(["load", "floats", "write", *given])
    return _unpack(tab.evaluate(_CALL % (names, code), [_pack(value) for value in given.values()]))


def floats(packed: bytes) -> NDArray[np.float32]:
    """Return the numbers of a Float32Array that `write(new Uint8Array(array.buffer))` packed."""
    return np.frombuffer(packed, np.float32)


def _pack(value: object) -> object:
    content = value.tobytes() if isinstance(value, np.ndarray) else value
    return {"bytes": base64.b64encode(content).decode()} if isinstance(content, bytes) else content


def _unpack(found: object) -> object:
    if isinstance(found, dict):
        if set(found) == {"bytes"}:
            return base64.b64decode(found["bytes"])
        return {name: _unpack(value) for name, value in found.items()}
    return [_unpack(value) for value in found] if isinstance(found, list) else found
