"""A sandbox on the machines of a Ray cluster: a judge on each, and rows that go to whoever has room.

Every node has one actor with a local sandbox of its own. It has a fifth of a second's work ahead of it, and answers as
verdicts are made. What a lost node held goes to the others: a row is settled once, by the first answer that comes.
Nodes that join are used, and those that cannot confine programs as asked are not.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from importlib import metadata
from typing import Any

from regreen import cluster
from regreen.errors import InfrastructureError, InputError, RegreenError
from regreen.sandbox.elsewhere import Elsewhere, Row
from regreen.sandbox.limits import Limits
from regreen.sandbox.ray.post import MOST, Post
from regreen.verdict import Verdict

__all__ = ["RaySandbox"]

_LOOK = 1.0  # seconds between two looks at which nodes there are
_HEAD = 40.0  # seconds without a word from the cluster's head; after 60 Ray would end this process
_OPENING = 30.0  # seconds after which nodes that have not said what they can are not waited for
_PATIENCE = 60.0  # seconds without any node that judges
_LOSSES = 5  # of nodes that held a program, until it is thought to be what ends them
_AHEAD = 512  # programs on their way at once, at least
_FAREWELL = 5.0  # seconds in which nodes may end their processes themselves


class RaySandbox(Elsewhere):
    """Judges programs on every node of a Ray cluster that has cores.

    ``tier`` is the weakest of the nodes' tiers, and each verdict has that of the node which made it; ``jobs`` are the
    programs judged at once on all nodes together.

    Args:
        where: ``ray`` or ``HOST:PORT``: see :func:`regreen.cluster.join`.
        limits: what a program may use.
        jobs: programs judged at once on each node; its cores, as Ray counts them, unless given.
        tier: the weakest tier allowed, on every node.
        patience: seconds without any node that judges until the cluster counts as lost.

    Raises:
        InputError: Ray is not installed, ``where`` is no address, or a node has another version of this package.
        TierError: a node cannot confine programs as asked.
        InfrastructureError: the cluster cannot be joined, or no node of it judges.
    """

    def __init__(
        self,
        where: str,
        limits: Limits | None = None,
        *,
        jobs: int | None = None,
        tier: str = "B",
        patience: float = _PATIENCE,
    ) -> None:
        super().__init__(limits)
        self._ray = cluster.join(where)
        self._where, self._jobs, self._weakest, self._patience = where, jobs, tier, patience
        self._posts: dict[str, Post] = {}  # of nodes that judge, by the node's id
        self._serving: dict[str, asyncio.Task[None]] = {}
        self._refused: dict[str, RegreenError] = {}
        self._abouts: dict[str, Mapping[str, Any]] = {}  # of all nodes that have judged, by id
        self._opening: set[str] = set()  # nodes that have not said yet what they can
        self._opened: Future[None] = Future()
        self._begin()
        self._wait_until_open()

    def _wait_until_open(self) -> None:
        """Wait until every node that is there judges; raises what keeps one from it."""
        try:
            self._opened.result()
            if refused := list(self._refused.values()):
                raise type(refused[0])("; ".join(map(str, refused)))
        except BaseException:
            self.close()
            raise

    @property
    def facts(self) -> Mapping[str, Any]:
        """The tier and the points of the weakest node, and every node's tier and jobs."""
        abouts = self._abouts.values()
        weakest = max(abouts, key=lambda about: str(about["tier"]))
        nodes = [{name: about[name] for name in ("node", "tier", "jobs")} for about in abouts]
        kept = {name: value for name, value in weakest.items() if name not in ("node", "jobs")}
        return {**kept, "cluster": self._where, "nodes": nodes}

    @property
    def _ahead(self) -> int:
        return max(_AHEAD, 2 * MOST * self.jobs)

    # ---- the nodes ----

    async def _send(self) -> None:
        """Serve every node there is, and look for others."""
        self._began = self._judging = self._heard = time.monotonic()
        # Its own thread, which nobody waits for at the end: without the cluster's head the question has no answer.
        threading.Thread(target=self._ask_for_nodes, args=(asyncio.get_running_loop(),), daemon=True).start()
        while True:
            await asyncio.sleep(_LOOK)
            if time.monotonic() - self._heard > _HEAD:
                self._fail(f"its head has not answered for {_HEAD:g} s")

    def _ask_for_nodes(self, loop: asyncio.AbstractEventLoop) -> None:
        """Ask the cluster now and then which nodes it has."""
        while not self._closed and self._ray.is_initialized():  # or the question would start a Ray of its own
            with contextlib.suppress(Exception):  # whatever Ray may say when it does not know, or when all is over
                loop.call_soon_threadsafe(self._look, cluster.nodes(self._ray))
            time.sleep(_LOOK)

    def _look(self, nodes: Sequence[cluster.Node]) -> None:
        """Serve nodes that nobody serves; give up where there has been none that judges for too long."""
        self._heard = time.monotonic()
        for node in nodes:
            serving = self._serving.get(node.id)
            if node.cpus and node.id not in self._refused and (serving is None or serving.done()):
                self._opening.add(node.id)
                self._serving[node.id] = self._loop.create_task(self._serve(node))
        if self._posts:
            self._judging = time.monotonic()
        elif time.monotonic() - self._judging > self._patience:
            self._fail(f"no node has judged for {self._patience:g} s")
        self._announce()

    def _announce(self) -> None:
        """Let whoever opens this go on when every node has said what it can, or some have and others take too long."""
        late = time.monotonic() - self._began > _OPENING
        if not self._opened.done() and (self._refused or self._posts) and (late or not self._opening):
            self._opened.set_result(None)

    def _fail(self, why: str) -> None:
        """Tell everyone who waits that there is nobody who judges."""
        error = InfrastructureError(f"--cluster {self._where}: {why}; type the same command again to go on")
        if not self._opened.done():
            self._opened.set_exception(error)
        for row in list(self._known):
            self._settle(row, error)

    async def _serve(self, node: cluster.Node) -> None:
        """Have a node judge until it is gone; what it held is for the others then."""
        post = Post(self._ray, node, self.limits, self._weakest, self._jobs or node.cpus)
        try:
            if await self._open(post):
                await self._converse(post)
        finally:
            self._posts.pop(node.id, None)
            post.kill()
            for row in post.held.values():
                self._lost(row)

    async def _open(self, post: Post) -> bool:
        """Say whether a node judges now."""
        try:
            await post.open()
            self._accept(post)
        except cluster.Gone:
            return False
        except RegreenError as error:
            self._refused[post.node.id] = type(error)(f"--cluster {self._where}, node {post.node.address}: {error}")
        except Exception as error:  # what it cannot even import, for one
            words = f"cannot judge ({error}); install the same version of regreen[ray] there"
            self._refused[post.node.id] = InputError(f"--cluster {self._where}, node {post.node.address}: {words}")
        finally:
            self._opening.discard(post.node.id)
            self._announce()
        return post.node.id in self._posts

    def _accept(self, post: Post) -> None:
        ours, theirs = metadata.version("regreen"), post.about["version"]
        if ours != theirs:
            raise InputError(f"it has regreen {theirs}, and here is {ours}; install the same version there")
        self._posts[post.node.id] = post
        self._abouts[post.node.id] = {**post.about, "node": post.node.address}
        self.tier = max(about["tier"] for about in self._abouts.values())
        self.jobs = sum(post.jobs for post in self._posts.values())

    async def _converse(self, post: Post) -> None:
        """Give rows to a node and take their answers, until it is gone."""
        work = [asyncio.create_task(self._feed(post)), asyncio.create_task(self._take(post))]
        try:
            done, _ = await asyncio.wait(work, return_when=asyncio.FIRST_COMPLETED)
            for ended in done:
                with contextlib.suppress(cluster.Gone):
                    ended.result()
        finally:
            for half in work:
                half.cancel()
            # A row just taken from the queue is held, or still there.
            await asyncio.gather(*work, return_exceptions=True)

    async def _feed(self, post: Post) -> None:
        while True:
            await post.room.wait()
            rows = [await self._rows.get()]
            while len(rows) < post.free and not self._rows.empty():
                rows.append(self._rows.get_nowait())
            await post.put([row for row in rows if not row.verdict.done()], self._settle)

    async def _take(self, post: Post) -> None:
        while True:
            for row, found in await post.take():
                if isinstance(found, Verdict):
                    self._settle(row, found)
                elif found.input:
                    self._settle(row, InputError(found.words))
                elif self._broke_down(row, f"--cluster {self._where}, node {post.node.address}: {found.words}"):
                    self._rows.put_nowait(row)

    def _lost(self, row: Row) -> None:
        """Send a row again whose node was lost, unless it seems to be what ends them."""
        row.losses += 1
        if row.losses >= _LOSSES:
            words = f"problem {row.problem.id}: {_LOSSES} judges were lost on a program; give less --memory or fewer -j"
            self._settle(row, InfrastructureError(f"--cluster {self._where}: {words}"))
        elif not row.verdict.done():
            self._rows.put_nowait(row)

    # ---- the end ----

    def _drop(self) -> None:
        for post in self._posts.values():
            post.forget()

    def close(self) -> None:
        """End the judges on all nodes; who still waits hears of it."""
        if self._closed or self._owner != os.getpid():
            return
        ending = [post.close() for post in self._posts.values()]
        if ending:
            self._ray.wait(ending, num_returns=len(ending), timeout=_FAREWELL)
        super().close()
