"""What a function's code names: chance, the clock, the world outside; and names that only look like them."""

import ast

import pytest

from regreen.curate.tally import Unfit
from regreen.curate.tracing.hazards import CHANCE, CLOCK, OUTSIDE, require_harmless


@pytest.mark.parametrize(
    ("body", "imports", "why"),
    [
        ("return random.random()", {"random": "random"}, CHANCE),
        ("return randint(0, x)", {"randint": "random.randint"}, CHANCE),
        ("return u.uuid4()", {"u": "uuid"}, CHANCE),
        ("return u.uuid5(u.NAMESPACE_DNS, x)", {"u": "uuid"}, None),
        ("import secrets\n    return secrets.choice(x)", {}, CHANCE),
        ("return time.time()", {"time": "time"}, CLOCK),
        ("return dt.datetime.now()", {"dt": "datetime"}, CLOCK),
        ("return date.today()", {"date": "datetime.date"}, CLOCK),
        ("return date(x, 1, 1).year", {"date": "datetime.date"}, None),
        ("return os.path.join(x, 'a')", {"os": "os"}, None),
        ("return os.path.exists(x)", {"os": "os"}, OUTSIDE),
        ("return path.getsize(x)", {"path": "os.path"}, OUTSIDE),
        ("return os.environ[x]", {"os": "os"}, OUTSIDE),
        ("print(x)", {}, OUTSIDE),
        ("sys.stdout.write(x)", {"sys": "sys"}, OUTSIDE),
        ("return sys.maxsize", {"sys": "sys"}, None),
        ("return Path(x).read_text()", {"Path": "pathlib.Path"}, OUTSIDE),
        ("return PurePath(x).name", {"PurePath": "pathlib.PurePath"}, None),
        ("time = input = x\n    return time.hour + input", {"time": "time"}, None),
        ("return x.random() + x.time + x.open", {"random": "random"}, None),
        ("return operating(os_name)", {"operating": "operator.index"}, None),
    ],
)
def test_names_decide_and_locals_and_attributes_do_not(body, imports, why):
    node = ast.parse(f"def f(x):\n    {body}\n").body[0]
    if why is None:
        require_harmless([node], imports)
    else:
        with pytest.raises(Unfit, match=why):
            require_harmless([node], imports)
