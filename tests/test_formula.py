"""Formulas of MathQA: what they come to, and the programs that they stand for."""

import math
from random import Random

import pytest

from regreen.formula import OPERATIONS, program, read_formula, values

# Written anew from the descriptions, not from the table that is tested.
TWINS = {
    "add": lambda a, b: a + b,
    "subtract": lambda a, b: a - b,
    "multiply": lambda a, b: a * b,
    "divide": lambda a, b: a / b,
    "speed": lambda distance, time: distance / time,
    "power": lambda a, b: a ** (b if b < 5 else 5),
    "sqrt": lambda a: a**0.5,
    "inverse": lambda a: a**-1,
    "negate": lambda a: 0 - a,
    "floor": lambda a: a // 1,
    "factorial": lambda a: math.prod(range(1, min(15, math.trunc(a)) + 1)),
    "log": lambda a: math.log2(a),
    "reminder": lambda a, b: a - b * math.floor(a / b),
    "gcd": lambda a, b: max(d for d in range(1, int(a) + 1) if int(a) % d == int(b) % d == 0),
    "lcm": lambda a, b: min(m for m in range(1, int(a) * int(b) + 1) if m % int(a) == m % int(b) == 0),
    "max": lambda a, b: a if a > b else b,
    "choose": lambda a, b: math.prod(int(a) - i for i in range(int(b))) / math.prod(range(1, int(b) + 1)),
    "sine": lambda a: math.cos(a - math.pi / 2),
    "cosine": lambda a: math.sin(a + math.pi / 2),
    "percent": lambda a, b: b * a * 0.01,
    "from_percent": lambda a: a * 0.01,
    "gain_percent": lambda a: a + 100,
    "loss_percent": lambda a: 100 - a,
    "negate_percent": lambda a: 100 - a,
    "price_after_gain": lambda gain, price: price + price * gain / 100,
    "p_after_gain": lambda gain, price: price + price * gain / 100,
    "price_after_loss": lambda loss, price: price - price * loss / 100,
    "original_price_before_gain": lambda gain, price: price / (1 + gain / 100),
    "original_price_before_loss": lambda loss, price: 100 * price / (100.00001 - loss),
    "union_prob": lambda a, b, both: a + b - both,
    "negate_prob": lambda a: 1 - a,
    "count_interval": lambda last, first: last - first + 1,
    "combined_work": lambda a, b: 1 / (min(a, 1 / a) + min(b, 1 / b)),
    "find_work": lambda a, b: 1 / max(min(a, 1 / a) - min(b, 1 / b), min(b, 1 / b) - min(a, 1 / a)),
    "speed_in_still_water": lambda down, up: up + (down - up) / 2,
    "stream_speed": lambda down, up: down / 2 - up / 2,
    "speed_ratio_steel_to_stream": lambda a, b: (a + b) / (a - b),
    "circle_area": lambda r: r * r * math.pi,
    "circumface": lambda r: math.tau * r,
    "circle_arc": lambda degrees, r: math.radians(degrees) * r,
    "circle_sector_area": lambda r, degrees: math.radians(degrees) * r * r / 2,
    "semi_circle_perimiter": lambda r: r * (math.pi + 2),
    "square_area": lambda a: a * a,
    "square_perimeter": lambda a: a + a + a + a,
    "rhombus_perimeter": lambda a: a + a + a + a,
    "square_edge_by_area": lambda a: a**0.5,
    "square_edge_by_perimeter": lambda a: a * 0.25,
    "rectangle_area": lambda a, b: a * b,
    "rectangle_perimeter": lambda a, b: a + a + b + b,
    "diagonal": lambda a, b: math.hypot(a, b),
    "rhombus_area": lambda a, b: a * b * 0.5,
    "triangle_area": lambda a, b: a * b * 0.5,
    "trapezium_area": lambda height, a, b: height * (a + b) * 0.5,
    "quadrilateral_area": lambda height, a, b: height * (a + b) * 0.5,
    "triangle_perimeter": lambda a, b, c: math.fsum((a, b, c)),
    "volume_cube": lambda a: a * a * a,
    "cube_edge_by_volume": lambda a: math.exp(math.log(a) / 3),
    "surface_cube": lambda a: 6 * a * a,
    "volume_rectangular_prism": lambda a, b, c: math.prod((a, b, c)),
    "surface_rectangular_prism": lambda a, b, c: 2 * a * (b + c) + 2 * b * c,
    "volume_cylinder": lambda r, height: math.pi * r * r * height,
    "volume_cone": lambda r, height: math.pi * r * r * height / 3,
    "volume_sphere": lambda r: math.pi * r**3 * 4 / 3,
    "surface_sphere": lambda r: math.pi * (2 * r) ** 2,
}  # fmt: skip
HELD_BY_HAND = {"permutation": ((5.0, 2.0), 20.0), "triangle_area_three_edges": ((3.0, 4.0, 5.0), 6.0)}


def answer_of(source: str) -> float:
    names: dict[str, float] = {}
    exec(source, names)
    return names["answer"]


def test_every_operation_has_a_twin() -> None:
    assert set(OPERATIONS) == set(TWINS) | set(HELD_BY_HAND)


@pytest.mark.parametrize("name", TWINS)
def test_an_operation_is_what_it_says_as_a_value_and_as_a_program(name: str) -> None:
    twin, draw = TWINS[name], Random(name)
    for _ in range(20):
        numbers = sorted((round(draw.uniform(1.5, 30), 2) for _ in range(twin.__code__.co_argcount)), reverse=True)
        formula = read_formula(f"{name}({','.join(f'n{at}' for at in range(len(numbers)))})|")
        assert values(formula, numbers) == [pytest.approx(twin(*numbers), rel=1e-12)]
        assert answer_of(program(formula, numbers)) == values(formula, numbers)[-1]


@pytest.mark.parametrize("name", HELD_BY_HAND)
def test_two_operations_are_held_against_values_known_by_hand(name: str) -> None:
    numbers, value = HELD_BY_HAND[name]
    formula = read_formula(f"{name}({','.join(f'n{at}' for at in range(len(numbers)))})")
    assert values(formula, numbers) == [pytest.approx(value)] == [answer_of(program(formula, numbers))]


def test_powers_factorials_roots_and_logarithms_are_kept_within_bounds() -> None:
    bounded = "power(n0,const_9)|factorial(const_20)|sqrt(n1)|log(n1)"
    assert values(read_formula(bounded), [2.0, -4.0]) == [32.0, math.factorial(15), 0.0, math.log(1e-5, 2)]


@pytest.mark.parametrize(("written", "value"), [
    ("const_100", 100.0), ("const_2.0", 2.0), ("const_3_6", 3.6), ("const_0_2778", 0.2778), ("const_0.5", 0.5),
    ("const_pi", math.pi), ("const_deg_to_rad", math.pi / 180),
])  # fmt: skip
def test_a_constant_is_the_number_in_its_name(written: str, value: float) -> None:
    formula = read_formula(f"add({written},const_0)")
    assert values(formula, []) == [value] == [answer_of(program(formula, []))]


def test_a_program_has_a_line_for_each_number_and_each_operation_and_sets_answer() -> None:
    formula = read_formula("multiply(n2,const_100)|multiply(n0,n1)|divide(#0,#1)|")
    assert program(formula, [3.0, 10.0, 2.5]) == (
        "n0 = 3.0\nn1 = 10.0\nn2 = 2.5\nt0 = n2 * 100.0\nt1 = n0 * n1\nanswer = t0 / t1\n"
    )
    assert program(read_formula("sqrt(n0)"), [9.0]) == "import math\nn0 = 9.0\n\nanswer = math.sqrt(max(0, n0))\n"


@pytest.mark.parametrize(("formula", "said"), [
    ("", "an empty formula"),
    ("|", "an empty formula"),
    ("tangent(n0)", "there is no operation 'tangent'"),
    ("add(n0)", "add takes 2 arguments, not 1"),
    ("add(n0,n1,n1)", "add takes 2 arguments, not 3"),
    ("add(n0,3)", "'3' is no argument of add"),
    ("add(n0,#0)", "'#0' is no argument of add"),
    ("add(n0,const_x)", "'const_x' is no argument"),
    ("answer = n0", "'answer = n0' is no operation"),
    ("add(n0,add(n0,n1))", "is no operation"),
])  # fmt: skip
def test_what_is_no_formula_is_refused_with_the_reason(formula: str, said: str) -> None:
    with pytest.raises(ValueError, match=said.replace("(", r"\(")):
        read_formula(formula)


def test_a_number_that_the_problem_does_not_have_is_refused() -> None:
    for function in (values, program):
        with pytest.raises(ValueError, match="there is no number n2: the problem has 2"):
            function(read_formula("add(n0,n2)"), [1.0, 2.0])
