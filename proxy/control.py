"""A worker's control socket: one line of JSON asks, one line answers. Local, and open to one user.

{"verb": "apply"}   load the file now; answers with the version in force and what was rejected
                    with "change" (`change.TableChange`): what has changed since the version in force
{"verb": "version"} the same, without loading anything
{"verb": "status"}  the same, with what this worker counted
{"verb": "hold", "group": G, "seconds": S}   park the group's writes, for so long at most
{"verb": "release", "group": G}              let them go, as the table in force says
{"verb": "quiet", "group": G, "seconds": S}  rehearse none of its writes for so long; answers with how many
                                             rehearsals are still under way
{"verb": "synced", "group": G, "until": U}   the group's copy has what was committed before a Unix second
                    with "changed" (a Unix second): when it last took something over
"""

import asyncio
import json
import os
import time
from pathlib import Path
from typing import Any

import msgspec

from proxy.applying import Applying
from proxy.change import TableChange
from proxy.runtime import Runtime
from proxy.told import paths, told_by

MAX_QUESTION = 1024 * 1024  # bytes of one line
MAX_HOLD_SECONDS = 60.0
VERBS = ("apply", "version", "status", "hold", "release", "quiet", "synced")


class Control:
    """Answers on `<folder>/worker-<pid>.sock`."""

    def __init__(self, folder: Path, runtime: Runtime, applying: Applying) -> None:
        self._path = folder / f"worker-{os.getpid()}.sock"
        self._runtime = runtime
        self._applying = applying
        self._started = time.time()
        self._server: asyncio.Server | None = None

    async def open(self) -> None:
        """Start to listen."""
        self._path.unlink(missing_ok=True)
        self._server = await asyncio.start_unix_server(self._serve, self._path, limit=MAX_QUESTION)
        self._path.chmod(0o600)

    def close(self) -> None:
        """Stop to listen and remove the socket."""
        if self._server is not None:
            self._server.close()
        self._path.unlink(missing_ok=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                writer.write(json.dumps(await self._answer(line)).encode() + b"\n")
                await writer.drain()
        except (ConnectionError, ValueError, asyncio.CancelledError):
            pass  # the asker left, sent a line longer than a question can be, or the worker stops
        finally:
            writer.close()

    async def _answer(self, line: bytes) -> dict[str, Any]:
        try:
            question = json.loads(line)
            verb = question["verb"]
        except (ValueError, KeyError, TypeError):
            return {"error": f'not a question: wanted {{"verb": V}} with V one of {", ".join(VERBS)}'}
        match verb:
            case "apply":
                change = _change(question.get("change"))
                if change is None or not self._applying.change(change):
                    await self._applying.read()
                return self._versions()
            case "version":
                return self._versions()
            case "status":
                told = await asyncio.to_thread(told_by, self._runtime.metrics)
                return self._versions() | self._counts() | told
            case "hold" | "release" | "quiet" | "synced":
                return self._about_group(verb, question)
        return {"error": f"unknown verb {verb!r}: wanted one of {', '.join(VERBS)}"}

    def _about_group(self, verb: str, question: dict[str, Any]) -> dict[str, Any]:
        """Do what is asked of one group; answer with how many of its writes wait here, or went."""
        group, runtime = question.get("group"), self._runtime
        if not isinstance(group, str) or group not in runtime.router.table.groups:
            known = ", ".join(sorted(runtime.router.table.groups))
            return {"error": f"unknown group {group!r}: wanted one of {known or 'none, for there is none'}"}
        if verb == "release":
            return self._versions() | {"writes": runtime.holds.release(group)}
        wanted, most = ("until", time.time() + 1) if verb == "synced" else ("seconds", MAX_HOLD_SECONDS)
        number = question.get(wanted)
        if isinstance(number, bool) or not isinstance(number, int | float) or not 0 < number <= most:
            return {"error": f"{wanted} is {number!r}: wanted a number above 0, at most {most:g}"}
        if verb == "quiet":
            return self._versions() | {"writes": runtime.shadow.quiet(group, number)}
        if verb == "hold":
            runtime.holds.hold(group, number)
        else:
            changed = question.get("changed", 0.0)
            runtime.pins.synced(group, number, float(changed) if isinstance(changed, int | float) else 0.0)
        return self._versions() | {"writes": runtime.holds.parked(group)}

    def _versions(self) -> dict[str, Any]:
        rejected = self._applying.rejected
        return {
            "pid": os.getpid(),
            "version": self._applying.version,
            "rejected": rejected and {"version": rejected.version, "reason": rejected.reason},
        }

    def _counts(self) -> dict[str, Any]:
        return {
            "started": self._started,
            "connections": len(self._runtime.clients),
            "breakers": [
                {"upstream": each.upstream, "route": each.route, "state": each.state.value}
                for each in self._runtime.guards.breakers()
            ],
            "groups": {group: self._group(group) for group in self._runtime.router.table.groups},
            "unmatched": paths(self._runtime.unmatched.most_frequent()),
            "shadow": self._runtime.metrics.shadows() | {"queued": self._runtime.shadow.queued},
        }

    def _group(self, group: str) -> dict[str, Any]:
        pins, holds = self._runtime.pins, self._runtime.holds
        routes = self._runtime.router.table.routes.values()
        pinning = [route.pin for route in routes if route.group == group and route.pin.enabled]
        return {
            "held": holds.held(group),
            "parked": holds.parked(group),
            "lag": pins.lag(group),
            "copied": pins.copied(group),
            "suspended": any(pins.suspended(group, pin.seconds) for pin in pinning),
        }


def _change(told: object) -> TableChange | None:
    """Return the change that was told, None where there is none or not all of it is understood here."""
    try:
        change = msgspec.convert(told, TableChange)
    except msgspec.ValidationError:
        return None
    return change if json.loads(msgspec.json.encode(change)) == told else None
