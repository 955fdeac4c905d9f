"""One file that can be downloaded, and the requests for its bytes."""

from __future__ import annotations

import http.client
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.client import HTTPMessage
from typing import IO
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from ...engine.errors import FetchError
from ...engine.version import __version__

TIMEOUT_S = 30.0  # without one byte
CUT_OFF = (OSError, http.client.HTTPException)  # of a connection that fails, ends early or stays silent
_AGAIN = (408, 429, 500, 502, 503, 504)  # the server cannot answer now
_NOBODY = (socket.gaierror, ConnectionRefusedError)
_SECRETS = ("Authorization", "Cookie")


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file that can be downloaded.

    Args:
        name: Its path below the folder it is put into, with "/".
        url: Where it is.
        page: Of its publisher, for messages.
        headers: Of the request; a redirect to another host does not get those that are secret.
        size_bytes: None if unknown.
        sha256: Of its bytes; a beginning of it, or "" if unknown.
        git_sha1: Of its bytes as git counts them; "" if unknown.
    """

    name: str
    url: str
    page: str
    headers: Mapping[str, str] = field(default_factory=dict)
    size_bytes: int | None = None
    sha256: str = ""
    git_sha1: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """The bytes of a file from some byte on.

    Args:
        stream: To read from.
        first: Number of the first byte in it; 0 if the server sends the whole file.
        total: Size of the file in bytes; None if the server does not tell.
        tag: The server's name for this state of the file; "" if it has none.
    """

    stream: IO[bytes]
    first: int
    total: int | None
    tag: str


class Unavailable(Exception):
    """The server cannot answer now; the message says why."""


class Unreachable(Unavailable):
    """There is no server under the address, or no network."""


def request(file: RemoteFile, first: int, tag: str) -> Answer:
    """Ask for the bytes of a file.

    Args:
        file: The file.
        first: Number of the first byte that is wanted.
        tag: Of the bytes before it: if the file has changed since, the whole file is sent.

    Raises:
        FetchError: The server refuses.
        Unavailable: It cannot answer now, or cannot be reached.
    """
    headers = {"User-Agent": f"depthrt/{__version__}", "Accept-Encoding": "identity", **file.headers}
    if first:
        # A weak tag would make the server send the whole file.
        headers |= {"Range": f"bytes={first}-"} | ({"If-Range": tag} if tag.startswith('"') else {})
    try:
        response = _OPENER.open(Request(file.url, headers=headers), timeout=TIMEOUT_S)
    except HTTPError as error:
        with error:
            if error.code == http.client.REQUESTED_RANGE_NOT_SATISFIABLE and first:
                return request(file, 0, "")  # the file is not longer than what is held, which is of another one
            if error.code in _AGAIN:
                raise Unavailable(f"the server answers {error.code} {error.reason}") from None
            raise FetchError(_refused(file, error)) from None
    except CUT_OFF as error:
        failure = Unreachable if isinstance(_inner(error), _NOBODY) else Unavailable
        raise failure(reason_of(error)) from error
    return _read_headers(response, response.headers, partial=response.status == http.client.PARTIAL_CONTENT)


def reason_of(error: BaseException) -> str:
    """Return why a connection failed, in few words."""
    error = _inner(error)
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return "the connection was cut" if isinstance(error, http.client.HTTPException) else " ".join(str(text).split())


def _inner(error: BaseException) -> BaseException:
    """Return what urllib wraps."""
    inner = getattr(error, "reason", None)
    return inner if isinstance(inner, BaseException) else error


def _read_headers(stream: IO[bytes], headers: HTTPMessage, *, partial: bool) -> Answer:
    tag = headers.get("ETag", "")
    length = headers.get("Content-Length", "")
    if not partial:
        return Answer(stream, 0, int(length) if length.isdigit() else None, tag)
    begin, _, total = headers.get("Content-Range", "").removeprefix("bytes ").partition("/")
    first = begin.partition("-")[0]
    if not first.isdigit():
        raise Unavailable("the server sends a part of the file and does not say which")
    return Answer(stream, int(first), int(total) if total.isdigit() else None, tag)


def _refused(file: RemoteFile, error: HTTPError) -> str:
    what = f"{file.url}: the server answers {error.code} {error.reason}"
    if error.code in (http.client.UNAUTHORIZED, http.client.FORBIDDEN):
        return f"{what}; open {file.page}, accept its conditions if it has any, and give a token (`hf auth login`)"
    return f"{what}; look at {file.page}"


class _Redirects(HTTPRedirectHandler):
    """Follows a redirect without giving a token to another host."""

    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> Request | None:
        """Return the next request."""
        following = super().redirect_request(req, fp, code, msg, headers, newurl)
        if following is not None and urlsplit(newurl).netloc != urlsplit(req.full_url).netloc:
            for name in [name for name in following.headers if name.capitalize() in _SECRETS]:
                del following.headers[name]
        return following


_OPENER = build_opener(_Redirects)
