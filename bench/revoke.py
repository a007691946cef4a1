"""How soon is a revoked session deaf? `python -m bench.revoke` opens 500 live sockets, of 50 users, revokes
every second user's sessions over REST, one after the other, and measures for each socket the time from the
answer of its revocation to its disconnection. The other sockets must stay.
"""

import argparse
import json
import select
import statistics
import time
from dataclasses import dataclass

import httpx
import websocket

from bench.results import machine, write_section
from tests.support import people
from tests.support.web_process import Web, web_with_engine


@dataclass
class Live:
    """One socket in `/deployments`, subscribed to everything it may see."""

    socket: websocket.WebSocket
    user: str
    ended: float | None = None


def connect(web: Web, token: str, user: str) -> Live:
    address = web.url.replace("http", "ws", 1) + "/socket.io/?EIO=4&transport=websocket"
    socket = websocket.create_connection(address, timeout=30)
    socket.recv()
    socket.send("40/deployments," + json.dumps({"token": token}))
    assert socket.recv().startswith("40/deployments"), "not let in"
    socket.send('42/deployments,1["subscribe",{"id":"*"}]')
    while not socket.recv().startswith("43/deployments,1"):
        pass
    return Live(socket, user)


def listen(sockets: list[Live], until: float) -> None:
    """Note when each is disconnected; answer the server's pings meanwhile."""
    waiting = {each.socket.sock.fileno(): each for each in sockets if each.ended is None}
    while waiting and (left := until - time.monotonic()) > 0:
        for fileno in select.select(list(waiting), [], [], left)[0]:
            live = waiting[fileno]
            try:
                packet = live.socket.recv()
            except (OSError, websocket.WebSocketException):
                packet = ""
            if packet == "2":
                live.socket.send("3")
            elif not packet or packet.startswith("41"):
                live.ended = time.monotonic()
                del waiting[fileno]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sockets", type=int, default=500)
    parser.add_argument("--users", type=int, default=50)
    parser.add_argument("--write", action="store_true", help="put the result into bench/RESULTS.md")
    given = parser.parse_args()
    with web_with_engine() as web:
        persons = [people.user(web.app, f"bench{number}") for number in range(given.users)]
        sockets = [
            connect(web, person.token, person.id)
            for _ in range(given.sockets // given.users)
            for person in persons
        ]
        doomed = {person.id for person in persons[::2]}
        revoked: dict[str, float] = {}
        with httpx.Client(base_url=web.url, headers=web.headers, timeout=60) as client:
            for id in doomed:
                client.delete(f"/api/v1/users/{id}/sessions").raise_for_status()
                revoked[id] = time.monotonic()
                listen(sockets, time.monotonic() + 0.01)
        listen([each for each in sockets if each.user in doomed], time.monotonic() + 15)
        listen(sockets, time.monotonic() + 2)
        times = sorted(
            max(0.0, (each.ended or float("inf")) - revoked[each.user])
            for each in sockets
            if each.user in doomed
        )
        lost = sum(each.ended is not None for each in sockets if each.user not in doomed)
    rows = [
        f"{len(sockets)} sockets of {given.users} users; {len(times)} revoked, {lost} others lost.",
        "",
        "| from the revocation's answer to the disconnection | seconds |",
        "| --- | --- |",
        f"| median | {statistics.median(times):.2f} |",
        f"| longest | {times[-1]:.2f} |",
    ]
    print("\n".join(rows))
    if given.write:
        write_section("Revoked sessions", [f"{machine()}. {rows[0]}", *rows[1:]])


if __name__ == "__main__":
    main()
