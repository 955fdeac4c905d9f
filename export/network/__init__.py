"""The torch networks, exact to the published numbers and clean to export."""

from .architecture import Architecture, Family
from .depth_anything import DepthAnything, randomise
from .encoder import AttentionForm

__all__ = ["Architecture", "AttentionForm", "DepthAnything", "Family", "randomise"]
