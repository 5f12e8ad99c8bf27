"""The comparers under measurement, each made for what the service answered. Ours does more than the rest."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import jsondiff
from deepdiff import DeepDiff

from bench.compare.pairs import control, pair
from proxy.pairs import FrameReader, encode
from strangler.compare.judge import compare
from strangler.compare.store import Judged
from strangler.compare.writing import Writer

BATCH = 100  # as the comparer's process stores them

Run = Callable[[int], None]
Make = Callable[[bytes, Path], Run]


def ours(candidate: bytes, _: Path) -> Run:
    """Return our verdict: status, headers, cookies and body, under the shipped rules."""
    asked = pair(candidate)

    def run(times: int) -> None:
        for _ in range(times):
            compare(asked)

    return run


def our_process(candidate: bytes, folder: Path) -> Run:
    """Return what the comparer's process does: read the frame, judge, count and keep."""
    store = folder / f"{hash(candidate)}.sqlite3"
    frames = [encode(pair(candidate, number)) for number in range(BATCH)]

    def run(times: int) -> None:
        reader, writer = FrameReader(), Writer(store)
        for done in range(0, times, BATCH):
            pairs = [each for frame in frames[: times - done] for each in reader.feed(frame)]
            writer.record([Judged(each, compare(each)) for each in pairs])
        writer.close()

    return run


def with_deepdiff(candidate: bytes, _: Path) -> Run:
    """Return deepdiff on the parsed bodies."""
    ours = control()

    def run(times: int) -> None:
        for _ in range(times):
            DeepDiff(json.loads(ours), json.loads(candidate))

    return run


def with_jsondiff(candidate: bytes, _: Path) -> Run:
    """Return jsondiff on the parsed bodies."""
    ours = control()

    def run(times: int) -> None:
        for _ in range(times):
            jsondiff.diff(json.loads(ours), json.loads(candidate))

    return run


def parse_alone(candidate: bytes, _: Path) -> Run:
    """Return the floor: parse both and ask `==`, which says that they differ and never where."""
    ours = control()

    def run(times: int) -> None:
        for _ in range(times):
            json.loads(ours) == json.loads(candidate)  # noqa: B015 - asking is what is measured

    return run


COMPARERS: Mapping[str, Make] = {
    "ours": ours,
    "ours, whole process": our_process,
    "json.loads and ==": parse_alone,
    "deepdiff": with_deepdiff,
    "jsondiff": with_jsondiff,
}
