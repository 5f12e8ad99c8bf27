"""Note who writes a table on PostgreSQL, as SQL. Pure.

A statement's trigger notes a writer at most once in ten seconds, waits for no lock and so can neither block
nor be blocked, nor end in a deadlock or a conflict of snapshots: a row that is locked is not waited for, a
transaction with a snapshot of its own only inserts, and a serializable one does not even read. Full, the
table takes nobody more.
"""

from psycopg import sql

NOTING = "strangler_writers"

# What `strangler.django` writes before a statement names the process; the rest the server knows by itself.
CONTROL = """
CREATE TABLE IF NOT EXISTS strangler.writer (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    takeover text NOT NULL, relation text NOT NULL, process text NOT NULL, role text NOT NULL,
    application text NOT NULL, address text NOT NULL, times bigint NOT NULL DEFAULT 1,
    first_seen timestamptz NOT NULL DEFAULT clock_timestamp(),
    last_seen timestamptz NOT NULL DEFAULT clock_timestamp()) WITH (fillfactor = 50);
CREATE INDEX IF NOT EXISTS writer_known
    ON strangler.writer (takeover, relation, process, role, application, address);
CREATE OR REPLACE FUNCTION strangler.note_writer() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
  said text := coalesce(substring(left(current_query(), 300) FROM '^/\\* strangler: (.*?) \\*/'), '');
  app text := current_setting('application_name');
  host text := coalesce(host(inet_client_addr()), 'local');
  level text := current_setting('transaction_isolation');
  mark text := concat_ws(' ', TG_TABLE_NAME, floor(extract(epoch FROM clock_timestamp()) / 10), said);
  mine bigint;
BEGIN
  IF level = 'serializable' THEN
    IF current_setting('strangler.noted', true) = mark THEN
      RETURN NULL;
    END IF;
    PERFORM set_config('strangler.noted', mark, false);
  ELSIF EXISTS (SELECT FROM strangler.writer w
                WHERE w.takeover = TG_ARGV[0] AND relation = TG_TABLE_NAME AND process = said
                  AND role = session_user AND application = app AND address = host
                  AND last_seen > clock_timestamp() - interval '10 seconds') THEN
    RETURN NULL;
  END IF;
  IF EXISTS (SELECT FROM strangler.lease
             WHERE takeover = TG_ARGV[0] AND applying = pg_current_xact_id_if_assigned()) THEN
    RETURN NULL;
  END IF;
  IF level IN ('read committed', 'read uncommitted') THEN
    SELECT id INTO mine FROM strangler.writer w
    WHERE w.takeover = TG_ARGV[0] AND relation = TG_TABLE_NAME AND process = said
      AND role = session_user AND application = app AND address = host
    LIMIT 1 FOR UPDATE SKIP LOCKED;
    IF FOUND THEN
      UPDATE strangler.writer SET times = times + 1, last_seen = clock_timestamp() WHERE id = mine;
      RETURN NULL;
    END IF;
  END IF;
  IF pg_relation_size('strangler.writer') < 8388608 THEN
    INSERT INTO strangler.writer (takeover, relation, process, role, application, address)
    VALUES (TG_ARGV[0], TG_TABLE_NAME, said, session_user, app, host);
  END IF;
  RETURN NULL;
END $$;
"""
FORGET = "DELETE FROM strangler.writer WHERE takeover = %s"
SEEN = """
    SELECT relation, process, role, application, address, sum(times)::bigint,
           to_char(min(first_seen) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
           to_char(max(last_seen) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
    FROM strangler.writer WHERE takeover = %s
    GROUP BY relation, process, role, application, address
"""


def noting_trigger(table: str, takeover: str) -> sql.Composed:
    """Return what follows CREATE, or CREATE OR REPLACE, to note a table's writers."""
    return sql.SQL(
        "TRIGGER {} AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON {} FOR EACH STATEMENT"
        " EXECUTE FUNCTION strangler.note_writer({})"
    ).format(sql.Identifier(NOTING), sql.Identifier(table), sql.Literal(takeover))
