"""Tells how far this machine's clock is from that of a server that speaks time.v1.

    python3 time_client.py ws://localhost:3000/time

Prints one JSON object: `offset`, the server's clock minus ours, and `error`, by how much that may
be wrong at most, both in milliseconds; the round trip of the fastest answer; and who the server is.
"""
import asyncio
import json
import math
import sys
import time

import websockets

PROTOCOL, PROBES, PAUSE_S = "time.v1", 8, 0.06
ROUNDING_MS = 0.01


class Bounds:
    """Between which bounds the offset lies. Each message narrows them: no delay is negative."""

    def __init__(self):
        self.low, self.high, self.resolution = -math.inf, math.inf, 1

    def sent(self, server_ms, came_ms):
        """The server sent something when its clock showed this."""
        self.low = max(self.low, server_ms - came_ms - ROUNDING_MS)

    def arrived(self, asked_ms, server_ms):
        """What we sent has arrived when the server's clock showed this, or a little more."""
        self.resolution = ROUNDING_MS if server_ms % 1 else self.resolution
        self.high = min(self.high, server_ms - asked_ms)

    def read(self):
        high = self.high + self.resolution
        return (self.low + high) / 2, (high - self.low) / 2


def now_ms():
    return time.time() * 1000


async def ask(socket, probe, bounds):
    """Asks for the time once. Returns the milliseconds that the answer was on its way."""
    asked_ms = now_ms()
    await socket.send(json.dumps({"type": "sync", "id": probe}))
    while True:
        message, came_ms = json.loads(await socket.recv()), now_ms()
        if message["type"] == "tick":
            bounds.sent(message["sent"], came_ms)
        elif message["type"] == "sync" and message["id"] == probe:
            bounds.arrived(asked_ms, message["at"])
            bounds.sent(message["at"] + message["hold"], came_ms)
            return came_ms - asked_ms - message["hold"]


async def measure(socket):
    bounds, round_trips = Bounds(), []
    for probe in range(PROBES):
        round_trips.append(await ask(socket, probe, bounds))
        await asyncio.sleep(PAUSE_S)
    return bounds, min(round_trips)


async def main(url):
    async with websockets.connect(url, subprotocols=[PROTOCOL]) as socket:
        if socket.subprotocol != PROTOCOL:
            sys.exit(f"{url} does not speak {PROTOCOL}")
        hello, (bounds, rtt) = json.loads(await socket.recv()), await measure(socket)
    offset, error = bounds.read()
    print(json.dumps({"offset": offset, "error": error, "rtt": rtt, "hello": hello}))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
