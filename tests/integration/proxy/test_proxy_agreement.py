"""Whatever the proxy accepts, Django and Flask behind gunicorn see the very request that it decided on.

STRANGLER_FUZZ_EXAMPLES says how many examples are tried (60).
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise

import pytest
from echo import HEADER, ROUTES, heard
from gunicorn_origin import GunicornOrigin
from hypothesis import HealthCheck, event, example, given, settings
from hypothesis import strategies as st
from raw_client import Answer, BrokenOff, Client
from running_proxy import ALL, READS, RunningProxy, table
from wild_request import Pairs, Wild
from wild_strategies import SMUGGLED, wild_requests

EXAMPLES = int(os.environ.get("STRANGLER_FUZZ_EXAMPLES", "60"))
STAGES = {"kept": "monolith", "kept-fixed": "monolith", "written": "retired"}
OWN = {"HTTP_X_FORWARDED_FOR": "127.0.0.1", "HTTP_X_FORWARDED_PROTO": "http"}


def _route(name: str, path: str) -> str:
    methods, group = (ALL, "writes") if name == "written" else (READS, "reads")
    return (
        f'[[routes]]\nname = "{name}"\ngroup = "{group}"\npath = "{path}"\nmethods = {list(methods)}\n'
        f'stage = "{STAGES.get(name, "service")}"\nbreaker = {{ enabled = false }}\n'
    )


@dataclass
class Pair:
    """A proxy with both frameworks behind it, and how many whole requests each has counted."""

    proxy: RunningProxy
    counted: dict[str, int] = field(default_factory=lambda: {"monolith": 0, "service": 0})


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    folder = tmp_path_factory.mktemp("agreement")
    django, flask = GunicornOrigin(folder, "echo_django"), GunicornOrigin(folder, "echo_flask")
    text = table(django.url, flask.url, *(_route(name, path) for name, path in ROUTES.items()))
    running = RunningProxy(folder, text, "--debug", workers=1)
    yield Pair(running)
    for each in (running, django, flask):
        each.stop()


def _answers(port: int, requests: list[Wild], cuts: list[int]) -> list[Answer]:
    """Send requests one behind the other, cut into packets; return the answers until the connection ends."""
    data = b"".join(request.written() for request in requests)
    bounds = sorted({0, len(data), *(cut % len(data) for cut in cuts)})
    answers: list[Answer] = []
    with Client(port) as client:
        try:
            for start, end in pairwise(bounds):
                client.send(data[start:end])
        except OSError:
            pass  # refused before all of it was sent
        try:
            for request in requests:
                answers.append(client.answer(request.method.decode()))
                if "close" in answers[-1].values("Connection"):
                    break
        except (BrokenOff, ConnectionError):
            event("the connection broke off")
    return answers


def _judge(pair: Pair, request: Wild, answer: Answer) -> None:
    """Hold an answer against its request: refused by somebody, or seen exactly as it was meant."""
    if not answer.values(HEADER):
        event(f"refused with {answer.status}")
        assert not request.tame, answer
        assert answer.status in (400, 404), answer
        return
    event("seen")
    said = heard(answer.value(HEADER))
    environ, target = said["environ"], answer.value("X-Strangler-Target")
    before, pair.counted[target] = pair.counted[target], said["number"]
    assert said["number"] == before + 1  # nothing was smuggled in between
    _judge_route(request, said["view"], answer.value("X-Strangler-Route"), target)
    assert environ["SCRIPT_NAME"] == ""
    assert environ["PATH_INFO"].encode("latin-1") == request.path
    assert environ["QUERY_STRING"].encode("latin-1") == request.query[1:]
    assert environ["REQUEST_METHOD"].encode() == request.method
    assert environ["HTTP_HOST"].encode() == request.authority
    assert environ["HTTP_X_FORWARDED_HOST"].encode() == request.authority
    assert environ.get("HTTP_COOKIE", "").encode("latin-1") == request.cookies
    assert environ["wsgi.url_scheme"] == "http"
    assert said["body"] == request.digest
    own = OWN | {
        key: environ[key] for key in ("HTTP_X_REQUEST_ID", "HTTP_TRACEPARENT", "HTTP_X_FORWARDED_HOST")
    }
    assert _headers(environ) == request.wsgi_headers() | own


def _judge_route(request: Wild, view: str, route: str, target: str) -> None:
    named = "written" if view == "written" else view if request.method.decode() in READS else "-"
    assert named in (route, "-")
    assert (target == "service") == (STAGES.get(route, "service") != "monolith" and route != "-")


def _headers(environ: dict[str, str]) -> dict[str, str]:
    apart = ("HTTP_HOST", "HTTP_COOKIE", "HTTP_TE", "HTTP_CONNECTION", "HTTP_TRANSFER_ENCODING")
    return {key: value for key, value in environ.items() if key.startswith("HTTP_") and key not in apart}


def _asking(*segments: bytes, method: bytes = b"GET", headers: Pairs = (), body: bytes = b"") -> Wild:
    return Wild(method, segments, headers=headers, body=body)


@pytest.mark.timeout(max(300, EXAMPLES))
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    requests=st.lists(wild_requests(), min_size=1, max_size=3),
    cuts=st.lists(st.integers(0, 5000), max_size=4),
)
@example(requests=[_asking(b"m", b"s", b"1", b"", headers=[(b"SCRIPT_NAME", b"/m")])], cuts=[])
@example(requests=[_asking(b"m", b"%2e%2e", b"", b"%73", b"f%69xed", b"")], cuts=[])
@example(requests=[_asking(b"s", b"1", headers=[(b"X-Forwarded-Proto", b"https")])], cuts=[])
@example(requests=[_asking(b"s", headers=[(b"Cookie", b"a=1"), (b"Cookie", b"sessionid=2")])], cuts=[])
@example(requests=[_asking(b"w", b"1", method=b"POST", body=SMUGGLED), _asking(b"s", b"1", b"")], cuts=[150])
def test_what_is_accepted_is_seen_as_it_was_decided(
    pair: Pair, requests: list[Wild], cuts: list[int]
) -> None:
    answers = _answers(pair.proxy.port, requests, cuts)
    for request, answer in zip(requests, answers, strict=False):
        _judge(pair, request, answer)
