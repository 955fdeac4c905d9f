"""Wraps every request: its id, the headers of security, one log line, its counts, and an answer if there is a bug."""

from __future__ import annotations

import logging
from collections.abc import Callable
from time import perf_counter

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..refusal import Refusal
from .json_log import log
from .metrics import Metrics
from .request_record import RequestRecord, begin_record

SECURITY = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
    "connect-src 'self'; media-src 'self' blob:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=()",
}
_GONE = 499  # status of a request whose client left before its answer began
_UNKNOWN = "unknown"  # route of an address that does not exist
_BUG = Refusal(500, "internal", "the service failed; the operator finds the cause by the request id")


class Watch:
    """The outermost layer of the app.

    Args:
        app: The layer inside.
        metrics: Count the requests.
        draining: Returns whether the service is about to stop, so that connections are closed.
        free: Called with a request that has been answered.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        metrics: Metrics,
        draining: Callable[[], bool],
        free: Callable[[RequestRecord], object],
    ) -> None:
        self._app, self._metrics, self._draining, self._free = app, metrics, draining, free

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        record, status = begin_record(scope, Headers(scope=scope)), 0

        async def send_on(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                self._add_headers(MutableHeaders(scope=message), record)
            await send(message)

        try:
            await self._app(scope, receive, send_on)
        except Exception as error:
            log("a request failed", level=logging.ERROR, error=error, request_id=record.id)
            record.code = _BUG.code
            if status == 0:
                await JSONResponse(_BUG.to_dict(record.id), _BUG.status)(scope, receive, send_on)
        finally:
            self._free(record)
            self._end(scope, record, status or _GONE)

    def _add_headers(self, headers: MutableHeaders, record: RequestRecord) -> None:
        for name, value in SECURITY.items():
            headers.setdefault(name, value)
        headers.setdefault("Cache-Control", "no-store")
        headers["X-Request-ID"] = record.id
        if timing := record.stages.server_timing():
            headers["Server-Timing"] = timing
        if self._draining():
            headers["Connection"] = "close"

    def _end(self, scope: Scope, record: RequestRecord, status: int) -> None:
        seconds = perf_counter() - record.start_s
        route = getattr(scope.get("route"), "path", _UNKNOWN)
        self._metrics.count_request(route, status, seconds, record.stages, record.code)
        log(
            "request",
            request_id=record.id,
            method=record.method if record.method.isalpha() else "?",
            route=route,
            status=status,
            code=record.code,
            model=record.model,
            replica=record.replica,
            ms=round(seconds * 1e3, 2),
            stages_ms=record.stages.to_ms(),
        )
