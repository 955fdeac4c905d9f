"""Refusal: why a request gets no depth, as a status and a text that clients may read."""

from __future__ import annotations

from typing import Any


class Refusal(Exception):
    """A request that is not answered with depth.

    Args:
        status: Of HTTP.
        code: For programs: "queue_full".
        message: For people; it holds nothing of the server's insides.
        retry_after_s: After which the client may try again.
    """

    def __init__(self, status: int, code: str, message: str, *, retry_after_s: int | None = None) -> None:
        super().__init__(status, code, message)
        self.status, self.code, self.message, self.retry_after_s = status, code, message, retry_after_s

    def to_dict(self, request_id: str) -> dict[str, Any]:
        """Return the body: `error` is a text, as the Open Inference Protocol and the study's client expect it."""
        return {"error": self.message, "code": self.code, "request_id": request_id}

    @property
    def headers(self) -> dict[str, str]:
        """Return the headers that go with the status."""
        found = {} if self.retry_after_s is None else {"Retry-After": str(self.retry_after_s)}
        if self.status == 401:
            found["WWW-Authenticate"] = "Bearer"
        return found


def unprocessable(code: str, message: str) -> Refusal:
    """Return the refusal of a request that is understood and holds a wrong value."""
    return Refusal(422, code, message)
