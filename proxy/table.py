"""Read `routes.toml` into a RouteTable, or say everything that is wrong with it. Pure: text in, table out.

A table that contradicts itself is refused here, so that no later part has to doubt one: unknown keys and
names, duplicate ids, overlapping routes, and routes that would let two databases take a group's writes.
"""

import re
import tomllib
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any
from urllib.parse import urlsplit

from proxy.match import BadPath, Template, parse_template
from proxy.routes import (
    MONOLITH,
    Group,
    Owner,
    Route,
    RouteTable,
    Stage,
    Timeouts,
    Upstream,
    frozen,
    version_of,
)
from proxy.table_options import read_breaker, read_fallback, read_gate, read_pin, read_retreat

NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
REHEARSAL_KEY = "STRANGLER_REHEARSAL_KEY"  # the name of a variable
REHEARSAL_KEY_CHARACTERS = 16  # as monolith and services want them
METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE")


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with a table: where, what stands there, what would be right."""

    key: str
    found: str
    wanted: str

    def __str__(self) -> str:
        return f"{self.key}: found {self.found}, wanted {self.wanted}"


class TableError(ValueError):
    """The text is not a sound routing table. `problems` lists every reason found."""

    def __init__(self, file: str, problems: tuple[Problem, ...]) -> None:
        super().__init__(f"{file}: " + "; ".join(map(str, problems)))
        self.file = file
        self.problems = problems


def parse_table(text: str, file: str, *, rehearses: bool = True) -> RouteTable:
    """Return the table that `text` describes. Raises TableError with every problem, naming `file`.

    `rehearses`: whether whoever loads it has a key for rehearsals; one who only edits it need not.
    """
    try:
        document = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise TableError(file, (Problem("TOML", str(error), "valid TOML"),)) from None
    problems: list[Problem] = []
    table = _read_document(Section(document, "", problems), version_of(text))
    if not problems:
        problems += _contradictions(table)
        problems += _keyless_rehearsals(table) if not rehearses else []
    if problems:
        raise TableError(file, tuple(problems))
    return table


class Section:
    """One TOML table while it is read: typed access to its keys, complaints collected, leftovers named."""

    def __init__(self, values: dict[str, Any], at: str, problems: list[Problem]) -> None:
        self._values = values
        self._at = at
        self._problems = problems
        self._known: list[str] = []

    def key(self, name: str) -> str:
        return f"{self._at}.{name}" if self._at else name

    def complain(self, name: str, found: object, wanted: str) -> None:
        self._problems.append(Problem(self.key(name), str(found), wanted))

    def take(self, name: str, kinds: tuple[type, ...], wanted: str, default: Any = None) -> Any:
        """Return the value of a key, `default` where it is absent or of another kind (with a complaint)."""
        self._known.append(name)
        if name not in self._values:
            if default is None:
                self.complain(name, "nothing", wanted)
            return default
        value = self._values[name]
        if not isinstance(value, kinds) or isinstance(value, bool) > (bool in kinds):
            self.complain(name, repr(value), wanted)
            return default
        return value

    def text(self, name: str, wanted: str, pattern: re.Pattern[str] | None = None) -> str:
        value: str | None = self.take(name, (str,), wanted)
        if value is not None and not (pattern.fullmatch(value) if pattern else value):
            self.complain(name, repr(value), wanted)
        return value or ""

    def number(self, name: str, low: float, high: float, default: float) -> float:
        wanted = f"a number from {low:g} to {high:g}"
        value = float(self.take(name, (int, float), wanted, default))
        if not low <= value <= high:
            self.complain(name, f"{value:g}", wanted)
            return default
        return value

    def whole(self, name: str, low: int, high: int, default: int) -> int:
        wanted = f"a whole number from {low} to {high}"
        value: int = self.take(name, (int,), wanted, default)
        if not low <= value <= high:
            self.complain(name, str(value), wanted)
            return default
        return value

    def one_of(self, name: str, choices: list[str], wanted: str) -> str:
        """Return a value that must be one of `choices`; a near miss is named in the complaint."""
        value: str | None = self.take(name, (str,), wanted)
        if value is None or value in choices:
            return value or ""
        near = get_close_matches(value, choices, 1)
        self.complain(name, repr(value), wanted + (f" (did you mean '{near[0]}'?)" if near else ""))
        return ""

    def texts(self, name: str, wanted: str) -> tuple[str, ...]:
        value: list[Any] | None = self.take(name, (list,), wanted)
        if value is None:
            return ()
        if not value or not all(isinstance(item, str) for item in value) or len(set(value)) < len(value):
            self.complain(name, repr(value), wanted)
            return ()
        return tuple(value)

    def has(self, name: str) -> bool:
        """Return whether a key is there at all."""
        return name in self._values

    def inner(self, name: str) -> "Section":
        """Return the table at a key, an empty one where it is absent."""
        return Section(self.take(name, (dict,), "a table", {}) or {}, self.key(name), self._problems)

    def tables(self, name: str) -> dict[str, "Section"]:
        """Return the named tables below a key."""
        found = self.take(name, (dict,), "a table of tables", {}) or {}
        sections = {}
        for item, values in found.items():
            if not NAME.fullmatch(item):
                self.complain(f"{name}.{item}", repr(item), "a name of a-z, 0-9, '.', '_', '-'")
            if isinstance(values, dict):
                sections[item] = Section(values, self.key(f"{name}.{item}"), self._problems)
            else:
                self.complain(f"{name}.{item}", repr(values), "a table")
        return sections

    def array(self, name: str) -> list["Section"]:
        """Return the tables of an array of tables."""
        found = self.take(name, (list,), "an array of tables", []) or []
        sections = []
        for index, values in enumerate(found):
            label = f"{name}[{index}]"
            if isinstance(values, dict):
                sections.append(Section(values, self.key(label), self._problems))
            else:
                self.complain(label, repr(values), "a table")
        return sections

    def close(self) -> None:
        """Complain about every key that nobody asked for."""
        for name in sorted(self._values.keys() - set(self._known)):
            near = get_close_matches(name, self._known, 1)
            wanted = f"{near[0]!r}" if near else "one of " + ", ".join(self._known)
            self.complain(name, "an unknown key", wanted)


def _read_document(section: Section, version: str) -> RouteTable:
    if section.take("version", (int,), "1") not in (1, None):
        section.complain("version", "another version", "1")
    upstreams = {name: _read_upstream(name, part) for name, part in section.tables("upstreams").items()}
    if MONOLITH not in upstreams:
        section.complain("upstreams.monolith", "nothing", "the upstream that answers what no route names")
    services = sorted(upstreams.keys() - {MONOLITH})
    groups = {name: _read_group(name, part, services) for name, part in section.tables("groups").items()}
    routes: dict[str, Route] = {}
    for part in section.array("routes"):
        route = _read_route(part, sorted(groups))
        if route.name in routes:
            part.complain("name", repr(route.name), "a name no other route has")
        routes[route.name] = route
    section.close()
    return RouteTable(version, frozen(upstreams), frozen(groups), frozen(routes))


def _read_upstream(name: str, section: Section) -> Upstream:
    wanted = "http://HOST:PORT"
    url = section.text("url", wanted)
    host, port = _authority(url)
    if url and not host:
        section.complain("url", repr(url), wanted)
    health = section.take("health", (str,), "a path such as '/healthz'", "")
    if health and not health.startswith("/"):
        section.complain("health", repr(health), "a path such as '/healthz'")
    section.close()
    return Upstream(name, url, host, port, health or None)


def _authority(url: str) -> tuple[str, int]:
    """Return host and port of an upstream's URL, ("", 0) when it is not one."""
    try:
        parts = urlsplit(url)
        port = parts.port or 80
    except ValueError:
        return "", 0
    extra = parts.path.strip("/") or parts.query or parts.fragment or parts.username
    if parts.scheme != "http" or not parts.hostname or extra:
        return "", 0
    return parts.hostname, port


def _read_group(name: str, section: Section, services: list[str]) -> Group:
    group = Group(
        name=name,
        service=section.one_of("service", services, "an upstream other than 'monolith'"),
        tables=section.texts("tables", "a list of different table names"),
        owner=Owner(section.one_of("owner", list(Owner), "'monolith' or 'service'") or Owner.MONOLITH),
    )
    section.close()
    return group


def _read_route(section: Section, groups: list[str]) -> Route:
    name = section.text("name", "an id of a-z, 0-9, '.', '_', '-'", NAME)
    group = section.one_of("group", groups, "the name of a group")
    stages = ", ".join(Stage)
    stage = Stage(section.one_of("stage", list(Stage), f"one of {stages}") or Stage.MONOLITH)
    shadow = section.inner("shadow")
    breaker = read_breaker(section.inner("breaker"))
    retreat = read_retreat(section.inner("retreat"))
    route = Route(
        name=name,
        group=group,
        path=_read_path(section),
        methods=_read_methods(section),
        stage=stage,
        percent=_read_percent(section, stage),
        shadow_percent=shadow.number("percent", 0, 100, 100.0 if stage is Stage.SHADOW else 0.0),
        timeouts=_read_timeouts(section.inner("timeouts")),
        fallback=read_fallback(section.inner("fallback")),
        breaker=breaker if section.has("breaker") else None,
        pin=read_pin(section.inner("pin")),
        gate=read_gate(section.inner("gate")),
        retreat=retreat if section.has("retreat") else None,
        websocket=_read_websocket(section),
        rehearse=shadow.take("rehearse", (bool,), "true or false", default=False),
    )
    for part in (shadow, section):
        part.close()
    return route


def _read_timeouts(section: Section) -> Timeouts:
    connect = section.number("connect", 0.01, 60, Timeouts().connect)
    head = section.number("head", 0.01, 3600, Timeouts().head)
    one_try = round(connect + head, 6)
    total = section.number("total", one_try, 7200, max(one_try, Timeouts().total))
    section.close()
    return Timeouts(connect, head, total)


def _read_path(section: Section) -> str:
    path = section.text("path", "a path template such as '/api/products/{id}/'")
    if path:
        try:
            parse_template(path)
        except BadPath as error:
            section.complain("path", repr(path), str(error))
    return path


def _read_methods(section: Section) -> tuple[str, ...]:
    wanted = "a list of different methods of " + ", ".join(METHODS)
    methods = section.texts("methods", wanted)
    if any(method not in METHODS for method in methods):
        section.complain("methods", repr(list(methods)), wanted)
    return methods


def _read_websocket(section: Section) -> bool:
    asked: bool = section.take("websocket", (bool,), "true or false", default=False)
    if asked and "GET" not in (section.take("methods", (list,), "a list", []) or []):
        section.complain("websocket", "a route without GET", "GET among its methods")  # RFC 6455 4.1
    return asked


def _read_percent(section: Section, stage: Stage) -> float:
    if stage is not Stage.CANARY:
        if section.take("percent", (int, float), "no percent", 0) != 0:
            section.complain("percent", f"a percent at stage {stage}", "none; only a canary has one")
        return 0.0
    wanted = "a canary's share from 0.01 to 100 in steps of 0.01"
    percent: float | None = section.take("percent", (int, float), wanted)
    if percent is None:
        return 0.0
    hundredths = round(percent * 100, 6)
    if not (1 <= hundredths <= 10_000 and hundredths == int(hundredths)):
        section.complain("percent", f"{percent:g}", wanted)
    return float(percent)


def _contradictions(table: RouteTable) -> list[Problem]:
    """Return what is wrong with a table whose every part is well-formed."""
    return [
        *_shared_tables(table),
        *_overlaps(table),
        *_split_writes(table),
        *_writing_retreats(table),
        *_idle_rehearsals(table),
    ]


def _shared_tables(table: RouteTable) -> list[Problem]:
    owner: dict[str, str] = {}
    problems = []
    for group in table.groups.values():
        for name in group.tables:
            if name in owner:
                wanted = f"no table that group {owner[name]!r} has"
                problems.append(Problem(f"groups.{group.name}.tables", repr(name), wanted))
            owner.setdefault(name, group.name)
    return problems


def _overlaps(table: RouteTable) -> list[Problem]:
    taken: dict[tuple[Template, str], str] = {}
    problems = []
    for route in table.routes.values():
        shape = parse_template(route.path)
        for method in route.methods:
            other = taken.setdefault((shape, method), route.name)
            if other != route.name:
                found = f"{method} {route.path}"
                problems.append(
                    Problem(f"route {route.name!r}", found, f"a path that {other!r} does not have")
                )
    return problems


def _writing_retreats(table: RouteTable) -> list[Problem]:
    """What is written moves with its owner alone: no route that writes leaves by itself."""
    return [
        Problem(
            f"route {route.name!r}",
            f"retreat beside methods that write ({', '.join(route.methods)})",
            "only on a route that reads",
        )
        for route in table.routes.values()
        if route.retreat is not None and route.writes
    ]


def _idle_rehearsals(table: RouteTable) -> list[Problem]:
    """A rehearsal is of what writes, and of a share of it."""
    problems = []
    for route in table.routes.values():
        key = f"route {route.name!r}, shadow.rehearse"
        if route.rehearse and not route.writes:
            found = f"true beside methods that only read ({', '.join(route.methods)})"
            problems.append(Problem(key, found, "only on a route that writes"))
        elif route.rehearse and not route.shadow_percent:
            problems.append(Problem(key, "true of 0 %", "a shadow.percent above 0 beside it"))
    return problems


def _keyless_rehearsals(table: RouteTable) -> list[Problem]:
    wanted = f"{REHEARSAL_KEY} in the proxy's environment, as monolith and services have it"
    return [
        Problem(
            f"route {route.name!r}, shadow.rehearse",
            "true without a key",
            f"{wanted}        (next: strangler down && strangler up, which makes one)",
        )
        for route in table.routes.values()
        if route.rehearse
    ]


def _split_writes(table: RouteTable) -> list[Problem]:
    """A route that writes answers where its group's tables may be written, and nowhere else."""
    problems = []
    for route in table.routes.values():
        owner = table.groups[route.group].owner
        if route.writes and route.stage.reaches_service != (owner is Owner.SERVICE):
            problems.append(
                Problem(
                    f"route {route.name!r}",
                    f"methods that write ({', '.join(route.methods)}) at stage {route.stage}"
                    f" while group {route.group!r} is owned by the {owner}",
                    "writes to move together with the tables' owner, by 'strangler takeover'",
                )
            )
    return problems
