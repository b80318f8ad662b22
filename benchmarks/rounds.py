"""Interleaved rounds: in each, every server answers the same request some hundred times.

The servers take turns, in another order each round, so that whatever else the machine is doing
falls on all of them alike; ratios are formed within a round.
"""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from benchmarks.servers import Server

WARM_UP_REQUESTS = 60


@dataclass
class Measured:
    """What one server cost: CPU milliseconds a request by round, latency of every request."""

    cpu: list[float] = field(default_factory=list)
    latency: list[float] = field(default_factory=list)

    def percentile(self, share: float) -> float:
        """Latency in milliseconds that this share of the requests did not exceed."""
        ordered = sorted(self.latency)
        return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


@dataclass(frozen=True, slots=True)
class Spread:
    """A value over rounds."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """Median, smallest and largest value."""
        return cls(statistics.median(values), min(values), max(values))


def measure(
    servers: Sequence[Server],
    body: bytes,
    rounds: int,
    requests: int,
    seconds: float,
    warm_up: int = WARM_UP_REQUESTS,
) -> dict[str, Measured]:
    """Every server by name, after at most `rounds` rounds of `requests` requests each.

    Each server answers `warm_up` requests before that. No round begins after `seconds`; three
    rounds are the least that show a spread.
    """
    for server in servers:
        for _ in range(warm_up):
            server.post(body)
    found = {server.name: Measured() for server in servers}
    deadline = time.monotonic() + seconds
    for number in range(rounds):
        if number >= 3 and time.monotonic() > deadline:
            break
        turn = number % len(servers)
        for server in (*servers[turn:], *servers[:turn]):
            before = server.cpu_milliseconds()
            taken = [server.post(body)[0] for _ in range(requests)]
            used = server.cpu_milliseconds() - before
            found[server.name].cpu.append(used / requests)
            found[server.name].latency += taken
    return found


def ratios(found: Mapping[str, Measured], name: str, other: str) -> Spread:
    """CPU a request of one server over that of another, round by round.

    Raises RuntimeError when the kernel counted nothing for the other, which had too few requests.
    """
    if not min(found[other].cpu):
        raise RuntimeError(f"too few requests a round to count what {other} costs")
    pairs = zip(found[name].cpu, found[other].cpu, strict=True)
    return Spread.of([mine / theirs for mine, theirs in pairs])
