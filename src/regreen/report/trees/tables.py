"""The tables of runs with repair trees."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from regreen.records import Record
from regreen.report.tables import Cell, Table, estimate_cell

Rows = list[list[str | Cell]]

_SCALE = 100  # rows of a baseline curve that are printed whole; --json has all


def tree_tables(found: Record) -> list[Table]:
    """Return the tables of all runs with trees in what :func:`regreen.report.report` returned."""
    runs = [run for run in found.get("runs", [found]) if "repair" in run and "refine" not in run]
    return [table for run in runs for table in _tables(run) if table.rows]


def _tables(run: Record) -> Iterator[Table]:
    about = run["repair"]
    yield _points("Repair trees: pass@t", run["grid"], [*_notes(about), *_success_notes(run)])
    yield _against(run["grid"], about)
    yield _heat_map(run["grid"], about)
    yield _dense(run)
    yield _levels(about)
    yield _diversity(about)
    if about["hidden"]["grid"]:
        count = about["hidden"]["problems"]
        yield _points("Never-revealed checks alone", about["hidden"]["grid"], [f"{count} problems have any"])
    yield _rounds(about)
    yield _controls(about)
    if about["as_grown"]:
        yield _as_grown(about["as_grown"])
    yield _spent(about)


def _points(title: str, grid: Sequence[Record], notes: list[str]) -> Table:
    """Return where each cell lies: how much it solves for how much."""
    header = ["", "programs at most", "pass", "tokens", "programs", "prompt tokens", "cached", "calls", "check runs"]
    priced = any(cell["costs"]["price"] is not None for cell in grid)
    rows: Rows = [
        [
            _name(cell),
            str(cell["k"]),
            _estimate(cell),
            *(_plain(value) for value in (cell["tokens"], cell["programs"])),
            *(_plain(cell["costs"][axis]) for axis in ("prompt", "cached", "calls", "checks")),
            *([_plain(cell["costs"]["price"], ".3g")] if priced else []),
        ]
        for cell in grid
    ]
    return Table(title, [*header, *(["price"] if priced else [])], rows, notes)


def _against(grid: Sequence[Record], about: Record) -> Table:
    """Return every cell's pass rate less each baseline's at the same budget."""
    rows: Rows = [
        [
            _name(cell),
            *(_effect(cell["baselines"][name]) for name in ("same_stop", "placebo", "paper")),
            _plain(cell["baselines"]["same_stop"]["p_holm"], ".3g"),
            cell["verdict"],
        ]
        for cell in grid
    ]
    notes = [
        f"repair - baseline at equal {_axis(about)}; [low, high]: 95 % bootstrap over problems",
        "same-stop: fresh programs, stopped as the tree is; placebo: the tree with fresh programs in place of repairs",
        "paper: a fixed number of programs, all paid for; it favours batched trees even where repair does nothing",
        "the verdict uses same-stop alone: paired permutation over problems, p corrected for all cells (Holm)",
    ]
    return Table("Repair against resampling", ["", "same-stop", "placebo", "paper", "p", "verdict"], rows, notes)


def _heat_map(grid: Sequence[Record], about: Record) -> Table:
    """Return pass rates divided by the baseline's at the same budget, n_p by n_fr."""
    n_frs = list(dict.fromkeys(cell["n_fr"] for cell in grid))
    by_place = {(cell["n_p"], cell["n_fr"]): cell for cell in grid}
    n_ps = list(dict.fromkeys(cell["n_p"] for cell in grid))
    rows: Rows = [[f"n_p = {n_p}", *(_normalised(by_place[n_p, n_fr]) for n_fr in n_frs)] for n_p in n_ps]
    notes = [f"pass rate / the paper's baseline at equal {_axis(about)}; *: beyond the baseline"]
    return Table("Normalised pass rate", ["", *(f"n_fr = {n_fr}" for n_fr in n_frs)], rows, notes)


def _normalised(cell: Record) -> Cell:
    if cell["beyond"]:
        return Cell("*", [None])
    return _plain(cell["normalised"], ".2f")


def _dense(run: Record) -> Table:
    """Return the dense n_fr = 1 curve, and the baseline with its band for the same numbers of first programs."""
    curve = {cell["n_p"]: cell for cell in run["dense"]}
    points = run["baseline"][:_SCALE]
    rows: Rows = [
        [
            str(point["k"]),
            _estimate(point),
            _plain(point["tokens"]),
            _estimate(curve.get(point["k"])),
            _plain(curve.get(point["k"], {}).get("tokens")),
            _normalised(curve[point["k"]]) if point["k"] in curve else Cell("-", [None]),
        ]
        for point in points
    ]
    left = len(run["baseline"]) - len(points)
    header = ["n", "n programs, no repair", "tokens", "n_p = n, n_fr = 1", "tokens", "normalised"]
    return Table("Baseline and dense curve", header, rows, [f"and {left} more: --json has all"] if left else [])


def _levels(about: Record) -> Table:
    levels = about["by_difficulty"]
    cells = [_name(cell) for cell in next(iter(levels.values()))["grid"]] if levels else []
    rows: Rows = [
        [
            level,
            str(found["problems"]),
            _share(found["first"]),
            _share(found["success"]["rate"]),
            *(_effect(cell["baselines"]["same_stop"]) for cell in found["grid"]),
        ]
        for level, found in levels.items()
    ]
    header = ["", "problems", "first programs pass", "repairs pass", *cells]
    return Table("By difficulty", header, rows, ["cells: repair - same-stop at an equal budget"])


def _diversity(about: Record) -> Table:
    rows: Rows = [
        [str(row["n_p"]), _plain(row["syntax"], ".2f"), _plain(row["outputs"], ".2f"), _share(row["effect"], "+.1f")]
        for row in about["diversity"]
    ]
    n_fr = next((row["n_fr"] for row in about["diversity"] if row["n_fr"]), None)
    gain = f"gain at n_fr = {n_fr}" if n_fr else "gain"
    header = ["n_p", "distinct syntax trees", "distinct outputs", gain]
    return Table("Diversity of first programs", header, rows, ["expected numbers; the gain is that against same-stop"])


def _rounds(about: Record) -> Table:
    rows: Rows = [
        [str(r["round"]), str(r["programs"]), str(r["passed"]), _share(r["rate"]), _share(r["solved"])]
        for r in about["rounds"]
    ]
    header = ["round", "programs", "passed", "share", "problems solved by then"]
    grown = about["grown"]
    notes = [
        f"as grown: solved by first programs {estimate_cell(grown['first'])}, "
        f"with repair {estimate_cell(grown['with_repair'])}"
    ]
    return Table("Rounds", header, rows, notes)


def _controls(about: Record) -> Table:
    fresh = about["controls"]["resample"]
    rows: Rows = []
    notes: list[str] = []
    for name, whose in {"swapped": "another problem's", "within": "another wrong program's"}.items():
        if told := about["controls"].get(name):
            rows.append([f"repairs with {whose} feedback", *_counted(told)])
            rows.append(["the trees' own repairs of these programs", *_counted(told["own"])])
    if fresh:
        rows.append(["fresh programs", *_counted(fresh)])
        tokens = "unknown" if fresh["tokens"] is None else fresh["tokens"]
        notes.append(f"fresh programs solve {fresh['solved']} of {fresh['problems']} problems for {tokens} tokens")
    return Table("Controls", ["", "programs", "passed", "share"], rows, notes)


_SIDES = {"resample": "fresh programs", "alone": "the explaining model alone"}


def _as_grown(found: Record) -> Table:
    rows: Rows = []
    for arm, name in _SIDES.items():
        for rule in ("oracle", "deployable") if arm in found else ():
            held = found[arm][rule]
            tokens = " / ".join(format(count, ",") for count in found[arm]["tokens"])
            sides = [estimate_cell(held["trees"]), estimate_cell(held["other"])]
            gain = estimate_cell(held["difference"], signed=True)
            rows.append([f"{name}, {rule}", *sides, gain, f"{held['p']:.3g}", held["verdict"], tokens])
    header = ["against", "trees solve", "they solve", "difference", "p", "verdict", "tokens"]
    notes = [
        "oracle: any program passes all checks; deployable: the first to pass the shown checks is taken, then scored",
        f"{found['problems']} problems, of which {found['with_shown']} show a check; paired permutation over problems",
    ]
    return Table("As grown, at equal tokens", header, rows, [*notes, *_alone_notes(found)])


def _alone_notes(found: Record) -> list[str]:
    """Say whether the explaining model alone was held against the trees at equal price."""
    if "alone" not in found:
        return []
    price, short = found["alone"]["price"], found["alone"]["short"]
    if price is None:
        return ["--price MODEL=in,cached,out for both models cuts what the explaining model wrote alone at equal price"]
    said = f"the explaining model alone is cut at each tree's price: trees {price[0]:,.4g}, alone {price[1]:,.4g}"
    return [said + (f"; for {short} problems all that was drawn costs less than the tree" if short else "")]


def _counted(found: Record) -> list[str | Cell]:
    return [str(found["programs"]), str(found["passed"]), _share(found["rate"])]


def _spent(about: Record) -> Table:
    names = {
        "sampled": "tokens sampled",
        "paper": "tokens by the paper's rule",
        "prompt": "prompt tokens",
        "cached": "of them cached",
        "calls": "calls",
        "checks": "check runs",
        "price": "price",
        "programs": "programs",
    }
    spent = about["spent"]
    rows: Rows = [[label, _plain(spent[name], ",.6g")] for name, label in names.items() if spent[name] is not None]
    return Table("All trees together", ["", "spent"], rows, [])


def _notes(about: Record) -> Iterator[str]:
    drawn = f", {about['trees']} trees drawn a problem" if about["trees"] else ""
    rule = "without replacement" if about["replacement"] == "without" else "with replacement, as in the paper"
    yield f"{about['problems']} problems; {about['order']} order, {rule}, {about['estimator']}{drawn}"
    yield f"verdicts: {about['verdicts']}; tokens: {_tokens(about)}; [low, high]: 95 % bootstrap over problems"
    if about["reveal"] == "all":
        yield "feedback saw the scoring checks (--reveal all)"
    possible = about["possible"]
    n_fr = "any" if possible["n_fr"] is None else f"up to {possible['n_fr']}"
    repairs = f", each with n_r up to {possible['n_r']} (--nr)" if (possible["n_r"] or 1) > 1 else ""
    yield f"the frozen trees allow n_p up to {possible['n_p']} and n_fr {n_fr}{repairs}; a cell beyond that is -"
    if possible["n_fr"] == 0:
        yield "some failing program was not repaired: trees grown with --full have cells with repair"
    if about["budget"] == "programs":
        yield "what the budget counts is not known for every program: programs are counted instead"
    again = about["rejudged"]
    if again["programs"]:
        yield (
            f"judged again: {again['programs']} programs; {again['passed_then_failed']} passed and then failed, "
            f"{again['failed_then_passed']} failed and then passed; problems left out: {len(again['left_out'])}"
        )


def _success_notes(run: Record) -> Iterator[str]:
    success, words = run["repair"]["success"], run["repair"]["feedback"]
    if success["repairs"]:
        share = _share(success["rate"])
        yield f"repairs that pass, of all in the frozen trees: {share} ({success['passed']} of {success['repairs']})"
    if words:
        code, change = _share(words["with_code"]), _share(words["with_a_line_of_the_change"])
        yield f"feedback of {', '.join(words['models'])}: {code} hold code, {change} a line of the change"


def _tokens(about: Record) -> str:
    return "all that were sampled" if about["tokens"] == "sampled" else "the paper's rule (extracted code)"


def _axis(about: Record) -> str:
    budget = str(about["budget"])
    return {"sampled": "tokens", "paper": "tokens", "total": "tokens, read and generated"}.get(budget, budget)


def _name(cell: Record) -> str:
    name = f"{cell['n_p']} x {cell['n_fr']}"
    return name if cell["n_r"] == 1 else f"{name} x {cell['n_r']}"


def _estimate(cell: Record | None) -> Cell:
    if cell is None or cell["pass"] is None:
        return Cell("-", (None, None, None))
    return estimate_cell({"value": cell["pass"], "low": cell["low"], "high": cell["high"]})


def _effect(base: Record) -> Cell:
    if base["effect"] is None:
        return Cell("-", (None, None, None))
    return estimate_cell({"value": base["effect"], "low": base["low"], "high": base["high"]}, signed=True)


def _share(value: float | None, form: str = ".1f") -> Cell:
    return Cell("-", [None]) if value is None else Cell(f"{format(100 * value, form)} %", [value])


def _plain(value: Any, form: str = ",.1f") -> Cell:
    return Cell("-", [None]) if value is None else Cell(format(value, form), [value])
