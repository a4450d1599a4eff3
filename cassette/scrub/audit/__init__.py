"""The audit: an independent search of finished text for what must not be in it.

It shares no code with the scrubber, so that a mistake in one is caught by the other. Each line
is read as it is and as people who decode it would read it: URL-encoded, JSON-escaped, base64 at
every alignment, gzip inside base64, letters of another width. A finding has a place and a rule,
never the value.
"""

from cassette.scrub.audit.findings import RULES, UNSCRUBBED, audit
from cassette.scrub.audit.verdict import Gate, gate, refusal

__all__ = ["RULES", "UNSCRUBBED", "Gate", "audit", "gate", "refusal"]
