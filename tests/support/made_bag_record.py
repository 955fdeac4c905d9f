"""A record of a bag with depth that a test makes."""

from __future__ import annotations

from depthrt.robots.writing.record import BagRecord, Made

MADE = Made(
    source="drive/",
    source_messages=12,
    image_topic="/front/image_raw",
    camera_info_topic="/front/camera_info",
    depth_topic="/front/depth/image_rect",
    kind="metric",
    unit="m",
    encoding="32FC1",
    contract_sha256="ab" * 32,
    points=False,
    copied=False,
    rectified=False,
)
RECORD = BagRecord(made=MADE, producer="depthrt 0.1.0", drift=1e-6, steps=3, images=3)
