"""`depthrt bridge`: a live topic of images gets a topic with their depth."""

from __future__ import annotations

from pathlib import Path

import click

from ...engine.system.process.signals import stopped_by_signals
from ...engine.terms import DEPTH_ENCODINGS, DEVICES, DepthEncoding, Device
from ...exits import needs, one_line_errors
from ..params import PathType, model_option
from ..show.robots.bridge_report import BridgeReport
from .gate_options import Heights, gate_of, gate_options


@click.command()
@click.option("--in", "image", metavar="TOPIC", required=True, help="Topic of the images, raw or compressed.")
@click.option(
    "--out",
    "output",
    metavar="TOPIC",
    help="Topic of the depth. Default: as bag names it, depth/image_rect or inverse_depth in the images' namespace.",
)
@model_option
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
    help="Of metric depth; as in bag.",
)
@click.option("--points", is_flag=True, help="Also publish the points in space, as PointCloud2; needs a CameraInfo.")
@gate_options
@click.option("--rectify", is_flag=True, help="Take the distortion of the lens out of the images first.")
@click.option(
    "--domain",
    type=click.IntRange(0, 232),
    envvar="ROS_DOMAIN_ID",
    default=0,
    show_default="ROS_DOMAIN_ID, else 0",
    help="ROS domain.",
)
@click.option("--humble", is_flag=True, help="Publish for ROS 2 Humble, whose topics have no hash of their type.")
@click.option(
    "--connect",
    metavar="ENDPOINT",
    multiple=True,
    help="Router or peer of Zenoh, may be given several times. Default: tcp/localhost:7447, as rmw_zenoh has it; none "
    "with --listen.",
)
@click.option("--listen", metavar="ENDPOINT", multiple=True, help="Where peers may connect, such as tcp/0.0.0.0:7448.")
@click.option(
    "--zenoh-config",
    type=PathType(),
    envvar="ZENOH_SESSION_CONFIG_URI",
    help="File of Zenoh's settings instead of --connect and --listen. Default: ZENOH_SESSION_CONFIG_URI.",
)
@click.option("--device", type=click.Choice(DEVICES), default="auto", show_default=True, help="As in run.")
@click.option("--threads", type=click.IntRange(1), help="CPU threads. Default: the cores that this process may use.")
@click.option("--json", "as_json", is_flag=True, help="Print each status as a line of JSON on standard output instead.")
@one_line_errors
def bridge(
    image: str,
    output: str | None,
    model_path: Path,
    camera_info: str | None,
    encoding: DepthEncoding,
    points: bool,
    gate: Heights | None,
    camera_height_m: float | None,
    rectify: bool,
    domain: int,
    humble: bool,
    connect: tuple[str, ...],
    listen: tuple[str, ...],
    zenoh_config: Path | None,
    device: Device,
    threads: int | None,
    as_json: bool,
) -> None:
    """Publish the depth of a live topic of images, always of the newest image.

    It speaks as rmw_zenoh does, ROS 2's transport over Zenoh; nothing of ROS needs to be installed here. Nodes with
    RMW_IMPLEMENTATION=rmw_zenoh_cpp see the depth as any topic; it is best effort, so subscribe with
    qos_profile_sensor_data. Names and messages are those of bag. Images that come meanwhile are skipped: no depth is
    older than the time between two images and that of an inference.

    A line a second tells the rates, the ages of the depths when they were sent (since the image came: half of them
    and 99 % are below; and since its stamp), and the images skipped. A camera or a router that is away is waited for.
    Ctrl-C and SIGTERM end it.

    \b
    Example:
      depthrt bridge --in /front/image_raw --out /front/depth/image_rect --model metric.onnx
      depthrt bridge --in /front/image_raw/compressed --connect tcp/robot.local:7447 --json
    """
    with needs("zenoh"):
        from ...robots.bridge.bridge import Bridge
        from ...robots.bridge.request import BridgeRequest
    request = BridgeRequest(
        image,
        output=output,
        model=model_path,
        camera_info=camera_info,
        encoding=encoding,
        points=points,
        gate=gate_of(gate, camera_height_m, points=points),
        rectify=rectify,
        domain=domain,
        humble=humble,
        connect=connect,
        listen=listen,
        zenoh_config=zenoh_config,
        device=device,
        threads=threads,
    )
    with Bridge(request, BridgeReport(as_json=as_json)) as opened, stopped_by_signals(opened.stop):
        opened.run()
