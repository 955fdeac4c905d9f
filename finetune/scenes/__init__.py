"""Procedural rooms and streets with exact planar depth, rendered in torch."""

from __future__ import annotations

from .rays.camera import Cameras
from .render import check_device, check_request, render_scenes, scene_cameras
from .scene import Scenes
from .settings.compose import SETTINGS
from .stream import stream_scenes

VERSION = 2  # grows when a seed looks or measures otherwise than before: folders do not mix scenes of two versions

__all__ = [
    "SETTINGS",
    "VERSION",
    "Cameras",
    "Scenes",
    "check_device",
    "check_request",
    "render_scenes",
    "scene_cameras",
    "stream_scenes",
]
