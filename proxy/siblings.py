"""Put a question to every worker of this machine, through their control sockets, and hear each of them.

Carries any question: what a verb means only the workers know.
"""

import asyncio
import contextlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ANSWER_SECONDS = 5.0
MAX_ANSWER = 64 * 1024 * 1024  # bytes of one line; a status of thousands of routes is long

Answer = dict[str, Any]


async def ask_workers(control: Path, question: Mapping[str, Any]) -> list[Answer]:
    """Return `{"pid": …, "answer": …}` for every live worker, or with `silent` why there is no answer."""
    line = json.dumps(question).encode() + b"\n"
    sockets = ((path.stem.removeprefix("worker-"), path) for path in sorted(control.glob("worker-*.sock")))
    asked = [_ask(int(pid), path, line) for pid, path in sockets if pid.isdigit()]
    return [answer for answer in await asyncio.gather(*asked) if answer is not None]


async def _ask(pid: int, path: Path, line: bytes) -> Answer | None:
    """Return one worker's answer, None where nobody listens any more."""
    try:
        reader, writer = await asyncio.open_unix_connection(path, limit=MAX_ANSWER)
    except OSError:
        return None
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            writer.write(line)
            heard = await reader.readline()
        if not heard.endswith(b"\n"):
            return {"pid": pid, "silent": "it closed the connection without an answer"}
        return {"pid": pid, "answer": json.loads(heard)}
    except TimeoutError:
        return {"pid": pid, "silent": f"no answer within {ANSWER_SECONDS:g} s"}
    except (OSError, ValueError) as error:
        return {"pid": pid, "silent": str(error)}
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
