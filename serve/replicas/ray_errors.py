"""What Ray says of replicas that do not start in, the error of the service out."""

from __future__ import annotations

import re

from ...engine import errors
from ...engine.errors import BackendUnavailable, DepthrtError

_OURS = re.compile(r"depthrt\.engine\.errors\.(\w+): (.+)")  # in the traceback of a replica


def error_of(message: str) -> DepthrtError:
    """Return the error of a replica that could not load its models.

    Args:
        message: Of Ray, with the traceback of the replica if it had one.
    """
    found = _OURS.findall(message)
    if not found:
        return BackendUnavailable(f"Ray Serve does not start the replicas: {' '.join(message.split())}")
    name, text = found[-1]
    kind: type[DepthrtError] = getattr(errors, name, DepthrtError)
    return kind(text)
