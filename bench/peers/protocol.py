"""How the coordinator talks to a worker: one JSON object a line, a request on standard input, its reply on standard
output.

    {"do": "hello"}                          {"versions": {...}, "words": {...}}
    {"do": "prepare", "shape": {...},
     "copies": N}                            {} or {"unsupported": REASON}
    {"do": "measure", "seconds": S}          {"seconds": BEST} or, from the limits, {"peak": FLOP/S, "bandwidth": BYTES/S}
    {"do": "output", "path": FILE}           {}, when the result lies in FILE as NumPy's f32
    {"do": "release"}                        {}
    {"do": "quit"}                           nothing

A reply {"error": TEXT} says that the request failed.
"""

import contextlib
import json
import os
import select
import subprocess
import sys
from typing import IO

# Longer than any request takes.
PATIENCE_SECONDS = 120


def reply_stream() -> IO[str]:
    """Standard output for replies alone: what else the process prints goes to standard error."""
    stream = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return stream


def requests():
    for line in sys.stdin:
        yield json.loads(line)


def reply(stream: IO[str], message: dict) -> None:
    stream.write(json.dumps(message) + "\n")
    stream.flush()


class Failed(Exception):
    """A worker ended, or could not do what it was asked for."""


class Channel:
    """The coordinator's side: a worker's process."""

    def __init__(self, name: str, command: list[str], threads: int, log: IO[bytes]) -> None:
        environment = dict(os.environ, OMP_NUM_THREADS=str(threads))
        self.name = name
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True,
                                        env=environment)

    def send(self, **request) -> None:
        try:
            self.process.stdin.write(json.dumps(request) + "\n")
            self.process.stdin.flush()
        except BrokenPipeError as error:
            raise Failed(f"{self.name} ended") from error

    def receive(self) -> dict:
        # A reply is one line, and nothing else is ever in the pipe.
        if not select.select([self.process.stdout], [], [], PATIENCE_SECONDS)[0]:
            self.process.kill()
            self.process.wait()
            raise Failed(f"{self.name} did not answer for {PATIENCE_SECONDS} s")
        line = self.process.stdout.readline()
        if not line:
            raise Failed(f"{self.name} ended (status {self.process.wait()})")
        message = json.loads(line)
        if "error" in message:
            raise Failed(f"{self.name}: {message['error']}")
        return message

    def ask(self, **request) -> dict:
        self.send(**request)
        return self.receive()

    def close(self) -> None:
        with contextlib.suppress(Failed):
            self.send(do="quit")
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
