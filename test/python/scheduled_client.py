"""Fires what a server that speaks time.v1 has scheduled, and tells the server of each.

    python3 scheduled_client.py ws://localhost:3000/time

Says "ready" once it knows the server's clock, then `{"fired": data}` of each message that takes
effect, and ends with the one that is "end".
"""
import asyncio
import json
import sys
import websockets

from time_client import PROTOCOL, measure, now_ms


class Agenda:
    """The pending messages: one for each key, any number without."""

    def __init__(self, offset_ms, on_due):
        self.offset_ms, self.on_due, self.timers = offset_ms, on_due, {}

    def add(self, message):
        key = message.get("key", id(message))
        self.cancel(key)
        remaining_ms = message.get("at", 0) - (now_ms() + self.offset_ms)
        if remaining_ms <= 0:
            self.on_due(message["data"])
        else:
            timer = asyncio.get_running_loop().call_later(remaining_ms / 1000, self.add, message)
            self.timers[key] = timer

    def cancel(self, key):
        if key in self.timers:
            self.timers.pop(key).cancel()


async def main(url):
    async with websockets.connect(url, subprotocols=[PROTOCOL]) as socket:
        bounds, _ = await measure(socket)
        due = asyncio.Queue()

        async def report():
            data = "ready"
            while data != {"fired": "end"}:
                await socket.send(json.dumps({"type": "message", "data": data}))
                data = {"fired": await due.get()}
            await socket.close()

        reporting = asyncio.create_task(report())
        agenda = Agenda(bounds.read()[0], due.put_nowait)
        async for text in socket:
            message = json.loads(text)
            if message["type"] == "message":
                agenda.add(message)
            elif message["type"] == "cancel":
                agenda.cancel(message["key"])
        await reporting


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
