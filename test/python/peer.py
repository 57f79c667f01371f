"""Talks to a server as the library websockets does, and tells what came of it.

    python3 peer.py ws://localhost:3000/time

Prints one JSON object. The server must send back what it is sent, text as text and binary as
binary, but the text "bye", which it must answer with a close of its own.
"""
import asyncio
import json
import sys

import websockets

PARTS = ["gr", "üß ", "", "dich 🕰"]
LARGEST = "x" * 4096


def connect(url, **options):
    return websockets.connect(url, ping_interval=None, **options)


async def next_message(socket):
    """The next that is no tick."""
    while True:
        data = await socket.recv()
        if not isinstance(data, str):
            return {"hex": data.hex()}
        if not data.startswith("tick "):
            return data


async def echo(socket, data):
    await socket.send(data)
    return await next_message(socket)


async def end_of(socket):
    """Code and reason with which the server ends the connection."""
    try:
        await next_message(socket)
    except websockets.ConnectionClosed as closed:
        return [closed.rcvd.code, closed.rcvd.reason]
    return "still open"


async def talk(url):
    """Everything that leaves the connection open, and a close of ours."""
    async with connect(url) as socket:
        result = {
            "ticks": [await socket.recv() for _ in range(2)],
            "extensions": [extension.name for extension in socket.extensions],
            "subprotocol": socket.subprotocol,
            "text": await echo(socket, "grüß dich 🕰"),
            "binary": await echo(socket, b"\x00\xff"),
            "fragments": await echo(socket, PARTS),
            "binary fragments": await echo(socket, [b"\x00", b"", b"\xff"]),
            "largest": await echo(socket, LARGEST) == LARGEST,
        }
        await asyncio.wait_for(await socket.ping(b"ping"), 10)
        await socket.close(4001, "tschüß")
        return {**result, "answer to our close": socket.close_code}


async def ended_by(url, data):
    async with connect(url) as socket:
        await socket.send(data)
        return await end_of(socket)


async def offer(url, *protocols):
    """The subprotocol that is agreed upon, or the status that refuses them all."""
    try:
        async with connect(url, subprotocols=protocols) as socket:
            return socket.subprotocol
    except websockets.InvalidStatusCode as refused:
        return refused.status_code


async def main(url):
    print(json.dumps({
        **await talk(url),
        "bye": await ended_by(url, "bye"),
        "too large": await ended_by(url, LARGEST + "x"),
        "too large in fragments": await ended_by(url, [LARGEST, "x"]),
        "agreed": await offer(url, "other", "lecture.v2"),
        "refused": await offer(url, "other"),
    }))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
