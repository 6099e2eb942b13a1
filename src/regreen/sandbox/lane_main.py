"""The first program of a lane: started by the engine with a clean interpreter, it becomes judge and zygote.

Run as ``python -s -S -P -X utf8 lane_main.py CONFIG``; CONFIG is JSON: the engine's socket, the jail, what to preload.
"""

import _socket
import json
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from regreen.sandbox.confine.jail import Jail


def main() -> None:
    config = json.loads(sys.argv[1])
    sys.path.insert(0, config["path"])
    sys.path += config["packages_path"]
    from regreen.sandbox.confine import linux

    # Fixed addresses and a fixed hash seed: sets and dictionaries keep one order from run to run.
    if config["tier"] != "C" and not config.get("again") and linux.no_address_randomization():
        again = json.dumps({**config, "again": True})
        os.execv(sys.executable, [*sys.orig_argv[:-1], again])
    become_lane(config)


def become_lane(config: dict) -> None:  # type: ignore[type-arg]
    import _sitebuiltins
    import builtins
    import importlib

    from regreen.sandbox import guest, native, zygote
    from regreen.sandbox.confine.jail import Jail, reserve_low_descriptors
    from regreen.sandbox.limits import Limits

    # What a program expects and the clean interpreter lacks; and nothing of how this process was started.
    builtins.exit, builtins.quit = _sitebuiltins.Quitter("exit", ""), _sitebuiltins.Quitter("quit", "")
    sys.argv = sys.orig_argv = ["program"]
    for name in config["preload"]:
        importlib.import_module(name)
    if "numpy" in config["preload"]:
        sys.modules["numpy"].random.seed(0)  # else its state would differ from lane to lane
    reserve_low_descriptors(guest.RESULTS + 2)
    jail = Jail(config["tier"], Limits(*config["limits"]), tuple(config["packages"]), config["scratch"])
    loop = native.load() if config["tier"] != "C" else None
    mine, others = _socket.socketpair()
    try:
        proc = os.open("/proc", os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        proc = None
    # Forked before any check arrives, and before the judge's modules are loaded: the zygote's memory never held a
    # check, and each page that it holds is paid for by every clone.
    zygote_id = os.fork()
    if zygote_id == 0:
        mine.close()
        os.close(config["engine"])
        sys.path.remove(config["path"])
        guest.warm_up()
        settle()
        jail.enter(judge=False)
        others.send(b"!")
        zygote.serve(others, jail, proc, loop)
        os._exit(0)
    others.close()
    become_judge(config, jail, mine, proc, zygote_id)
    mine.close()
    os.waitpid(zygote_id, 0)


def become_judge(config: dict, jail: "Jail", channel: _socket.socket, proc: "int | None", zygote_id: int) -> None:  # type: ignore[type-arg]
    import signal
    import socket

    from regreen.sandbox import judge, wire

    sys.path.remove(config["path"])
    settle()
    jail.enter(judge=True)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})
    if channel.recv(1) != b"!":
        raise SystemExit("the zygote could not be confined")
    engine = socket.socket(fileno=config["engine"])
    wire.send(engine, zygote_id)  # ready
    judge.Judge(engine, channel, jail, proc).serve()


def settle() -> None:
    """Keep the collector's hands, and so the copying of pages, off what is there."""
    import gc

    gc.collect()
    gc.freeze()
    gc.disable()


main()
