"""The AWS CLI: a few processes run many of its commands, through the function behind `aws`.

Starting `aws` takes most of a second; a command in a running process takes 10 ms.
`python aws_cli.py` reads jobs from stdin.
"""

from __future__ import annotations

import contextlib
import io
import json
import multiprocessing
import os
import re
import sys

import awscli.clidriver

_AT_ONCE = 8  # processes: retries really sleep
_MOST = 40  # commands of one driver: each makes the later ones slower
_ERROR = re.compile(
    r"An error occurred \((?P<error>\w+)\) when calling the \w+ operation"
    r"(?: \(reached max retries: \d+\))?: (?P<message>.*)",
    re.DOTALL,
)


class _Driver:
    """A process that runs commands; it is replaced after a number of them."""

    def __init__(self):
        self._made = None
        self._left = 0

    def ready_for(self, commands):
        """The driver for a number of further commands."""
        if self._left < commands:
            self._made, self._left = awscli.clidriver.create_clidriver(), _MOST
        self._left -= commands
        return self._made


_driver = _Driver()


def main() -> None:
    """Run all jobs, and print the output of each call."""
    with multiprocessing.get_context("fork").Pool(_AT_ONCE) as pool:
        json.dump(pool.map(_outcomes, json.load(sys.stdin), chunksize=1), sys.stdout)


def _outcomes(job):
    os.environ["AWS_MAX_ATTEMPTS"] = str(job["attempts"])
    driver = _driver.ready_for(len(job["commands"]))
    options = ["--endpoint-url", job["endpoint"], "--cli-read-timeout", str(job["timeout"])]
    return [_outcome(driver, *call, options) for call in job["commands"]]


def _outcome(driver, command, parameters, options):
    words = ["ecs", command, "--no-paginate", "--cli-input-json", json.dumps(parameters), *options]
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = driver.main(words)
    if code == 0:
        return {"body": json.loads(out.getvalue() or "{}")}
    error = _ERROR.search(err.getvalue())
    if error:
        return {"error": error["error"], "message": error["message"].strip()}
    for words, name in (("Read timeout", "timeout"), ("Connection was closed", "connection")):
        if words in err.getvalue():
            return {"error": name}
    return {"code": code, "said": err.getvalue()}


if __name__ == "__main__":
    main()
