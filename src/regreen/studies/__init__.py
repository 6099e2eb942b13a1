"""Studies of the Codex and Austin papers, one file each: a model or recorded runs in, a finding out.

A finding is plain JSON: the numbers, and the tables and plots that show them (:mod:`regreen.studies.finding`). A study
that asks a model keeps a run for each of its conditions (:mod:`regreen.studies.asking`), so that it goes on after a
kill and each condition can be looked at by itself.
"""
