"""Problem to prompt: named Jinja templates, each of which also says how a program is taken from the answer.

    template = load("austin")
    prompt = template.render(problem, examples=choose_examples(solved, ids=template.examples))
    found = template.source(problem, text)  # what the model wrote

    template = load("refine")
    prompt = template.render(problem, wrong=Wrong(source, error_sentence(problem, verdict)))

A template sees a :class:`View` of a problem, in which there are only the checks that may be shown: no template, not
even a user's own, can display a hidden check or the problem's own solution. What is said of a failure is the caller's.
"""

from regreen.prompts.choosing import choose_examples, default_for
from regreen.prompts.template import Form, Message, Prompt, Role, Template, load, names
from regreen.prompts.views import ShownCheck, SolvedView, View, Wrong, docstring_of

__all__ = [
    "Form",
    "Message",
    "Prompt",
    "Role",
    "ShownCheck",
    "SolvedView",
    "Template",
    "View",
    "Wrong",
    "choose_examples",
    "default_for",
    "docstring_of",
    "load",
    "names",
]
