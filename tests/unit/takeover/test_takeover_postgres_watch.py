"""How long a connection waits for a server that says nothing. No server here."""

from collections.abc import Generator

import pytest

from strangler.takeover.postgres_watch import Silent, Watch

URL = "postgresql://shop@db/catalog"
NOTHING, SOMETHING = 0, 1


def waiting() -> Generator[int, int, str]:
    """Wait to read, as psycopg does, until what comes is more than a sign of life."""
    while (yield 1) != 2:
        pass
    return "answered"


def ready_for(watch: Watch) -> Generator[int, int, str]:
    watched = watch.over(waiting(), 0.1)
    assert next(watched) == 1
    return watched


def test_where_nobody_may_write_a_silence_ends_after_as_many_polls_as_it_lasts():
    watch = Watch(URL)
    with watch.strictly(1.0):
        watched = ready_for(watch)
        for _ in range(9):
            watched.send(NOTHING)
        with pytest.raises(Silent, match="the database 'catalog' at db said nothing for 1 s"):
            watched.send(NOTHING)


def test_every_sign_of_life_begins_the_silence_anew():
    watch = Watch(URL)
    with watch.strictly(1.0):
        watched = ready_for(watch)
        for _ in range(5):
            for _ in range(9):
                watched.send(NOTHING)
            watched.send(SOMETHING)
        with pytest.raises(StopIteration, match="answered"):
            watched.send(2)


@pytest.mark.parametrize("endless", ["0", "-1"])
def test_an_address_that_asks_for_endless_patience_gets_it(endless):
    watched = ready_for(Watch(f"{URL}?tcp_user_timeout={endless}"))
    for _ in range(10_000):
        watched.send(NOTHING)


def test_the_servers_end_misses_its_client_as_soon_as_the_address_says():
    assert "SET tcp_user_timeout = 30000;" in Watch(URL).servers_end
    assert "SET tcp_user_timeout = 700;" in Watch(f"{URL}?tcp_user_timeout=700").servers_end
    assert "SET tcp_keepalives_idle = 10;" in Watch(URL).servers_end
    assert Watch(f"{URL}?keepalives=0").servers_end == ""


def test_a_server_that_lives_ends_its_waiting_before_its_silence_would_be_taken_for_death():
    watch = Watch(URL)
    assert watch.limits(20.0) == "SET LOCAL lock_timeout = '20000ms';"
    with watch.strictly(10.0):
        assert "lock_timeout = '5000ms'" in watch.limits(20.0)
        assert "lock_timeout = '300ms'" in watch.limits(0.3)
        assert "statement_timeout = '7500ms'" in watch.limits(20.0)
