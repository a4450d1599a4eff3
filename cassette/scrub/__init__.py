"""Scrubbing that fails closed, and the audit that proves it."""

from cassette.scrub.audit import RULES, UNSCRUBBED, Gate, audit, gate, refusal
from cassette.scrub.project_rules import (
    REPLACE,
    Exemption,
    HashedWords,
    KeptArgument,
    Pattern,
    Rules,
)
from cassette.scrub.pseudonym_binding import Binder
from cassette.scrub.pseudonyms import (
    REDACTED,
    pseudonym_of_id,
    pseudonym_of_opaque,
    samples,
    unnumbered,
)
from cassette.scrub.request_comparison import comparable, comparing, identities
from cassette.scrub.scrub_report import Report
from cassette.scrub.scrubber import (
    NO_RULES,
    POLICIES,
    POLICY_VERSION,
    Scrubber,
    check_policy,
    scrub,
)

__all__ = [
    "NO_RULES",
    "POLICIES",
    "POLICY_VERSION",
    "REDACTED",
    "REPLACE",
    "RULES",
    "UNSCRUBBED",
    "Binder",
    "Exemption",
    "Gate",
    "HashedWords",
    "KeptArgument",
    "Pattern",
    "Report",
    "Rules",
    "Scrubber",
    "audit",
    "check_policy",
    "comparable",
    "comparing",
    "gate",
    "identities",
    "pseudonym_of_id",
    "pseudonym_of_opaque",
    "refusal",
    "samples",
    "scrub",
    "unnumbered",
]
