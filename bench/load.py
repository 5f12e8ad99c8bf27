"""Put a closed-loop load on an address with wrk, read what it measured. Loopback addresses only."""

import json
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.tools import TASKSET, WRK
from strangler.errors import LoadFailed

BROWSERS = 400  # each with a User-Agent and cookies of its own
SCRIPT = """
local requests, turn = {}, 0
function init(args)
    local paths = {%(paths)s}
    for n = 0, math.max(#paths, %(browsers)d) - 1 do
        local browser = n %% %(browsers)d
        requests[#requests + 1] = wrk.format("GET", paths[n %% #paths + 1], {
            Host = "shop.example", Accept = "application/json", ["Accept-Encoding"] = "gzip",
            ["User-Agent"] = "Mozilla/5.0 (X11; Linux x86_64; rv:" .. 100 + browser .. ".0)",
            Cookie = string.format("csrftoken=%%032d; cart=%%08d", browser, browser)})
    end
end
function request()
    turn = turn %% #requests + 1
    return requests[turn]
end
function done(summary, latency, _)
    local e = summary.errors
    io.stderr:write(string.format(
        '{"requests": %%d, "microseconds": %%d, "p50": %%d, "p99": %%d, "errors": ' ..
        '{"connect": %%d, "read": %%d, "write": %%d, "status": %%d, "timeout": %%d}}',
        summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
        e.connect, e.read, e.write, e.status, e.timeout))
end
"""


@dataclass(frozen=True, slots=True)
class Load:
    """What one run of the load generator saw: answers, the seconds it took, latencies in milliseconds."""

    requests: int
    seconds: float
    p50_ms: float
    p99_ms: float

    @property
    def per_second(self) -> float:
        """Answers a second."""
        return self.requests / self.seconds


def write_script(file: Path, paths: Sequence[str], browsers: int = BROWSERS) -> Path:
    """Write the wrk script that asks for `paths` in turn, as one of so many browsers each; return `file`."""
    file.write_text(SCRIPT % {"paths": ", ".join(json.dumps(path) for path in paths), "browsers": browsers})
    return file


def run_load(port: int, script: Path, *, seconds: int, connections: int, core: int) -> Load:
    """Keep `connections` requests in flight for `seconds`. Raises LoadFailed on any error or refusal."""
    command = [TASKSET.path(), "--cpu-list", str(core), WRK.path(), "--threads", "1"]
    command += ["--connections", str(connections), "--duration", f"{seconds}s", "--script", str(script)]
    done = subprocess.run([*command, f"http://127.0.0.1:{port}"], capture_output=True, text=True, check=False)
    return read_result(done.stderr)


def read_result(text: str) -> Load:
    """Return the measurement that the wrk script printed. Raises LoadFailed when there is none to trust."""
    try:
        result = json.loads(text)
    except json.JSONDecodeError:
        raise LoadFailed(f"wrk measured nothing: {text.strip() or 'no output'}", next="make bench") from None
    errors = ", ".join(f"{count} {kind} errors" for kind, count in result["errors"].items() if count)
    if errors or not result["requests"]:
        raise LoadFailed(
            f"wrk saw {errors or 'nothing'} beside {result['requests']} answers, wanted none",
            next="make bench",
        )
    return Load(
        requests=result["requests"],
        seconds=result["microseconds"] / 1e6,
        p50_ms=result["p50"] / 1e3,
        p99_ms=result["p99"] / 1e3,
    )
