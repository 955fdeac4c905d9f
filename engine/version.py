"""The version of depthrt."""

__version__ = "0.1.0"
