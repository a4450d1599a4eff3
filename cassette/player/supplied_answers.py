"""Answers that a test supplies itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from cassette.model import Body, Outcome, Response
from cassette.player.answers import Answer, Recorded


@dataclass(frozen=True, slots=True)
class Supplied:
    """A test's own answer to a request that nothing else can answer.

    Args:
        operation: for example `StopTask`.
        parameters: those that a request must have; it may have others.
        outcome: the answer, in readable form.
    """

    operation: str
    parameters: Body
    outcome: Outcome

    def fits(
        self, operation: str, parameters: Body, normalised: Callable[[str, Body], Body]
    ) -> bool:
        """Whether it answers a request: as given, or in the form in which requests are compared."""
        if operation != self.operation:
            return False
        differing = {k: v for k, v in self.parameters.items() if parameters.get(k) != v}
        if not differing:
            return True
        asked, wanted = normalised(operation, parameters), normalised(operation, self.parameters)
        return all(name in wanted and asked.get(name) == wanted[name] for name in differing)

    def answer(self) -> Answer:
        """The answer itself."""
        if isinstance(self.outcome, Response):
            return Answer((Recorded(self.operation, self.outcome.body),))
        return Answer(error=self.outcome)
