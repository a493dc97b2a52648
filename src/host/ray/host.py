"""The part of autostop's Ray hosts that must be in Python: the driver of the Ray job of one service.

The driver creates a named actor for each replica. An actor starts a guard, which runs in a session of its own and owns
the Node process that serves calls: however the actor ends, the guard ends that process. The owner, which submitted the
job, connects and asks for actors and for their ends. When that connection ends, all actors end.

No secret is an argument, a variable or printed: both ends agree on a key by Diffie-Hellman, one half of which is an
argument of this program while the other half is printed. Each connection begins with a proof that both ends have it,
and each line that follows is signed, so that nobody changes, repeats or adds one on its way.
"""

import asyncio
import contextlib
import hashlib
import hmac
import json
import os
import secrets
import signal
import subprocess
import sys
import threading
import time
from typing import Any

import ray

Json = dict[str, Any]

# the limit for a client to prove that it has the key
HANDSHAKE_SECONDS = 10
# the largest number of clients that have not proved it; the oldest is disconnected for another one
MOST_STRANGERS = 32
# the longest line in bytes
LONGEST_LINE = 4 * 1_024
# what is kept of the output of a guard, in bytes
LONGEST_TAIL = 1_000


class Replica:
    """The actor of one replica."""

    def start(self, plan: Json, key: str) -> Json:
        """Starts the guard, and returns where it listens."""
        context = ray.get_runtime_context()
        host, node = ray.util.get_node_ip_address(), plan["node"]
        try:
            answer = subprocess.run([node, "--version"], capture_output=True, text=True, check=True, timeout=20)
            version = answer.stdout.strip()
            if [int(part) for part in version.lstrip("v").split(".")[:2]] < plan["atLeast"]:
                return {"error": f"{node} on node {host} is Node {version}"}
        except (OSError, ValueError, subprocess.SubprocessError) as error:
            return {"error": f"{node} could not be run on node {host}: {error}"}
        pipe = subprocess.PIPE
        self.guard = subprocess.Popen(
            [node, *plan["guard"]], stdin=pipe, stdout=pipe, stderr=pipe, text=True, start_new_session=True
        )
        self.printed = b""
        printing = threading.Thread(target=self.forward, daemon=True)
        printing.start()
        self.limit_ms = plan["limitMs"]
        self.send({"key": key, "host": host, "limitMs": self.limit_ms})
        assert self.guard.stdout is not None
        line = self.guard.stdout.readline()
        if line == "":
            code = self.guard.wait()
            printing.join(1)
            printed = self.printed.decode(errors="replace").strip()
            said = f"; it printed: {printed}" if printed else ""
            return {"error": f"the guard on node {host} ended with code {code}: {' '.join(plan['guard'])}{said}"}
        ids = {"actorId": context.get_actor_id(), "nodeId": context.get_node_id()}
        return {**json.loads(line), **ids, "host": host}

    def forward(self) -> None:
        """Passes on what the guard and the host print to stderr, and keeps its end."""
        assert self.guard.stderr is not None
        while part := os.read(self.guard.stderr.fileno(), 65_536):
            self.printed = (self.printed + part)[-LONGEST_TAIL:]
            os.write(2, part)

    def wait(self) -> Json:
        """Waits until the Node process has ended; `gone` if nothing of its process group is left."""
        assert self.guard.stdout is not None
        pid = 0
        for line in self.guard.stdout:
            message = json.loads(line)
            if "gone" in message:
                return {"gone": message["gone"]}
            pid = message["pid"]
        # the guard was killed: the process exits by itself within its limit
        end = time.monotonic() + (86_400 if self.limit_ms is None else self.limit_ms / 1_000) + 2
        while pid != 0 and group_is_alive(pid):
            if time.monotonic() > end + 2:
                return {"gone": False}
            if time.monotonic() > end:
                with contextlib.suppress(OSError):
                    os.killpg(pid, signal.SIGKILL)
            time.sleep(0.02)
        return {"gone": True}

    def stop(self) -> None:
        """Asks the guard to end the Node process: a cleanup within its limit, and a kill after that."""
        self.send({"stop": True})

    def send(self, message: Json) -> None:
        assert self.guard.stdin is not None
        # `wait` notices that the guard is gone
        with contextlib.suppress(OSError):
            print(json.dumps(message), file=self.guard.stdin, flush=True)


def group_is_alive(group: int) -> bool:
    try:
        os.killpg(group, 0)
        return True
    except OSError:
        return False


def mac(key: bytes, *parts: str) -> str:
    return hmac.new(key, "\n".join(parts).encode(), hashlib.sha256).hexdigest()


class Driver:
    """The driver of the Ray job: obeys its owner, and ends when the owner is gone or the job is stopped."""

    def __init__(self, plan: Json, key: bytes) -> None:
        self.plan, self.key = plan, key
        self.actors: dict[str, Any] = {}
        self.started: set[str] = set()
        self.lives: set[asyncio.Task[None]] = set()
        self.over = asyncio.Event()
        self.owner: asyncio.StreamWriter | None = None
        self.secret = b""
        self.sent = self.received = 0
        self.strangers: dict[asyncio.StreamWriter, None] = {}

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Obeys the owner, once that has proved that it has the key. There is only one owner."""
        self.strangers[writer] = None
        if len(self.strangers) > MOST_STRANGERS:
            oldest = next(iter(self.strangers))
            del self.strangers[oldest]
            oldest.transport.abort()
        try:
            await self.hear(reader, writer)
        finally:
            self.strangers.pop(writer, None)
            writer.close()
            if self.owner is writer:
                self.over.set()

    async def hear(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ours = secrets.token_hex(32)
        writer.write(f"{json.dumps({'nonce': ours})}\n".encode())
        # a client without the key may send anything, or nothing
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError, RecursionError, asyncio.TimeoutError):
            hello = json.loads(await asyncio.wait_for(reader.readline(), HANDSHAKE_SECONDS))
            parts = [hello["role"], ours, hello["nonce"]]
            known = hmac.compare_digest(hello["mac"], mac(self.key, "client", *parts))
            if known and self.owner is None and parts[0] == "driver":
                self.strangers.pop(writer, None)
                writer.write(f"{json.dumps({'mac': mac(self.key, 'server', *parts)})}\n".encode())
                self.secret = bytes.fromhex(mac(self.key, "secret", *parts))
                self.owner = writer
                while line := (await reader.readline()).decode():
                    signature, text = line[:64], line[65:].removesuffix("\n")
                    if not hmac.compare_digest(signature, mac(self.secret, "client", str(self.received), text)):
                        break
                    self.received += 1
                    self.do(**json.loads(text))

    def say(self, message: Json) -> None:
        if self.owner is not None and not self.owner.is_closing():
            text = json.dumps(message)
            self.owner.write(f"{mac(self.secret, 'server', str(self.sent), text)} {text}\n".encode())
            self.sent += 1

    def do(self, ask: str, name: str = "") -> None:
        if ask == "create":
            self.lives.add(asyncio.create_task(self.live(name)))
        elif ask == "kill" and name in self.actors:
            ray.kill(self.actors[name], no_restart=True)
        elif ask == "end":
            self.over.set()

    async def live(self, name: str) -> None:
        """The life of one actor."""
        options = {**self.plan["actor"], "name": f"{self.plan['name']}/{name}", "max_restarts": 0, "max_concurrency": 2}
        try:
            actor: Any = ray.remote(Replica).options(**options).remote()
            self.actors[name] = actor
            place = await actor.start.remote(self.plan, self.key.hex())
            self.say({"name": name, "place": place})
            if "error" not in place:
                self.started.add(name)
                self.say({"name": name, "ended": await actor.wait.remote()})
        except Exception as error:  # the owner reports it, whatever it is
            self.say({"name": name, "dead": str(error)})

    async def end(self) -> None:
        """Stops the Node process of every actor, and kills the actors once those are gone."""
        self.say({"over": True})
        for name, actor in self.actors.items():
            if name in self.started:
                actor.stop.remote()
            else:
                ray.kill(actor, no_restart=True)
        if self.lives:
            await asyncio.wait(self.lives)
        for actor in self.actors.values():
            ray.kill(actor, no_restart=True)


async def main(plan: Json) -> None:
    ray.init(address="auto", namespace=plan["namespace"])
    prime, theirs = int(plan["prime"], 16), int(plan["public"], 16)
    own = secrets.randbits(512)
    shared = pow(theirs, own, prime).to_bytes(len(plan["prime"]) // 2, "big")
    driver = Driver(plan, hashlib.sha256(shared).digest())
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, driver.over.set)
    host = ray.util.get_node_ip_address()
    server = await asyncio.start_server(driver.serve, host, 0, limit=LONGEST_LINE)
    hello = {"host": host, "port": server.sockets[0].getsockname()[1], "public": f"{pow(2, own, prime):x}"}
    print(f"autostop {json.dumps({**hello, 'jobId': ray.get_runtime_context().get_job_id()})}", flush=True)
    # an owner that does not connect is gone
    loop.call_later(plan["ownerMs"] / 1_000, lambda: None if driver.owner else driver.over.set())
    await driver.over.wait()
    await driver.end()


if __name__ == "__main__":
    asyncio.run(main(json.loads(bytes.fromhex(sys.argv[1]))))
