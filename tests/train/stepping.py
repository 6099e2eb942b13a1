"""Run by test_crew in one process, and in two that shard the model: steps on lessons, and on none."""

import json

from regreen.train.crew import crew, led
from regreen.train.learner import AdamW, Learner
from regreen.train.lessons import supervised
from regreen.train.policy import Policy
from regreen.train.schedules import Schedule


@led
def training():
    policy = Policy("tiny-base", dtype="float32")
    learner = Learner(policy, AdamW(lr=1e-3), Schedule("constant", steps=3))
    norms = [learner.step(lessons).norm for lessons in ([supervised([1, 2], [3, 4])], [], [])]
    return {"norms": norms, "sum": sum(float(weight.double().abs().sum()) for weight in weights_of(policy))}


def weights_of(policy):
    return policy.entire.module.parameters()


found = training()
if crew().leads:
    print(json.dumps(found))
