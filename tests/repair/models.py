"""Models for trees: one whose answers are decided by the node they are for, one that writes down what it is asked."""

import asyncio
import json
import os
from pathlib import Path

from regreen.models import Completion
from regreen.tree import node_name
from tests.toy import BAD, GOOD, Answering


class Planned(Answering):
    """Answers rightly for the nodes that ``right`` names for a problem; wrong programs differ, right ones do not."""

    chat = True

    def __init__(self, right, *, name="planned", **more):
        super().__init__(name=name, **more)
        self.right = right
        self.asked = []
        self.prompts = {}

    def _answer(self, request):
        place = request.role if request.role.startswith("control") else node_name(request.index, request.role)
        key = f"{request.index} {place}" if request.role.startswith("control") else place
        self.asked.append((request.problem, key))
        self.prompts[request.problem, key] = "\n".join(message.text for message in request.prompt)
        if request.role.startswith(("feedback", "hint")):
            return Completion(f"It is wrong at {place}.", tokens=7, prompt_tokens=100)
        right = key in self.right.get(request.problem, ())
        source = GOOD[request.problem] if right else f"{BAD[request.problem]}# {key}\n"
        return Completion(f"It fails, says {key}.\n```python\n{source}```\n", tokens=10, prompt_tokens=100)


class Logging:
    """A slow model whose every call is a line in the file that ``$ASKED`` names; all of its programs are wrong."""

    name, decides, facts, chat, batch, parallel = "logging", {}, {}, True, 2, 2

    async def sample(self, requests):
        for request in requests:
            with Path(os.environ["ASKED"]).open("a") as file:
                file.write(json.dumps([request.problem, request.index, request.role]) + "\n")
        await asyncio.sleep(0.02)
        return [
            Completion(f"Words.\n```python\n{BAD[r.problem]}# {r.index} {r.role}\n```\n", tokens=9) for r in requests
        ]
