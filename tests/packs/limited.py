"""A command that may not write a file beyond a size: what a full disk refuses, without a disk.

`python -m tests.packs.limited BYTES COMMAND …`
"""

from __future__ import annotations

import resource
import sys

from cassette.cli import main

if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), int(sys.argv[1])))
    main(sys.argv[2:])
