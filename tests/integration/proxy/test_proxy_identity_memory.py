"""What a worker remembers of the monolith's answers, and for how long."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from proxy.answer_head import AnswerHead
from proxy.errors import ForwardError
from proxy.exposition import exposition
from proxy.forgetting import Forgotten
from proxy.identity import ANSWER_SECONDS, CONNECT_SECONDS, MOST_REMEMBERED, REMEMBER_SECONDS, Identities
from proxy.metrics import Metrics
from proxy.question import Identified, Judgement, Question
from proxy.routes import Upstream
from proxy.upstream import Receiver

MONOLITH = Upstream("monolith", "http://m:1", "m", 1)


class FakePool:
    """A pool that keeps who asks, for the test to answer."""

    def __init__(self) -> None:
        self.asking: list[Receiver] = []
        self.asked = 0

    def of(self, upstream: Upstream) -> "FakePool":
        return self

    def ask(self, receiver: Receiver, connect_timeout: float) -> None:
        self.asked += 1
        self.asking.append(receiver)

    ask_fresh = ask

    def answer(self, *headers: tuple[bytes, bytes]) -> None:
        receiver = self.asking.pop(0)
        said = ((b"X-Strangler-Answer", b"identified"), (b"X-Strangler-Identity", b"t"))
        block = b"\r\n".join(b"%b: %b" % field for field in (*said, *headers))
        receiver.answer_head(AnswerHead(204, block))
        receiver.answer_end(None)


class Waiting:
    """Somebody who waits for a judgement."""

    def __init__(self) -> None:
        self.gone = False
        self.judgements: list[Judgement] = []

    def judged(self, judgement: Judgement) -> None:
        self.judgements.append(judgement)


class World:
    """Identities with a clock and a pool of the test's."""

    def __init__(self, file: Path) -> None:
        self.now = 1000.0
        self.pool = FakePool()
        self.forgotten = Forgotten(file)
        self.identities = Identities(
            self.pool,
            self.forgotten,
            Metrics(file.parent),
            session_cookie=b"sessionid",
            service_key=b"k",
            clock=lambda: self.now,
        )

    def ask(self, session: str = "alice", *, remember: bool = True) -> Waiting:
        waiting = Waiting()
        key = session.encode() if remember else None
        self.identities.ask(Question(session, key, MONOLITH, b""), waiting)
        return waiting


KNOWN = [Identified(b"t", b"")]
UNKNOWN = [ForwardError.IDENTITY_UNKNOWN]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path / "forgotten")
    yield made
    made.identities.close()


def test_an_answer_holds_for_its_seconds_and_no_longer(world: World) -> None:
    world.ask()
    world.pool.answer()
    world.now += REMEMBER_SECONDS - 0.01
    assert world.ask().judgements == KNOWN
    assert world.pool.asked == 1
    world.now += 0.01
    assert world.ask().judgements == []
    assert world.pool.asked == 2


def test_every_question_is_counted_by_what_came_of_it(world: World, tmp_path: Path) -> None:
    world.ask()
    world.pool.answer()
    world.ask()
    world.ask("bob")
    world.identities.sweep(world.now + CONNECT_SECONDS + ANSWER_SECONDS + 0.01)
    counted = exposition(tmp_path).decode()
    for outcome in ("identified", "remembered", "unknown"):
        assert f'strangler_identity_questions_total{{outcome="{outcome}"}} 1.0' in counted


def test_what_has_no_key_is_asked_each_time(world: World) -> None:
    first, second = world.ask(remember=False), world.ask(remember=False)
    world.pool.answer()
    assert (first.judgements, second.judgements) == (KNOWN, [])
    assert world.ask(remember=False).judgements == []
    assert world.pool.asked == 3


def test_nobody_joins_a_question_asked_before_a_logout(world: World) -> None:
    before = world.ask()
    world.forgotten.forget("alice")
    after = world.ask()
    assert world.pool.asked == 2
    world.pool.answer()
    assert (before.judgements, after.judgements) == (KNOWN, [])
    assert world.ask().judgements == []  # joins the second
    assert world.pool.asked == 2


def test_an_answer_that_ends_the_session_is_not_remembered(world: World) -> None:
    world.ask()
    world.pool.answer((b"Set-Cookie", b'sessionid=""; Max-Age=0'))
    assert world.ask().judgements == []


def test_a_question_without_an_answer_is_given_up_in_time(world: World) -> None:
    waiting = world.ask()
    world.identities.sweep(world.now + CONNECT_SECONDS + ANSWER_SECONDS)
    assert waiting.judgements == []
    world.identities.sweep(world.now + CONNECT_SECONDS + ANSWER_SECONDS + 0.01)
    assert waiting.judgements == UNKNOWN
    assert world.pool.asking[0].gone
    world.ask()
    assert world.pool.asked == 2


@pytest.mark.parametrize(("clean", "asked"), [(True, 2), (False, 1)])
def test_only_a_kept_connection_that_closed_is_asked_again(world: World, clean: bool, asked: int) -> None:
    waiting = world.ask()
    world.pool.asking.pop().answer_lost(ForwardError.UPSTREAM_RESET, clean=clean)
    assert world.pool.asked == asked
    if clean:
        world.pool.asking.pop().answer_lost(ForwardError.UPSTREAM_RESET, clean=True)
    assert waiting.judgements == UNKNOWN


def test_whoever_left_is_told_nothing(world: World) -> None:
    gone, stays = world.ask(), world.ask()
    gone.gone = True
    world.pool.answer()
    assert (gone.judgements, stays.judgements) == ([], KNOWN)


def test_memory_is_bounded_and_the_oldest_goes_first(world: World) -> None:
    for number in range(MOST_REMEMBERED + 1):
        world.ask(f"s{number}")
        world.pool.answer()
    assert world.ask("s1").judgements == KNOWN
    assert world.ask("s0").judgements == []


def test_a_sweep_forgets_only_what_is_too_old(world: World) -> None:
    world.ask("old")
    world.pool.answer()
    world.now += 3
    world.ask("new")
    world.pool.answer()
    world.identities.sweep(world.now + 2)
    assert world.ask("old").judgements == []
    assert world.ask("new").judgements == KNOWN
