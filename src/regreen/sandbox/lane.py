"""The first program of a lane: started by the engine with a clean interpreter, it becomes judge and zygote.

Run as ``python -s -S -P -X utf8 lane.py CONFIG``; CONFIG is JSON: the engine's socket, the jail, modules to preload.
"""

import json
import os
import socket
import sys


def main() -> None:
    config = json.loads(sys.argv[1])
    sys.path.insert(0, config["path"])
    sys.path += config["packages_path"]
    from regreen.sandbox import linux

    # Fixed addresses and a fixed hash seed: sets and dictionaries keep one order from run to run.
    if config["tier"] != "C" and not config.get("again") and linux.no_address_randomization():
        again = json.dumps({**config, "again": True})
        os.execv(sys.executable, [*sys.orig_argv[:-1], again])
    become_lane(config)


def become_lane(config: dict) -> None:  # type: ignore[type-arg]
    import _sitebuiltins
    import builtins
    import gc
    import importlib

    from regreen.sandbox import guest, judge, native, wire, zygote
    from regreen.sandbox.jail import Jail, reserve_low_descriptors
    from regreen.sandbox.limits import Limits

    # What a program expects and the clean interpreter lacks; and nothing of how this process was started.
    builtins.exit, builtins.quit = _sitebuiltins.Quitter("exit", ""), _sitebuiltins.Quitter("quit", "")
    sys.argv = sys.orig_argv = ["program"]
    sys.path.remove(config["path"])
    for name in config["preload"]:
        importlib.import_module(name)
    if "numpy" in config["preload"]:
        sys.modules["numpy"].random.seed(0)  # else its state would differ from lane to lane
    reserve_low_descriptors(guest.RESULTS + 2)
    engine = socket.socket(fileno=config["engine"])
    jail = Jail(config["tier"], Limits(*config["limits"]), tuple(config["packages"]), config["scratch"])
    loop = native.load() if config["tier"] != "C" else None
    mine, others = socket.socketpair()
    try:
        proc = os.open("/proc", os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        proc = None
    # Forked before any check arrives: the zygote's memory never held one.
    pid = os.fork()
    guest.warm_up()
    gc.collect()
    gc.freeze()
    gc.disable()
    if pid == 0:
        mine.close()
        engine.close()
        jail.enter(judge=False)
        others.send(b"!")
        zygote.serve(others, jail, proc, loop)
        os._exit(0)
    others.close()
    jail.enter(judge=True)
    import signal

    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})
    if mine.recv(1) != b"!":
        raise SystemExit("the zygote could not be confined")
    wire.send(engine, "ready")
    judge.Judge(engine, mine, jail, proc).serve()
    mine.close()
    os.waitpid(pid, 0)


main()
