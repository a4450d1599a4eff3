"""Checks whether ECS could give a response, by botocore's model and the rules of a task's life.

`RULES` has all rules, each with an id, a sentence and its source. The result of each patch is
checked against them, as are cassettes by `cassette check`; `allow: [id]` permits exceptions.
"""

from cassette.validation import lifecycle, members, services, texts
from cassette.validation.cassettes import Seen, problems_in, problems_of, timelines
from cassette.validation.members import misfits
from cassette.validation.rule import Misfit, Problem, Rule
from cassette.validation.services import bounds, problems_between

RULES: dict[str, Rule] = {
    rule.id: rule for rule in (*members.RULES, *lifecycle.RULES, *texts.RULES, *services.RULES)
}
ALLOWABLE = tuple(id_ for id_ in RULES if id_ != members.UNUSABLE.id)

__all__ = [
    "ALLOWABLE",
    "RULES",
    "Misfit",
    "Problem",
    "Rule",
    "Seen",
    "bounds",
    "misfits",
    "problems_between",
    "problems_in",
    "problems_of",
    "timelines",
]
