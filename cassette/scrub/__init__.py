"""Scrubbing that fails closed, and the audit that proves it."""

from cassette.scrub.audit import audit, gate
from cassette.scrub.pseudonyms import pseudonym_of_id
from cassette.scrub.scrubber import POLICY_VERSION, Report, Scrubber, comparable, scrub

__all__ = [
    "POLICY_VERSION",
    "Report",
    "Scrubber",
    "audit",
    "comparable",
    "gate",
    "pseudonym_of_id",
    "scrub",
]
