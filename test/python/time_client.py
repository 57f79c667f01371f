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

PROTOCOL = "time.v1"
PROBES = 8
PAUSE_S = 0.06


class Bounds:
    """Between which bounds the offset lies. Each message narrows them: no delay is negative."""

    def __init__(self):
        self.low, self.high = -math.inf, math.inf

    def sent(self, server_ms, came_ms):
        """The server sent something when its clock showed this."""
        self.low = max(self.low, server_ms - came_ms)

    def arrived(self, asked_ms, server_ms):
        """What we sent has arrived when the server's clock showed this."""
        self.high = min(self.high, server_ms - asked_ms)


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


async def measure(url):
    async with websockets.connect(url, subprotocols=[PROTOCOL]) as socket:
        if socket.subprotocol != PROTOCOL:
            sys.exit(f"{url} does not speak {PROTOCOL}")
        hello, bounds, round_trips = json.loads(await socket.recv()), Bounds(), []
        for probe in range(PROBES):
            round_trips.append(await ask(socket, probe, bounds))
            await asyncio.sleep(PAUSE_S)
    offset, error = (bounds.low + bounds.high) / 2, (bounds.high - bounds.low) / 2
    return {"offset": offset, "error": error, "rtt": min(round_trips), "hello": hello}


if __name__ == "__main__":
    print(json.dumps(asyncio.run(measure(sys.argv[1]))))
