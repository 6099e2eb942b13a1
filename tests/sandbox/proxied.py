"""A program, and checks of it that are code: those that hold in one process, and those that fail."""

import re

from regreen.verdict import Outcome

WRONG_ANSWER, EXCEPTION = Outcome.WRONG_ANSWER, Outcome.EXCEPTION

PROGRAM = """
import math
import itertools
from collections import deque, namedtuple

kept = []
count = 0

def same(*values, **named):
    return (values[0] if len(values) == 1 else values) if not named else (values, named)

def touch(xs):
    xs.append(len(xs))

def touch_all(a, b=None, **more):
    a["k"].append((1, [2]))
    a["new"] = a
    if b is not None: b.add(3); b.discard(1)
    for value in more.values(): value.extend(b"!")

def grow(xs):
    fresh = [1]
    xs += [fresh, fresh]
    return fresh

def swap(xs, ys):
    xs[:], ys[:] = ys[:], xs[:]
    return ys, xs

def fail(kind, *args):
    raise kind(*args) if isinstance(kind, type) else getattr(__builtins__, kind, ValueError)(*args)

def raising(name, *args):
    import builtins
    raise getattr(builtins, name)(*args)

def touch_and_raise(xs):
    xs.append("touched")
    raise KeyError("late")

class Odd(ValueError):
    def __str__(self): return "odd indeed"

class Own(Exception): pass

def odd(): raise Odd(1, 2)
def own(): raise Own("own")
def nested():
    try: 1 / 0
    except ZeroDivisionError as error: raise LookupError("outer") from error

def up_to(n):
    for i in range(n): yield i

def forever():
    i = 0
    while True:
        yield i
        i += 1

class Node:
    def __init__(self, value, left=None, right=None):
        self.value, self.left, self.right = value, left, right
    def total(self):
        return self.value + sum(n.total() for n in (self.left, self.right) if n)
    def __getitem__(self, key): return [self, key][1]
    def __setitem__(self, key, value): self.value = (key, value)
    def __str__(self): return f"Node {self.value}"
    def __call__(self, x): return self.value + x

class Empty:
    def __len__(self): return 0

def apply(f, *xs): return f(*xs)
def by(xs, key): return sorted(xs, key=key)

def total(node): return node.total()
def nodes(n): return [Node(i) for i in range(n)]
def values(ns): return [n.value for n in ns]
def keep(x): kept.append(x); return len(kept)
def recall(i): return kept[i]
def is_kept(x, i): return kept[i] is x

def step():
    global count
    count += 1
    return count

def adder(n):
    return lambda x: x + n

def compose(f, g):
    return lambda x: f(g(x))

class Stack:
    def __init__(self): self.items = []
    def push(self, x): self.items.append(x)
    def pop(self): return self.items.pop()
    @property
    def size(self): return len(self.items)
    @classmethod
    def of(cls, *xs):
        made = cls()
        for x in xs: made.push(x)
        return made
"""

# Each holds in one process, so it must pass. A comment is the name of the check below it.
CHECKS = r"""
# loops
for i in range(5):
    assert same(i) == i

# many calls in one loop
assert [same(i) for i in range(200)] == [*range(200)]

# comprehensions and lambdas
g = lambda x: same(x)
assert {k: g(k) for k in 'ab'} == {'a': 'a', 'b': 'b'}

# functions of the check
def helper(x):
    assert x == 1
    return same(x)
assert helper(1) == 1

# classes of the check
class T:
    def run(self): return same(2)
assert T().run() == 2

# imports of the check
import math
assert math.isclose(same(1.0), 1.0 + 1e-12)

# the math of the program's import
assert math.floor(same(2.5)) == 2 and math.pi > 3

# keyword arguments
x = same(1, 2, a=3, b=[4])
assert x == ((1, 2), {'a': 3, 'b': [4]})

# starred arguments
assert same(*[1, 2], **{'c': 3}) == ((1, 2), {'c': 3})

# an argument changed in place
xs = []
touch(xs)
touch(xs)
assert xs == [0, 1]

# the same object after a change
xs = []
ys = xs
touch(xs)
assert ys is xs and ys == [0]

# nested arguments changed in place
inner = []
d = {'k': inner}
touch_all(d)
assert inner == [(1, [2])] and d['k'] is inner

# an argument that holds itself
d = {'k': []}
touch_all(d)
assert d['new'] is d

# sets and bytearrays changed in place
d, s, b = {'k': []}, {1, 2}, bytearray(b'hi')
touch_all(d, s, c=b)
assert s == {2, 3} and b == b'hi!'

# one list under two names
xs = [1]
assert same(xs, xs)[0] is same(xs, xs)[1] is xs

# one list twice in a list
x = []
both = [x, x]
touch(both[0])
assert both == [[0], [0]] and both[1] is x

# a result that is the argument
xs = [1]
assert same(xs) is xs

# a result inside the argument
xs = [[1], [2]]
assert same(xs)[1] is xs[1]

# a new list both returned and stored
xs = []
fresh = grow(xs)
assert xs[0] is xs[1] is fresh and fresh == [1]

# swapped contents
a, b = [1], [2, 3]
r = swap(a, b)
assert a == [2, 3] and b == [1] and r[0] is b and r[1] is a

# shared and cyclic results
a = []
a.append(a)
r = same(a)
assert r is a and r[0] is r

# changes before an exception
xs = []
try:
    touch_and_raise(xs)
except KeyError as e:
    assert e.args == ('late',)
assert xs == ['touched']

# an exception of its own type
try:
    raising('ZeroDivisionError', 'no')
except ZeroDivisionError as e:
    assert str(e) == 'no'
else:
    assert False

# every kind of its bases
try:
    raising('IndexError')
except LookupError as e:
    assert type(e) is IndexError and e.args == ()

# a key error's text
try:
    raising('KeyError', 'k')
except KeyError as e:
    assert str(e) == "'k'" and e.args[0] == 'k'

# a file error's number
try:
    raising('OSError', 2, 'gone')
except FileNotFoundError as e:
    assert e.errno == 2

# a unicode error
try:
    raising('UnicodeDecodeError', 'utf-8', b'x', 0, 1, 'why')
except UnicodeDecodeError as e:
    assert e.reason == 'why'

# stop iteration
try:
    raising('StopIteration', 5)
except StopIteration as e:
    assert e.value == 5

# an exit
try:
    raising('SystemExit', 3)
except SystemExit as e:
    assert e.code == 3

# an assertion error
try:
    raising('AssertionError', 'x')
except AssertionError as e:
    assert e.args == ('x',)

# a plain exception
try:
    raising('Exception', 'x', 2)
except Exception as e:
    assert type(e) is Exception and e.args == ('x', 2)

# an exception with a list
try:
    raising('ValueError', [1, {2}])
except ValueError as e:
    assert e.args == ([1, {2}],)

# an exception's own class, as its base
try:
    odd()
except ValueError as e:
    assert str(e) == 'odd indeed'

# an exception of the program alone
try:
    own()
except Exception as e:
    assert str(e) == 'own'

# an exception with a cause
try:
    nested()
except LookupError as e:
    assert str(e) == 'outer'

# no exception where none is
ok = False
try:
    same(1)
    ok = True
except Exception:
    pass
assert ok

# a class and its objects
root = Node(1)
root.left = Node(2)
root.right = Node(3, left=Node(4))
assert root.total() == total(root) == 10

# attributes
n = Node(5)
n.value += 1
assert n.value == 6 and n.left is None

# objects in a list
ns = nodes(3)
assert values(ns) == [0, 1, 2] and values([ns[2], ns[0]]) == [2, 0]

# an object is itself
n = Node(1)
assert n == n and not n != n and n in [n] and {n: 1}[n] == 1 and same(n) == n

# one object is one object
n = Node(1)
assert same(n) is n and recall(keep(n) - 1) is n and same is same

# two objects are two
assert Node(1) != Node(1) and not Node(1) == 1

# an object kept and found again
n = Node(1)
i = keep(n) - 1
assert is_kept(n, i) and recall(i) == n

# length, items and text of an object
n = Node(1)
assert len(Empty()) == 0 and n['k'] == 'k' and str(n) == 'Node 1'

# an item set
n = Node(1)
n[2] = 3
assert n.value == (2, 3)

# an object called
assert Node(1)(2) == 3

# the truth of an object
e = Empty()
assert not e
assert Node(1) and not Empty()

# a function returned
assert adder(2)(3) == 5

# functions passed back
assert compose(adder(1), adder(10))(100) == 111

# functions of the check called by the program
assert by([3, -4, 1], key=lambda x: -x) == [3, 1, -4] and by(['bb', 'a'], len) == ['a', 'bb']

# a function of the check that asks the program in its turn
assert apply(lambda x: same(x) + total(Node(x)), 5) == 10

# a function of the check that raises
try:
    apply(lambda: [][1])
except IndexError:
    pass
else:
    assert False

# a bound method kept
s = Stack()
p = s.push
p(1)
p([2])
assert s.pop() == [2] and s.size == 1

# class methods
s = Stack.of(1, 2, 3)
assert [s.pop() for _ in range(3)] == [3, 2, 1]

# a generator iterated
assert list(up_to(3)) == [0, 1, 2] and [x for x in up_to(2)] == [0, 1]

# a generator stepped
g = up_to(2)
assert next(g) == 0 and next(g) == 1 and next(g, 'end') == 'end'

# a generator's end
g = up_to(0)
try:
    next(g)
except StopIteration:
    pass
else:
    assert False

# an endless generator
import itertools
assert [*itertools.islice(forever(), 4)] == [0, 1, 2, 3]
for x in forever():
    if x > 5: break

# unpacking
a, *b = up_to(3)
assert (a, b) == (0, [1, 2])
x, y = same((1, 2))
assert x < y

# state from call to call
a = step()
assert step() == a + 1 and count == a + 1

# membership of an iterable
for n in (2, 7):
    assert (n in up_to(5)) is (n < 5)

# several functions
a = [1]
touch(a)
assert same(a) == [1, 1] and math.prod(a) == 1

# builtins are Python's
assert sorted(same([2, 1])) == [1, 2] and max(same(3), 1) == 3 and isinstance(same(1), int)

# types as values
assert same(int) is int and isinstance(same([]), list)

# exact floats
import math
assert math.isnan(same(float('nan'))) and str(same(-0.0)) == '-0.0' and same(1e308 * 10) == math.inf

# big numbers
x = 10 ** 5000
assert same(x) == x and same(-x) == -x

# texts with surrogates
x = same('\ud800')
assert x == '\ud800'

# dates and decimals
import datetime, decimal
d = datetime.date(2024, 2, 29)
assert same(d) == d
assert same(decimal.Decimal('1.10')).as_tuple().exponent == -2

# a bare assert
x = same(1)
assert x

# a bare assert not
x = same(0)
assert not x

# a chain
assert 0 < same(1) < 2 <= same(2)

# and, or
assert same(1) == 1 and same(2) == 2 or same(3)

# with and global
import contextlib
with contextlib.suppress(ValueError):
    raising('ValueError')
assert True

# a walrus
assert (y := same(3)) == 3 and y + 1 == 4

# an f-string message
x = same(1)
assert x == 1, f'{x} is wrong'

# a named check
def check(candidate):
    for i in range(3):
        assert candidate(i) == i
check(same)
"""
HOLDS = dict(re.findall(r"^# (.*)\n((?:.+\n)+)", CHECKS, re.MULTILINE))

# Each fails in one process: what it says is in the outcome.
FAILS = {
    "a wrong value": ("x = same(1)\nassert x == 2", WRONG_ANSWER),
    "a wrong value in a loop": ("for i in range(3):\n    assert same(i) == 0", WRONG_ANSWER),
    "an exception of the program": ("x = raising('ValueError', 'why')", EXCEPTION),
    "an exception of the program in an assert": ("import math\nassert math.sin(raising('ValueError')) == 0", EXCEPTION),
    "an assertion of the program": ("x = raising('AssertionError', 'no')", EXCEPTION),
    "no exception where one is due": ("try:\n    same(1)\n    assert 0\nexcept ValueError:\n    pass", WRONG_ANSWER),
    "another exception than is due": ("try:\n    raising('KeyError')\nexcept ValueError:\n    pass", EXCEPTION),
    "a name that nobody defines": ("x = nothing(1)", EXCEPTION),
    "an attribute that is not there": ("n = Node(1)\nn.nothing", EXCEPTION),
    "too many arguments": ("x = touch(1, 2)", EXCEPTION),
    "an error of the check": ("x = 1 / 0", WRONG_ANSWER),
    "an object against a number": ("n = Node(3)\nassert n == 3", WRONG_ANSWER),
    "a raised assertion": ("raise AssertionError('own words')", WRONG_ANSWER),
    "an argument not changed": ("xs = []\nsame(xs)\nassert xs == [0]", WRONG_ANSWER),
    "a call of what cannot be called": ("x = count()", WRONG_ANSWER),
}  # fmt: skip
