"""Problems with a header, and models that continue it as they are told to."""

import asyncio
import hashlib
import json
import os
from pathlib import Path

from regreen.models import Completion
from regreen.tree import node_name
from tests.toy import Answering


def lines(count=3):
    """Problems to double a number: the first check is shown, the second is told of, the others are hidden."""
    return [
        {
            "id": f"p{n}",
            "statement": "Double it.",
            "checks": [{"kind": "call", "args": [x], "expected": 2 * x} for x in (0, 50 + n, 7, 9)],
            "shown": [0],
            "revealed": [0, 1],
            "entry_point": f"f{n}",
            "solution": f'def f{n}(x):\n    """Double it."""\n    return 2 * x\n',
            "meta": {"prompt": f'def f{n}(x):\n    """Double it."""\n'},
        }
        for n in range(count)
    ]


def write(folder, count=3):
    path = folder / "doubles.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines(count)))
    return path


RIGHT = "    return 2 * x\n"


def wrong(number):
    """A body that passes the shown check, fails the others, and says which it is."""
    return f"    return {number} * x\n"


class Writer(Answering):
    """Continues prompts with the bodies that ``bodies`` names for a problem and place; all others are wrong."""

    chat = False

    def __init__(self, bodies=None, **more):
        super().__init__(name="writer", **more)
        self.bodies = bodies or {}
        self.prompts, self.requests = {}, {}

    def _answer(self, request):
        key = request.problem, place_of(request)
        assert key not in self.prompts, "nothing is asked twice"
        self.prompts[key], self.requests[key] = request.prompt, request
        body = self.bodies.get(key) or self.body(*key)
        if body is None:
            return Completion("", tokens=0, finish="error", error="the prompt has 9999 tokens")
        return Completion(body, tokens=len(body.split()), prompt_tokens=10)

    def body(self, problem, place):
        return wrong(3 + number_of(problem, place) % 90)


class Coin(Writer):
    """Right for a third of all places, in no order that could matter."""

    def body(self, problem, place):
        number = number_of(problem, place)
        return RIGHT if number % 3 == 0 else wrong(3 + number % 4)


class Logging(Coin):
    """The same, slowly; every call is a line in the file that ``$ASKED`` names."""

    def __init__(self):
        super().__init__(batch=2)

    async def sample(self, requests):
        for request in requests:
            with Path(os.environ["ASKED"]).open("a") as file:
                file.write(json.dumps([request.problem, request.index, request.role]) + "\n")
        await asyncio.sleep(0.02)
        return await super().sample(requests)


def place_of(request):
    """Return a node's name, or a control's index and role."""
    control = request.role.startswith("control")
    return f"{request.index} {request.role}" if control else node_name(request.index, request.role)


def number_of(problem, place):
    return int.from_bytes(hashlib.sha256(f"{problem} {place}".encode()).digest()[:4], "big")
