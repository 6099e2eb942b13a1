"""Run by test_crew in two processes: what the first lets go of, the other does too; a second training is led alike."""

import json

from regreen.train.crew import crew, led


class Thing:
    pass


def make():
    return Thing()


def known(_, numbers):
    """Return to the first process which of these numbers the last one holds a thing for."""
    return crew().gathered([number for number in numbers if is_held(number)])


def is_held(number):
    try:
        return isinstance(crew().held(number), Thing)
    except KeyError:
        return False


@led
def training():
    here, first, second = crew(), Thing(), Thing()
    numbers = [here.hold(first, make), here.hold(second, make)]
    before = here.all(numbers[1], known, numbers)
    del first
    return {"numbers": numbers, "before": before[-1], "after": here.all(numbers[1], known, numbers)[-1]}


found = [training(), training()]
if crew().leads:
    print(json.dumps(found))
