"""What the treatments of tokens need of the search that found them."""

from __future__ import annotations

from typing import Protocol


class Search(Protocol):
    """What the treatments need of the search, for the parts of a token."""

    def search(self, text: str) -> str:
        """A text, scrubbed."""

    def name(self, text: str) -> str:
        """A name with its identifying parts replaced."""

    def user(self, user: str) -> str:
        """The pseudonym of a user or a session."""

    def host(self, host: str) -> str:
        """The pseudonym of a host, or the host if everybody uses it."""

    def is_account(self, digits: str) -> bool:
        """Whether something showed beyond doubt that digits are an account id."""

    def account(self, account: str) -> str:
        """The pseudonym of an account id."""

    def is_token(self, text: str) -> bool:
        """Whether a text is one token and nothing else."""

    def look_for(self, original: str, pseudonym: str) -> None:
        """Replace a text everywhere from now on."""

    def remember(self, kind: str, original: str, pseudonym: str) -> str:
        """Count an original and replace it everywhere from now on."""
