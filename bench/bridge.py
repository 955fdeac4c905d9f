"""A bridge over a long time: `depthrt bridge` in its own process between a talker and a reader on loopback.

python -m depthrt.bench.bridge photos/ --minutes 60 --rate-hz 10 -o bridge.json

The talker sends images of 640x480 px in bgr8 and their CameraInfo; the reader takes every depth. Both are threads of
this process. Each minute of the result has the rates, the ages at the bridge and at the reader, and the memory.
"""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from statistics import median
from threading import Event, Thread
from time import monotonic, time_ns
from typing import IO, TYPE_CHECKING, Any

import click
import numpy as np

from ..engine.errors import InputError
from ..engine.modelfile.shipped import DEFAULT
from ..engine.system.files import try_place
from ..engine.system.machine import read_fields
from ..exits import needs, one_line_errors
from .bag import HEIGHT, WIDTH, Picture, find_pictures
from .machine.describe import describe_machine, describe_run
from .numbers.printable import write_json

if TYPE_CHECKING:
    from ..robots.bridge.session import Session

IMAGES = 20  # different ones, which the talker repeats
LATE_S = 1.5  # between two status lines, of which one a second is due
IN, OUT = "/bench/image_raw", "/answer/out"


@dataclass(frozen=True, slots=True)
class Minute:
    """A minute of the bridge.

    Args:
        lines: Status lines; 60 are due.
        sent: Images of the talker.
        read: Depths that the reader got.
        in_hz, out_hz: Medians of the status lines.
        dropped, failed: Images without depth.
        bridge_age_ms: From the arrival of an image to the moment when its depth was sent: median of the status lines'
            medians, largest of their 99th percentiles.
        reader_age_ms: From an image's stamp to the arrival of its depth at the reader: 50th and 99th percentile, most;
            both None in a minute without depth.
        memory_mib: Of the bridge at the end of the minute.
    """

    lines: int
    sent: int
    read: int
    in_hz: float
    out_hz: float
    dropped: int
    failed: int
    bridge_age_ms: tuple[float, float] | None
    reader_age_ms: tuple[float, float, float] | None
    memory_mib: float


@dataclass(slots=True)
class Reader:
    """Notes each depth that comes: its age in milliseconds since the image's stamp, and whether stamps go on."""

    ages_ms: list[float] = field(default_factory=list)
    backward: int = 0
    last_ns: int = 0

    def hear(self, stamp_ns: int) -> None:
        """Note a depth."""
        self.ages_ms.append((time_ns() - stamp_ns) / 1e6)
        self.backward += stamp_ns <= self.last_ns
        self.last_ns = stamp_ns


def talk(session: Session, pictures: Sequence[Picture], rate_hz: float, stopped: Event, sent: list[int]) -> None:
    """Send an image and its CameraInfo at each tick until it is stopped.

    Args:
        sent: Its only entry is the number of images so far.
    """
    from ..robots.messages.types import CameraInfo, Header, Image, RegionOfInterest, Time

    images, infos = session.publish(IN, Image), session.publish(f"{IN.rpartition('/')[0]}/camera_info", CameraInfo)
    k = np.array([525, 0, WIDTH / 2, 0, 525, HEIGHT / 2, 0, 0, 1], np.float64)
    p = np.hstack([k.reshape(3, 3), np.zeros((3, 1))]).reshape(-1)
    begun_s = monotonic()
    while not stopped.wait(max(begun_s + sent[0] / rate_hz - monotonic(), 0)):
        stamp_ns = time_ns()
        header = Header(Time(stamp_ns // 10**9, stamp_ns % 10**9), "camera")
        picture = pictures[sent[0] % len(pictures)]
        infos.put(
            CameraInfo(header, HEIGHT, WIDTH, "plumb_bob", np.zeros(5), k, np.eye(3).reshape(-1), p, 0, 0,
                       RegionOfInterest(0, 0, 0, 0, do_rectify=False))
        )  # fmt: skip
        images.put(Image(header, HEIGHT, WIDTH, "bgr8", 0, 3 * WIDTH, picture.reshape(-1)))
        sent[0] += 1


def measure(
    command: Sequence[str],
    session: Session,
    pictures: Sequence[Picture],
    *,
    rate_hz: float,
    minutes: int,
    lines_a_minute: int = 60,
) -> dict[str, Any]:
    """Run the bridge for some minutes; return what each was like.

    Args:
        command: Of the bridge, which prints JSON.
        session: Of the talker and the reader, to which the bridge connects.
    """
    reader, sent, stopped = Reader(), [0], Event()
    _listen(session, reader)
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as bridge:
        assert bridge.stdout is not None
        _next_status(bridge.stdout)
        talker = Thread(target=talk, args=(session, pictures, rate_hz, stopped, sent), name="talker")
        talker.start()
        found: list[Minute] = []
        late = 0
        try:
            before_s = _next_status(bridge.stdout)["time_s"]
            for _ in range(minutes):
                lines: list[dict[str, Any]] = []
                sent_before, read_before = sent[0], len(reader.ages_ms)
                while len(lines) < lines_a_minute:
                    lines.append(_next_status(bridge.stdout))
                    late += lines[-1]["time_s"] - before_s > LATE_S
                    before_s = lines[-1]["time_s"]
                memory_mib = int(read_fields(Path(f"/proc/{bridge.pid}/status"))["VmRSS"].split()[0]) / 1024
                found.append(_minute(lines, sent[0] - sent_before, reader.ages_ms[read_before:], memory_mib))
                click.echo(json.dumps({"minute": len(found), **asdict(found[-1])}), err=True)
        finally:
            stopped.set()
            talker.join()
            bridge.send_signal(signal.SIGTERM)
            exit_code = bridge.wait(30)
    return {
        "minutes": [asdict(minute) for minute in found],
        "lines": sum(minute.lines for minute in found),
        "late_lines": late,
        "sent": sent[0],
        "read": len(reader.ages_ms),
        "stamps_backward": reader.backward,
        "exit_code": exit_code,
    }


def summary(found: dict[str, Any]) -> dict[str, Any]:
    """Return the first and the last tenth of the minutes side by side: whether anything grows."""
    minutes = found["minutes"]
    tenth = max(len(minutes) // 10, 1)

    def of(part: list[dict[str, Any]]) -> dict[str, float | None]:
        def age(name: str, at: int) -> float | None:
            known = [minute[name][at] for minute in part if minute[name] is not None]
            return median(known) if known else None

        return {
            "out_hz": median(minute["out_hz"] for minute in part),
            "bridge_age_p50_ms": age("bridge_age_ms", 0),
            "reader_age_p50_ms": age("reader_age_ms", 0),
            "reader_age_p99_ms": age("reader_age_ms", 1),
            "memory_mib": median(minute["memory_mib"] for minute in part),
        }

    return {
        "first_tenth": of(minutes[:tenth]),
        "last_tenth": of(minutes[-tenth:]),
        "dropped": sum(minute["dropped"] for minute in minutes),
        "failed": sum(minute["failed"] for minute in minutes),
        "reader_age_most_ms": max((minute["reader_age_ms"] or [0])[-1] for minute in minutes),
    }


def _minute(lines: list[dict[str, Any]], sent: int, ages_ms: list[float], memory_mib: float) -> Minute:
    ages = [line["age_ms"] for line in lines if line["age_ms"] is not None]
    return Minute(
        len(lines),
        sent,
        len(ages_ms),
        median(line["in_hz"] for line in lines),
        median(line["out_hz"] for line in lines),
        sum(line["dropped"] for line in lines),
        sum(line["failed"] for line in lines),
        (median(age["p50"] for age in ages), max(age["p99"] for age in ages)) if ages else None,
        _spread(ages_ms) if ages_ms else None,
        round(memory_mib, 1),
    )


def _spread(ages_ms: list[float]) -> tuple[float, float, float]:
    p50, p99 = np.percentile(ages_ms, [50, 99])
    return round(float(p50), 1), round(float(p99), 1), round(max(ages_ms), 1)


def _listen(session: Session, reader: Reader) -> None:
    from ..robots.messages.types import Image, decode

    def hear(sample: Any) -> None:  # noqa: ANN401 (of zenoh)
        stamp = decode(sample.payload.to_bytes(), Image).header.stamp
        reader.hear(stamp.sec * 10**9 + stamp.nanosec)

    session.subscribe(OUT, Image, hear)


def _next_status(stream: IO[str]) -> dict[str, Any]:
    line = stream.readline()
    if not line:
        raise InputError("the bridge ended; read its lines above")
    found: dict[str, Any] = json.loads(line)
    return found


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


@click.command()
@click.argument("photos", nargs=-1, required=True)
@click.option("-m", "--model", default=DEFAULT, show_default=True, help="A model file.")
@click.option("--minutes", type=click.IntRange(1), default=60, show_default=True, help="Length.")
@click.option("--rate-hz", type=click.FloatRange(0.1), default=10.0, show_default=True, help="Of the talker.")
@click.option("--threads", type=click.IntRange(1), help="Of the bridge. Default: the usable cores.")
@click.option("-o", "--out", type=click.Path(path_type=Path), required=True, help="JSON file to write.")
@one_line_errors
def main(photos: tuple[str, ...], model: str, minutes: int, rate_hz: float, threads: int | None, out: Path) -> None:
    """Measure a bridge between a talker and a reader, and print the begin and the end side by side."""
    with needs("zenoh"):
        from ..robots.bridge.request import BridgeRequest
        from ..robots.bridge.session import Session
    started, start_s = datetime.now(timezone.utc), monotonic()
    try_place(out)
    pictures = find_pictures(photos, IMAGES)
    place = f"tcp/127.0.0.1:{_free_port()}"
    command = [sys.executable, "-m", "depthrt", "bridge", "--in", IN, "--out", OUT, "-m", model, "--json"]
    command += ["--connect", place, "--device", "cpu", *(["--threads", str(threads)] if threads else [])]
    machine = describe_machine()
    with Session(BridgeRequest(IN, node="depthrt_bench", listen=(place,))) as session:
        found = measure(command, session, pictures, rate_hz=rate_hz, minutes=minutes)
    typed = f"python -m depthrt.bench.bridge {' '.join(photos)} -m {model} --minutes {minutes} --rate-hz {rate_hz:g}"
    settings = {"image_px": f"{HEIGHT}x{WIDTH}", "rate_hz": f"{rate_hz:g}", "threads": str(threads or machine.cores)}
    result = {
        "machine": asdict(machine),
        "made": asdict(describe_run(typed, settings, started=started, took_s=monotonic() - start_s)),
        "summary": summary(found),
        **found,
    }
    write_json(out, result)
    click.echo(json.dumps(result["summary"], indent=1))


if __name__ == "__main__":
    main()
