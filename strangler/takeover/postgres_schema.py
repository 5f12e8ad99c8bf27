"""The takeover's own schema, triggers and catalogue questions on PostgreSQL, as SQL. Pure.

The fence is a statement's trigger that is ENABLE ALWAYS: it refuses an UPDATE of no row, TRUNCATE, COPY,
older snapshots, prepared statements, superusers and replicas. It lets two kinds of transaction through: the
one that wrote its own number into the lease and has not ended, as only who may write there can; and one that
wrote it into `strangler.rehearsal`, as everybody may, since a trigger refuses every commit after that.
"""

from collections.abc import Iterator

from psycopg import sql

from strangler.takeover import standard_sql
from strangler.takeover.records import Records
from strangler.takeover.shape import Column, Constant, Shape

RECORDS = Records("strangler.", "%s")

FENCE = "aaa_strangler_fence"  # triggers run in the order of their names
KEYS_AN_ENTRY = 500_000  # about 10 MB of numbers while it is written
CAPTURE_ROW, CAPTURE_TABLE = "strangler_capture_key", "strangler_capture_truncate"

CONTROL = """
CREATE SCHEMA IF NOT EXISTS strangler;
CREATE TABLE IF NOT EXISTS strangler.owner (takeover text NOT NULL, epoch int NOT NULL, owner text NOT NULL,
    outcome text NOT NULL, position text NOT NULL, decided_by text NOT NULL,
    at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (takeover, epoch));
CREATE TABLE IF NOT EXISTS strangler.lease (takeover text PRIMARY KEY, epoch int NOT NULL,
    token text NOT NULL, holder text NOT NULL, applying xid8);
CREATE TABLE IF NOT EXISTS strangler.note (takeover text NOT NULL, name text NOT NULL, body text NOT NULL,
    PRIMARY KEY (takeover, name));
CREATE TABLE IF NOT EXISTS strangler.rehearsal (xid xid8 NOT NULL DEFAULT pg_current_xact_id());
CREATE OR REPLACE FUNCTION strangler.refuse_to_keep() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog AS $$ BEGIN
  RAISE EXCEPTION 'strangler: a rehearsal cannot be kept' USING ERRCODE = 'SF002';
END $$;
DROP TRIGGER IF EXISTS never_kept ON strangler.rehearsal;
CREATE CONSTRAINT TRIGGER never_kept AFTER INSERT ON strangler.rehearsal DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION strangler.refuse_to_keep();
ALTER TABLE strangler.rehearsal ENABLE ALWAYS TRIGGER never_kept;
GRANT USAGE ON SCHEMA strangler TO PUBLIC;
GRANT INSERT ON strangler.rehearsal TO PUBLIC;
GRANT SELECT ON strangler.note TO PUBLIC;
CREATE OR REPLACE FUNCTION strangler.strangler_fence() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$ BEGIN
  IF EXISTS (SELECT FROM strangler.lease
             WHERE takeover = TG_ARGV[0] AND applying = pg_current_xact_id_if_assigned())
     OR EXISTS (SELECT FROM strangler.rehearsal WHERE xid = pg_current_xact_id_if_assigned()) THEN
    RETURN NULL;
  END IF;
  RAISE EXCEPTION 'strangler: table % moved (takeover %, epoch %)', TG_TABLE_NAME, TG_ARGV[0], TG_ARGV[1]
    USING ERRCODE = 'SF001';
END $$;
"""

COLUMNS = """
    SELECT attname, format_type(atttypid, atttypmod), attnotnull AND NOT atthasdef AND attidentity = '',
           CASE WHEN attcollation <> typcollation
                THEN quote_ident(collnamespace::regnamespace::text) || '.' || quote_ident(collname) END,
           NOT coalesce(collisdeterministic, true), attnotnull
    FROM pg_attribute JOIN pg_type t ON t.oid = atttypid LEFT JOIN pg_collation c ON c.oid = attcollation
    WHERE attrelid = to_regclass(%s) AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
"""
COLUMNS_NOW = """
    SELECT relname, attname, format_type(atttypid, atttypmod)
    FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
    WHERE attrelid = ANY(%s::regclass[]) AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
"""
# The primary key first, then what is unique and never NULL.
KEYS = """
    SELECT array(SELECT attname::text FROM unnest(indkey) WITH ORDINALITY AS part (number, place)
                 JOIN pg_attribute ON attrelid = indrelid AND attnum = part.number
                 WHERE part.place <= indnkeyatts ORDER BY part.place)
    FROM pg_index
    WHERE indrelid = to_regclass(%s) AND indisunique AND indisvalid AND indpred IS NULL AND indexprs IS NULL
      AND NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = indrelid AND NOT attnotnull
                      AND attnum = ANY ((indkey::int2[])[0:indnkeyatts - 1]))
    ORDER BY indisprimary DESC, indnkeyatts, indexrelid::regclass::text
"""
SEQUENCES = """
    SELECT relname, attname, pg_get_serial_sequence(named, attname)
    FROM unnest(%s::text[]) AS named JOIN pg_class ON pg_class.oid = to_regclass(named)
         JOIN pg_attribute ON attrelid = pg_class.oid
    WHERE attnum > 0 AND NOT attisdropped AND pg_get_serial_sequence(named, attname) IS NOT NULL
"""
START_IDS = """
    SELECT setval(sequence, greatest(number, pg_sequence_last_value(sequence)))
    FROM (SELECT pg_get_serial_sequence(named, attname)::regclass AS sequence, number
          FROM unnest(%s::text[], %s::bigint[]) AS wanted (named, number)
               JOIN pg_attribute ON attrelid = to_regclass(named)
          WHERE attnum > 0 AND NOT attisdropped) AS owned
    WHERE sequence IS NOT NULL AND number > 0
"""
REFERS_TO = """
    SELECT relname
    FROM pg_constraint JOIN pg_class ON pg_class.oid = confrelid
    WHERE conrelid = to_regclass(%s) AND contype = 'f'
"""
REFERENCES = """
    SELECT c.conrelid::regclass::text, array(SELECT attname::text FROM unnest(c.conkey) k JOIN pg_attribute
               ON attrelid = c.conrelid AND attnum = k), c.confrelid::regclass::text,
           c.confdeltype, c.confupdtype, c.condeferrable
    FROM pg_constraint c WHERE c.contype = 'f' AND c.conparentid = 0
"""
ACTIONS = {"a": "NO ACTION", "r": "RESTRICT", "c": "CASCADE", "n": "SET NULL", "d": "SET DEFAULT"}
OWN_CONSTRAINTS = """
    SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid)
    FROM pg_constraint
    WHERE contype = 'f' AND conparentid = 0
      AND conrelid = ANY(%s::regclass[]) AND confrelid = ANY(%s::regclass[])
"""
# The last: BEFORE UPDATE FOR EACH ROW, which may set what a statement does not name, the key too.
TRIGGERS = """
    SELECT relname, tgname, tgenabled = 'A', encode(tgargs, 'escape'), tgattr::text <> '', tgtype & 19 = 19
    FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid
    WHERE tgrelid = ANY(%s::regclass[]) AND NOT tgisinternal
"""
# Who keeps writers' locks on the tables: `CREATE TRIGGER` waits for exactly these; a new name for
# readers too.
HOLDERS = """
    SELECT DISTINCT a.pid, coalesce(date_trunc('milliseconds', clock_timestamp() - a.xact_start)::text, '?'),
           a.state, left(regexp_replace(a.query, '\\s+', ' ', 'g'), 120)
    FROM pg_locks l JOIN pg_stat_activity a USING (pid)
    WHERE l.relation = ANY(%s::regclass[]) AND l.granted AND l.pid <> pg_backend_pid()
      AND (%s OR l.mode IN ('RowExclusiveLock', 'ShareUpdateExclusiveLock', 'ShareLock',
                            'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock'))
"""
# Without `pg_read_all_stats` both views hide what others do: that is no figure, not even 0.
LOAD = """
    SELECT (SELECT coalesce(max(extract(epoch FROM replay_lag)), 0)::float8 FROM pg_stat_replication),
           (SELECT count(*)::int FROM pg_stat_activity
            WHERE datname = current_database() AND state = 'active' AND backend_type = 'client backend'
              AND application_name NOT LIKE 'strangler%')
    WHERE pg_has_role('pg_read_all_stats', 'USAGE')
"""
SESSION = """
    SET TimeZone = 'UTC'; SET DateStyle = 'ISO, YMD'; SET IntervalStyle = 'postgres';
    SET extra_float_digits = 1; SET bytea_output = 'hex'; SET client_encoding = 'UTF8';
    SET enable_hashjoin = off; SET enable_mergejoin = off; SET jit = off;
    SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0;
"""


def log_of(table: str) -> sql.Identifier:
    """Return the name of a table's log."""
    return sql.Identifier("strangler", f"log_{table}")


def names(columns: tuple[str, ...], alias: str = "") -> sql.Composed:
    """Return columns quoted, with commas."""
    return sql.SQL(", ").join(
        sql.Identifier(alias, name) if alias else sql.Identifier(name) for name in columns
    )


def selected(columns: tuple[Column, ...], alias: str = "") -> sql.Composed:
    """Return what is read of a row, with commas."""
    return sql.SQL(", ").join(
        _constant(column) if isinstance(column, Constant) else names((column,), alias) for column in columns
    )


def rows_of(shape: Shape) -> sql.SQL:
    """Return what stands behind FROM, before a name, for the rows of a table, or of one and its parts."""
    return sql.SQL(standard_sql.rows_of(shape, _literal))


def filling_gaps(shape: Shape) -> Iterator[sql.SQL]:
    """Yield the statements that give every row the rows that its parts lack."""
    return map(sql.SQL, standard_sql.filling_gaps(shape, _literal))


def _literal(constant: Constant) -> str:
    return _constant(constant).as_string()


def _constant(constant: Constant) -> sql.Composed:
    as_type = sql.SQL("::" + constant.type if constant.type else "")
    return sql.SQL("{}{}").format(sql.Literal(constant.value), as_type)


def log_table(shape: Shape) -> sql.Composed:
    """Return the statements that make a table's log, without an index: writers pay for it.

    An entry has the keys of one statement, or of a part of it: a list a column. One without lists says that
    all rows went at once.
    """
    log = log_of(shape.table)
    columns = sql.SQL(", ").join(
        sql.SQL("{} {}[]{}").format(
            sql.Identifier(name), sql.SQL(kind), sql.SQL(_collated(shape.collations.get(name)))
        )
        for name, kind in zip(shape.key, shape.types(shape.key), strict=True)
    )
    # Long lists go to the side as they are: compressing them takes longer than logging them.
    stored = (
        sql.SQL("ALTER TABLE {} ALTER {} SET STORAGE EXTERNAL").format(log, sql.Identifier(name))
        for name in shape.key
    )
    make = sql.SQL(
        "CREATE TABLE IF NOT EXISTS {} (strangler_xid xid8 NOT NULL DEFAULT pg_current_xact_id(), {})"
        " WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000)"
    ).format(log, columns)
    return sql.SQL("; ").join([make, *stored])


def _collated(collation: str | None) -> str:
    # Keys that were logged are compared with how far a copy has come: in the order of the table.
    return f" COLLATE {collation}" if collation else ""


def capture_functions(shape: Shape, keys_an_entry: int = KEYS_AN_ENTRY) -> list[sql.Composed]:
    """Return the statements that make the functions of a table's capture triggers."""
    log = log_of(shape.table)
    both = sql.SQL(", ").join(
        sql.SQL("ARRAY[{}, {}]").format(sql.Identifier("old", name), sql.Identifier("new", name))
        for name in shape.key
    )
    bodies = {
        "written": _written(shape, keys_an_entry),
        "moved": sql.SQL("BEGIN INSERT INTO {} ({}) VALUES ({}); RETURN NULL; END").format(
            log, names(shape.key), both
        ),
        "truncated": sql.SQL("BEGIN INSERT INTO {} DEFAULT VALUES; RETURN NULL; END").format(log),
    }
    return [
        sql.SQL(
            "CREATE OR REPLACE FUNCTION {} () RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER"
            " SET search_path = pg_catalog AS $strangler$ {} $strangler$"
        ).format(function_of(shape.table, what), body)
        for what, body in bodies.items()
    ]


def _written(shape: Shape, most: int) -> sql.Composed:
    """Log a statement's keys as one list, or as several where it would not fit into a writer's memory."""
    key = names(shape.key)
    lists = sql.SQL(", ").join(sql.SQL("array_agg({})").format(sql.Identifier(name)) for name in shape.key)
    return sql.SQL(
        "DECLARE strangler_done bigint := 0; strangler_more bigint; BEGIN LOOP"
        " INSERT INTO {log} ({key}) SELECT {lists}"
        " FROM (SELECT {key} FROM strangler_rows OFFSET strangler_done LIMIT {most}) AS part"
        " HAVING count(*) > 0 RETURNING cardinality({first}) INTO strangler_more;"
        " EXIT WHEN strangler_more IS NULL OR strangler_more < {most};"
        " strangler_done := strangler_done + strangler_more;"
        " END LOOP; RETURN NULL; END"
    ).format(
        log=log_of(shape.table),
        key=key,
        lists=lists,
        first=sql.Identifier(shape.key[0]),
        most=sql.Literal(most),
    )


def function_of(table: str, what: str) -> sql.Identifier:
    """Return the name of one of a table's capture functions."""
    return sql.Identifier("strangler", f"{what}_{table}")


def capture_triggers(shape: Shape, *, keys_set_by_triggers: bool = True) -> dict[str, sql.Composed]:
    """Return the triggers that log keys, by name, each as what follows CREATE: keys alone, one INSERT a
    statement.

    A change of the key is logged by a row's trigger: of statements that name the key, where none but they can
    set it, which costs the others nothing; else of every statement.
    """
    table = sql.Identifier(shape.table)
    written, moved, truncated = (function_of(shape.table, what) for what in ("written", "moved", "truncated"))
    made = {}
    for event, rows in (("INSERT", "NEW"), ("UPDATE", "NEW"), ("DELETE", "OLD")):
        name = f"strangler_capture_{event.lower()}"
        made[name] = sql.SQL(
            "TRIGGER {} AFTER {} ON {} REFERENCING {} TABLE AS strangler_rows"
            " FOR EACH STATEMENT EXECUTE FUNCTION {}()"
        ).format(sql.Identifier(name), sql.SQL(event), table, sql.SQL(rows), written)
    made[CAPTURE_ROW] = sql.SQL(
        "TRIGGER {} AFTER UPDATE {} ON {} FOR EACH ROW"
        " WHEN (ROW({}) IS DISTINCT FROM ROW({})) EXECUTE FUNCTION {}()"
    ).format(
        sql.Identifier(CAPTURE_ROW),
        sql.SQL("") if keys_set_by_triggers else sql.SQL("OF {}").format(names(shape.key)),
        table,
        names(shape.key, "old"),
        names(shape.key, "new"),
        moved,
    )
    made[CAPTURE_TABLE] = sql.SQL(
        "TRIGGER {} AFTER TRUNCATE ON {} FOR EACH STATEMENT EXECUTE FUNCTION {}()"
    ).format(sql.Identifier(CAPTURE_TABLE), table, truncated)
    return made


def fence_trigger(table: str, takeover: str, epoch: int) -> sql.Composed:
    """Return what follows CREATE, or CREATE OR REPLACE, to make a table's fence."""
    return sql.SQL(
        "TRIGGER {} BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON {} FOR EACH STATEMENT"
        " EXECUTE FUNCTION strangler.strangler_fence({}, {})"
    ).format(sql.Identifier(FENCE), sql.Identifier(table), sql.Literal(takeover), sql.Literal(str(epoch)))
