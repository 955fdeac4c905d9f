"""`depthrt bag`: a robot's recorded bag becomes a bag with depth."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from ...engine.terms import DEPTH_ENCODINGS, DEVICES, DepthEncoding, Device
from ...exits import needs, one_line_errors
from ..params import PathType, model_option
from ..show.robots.bag_report import BagReport
from .gate_options import Heights, gate_of, gate_options


@click.command()
@click.argument("source", type=PathType(), metavar="BAG")
@click.option("-o", "--output", type=PathType(), required=True, help="Folder of the bag to write; it must not exist.")
@model_option
@click.option("--image", metavar="TOPIC", help="Topic of the images, raw or compressed. Default: the only camera.")
@click.option(
    "--camera-info",
    metavar="TOPIC",
    help="Topic of their CameraInfo. Default: camera_info in the namespace of the images.",
)
@click.option(
    "--encoding",
    type=click.Choice(DEPTH_ENCODINGS),
    default=DEPTH_ENCODINGS[0],
    show_default=True,
    help="Of metric depth. 32FC1: metres, +Inf for the sky and beyond the model's range, NaN for none. 16UC1: whole "
    "millimetres up to 65.535 m, 0 for none. Depth without a unit is always 32FC1.",
)
@click.option("--points", is_flag=True, help="Also write the points in space, as PointCloud2; needs a CameraInfo.")
@gate_options
@click.option("--copy", is_flag=True, help="Also write all messages of the BAG. Default: depth and its CameraInfo.")
@click.option("--rectify", is_flag=True, help="Take the distortion of the lens out of the images first.")
@click.option("--device", type=click.Choice(DEVICES), default="auto", show_default=True, help="As in run.")
@click.option("--threads", type=click.IntRange(1), help="CPU threads. Default: the cores that this process may use.")
@click.option("--resume", is_flag=True, help="Go on with an output that an earlier run left unfinished.")
@click.option("--json", "as_json", is_flag=True, help="Print what was done as JSON instead of the path.")
@one_line_errors
def bag(
    source: Path,
    output: Path,
    model_path: Path,
    image: str | None,
    camera_info: str | None,
    encoding: DepthEncoding,
    points: bool,
    gate: Heights | None,
    camera_height_m: float | None,
    copy: bool,
    rectify: bool,
    device: Device,
    threads: int | None,
    resume: bool,
    as_json: bool,
) -> None:
    """Write the depth of each image of a BAG into a new bag.

    BAG is a rosbag2, its folder or a file of it, or a ROS 1 bag; nothing of ROS needs to be installed. The depth has
    the stamp and the frame of its image. Metric depth goes to depth/image_rect in the image's namespace, with a
    CameraInfo of its size beside it; inverse depth goes to inverse_depth, and is never called metres. The new bag is a
    rosbag2 in MCAP files; the model's contract and what ran stand in it.

    A bag that is cut off is read up to the cut. A bad image is named and the run continues; the exit code is then 1.
    Ctrl-C leaves a whole bag of what is done.

    \b
    Example:
      depthrt bag drive/ -o drive-depth/ --model metric.onnx
      depthrt bag drive.bag -o drive-depth/ --image /front/image_raw/compressed --copy
      depthrt bag drive/ -o obstacles/ -m metric.onnx --points --gate 0.05 1.5 --camera-height 0.4
    """
    with needs("robots"):
        from ...robots.bag import depth_bag
        from ...robots.request import BagRequest
    request = BagRequest(
        source,
        output=output,
        model=model_path,
        image=image,
        camera_info=camera_info,
        encoding=encoding,
        points=points,
        gate=gate_of(gate, camera_height_m, points=points),
        copy=copy,
        rectify=rectify,
        device=device,
        threads=threads,
        resume=resume,
    )
    report = BagReport(output, as_json=as_json)
    report.follow(lambda listener: depth_bag(request, listener))
    sys.exit(report.exit_code)
