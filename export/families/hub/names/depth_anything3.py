"""The names of ComfyUI's repack for Depth Anything 3: the encoder's are those of transformers, the head's official.

Source: ComfyUI comfy/image_encoders/dino2.py and comfy/ldm/depth_anything_3/.
"""

from __future__ import annotations

from ....network.depth_anything3.architecture import ENCODER
from .depth_anything import BLOCK, dinov2_names
from .renaming import make_name_map

_joined, _renames = dinov2_names(ENCODER)

DEPTH_ANYTHING3_NAMES = make_name_map(
    _joined,
    {
        **_renames,
        r"^backbone\.embeddings\.camera_token$": ENCODER + "camera_token",
        BLOCK + r"attention\.(?:attention\.)?([qk]_norm)\.": ENCODER + r"blocks.\1.attn.\2.",
    },
)
