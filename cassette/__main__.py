"""`python -m cassette`."""

from cassette.cli import main

main()
