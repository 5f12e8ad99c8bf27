"""Fences as a takeover puts them up, for the tests of whoever meets one."""

from collections.abc import Iterator, Sequence

POSTGRES_FUNCTION = """
CREATE OR REPLACE FUNCTION strangler_fence() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF session_user = 'strangler_applier' THEN RETURN NULL; END IF;
  RAISE EXCEPTION 'strangler: table % moved (takeover %, epoch %)', TG_TABLE_NAME, TG_ARGV[0], TG_ARGV[1]
    USING ERRCODE = 'SF001';
END $$
"""


def fence(engine: str, tables: Sequence[str], group: str = "catalog", epoch: int = 3) -> Iterator[str]:
    """Yield the statements that close tables to every writer on an engine, `sqlite` or `postgresql`."""
    if engine == "sqlite":
        for table in tables:
            text = f"strangler: table {table} moved (takeover {group}, epoch {epoch})"
            for event in ("INSERT", "UPDATE", "DELETE"):
                yield (
                    f"CREATE TRIGGER strangler_fence_{event.lower()}_{table} BEFORE {event} ON {table}"
                    f" BEGIN SELECT RAISE(ABORT, '{text}'); END"
                )
        return
    yield POSTGRES_FUNCTION
    for table in tables:
        yield (
            "CREATE TRIGGER aaa_strangler_fence BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE"
            f" ON {table} FOR EACH STATEMENT EXECUTE FUNCTION strangler_fence('{group}', '{epoch}')"
        )
        yield f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER aaa_strangler_fence"


def unfence(engine: str, tables: Sequence[str]) -> Iterator[str]:
    """Yield the statements that open them again."""
    for table in tables:
        if engine == "sqlite":
            for event in ("insert", "update", "delete"):
                yield f"DROP TRIGGER strangler_fence_{event}_{table}"
        else:
            yield f"DROP TRIGGER aaa_strangler_fence ON {table}"
