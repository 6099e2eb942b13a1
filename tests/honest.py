"""Honest programs that look odd: a judge that refuses cheats must still pass every one of them."""

from __future__ import annotations

import math
from dataclasses import dataclass

from regreen.problem import Assert, Call, Check, Problem, Stdio


@dataclass(frozen=True, slots=True)
class Honest:
    """One odd program and the problem that it solves."""

    name: str
    source: str
    problem: Problem


def _solves(name: str, source: str, *checks: Check | str, entry: str = "f", prelude: str = "") -> Honest:
    full = tuple(Assert(check) if isinstance(check, str) else check for check in checks)
    return Honest(name, source, Problem(name, name, full, entry_point=entry, prelude=prelude, solution=source))


def _answers(name: str, source: str, stdin: str = "3 4\n", expected: str = "7\n", rule: str = "exact") -> Honest:
    return Honest(name, source, Problem(name, name, (Stdio(stdin, expected, rule),) * 2, solution=source))


ADD = "assert f(3, 4) == 7"

NEAR_HALF = "assert 0.495 <= answer <= 0.505"

VARIABLES = [
    _solves(
        "answer that is a fraction",
        "from fractions import Fraction\nanswer = Fraction(1, 2)",
        NEAR_HALF,
        entry="answer",
    ),
    _solves(
        "answer that is a decimal", "from decimal import Decimal\nanswer = Decimal('0.5')", NEAR_HALF, entry="answer"
    ),
    _solves(
        "answer of a subclass of float", "class Metres(float): pass\nanswer = Metres(0.5)", NEAR_HALF, entry="answer"
    ),
    _solves(
        "answer that is a whole number",
        "answer = 10 ** 400",
        f"assert {10**400 - 1} <= answer <= {10**400}",
        entry="answer",
    ),
    _solves("answer below zero", "answer = -0.5", "assert -0.505 <= answer <= -0.495", entry="answer"),
    _solves(
        "answer set by a thread",
        "import threading\ndef solve():\n    global answer\n    answer = 0.5\n"
        "t = threading.Thread(target=solve)\nt.start(); t.join()",
        NEAR_HALF,
        entry="answer",
    ),
    _solves("numpy answer", "import numpy\nanswer = numpy.float64(0.5)", NEAR_HALF, entry="answer"),
]

FUNCTIONS = [
    _solves("threads", "import threading\ndef f(a, b):\n    out = []\n    ts = [threading.Thread(target=out.append, args=(x,)) for x in (a, b)]\n"
            "    for t in ts: t.start()\n    for t in ts: t.join()\n    return sum(out)", ADD),
    _solves("thread pool", "from concurrent.futures import ThreadPoolExecutor\ndef f(a, b):\n"
            "    with ThreadPoolExecutor(8) as pool:\n        return sum(pool.map(int, [a, b]))", ADD),
    _solves("a daemon thread that goes on", "import threading, time\nthreading.Thread(target=time.sleep, args=(9,), daemon=True).start()\n"
            "def f(a, b): return a + b", ADD),
    _solves("a thread with a large stack", "import threading\nthreading.stack_size(256 << 20)\n"
            "def f(a, b):\n    out = []\n    t = threading.Thread(target=lambda: out.append(a + b))\n    t.start(); t.join()\n"
            "    return out[0]", ADD),
    _solves("temporary file", "import tempfile\ndef f(a, b):\n    with tempfile.TemporaryFile('w+') as t:\n"
            "        t.write(str(a + b)); t.seek(0)\n        return int(t.read())", ADD),
    _solves("temporary folder", "import tempfile, pathlib\ndef f(a, b):\n    with tempfile.TemporaryDirectory() as d:\n"
            "        p = pathlib.Path(d, 'x.txt'); p.write_text(str(a + b))\n        return int(p.read_text())", ADD),
    _solves("file in the working directory", "import os\ndef f(a, b):\n    with open('x.txt', 'w') as t: print(a + b, file=t)\n"
            "    try: return int(open('x.txt').read())\n    finally: os.remove('x.txt')", ADD),
    _solves("file left behind", "open('left', 'w').write('4')\ndef f(a, b): return a + int(open('left').read())", ADD),
    _solves("sqlite in memory", "import sqlite3\ndef f(a, b):\n    return sqlite3.connect(':memory:').execute('select ? + ?', (a, b)).fetchone()[0]", ADD),
    _solves("recursion by default", "def f(a, b): return b if a == 0 else f(a - 1, b + 1)", "assert f(900, 1) == 901"),
    _solves("deep recursion", "import sys\nsys.setrecursionlimit(10 ** 6)\ndef f(a, b): return b if a == 0 else f(a - 1, b + 1)",
            "assert f(20000, 1) == 20001"),
    _solves("recursion error caught", "def deep(n): return deep(n + 1)\ndef f(a, b):\n    try: deep(0)\n"
            "    except RecursionError: return a + b", ADD),
    _solves("noise on both streams", "import sys, os\nprint('loading')\ndef f(a, b):\n    print('adding', a, b)\n    sys.stderr.write('noise')\n"
            "    os.write(1, b'passed\\n'); os.write(2, b'failed\\n')\n    return a + b", ADD),
    _solves("garbage in cycles", "def f(a, b):\n    for _ in range(100_000):\n        x = [' ' * 40_000 if _ % 3 else 0]; x.append(x)\n    return a + b", ADD),
    _solves("much noise", "def f(a, b):\n    print('x' * 900000)\n    return a + b", ADD),
    _solves("noise that is not text", "import os\nos.write(1, bytes(range(256)))\ndef f(a, b): return a + b", ADD),
    _solves("closed standard output", "import sys\nsys.stdout.close()\ndef f(a, b): return a + b", ADD),
    _solves("redirected standard output", "import contextlib, io\ndef f(a, b):\n    with contextlib.redirect_stdout(io.StringIO()) as t: print(a + b)\n"
            "    return int(t.getvalue())", ADD),
    _solves("replaced standard streams", "import sys, io\nsys.stdout = sys.stderr = io.StringIO()\ndef f(a, b): return a + b", ADD),
    _solves("main guard", "def f(a, b): return a + b\nif __name__ == '__main__':\n    print(f(1, 2))\n", ADD),
    _solves("state across calls", "calls = []\ndef f(x):\n    calls.append(x)\n    return len(calls)",
            "assert f('a') == 1", "assert f('b') == 2\nassert f('c') == 3"),
    _solves("default that changes", "def f(x, seen=[]):\n    seen.append(x)\n    return list(seen)", "assert f(1) == [1]\nassert f(2) == [1, 2]"),
    _solves("cache", "from functools import lru_cache\n@lru_cache(None)\ndef f(n): return n if n < 2 else f(n - 1) + f(n - 2)",
            "assert f(90) == 2880067194370816120"),
    _solves("generator within", "def g(n):\n    yield from range(n)\ndef f(n): return list(g(n))", "assert f(3) == [0, 1, 2]"),
    _solves("generator returned", "def f(n): return (x for x in range(n))", "assert list(f(3)) == [0, 1, 2]"),
    _solves("map returned", "def f(n): return map(str, range(n))", "assert list(f(3)) == ['0', '1', '2']"),
    _solves("range returned", "def f(n): return range(n)", "assert list(f(3)) == [0, 1, 2]", "assert f(3) == range(3)"),
    _solves("views of a dictionary", "def f(d): return d.keys()", "assert sorted(f({'b': 1, 'a': 2})) == ['a', 'b']",
            "assert set(f({'a': 1})) == {'a'}", "assert list(f({'a': 1})) == ['a']"),
    _solves("class", "class Point:\n    def __init__(self, x): self.x = x\n    def double(self): return Point(self.x * 2)\n"
            "def f(x): return Point(x).double().x", "assert f(2) == 4"),
    _solves("solution class", "class Solution:\n    def add(self, a, b): return a + b\n", "assert Solution().add(3, 4) == 7", entry="Solution"),
    _solves("class kept by the check", "class Counter:\n    def __init__(self): self.n = 0\n    def up(self): self.n += 1; return self.n\n",
            "c = Counter()\nassert c.up() == 1\nassert c.up() == 2\nassert c.n == 2", entry="Counter"),
    _solves("data class", "from dataclasses import dataclass, asdict\n@dataclass\nclass P:\n    x: int\n    y: int = 4\n"
            "def f(x): return asdict(P(x))", "assert f(3) == {'x': 3, 'y': 4}"),
    _solves("enumeration of integers", "import enum\nclass E(enum.IntEnum):\n    SEVEN = 7\ndef f(a, b): return E(a + b)", ADD, Call((3, 4), 7)),
    _solves("bool for int", "def f(a, b): return a + b > 6", "assert f(3, 4) == 1", "assert f(3, 4)", "assert f(3, 4) is True"),
    _solves("named tuple", "from collections import namedtuple\nP = namedtuple('P', 'x y')\ndef f(a, b): return P(a, b)",
            "assert f(3, 4) == (3, 4)", "assert f(3, 4)[1] == 4", Call((3, 4), (3, 4))),
    _solves("counter", "from collections import Counter\ndef f(s): return Counter(s)", "assert f('aab') == {'a': 2, 'b': 1}", Call(("ab",), {"a": 1, "b": 1})),
    _solves("dictionary with defaults", "from collections import defaultdict\ndef f(s):\n    d = defaultdict(list)\n    d[len(s)].append(s)\n    return d",
            "assert f('ab') == {2: ['ab']}"),
    _solves("ordered dictionary", "from collections import OrderedDict\ndef f(): return OrderedDict(b=1, a=2)", "assert f() == {'a': 2, 'b': 1}"),
    _solves("deque", "from collections import deque\ndef f(): return deque([1, 2])", "assert list(f()) == [1, 2]"),
    _solves("subclass of str", "class S(str): pass\ndef f(x): return S(x)", "assert f('ab') == 'ab'", "assert f('ab').upper() == 'AB'"),
    _solves("decimal made plain", "from decimal import Decimal\ndef f(a, b): return float(Decimal(a) + Decimal(b))", ADD),
    _solves("decimal", "from decimal import Decimal\ndef f(a): return Decimal(a)", "assert f('1.5') == 1.5"),
    _solves("fraction", "from fractions import Fraction\ndef f(a, b): return Fraction(a, b)", "assert f(1, 2) == 0.5", "assert abs(f(1, 3) - 1 / 3) < 1e-9"),
    _solves("fraction made plain", "from fractions import Fraction\ndef f(a, b): return str(Fraction(a, b))", "assert f(2, 4) == '1/2'"),
    _solves("date", "import datetime\ndef f(y): return datetime.date(y, 1, 2).isoformat()", "assert f(2024) == '2024-01-02'"),
    _solves("array", "import array\ndef f(): return array.array('i', [1, 2]).tolist()", "assert f() == [1, 2]"),
    _solves("huge integer", "def f(n): return 7 ** n", "assert f(6000) == 7 ** 6000", Call((900,), 7**900)),
    _solves("huge list", "def f(n): return list(range(n))", "assert f(200000) == list(range(200000))", "assert len(f(50000)) == 50000"),
    _solves("infinity and negative zero", "def f(): return [float('inf'), -float('inf'), -0.0]",
            "import math\nassert f() == [math.inf, -math.inf, 0.0]\nassert math.copysign(1, f()[2]) == -1", Call((), [math.inf, -math.inf, -0.0])),
    _solves("not a number", "def f(): return float('nan')", "import math\nassert math.isnan(f())", "x = f()\nassert x != x"),
    _solves("complex and bytes", "def f(): return 1 + 2j, b'\\x00\\xff', bytearray(b'x'), {1, 2}, frozenset([3])",
            "assert f() == (1 + 2j, b'\\x00\\xff', bytearray(b'x'), {1, 2}, frozenset([3]))"),
    _solves("lone surrogate", "def f(): return '\\ud800x'", r"assert f() == '\ud800x'"),
    _solves("shared and nested values", "def f():\n    x = [1]\n    return [x, x, (x, {'k': x})]", "assert f() == [[1], [1], ([1], {'k': [1]})]"),
    _solves("argument changed in place", "def f(xs): xs.sort()", "xs = [3, 1, 2]\nassert f(xs) is None\nassert xs == [1, 2, 3]"),
    _solves("argument returned", "def f(xs):\n    xs.append(1)\n    return xs", "assert f([]) == [1]", "xs = [0]\nassert f(xs) == [0, 1] and xs == [0, 1]"),
    _solves("nested argument changed", "def f(m):\n    m[0][0] = 9", "m = [[1, 2], [3]]\nf(m)\nassert m == [[9, 2], [3]]"),
    _solves("keyword arguments", "def f(a, *rest, b=1, **more): return a + sum(rest) + b + sum(more.values())",
            "assert f(1, 2, b=3, c=4) == 10", Call((1, 2), 10, {"b": 3, "c": 4})),
    _solves("callback", "def f(g, x): return g(g(x))", "assert f(lambda x: x + 1, 5) == 7"),
    _solves("function returned", "def f(n): return lambda x: x + n", "assert f(2)(3) == 5"),
    _solves("right exception", "def f(x):\n    if x < 0: raise ValueError('negative')\n    return x",
            "try:\n    f(-1)\n    assert False\nexcept ValueError as e:\n    assert str(e) == 'negative'"),
    _solves("own exception", "class Bad(KeyError): pass\ndef f(x): raise Bad(x)", "try:\n    f(1)\nexcept KeyError:\n    pass\nelse:\n    assert False"),
    _solves("asyncio", "import asyncio\nasync def g(a, b):\n    await asyncio.sleep(0.01)\n    return a + b\ndef f(a, b): return asyncio.run(g(a, b))", ADD),
    _solves("signal handler", "import signal\nsignal.signal(signal.SIGALRM, lambda *a: None)\nsignal.setitimer(signal.ITIMER_REAL, 0.01)\n"
            "def f(a, b): return a + b", ADD),
    _solves("warnings and logging", "import warnings, logging\nlogging.basicConfig(level=0)\ndef f(a, b):\n    warnings.warn('odd')\n"
            "    logging.info('adding')\n    return a + b", ADD),
    _solves("seeded random", "import random\nrandom.seed(1)\ndef f(a, b): return a + b + int(random.random() * 0)", ADD),
    _solves("random of the system", "import os, secrets, uuid\ndef f(a, b): return a + b + 0 * len(os.urandom(8) + secrets.token_bytes(2) + uuid.uuid4().bytes)", ADD),
    _solves("sleep", "import time\ndef f(a, b):\n    time.sleep(0.2)\n    return a + b", ADD),
    _solves("clock", "import time, datetime\ndef f(a, b):\n    t = time.time(), time.perf_counter(), time.process_time()\n"
            "    return a + b if datetime.datetime.now().year > 2000 and min(t) >= 0 else 0", ADD),
    _solves("importlib", "import importlib\ndef f(a, b): return importlib.import_module('operator').add(a, b)", ADD),
    _solves("exec and eval", "exec('def g(a, b): return a + b')\ndef f(a, b): return eval('g(a, b)')", ADD),
    _solves("import by hand", "def f(a, b): return __import__('math').floor(a + b)", ADD),
    _solves("harmless ctypes", "import ctypes\ndef f(a, b): return ctypes.c_int32(a + b).value + ctypes.CDLL(None).abs(0)", ADD),
    _solves("every alphabet", "def f(größe, число):\n    π = 'é漢字🙂'\n    return größe + число + len(π) - 4", ADD),
    _solves("byte order mark", "\ufeffdef f(a, b): return a + b\n", ADD),
    _solves("coding cookie", "# -*- coding: utf-8 -*-\ndef f(a, b): return a + b\n", ADD),
    _solves("windows line ends", "def f(a, b):\r\n    return a + b\r\n", ADD),
    _solves("form feed", "\fdef f(a, b):\n\f\treturn a + b\n", ADD),
    _solves("future annotations", "from __future__ import annotations\ndef f(a: Missing, b: int | None) -> Nothing: return a + b\n", ADD),
    _solves("star imports", "from typing import *\nfrom math import *\nfrom os import *\ndef f(a: List[int], b: Optional[int]): return a + b", ADD),
    _solves("named as a builtin", "def sum(a, b): return a + b\n", "assert sum(3, 4) == 7", entry="sum"),
    _solves("named as another builtin", "def max(xs):\n    xs = sorted(xs)\n    return xs[-1]\n", "assert max([1, 3, 2]) == 3", Call(([2, 1],), 2), entry="max"),
    _solves("named as a helper of the check", "def check(x): return x * 2\n", "assert check(2) == 4", entry="check"),
    _solves("shadows names of the check", "math = None\ndef isclose(x): return 0\ndef f(a, b): return a + b\n",
            "import math\nfrom math import isclose\nassert math.isclose(f(3, 4), 7.0) and isclose(f(0, -1), -1)"),
    _solves("only a docstring", 'def f(a, b):\n    """Add."""\n', "assert f(3, 4) is None"),
    _solves("lambda", "f = lambda a, b: a + b", ADD),
    _solves("partial", "import functools, operator\nf = functools.partial(operator.add)", ADD),
    _solves("builtin as entry point", "f = max", "assert f(3, 7) == 7"),
    _solves("callable object", "class F:\n    def __call__(self, a, b): return a + b\nf = F()", ADD),
    _solves("decorated", "import functools\ndef twice(g):\n    @functools.wraps(g)\n    def h(*a): return g(*a)\n    return h\n@twice\ndef f(a, b): return a + b", ADD),
    _solves("two functions", "def enc(s): return s[::-1]\ndef dec(s): return s[::-1]\n", "assert dec(enc('abc')) == 'abc'", entry="dec"),
    _solves("helper of the prompt", "def f(n): return half(n) + 1", "assert f(4) == 3\nassert half(f(4)) == 1.5", prelude="def half(n):\n    return n / 2\n"),
    _solves("loop of calls", "def f(n): return n * n", "def check(candidate):\n    for i in range(50):\n        assert candidate(i) == i * i, i\ncheck(f)"),
    _solves("random arguments", "def f(xs): return sorted(xs)", "import random\nfor _ in range(20):\n    xs = [random.randrange(9) for _ in range(5)]\n"
            "    assert f(list(xs)) == sorted(xs)"),
    _solves("exits in a guard", "import sys\ndef f(a, b): return a + b\nif len(sys.argv) > 99: sys.exit(1)\n", ADD),
    _solves("exit registered", "import atexit\natexit.register(print, 'bye')\ndef f(a, b): return a + b\n", ADD),
    _solves("big but legal memory", "def f(a, b):\n    x = bytearray(600 << 20)\n    return a + b + x[5]", ADD),
    _solves("close values", "def f(x): return x / 3", Call((1.0,), 0.33333333, compare="close"), "assert abs(f(1) - 0.333333) < 1e-5"),
    _solves("tuple for list", "def f(): return (1, 2)", Call((), [1, 2], compare="apps")),
    _solves("unused imports", "import multiprocessing, socket, subprocess, ssl, urllib.request, http.client, unittest, pickle, zlib, curses.ascii\n"
            "def f(a, b): return a + b", ADD),
    _solves("type checks", "def f(x): return type(x) is list and isinstance(x, list) and x.__class__ is list", "assert f([1])", "assert f([]) is True"),
    _solves("looks at the stack", "import inspect, sys, gc\ndef f(a, b):\n    inspect.currentframe(); sys._getframe(); gc.collect()\n    return a + b", ADD),
    _solves("profiler", "import cProfile\ndef f(a, b):\n    p = cProfile.Profile()\n    return p.runcall(lambda: a + b)", ADD),
]  # fmt: skip

PROGRAMS = [
    _answers("input", "a, b = map(int, input().split())\nprint(a + b)"),
    _answers("standard input's buffer", "import sys\nprint(sum(map(int, sys.stdin.buffer.read().split())))"),
    _answers("lines of standard input", "import sys\nfor line in sys.stdin:\n    print(sum(map(int, line.split())))"),
    _answers("fileinput", "import fileinput\nfor line in fileinput.input():\n    print(sum(map(int, line.split())))"),
    _answers("open of descriptor 0", "print(sum(map(int, open(0).read().split())))"),
    _answers("read of descriptor 0", "import os\nprint(sum(map(int, os.read(0, 10 ** 6).split())))"),
    _answers("standard input opened as a file", "print(sum(map(int, open('/dev/stdin').read().split())))"),
    _answers("mapped standard input", "import io, os\ninput = io.BytesIO(os.read(0, os.fstat(0).st_size or 99)).readline\n"
             "print(sum(map(int, input().split())))"),
    _answers("read until the end", "try:\n    while True: print(sum(map(int, input().split())))\nexcept EOFError:\n    pass"),
    _answers("exit by the system module", "import sys\nprint(7)\nsys.exit()"),
    _answers("exit", "print(7)\nexit()"),
    _answers("exit at once", "import os\nprint(7, flush=True)\nos._exit(0)"),
    _answers("no line end", "import sys\nsys.stdout.write('7')"),
    _answers("written bytes", "import sys\nsys.stdout.buffer.write(b'7\\n')"),
    _answers("written to descriptor 1", "import os\nos.write(1, b'7\\n')"),
    _answers("print replaced", "import sys\nprint = lambda *a: sys.stdout.write(' '.join(map(str, a)) + '\\n')\nprint(7)"),
    _answers("own buffer", "import sys, io, os, atexit\nbuffer = io.StringIO()\nsys.stdout = buffer\n"
             "atexit.register(lambda: os.write(1, buffer.getvalue().encode()))\nprint(7)"),
    _answers("written at exit", "import atexit\natexit.register(print, 7)"),
    _answers("standard output closed", "import sys\nprint(7)\nsys.stdout.close()"),
    _answers("noise on standard error", "import sys\nprint('debug ' * 99, file=sys.stderr)\nprint(7)"),
    _answers("main guard at work", "def main():\n    print(sum(map(int, input().split())))\nif __name__ == '__main__':\n    main()"),
    _answers("thread with a large stack", "import sys, threading\nsys.setrecursionlimit(10 ** 6)\nthreading.stack_size(1 << 27)\n"
             "def main(): print(sum(map(int, input().split())))\nt = threading.Thread(target=main)\nt.start()\nt.join()"),
    _answers("thread not waited for", "import threading\nthreading.Thread(target=lambda: print(7)).start()"),
    _answers("unread input", "print(7)", stdin="3 4\n" * 10**5),
    _answers("long input", "import sys\nprint(len(sys.stdin.read()))", stdin="x" * 10**6, expected="1000000\n"),
    _answers("long output", "print('x' * 900000)", expected="x" * 900000 + "\n"),
    _answers("every alphabet in and out", "print(input()[::-1])", stdin="é漢字🙂\n", expected="🙂字漢é\n"),
    _answers("floats", "print(0.1 + 0.2, 1e0)", expected="0.3 1\n", rule="floats"),
    _answers("tokens", "print('a   b')\nprint('c')", expected="a b c", rule="tokens"),
    _answers("list printed for lines", "print('1')\nprint('2')", expected="1\n2", rule="apps"),
    _answers("deep recursion of a whole program", "import sys\nsys.setrecursionlimit(10 ** 6)\nf = lambda n: n and 1 + f(n - 1)\nprint(f(20000) - 19993)"),
    _answers("error after the answer is caught", "try:\n    print(7)\n    1 / 0\nexcept ZeroDivisionError:\n    pass"),
    _answers("scratch file", "open('x', 'w').write(input())\nprint(sum(map(int, open('x').read().split())))"),
    _answers("empty output", "pass", expected=""),
    _answers("named as the module of a class", "import __main__\n__main__.x = 7\nprint(x)"),
    _answers("pickled class", "import pickle\nclass A:\n    n = 7\nprint(pickle.loads(pickle.dumps(A())).n)"),
]  # fmt: skip

HONEST = VARIABLES + FUNCTIONS + PROGRAMS
