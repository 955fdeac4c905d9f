"""A local server that speaks as the Hugging Face hub and GitHub's releases do, with the faults of real connections.

Large files of the hub and files of releases are redirected to another host name, as to a CDN. All files take ranges.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from huggingface_hub import constants

from depthrt.export.download import release, transfer

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@dataclass(frozen=True)
class Asked:
    """A request for the bytes of a file.

    Args:
        path: Of the address.
        host: As the client names it.
        token: Of the user; "" if it was not sent.
        range: Header of the request, "" for the whole file.
    """

    path: str
    host: str
    token: str
    range: str


@dataclass
class Publisher:
    """What a server publishes, how it fails, and what it was asked for.

    Args:
        models: Files of each repository on the hub, by path; the name of a space begins with spaces/.
        cards: What the card of a repository says, by key; none for most.
        releases: Files by "owner/name/tag/file".
        small: Files of the hub of at most so many bytes are in git, the others in its store of large files.
        cut_after: Bytes after which a connection is cut, for as long as `cuts` is above 0.
        cuts: How many more connections are cut.
        status: Answered in place of bytes, for as many requests as it has entries.
        changed: Bytes that are sent in place of those that are published.
        gated: Whether the hub wants a token.
        ranges: Whether ranges are obeyed.
    """

    models: dict[str, dict[str, bytes]] = field(default_factory=dict)
    cards: dict[str, dict[str, object]] = field(default_factory=dict)
    releases: dict[str, bytes] = field(default_factory=dict)
    small: int = 200
    cut_after: int = 0
    cuts: int = 0
    status: list[int] = field(default_factory=list)
    changed: bytes | None = None
    gated: bool = False
    ranges: bool = True
    asked: list[Asked] = field(default_factory=list)
    port: int = 0

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def cdn(self) -> str:
        return f"http://localhost:{self.port}"

    def ranges_asked(self) -> list[str]:
        """Return the ranges of the requests for bytes."""
        return [asked.range for asked in self.asked if asked.host.startswith("localhost")]


def git_sha1(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@contextmanager
def published(publisher: Publisher) -> Iterator[Publisher]:
    """Serve until the block ends."""

    class Handler(_Handler):
        state = publisher

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    publisher.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield publisher
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def local_publisher(folder: Path, patch: pytest.MonkeyPatch) -> Iterator[Publisher]:
    """Serve in place of the hub and of GitHub, with caches in a folder, and without a pause between tries."""
    patch.setenv("DEPTHRT_CACHE", str(folder / "cache"))
    patch.delenv("HF_HUB_OFFLINE", raising=False)
    patch.setenv("NO_PROXY", "127.0.0.1,localhost")
    patch.setattr(transfer, "PAUSE_S", 0.0)
    with published(Publisher()) as server:
        patch.setattr(release, "GITHUB", server.address)
        patch.setattr(constants, "ENDPOINT", server.address)
        template = f"{server.address}/{{repo_id}}/resolve/{{revision}}/{{filename}}"
        patch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
        patch.setattr(constants, "HF_HUB_CACHE", str(folder / "hub"))
        yield server


class _Handler(BaseHTTPRequestHandler):
    state: Publisher
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:
        """Print nothing."""

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        path = unquote(urlsplit(self.path).path)
        token = self.headers.get("Authorization", "")
        self.state.asked.append(Asked(path, self.headers["Host"], token, self.headers.get("Range", "")))
        if path.startswith("/api/models/"):
            self._list(path.removeprefix("/api/models/").partition("/revision/")[0])
        elif path.startswith("/api/spaces/"):
            self._list(path.removeprefix("/api/").partition("/revision/")[0])
        elif "/resolve/" in path:
            repository, _, rest = path[1:].partition("/resolve/")
            self._resolve(repository, rest.partition("/")[2], token)
        elif "/releases/download/" in path:
            self._redirect(f"/assets{path.replace('/releases/download', '')}?signature=1", {})
        elif path.startswith("/assets/"):
            self._send(self.state.releases.get(path.removeprefix("/assets/")), "release")
        else:
            sha = path.removeprefix("/store/")
            every = [content for files in self.state.models.values() for content in files.values()]
            self._send(next((content for content in every if sha256(content) == sha), None), sha)

    def _list(self, repository: str) -> None:
        files = self.state.models.get(repository)
        if files is None:
            self._end(404, {"X-Error-Code": "RepoNotFound"})
            return
        siblings: list[dict[str, object]] = []
        for name, content in files.items():
            large = {"sha256": sha256(content), "size": len(content), "pointerSize": 130}
            sibling = {"rfilename": name, "size": len(content), "blobId": git_sha1(content)}
            siblings.append(sibling | ({"lfs": large} if len(content) > self.state.small else {}))
        card = {"cardData": self.state.cards[repository]} if repository in self.state.cards else {}
        text = json.dumps({"id": repository, "sha": COMMIT, "siblings": siblings, **card}).encode()
        self._end(200, {"Content-Type": "application/json"}, text)

    def _resolve(self, repository: str, name: str, token: str) -> None:
        content = self.state.models.get(repository, {}).get(name)
        if content is None:
            self._end(404, {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": COMMIT})
        elif self.state.gated and not token:
            self._end(401, {"X-Error-Code": "GatedRepo", "X-Error-Message": "Access to this model is restricted."})
        elif len(content) > self.state.small:
            sha = sha256(content)
            linked = {"X-Linked-ETag": f'"{sha}"', "X-Linked-Size": str(len(content)), "X-Repo-Commit": COMMIT}
            self._redirect(f"/store/{sha}?signature=1", linked)
        else:
            self._send(content, git_sha1(content), {"X-Repo-Commit": COMMIT})

    def _redirect(self, path: str, headers: dict[str, str]) -> None:
        self._end(302, {**headers, "Location": f"{self.state.cdn}{path}"})

    def _send(self, content: bytes | None, tag: str, headers: dict[str, str] | None = None) -> None:
        """Send a file, or the rest of it, or fail."""
        if content is None:
            self._end(404, {})
            return
        if self.state.status and self.command == "GET":
            self._end(self.state.status.pop(0), {})
            return
        content = content if self.state.changed is None else self.state.changed
        tag = f'"{tag}-{len(content)}"' if tag == "release" else f'"{tag}"'
        first = int(self.headers.get("Range", "bytes=0-").removeprefix("bytes=").rstrip("-"))
        wanted = first and self.state.ranges and self.headers.get("If-Range", tag) == tag
        if wanted and first >= len(content):
            self._end(416, {"Content-Range": f"bytes */{len(content)}"})
            return
        part = content[first:] if wanted else content
        told = {"Content-Range": f"bytes {first}-{len(content) - 1}/{len(content)}"} if wanted else {}
        self._end(206 if wanted else 200, {**(headers or {}), **told, "ETag": tag, "Accept-Ranges": "bytes"}, part)

    def _end(self, status: int, headers: dict[str, str], content: bytes = b"") -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "HEAD":
            return
        if self.state.cuts > 0 and len(content) > self.state.cut_after:
            self.state.cuts -= 1
            self.wfile.write(content[: self.state.cut_after])
            self.close_connection = True
            return
        self.wfile.write(content)
