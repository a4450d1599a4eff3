"""The AWS CLI: one process runs many of its commands, each through the function of `aws` itself.

Starting `aws` takes most of a second, a command in a process that runs already takes 10 ms.
`python aws_cli.py` reads jobs from stdin.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import sys

import awscli.clidriver

_MOST = 40  # commands of one driver: each makes the later ones slower
_ERROR = re.compile(
    r"An error occurred \((?P<error>\w+)\) when calling the \w+ operation"
    r"(?: \(reached max retries: \d+\))?: (?P<message>.*)",
    re.DOTALL,
)


def main() -> None:
    """Run all jobs; print what the command printed for each call."""
    found, commands = [], 0
    for job in json.load(sys.stdin):
        os.environ["AWS_MAX_ATTEMPTS"] = str(job["attempts"])
        if commands % _MOST < len(job["commands"]):
            driver = awscli.clidriver.create_clidriver()
        commands += len(job["commands"])
        found.append([_outcome(driver, job["endpoint"], *call) for call in job["commands"]])
    json.dump(found, sys.stdout)


def _outcome(driver, endpoint, command, parameters):
    words = ["ecs", command, "--endpoint-url", endpoint, "--no-paginate"]
    words += ["--cli-input-json", json.dumps(parameters), "--cli-read-timeout", "2"]
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
