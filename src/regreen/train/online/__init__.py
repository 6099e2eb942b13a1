"""What :mod:`regreen.train.rltf` is made of: programs drawn while a policy is trained, and what steps learn of them.

``orders`` say for which problems, ``writers`` write, ``drawing`` asks and judges, ``sources`` say when; ``knowing``
adds what is to be known of tokens, ``presets`` and ``grouping`` make lessons; ``buffer`` keeps them, ``feeding`` hands
them to the steps; ``watching`` looks on.
"""
