"""Record modes, as in VCR: what one run does with one cassette file.

| mode | the file exists | the file does not exist |
| --- | --- | --- |
| `none` | replay | error |
| `once` | replay | record |
| `new_episodes` | replay, and record the calls that it cannot answer | record |
| `all` | record again | record |

With patches, every mode replays, since a patched failure cannot be recorded. A built-in cassette
is replayed in every mode.

Two recordings that add new episodes to one file at the same time both keep theirs. Two that record
the whole file do not: the last one to end wins.

A file that is recorded again is compared with its old content by meaning; the result is its drift.
`check_live` only compares and writes nothing.
"""

from cassette.record_modes.modes import MODES, OPTIONS, RecordMode, check_options, use

__all__ = ["MODES", "OPTIONS", "RecordMode", "check_options", "use"]
