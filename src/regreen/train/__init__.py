"""Training: one primitive, lessons whose tokens carry a supervised and a reinforcement weight, and what steps on them.

    policy = Policy("runs/base")                                                    # regreen.train.policy
    lessons = [supervised(*tokens_of(policy, prompt, answer)) for prompt, answer in pairs]
    learner = Learner(policy, AdamW(lr=1e-3), Schedule("cosine", steps=500, warmup=20))
    fit(learner, Epochs(lessons, tokens=8192, seed=0), pace=Pace(steps=500, every=100), folder=Path("runs/mine"))

``lessons``, ``batches``, ``schedules`` and what reinforcement is made of (``subtypes``, ``rewards``, ``placing``,
``advantages``, ``weighing``, ``doors``) are pure and import no torch; ``policy``, ``learner``, ``checkpoints`` and
``loop`` do.
"""
