"""The imports that published harnesses put before every program; programs rely on them without importing."""

_APPS_MODULES = "sys time itertools collections math fractions random heapq"
_APPS_NAMES = {
    "itertools": "accumulate, product, permutations, combinations",
    "collections": "Counter, OrderedDict, deque, defaultdict, ChainMap",
    "functools": "lru_cache",
    "math": "sqrt, sin, cos, tan, ceil, fabs, floor, gcd, exp, log, log2",
    "typing": "List, Tuple",
    "heapq": "*",
}
_LEETCODE_MODULES = "random functools collections string math datetime"
_LEETCODE_STARS = "typing functools collections itertools heapq bisect string operator math"
_LIVECODEBENCH_STARS = (
    "string re datetime collections heapq bisect copy math random statistics itertools functools operator io sys json "
    "builtins typing"
)
_LIVECODEBENCH_MODULES = (
    "string re datetime collections heapq bisect copy math random statistics itertools functools operator io sys json"
)


def _modules(names: str) -> list[str]:
    return [f"import {name}" for name in names.split()]


def _stars(names: str) -> list[str]:
    return [f"from {name} import *" for name in names.split()]


APPS = "\n".join(
    [*_modules(_APPS_MODULES), *(f"from {module} import {names}" for module, names in _APPS_NAMES.items())]
)
LEETCODE = "\n".join([*_modules(_LEETCODE_MODULES), *_stars(_LEETCODE_STARS), 'inf = float("inf")'])
LIVECODEBENCH = "\n".join(
    [*_stars(_LIVECODEBENCH_STARS), *_modules(_LIVECODEBENCH_MODULES), "sys.setrecursionlimit(50000)"]
)
