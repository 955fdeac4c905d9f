"""A session of Zenoh: where it connects, what it publishes, who else publishes."""

from __future__ import annotations

import json
from time import time_ns
from typing import TYPE_CHECKING

import zenoh

from ...engine.errors import InputError
from ...engine.system.closable import Closable
from ..messages.types import Message, encode
from .dialect import (
    PUBLISHER,
    SUBSCRIPTION,
    Attachment,
    Node,
    Published,
    any_type_key,
    gid_of,
    publishers_key,
    read_publisher,
)
from .request import ROUTER, BridgeRequest

if TYPE_CHECKING:
    from collections.abc import Callable

_LOOK_S = 1.0  # longest wait for the list of publishers
_MOST_WORDS = 200  # characters of what Zenoh says


class Publisher:
    """Publishes the messages of a topic: best effort, so that a slow reader slows nobody.

    Args:
        session: An open session.
        token: Of the liveliness by which others see the publisher.
    """

    def __init__(self, session: zenoh.Session, key: str, token: str) -> None:
        self._publisher = session.declare_publisher(
            key, congestion_control=zenoh.CongestionControl.DROP, reliability=zenoh.Reliability.BEST_EFFORT
        )
        self._token = session.liveliness().declare_token(token)
        self._gid, self._number = gid_of(token), 0

    @property
    def matched(self) -> bool:
        """Whether anybody reads the topic."""
        return bool(self._publisher.matching_status.matching)  # type: ignore[attr-defined]  # it is no bool

    def put(self, message: Message) -> None:
        """Publish a message; it is dropped for a reader that cannot take it."""
        self._number += 1
        attachment = Attachment(self._number, time_ns(), self._gid).to_bytes()
        self._publisher.put(bytes(encode(message)), attachment=attachment)


class Session(Closable):
    """An open session of Zenoh, and the node that others see in it.

    Raises:
        InputError: The settings cannot be used.
    """

    def __init__(self, request: BridgeRequest) -> None:
        self.where = ", ".join((*request.connect, *request.listen)) or str(request.zenoh_config or ROUTER)
        try:
            self._session = zenoh.open(_config(request))
        except zenoh.ZError as error:
            raise InputError(
                f"Zenoh cannot open a session at {self.where}: {_own_words(error)}; give places such as "
                "tcp/robot.local:7447, or a file of Zenoh's settings"
            ) from error
        self.node = Node(request.domain, str(self._session.zid()), request.node, request.humble)
        self._entities = 0
        self._kept: list[object] = [self._session.liveliness().declare_token(self.node.token)]

    @property
    def peers(self) -> int:
        """Return the number of routers and peers that it is connected to."""
        info = self._session.info
        return len(info.routers_zid()) + len(info.peers_zid())

    def publish(self, topic: str, message: type[Message]) -> Publisher:
        """Return a publisher of a topic."""
        token = self.node.entity_token(self._next(), PUBLISHER, topic, message)
        return Publisher(self._session, self.node.topic_key(topic, message), token)

    def subscribe(self, topic: str, message: type[Message], hear: Callable[[zenoh.Sample], None]) -> None:
        """Call a function, in a thread of Zenoh, with each message of any type on a topic.

        Args:
            message: The type that others are told.
        """
        self._kept.append(self._session.declare_subscriber(any_type_key(self.node.domain, topic), hear))
        token = self.node.entity_token(self._next(), SUBSCRIPTION, topic, message)
        self._kept.append(self._session.liveliness().declare_token(token))

    def published(self) -> list[Published]:
        """Return what others publish; blocks for a second at most."""
        replies = self._session.liveliness().get(publishers_key(self.node.domain), timeout=_LOOK_S)
        found = [read_publisher(str(reply.ok.key_expr)) for reply in replies if reply.ok is not None]
        return [one for one in found if one is not None]

    def close(self) -> None:
        """Let others see that the node is gone, and end."""
        self._kept.clear()
        self._session.close()  # type: ignore[no-untyped-call]

    def _next(self) -> int:
        self._entities += 1
        return self._entities


def _config(request: BridgeRequest) -> zenoh.Config:
    """Return settings as those of rmw_zenoh: a peer that a router or a given address introduces to the others."""
    if request.zenoh_config is not None:
        if request.connect or request.listen:
            raise InputError("a file of Zenoh's settings beside --connect or --listen found, expected one of them")
        return zenoh.Config.from_file(request.zenoh_config)
    config = zenoh.Config()
    connect = request.connect or (() if request.listen else (ROUTER,))
    settings: dict[str, object] = {
        "mode": "peer",
        "connect/endpoints": list(connect),
        "listen/endpoints": list(request.listen or ("tcp/localhost:0",)),
        "scouting/multicast/enabled": False,
    }
    for key, value in settings.items():
        config.insert_json5(key, json.dumps(value))
    return config


def _own_words(error: Exception) -> str:
    """Return what Zenoh says of an error, without the places in its own source."""
    text = str(error).partition(" at /")[0]
    return text.rpartition('msg: "')[2][:_MOST_WORDS].rstrip(". ")
