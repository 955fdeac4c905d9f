"""`depthrt serve`: models behind HTTP, with a page."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import click

from ...engine.errors import InputError
from ...engine.terms import DEVICES, Device
from ...exits import needs, one_line_errors
from ..params import PathType, named

API_KEY = "DEPTHRT_API_KEY"
_REPLICAS = (2, 2)
_NAMED = re.compile(r"([a-z0-9][a-z0-9._-]{0,63})=(.+)", re.DOTALL)


class NamedModelType(click.ParamType[tuple[str, str]]):
    """`NAME=FILE`; or FILE, whose name without its suffix is the model's."""

    name = "[NAME=]FILE"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        """Return the name and the file."""
        if isinstance(value, tuple):
            return value
        text = named(value, param, ctx)
        match = _NAMED.fullmatch(text)
        if match:
            return match[1], match[2]
        return re.sub("[^a-z0-9._-]+", "-", Path(text).stem.lower()).strip("-._"), text


class ScaleType(click.ParamType[tuple[int, int]]):
    """`N`, or `MIN:MAX`."""

    name = "N|MIN:MAX"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, int]:
        """Return the least and the most."""
        if isinstance(value, tuple):
            return value
        match = re.fullmatch(r"([1-9]\d{0,5})(?::([1-9]\d{0,5}))?", str(value))
        if match is None:
            self.fail(f"{value!r} found, expected a number such as 2, or a range such as 1:4", param, ctx)
        return int(match[1]), int(match[2] or match[1])


@click.command()
@click.option(
    "--model",
    "-m",
    "models",
    type=NamedModelType(),
    multiple=True,
    default=[("default", "default")],
    help="A model file and the name under which it is served; may be given several times, the first is the default. "
    "The page's choices need the names mirror, indoor-art, outdoor-art, and pretrained-mirror, pretrained-indoor-art, "
    "pretrained-outdoor-art; a single model under another name shows in all six. Default: the small model that comes "
    "with depthrt.",
)
@click.option("--host", default="127.0.0.1", show_default=True, help="0.0.0.0 listens on every network.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    envvar="PORT",
    default=8000,
    show_default=True,
    help="0 takes a free one. The variable PORT sets it too.",
)
@click.option("--device", type=click.Choice(DEVICES), default="auto", show_default=True, help="As in run.")
@click.option("--threads", type=click.IntRange(1), help="CPU threads of a network. Default: the usable cores.")
@click.option(
    "--workers",
    type=click.IntRange(1),
    default=2,
    show_default=True,
    help="Images that are decoded and encoded at once.",
)
@click.option(
    "--queue",
    "waiting",
    type=click.IntRange(0),
    default=32,
    show_default=True,
    help="Requests that may wait for a worker; more are answered 503.",
)
@click.option(
    "--timeout",
    "timeout_s",
    type=click.FloatRange(0, min_open=True),
    metavar="S",
    default=60.0,
    show_default=True,
    help="From the end of a request to its answer.",
)
@click.option(
    "--upload-timeout",
    "upload_timeout_s",
    type=click.FloatRange(0, min_open=True),
    metavar="S",
    default=30.0,
    show_default=True,
    help="For the body of a request.",
)
@click.option(
    "--drain",
    "drain_s",
    type=click.FloatRange(0),
    metavar="S",
    default=0.0,
    show_default=True,
    help="After SIGTERM, while /readyz says no: how long requests are still taken. 5 behind a load balancer.",
)
@click.option(
    "--max-body-mib", type=click.FloatRange(0, min_open=True), default=32.0, show_default=True, help="Largest body."
)
@click.option(
    "--max-connections",
    type=click.IntRange(1),
    default=500,
    show_default=True,
    help="Open at once; more are answered 503.",
)
@click.option("--max-pixels", type=click.IntRange(1), default=25_000_000, show_default=True, help="Largest image.")
@click.option(
    "--max-aspect", type=click.FloatRange(1), default=8.0, show_default=True, help="Longest to shortest side."
)
@click.option(
    "--ray",
    "with_ray",
    is_flag=True,
    help="Run the models in processes of Ray Serve (extra ray): on this machine, or on the cluster that the variable "
    "RAY_ADDRESS names.",
)
@click.option(
    "--replicas",
    type=ScaleType(),
    help="With --ray: number of processes that each load the models, or a range that follows the load. Default: 2.",
)
@click.option(
    "--api-key-file",
    type=PathType(),
    help=f"File with a key that requests must carry. The variable {API_KEY} may hold the key instead.",
)
@one_line_errors
def serve(
    models: tuple[tuple[str, str], ...],
    host: str,
    port: int,
    device: Device,
    threads: int | None,
    workers: int,
    waiting: int,
    timeout_s: float,
    upload_timeout_s: float,
    drain_s: float,
    max_body_mib: float,
    max_connections: int,
    max_pixels: int,
    max_aspect: float,
    with_ray: bool,
    replicas: tuple[int, int] | None,
    api_key_file: Path | None,
) -> None:
    """Serve depth over HTTP, with a page for people.

    The address is printed once the models are loaded, checked and warm; log lines are JSON on standard error.
    SIGTERM ends the service after every accepted request is answered.

    \b
    Example:
      depthrt serve
      depthrt serve --ray --replicas 1:4
      depthrt serve -m mirror=mirror.onnx -m pretrained-mirror=base.onnx --host 0.0.0.0
      curl -F file=@photo.jpg http://127.0.0.1:8000/infer -o output.png
      curl --data-binary @photo.jpg http://127.0.0.1:8000/v1/depth -o depth.npy
    """
    if replicas is not None and not with_ray:
        raise click.UsageError("--replicas is of Ray Serve; give --ray too")
    with needs("serve"):
        from ...serve.program import serve as serve_models
        from ...serve.replicas.scale import Scale
        from ...serve.settings import Settings
        from ...serve.watch.json_log import logs_as_json
    scale = Scale(*(replicas or _REPLICAS)) if with_ray else None
    if scale is not None:
        with needs("ray"):
            from ...serve.replicas import ray_replicas  # noqa: F401
    from ...engine.system.process.signals import exit_code

    if len({name for name, _ in models}) != len(models):
        raise InputError("two models have one name, expected a name each: --model NAME=FILE")
    settings = Settings(
        models=dict(models),
        device=device,
        threads=threads,
        workers=workers,
        waiting=waiting,
        timeout_s=timeout_s,
        upload_timeout_s=upload_timeout_s,
        drain_s=drain_s,
        max_body_mib=max_body_mib,
        max_connections=max_connections,
        max_pixels=max_pixels,
        max_aspect=max_aspect,
        api_key=_read_key(api_key_file),
    )
    with logs_as_json():
        serve_models(settings, host=host, port=port, on_ready=click.echo, scale=scale)
    sys.exit(exit_code())


def _read_key(path: Path | None) -> str | None:
    """Return the API key of a file, or of the environment, as arguments are seen by everybody on the machine."""
    if path is None:
        return os.environ.get(API_KEY) or None
    try:
        return path.read_text(encoding="ascii").strip()
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read as an API key: {error}; give a text file") from error
