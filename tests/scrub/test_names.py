"""Names, keys and words of ECS's own: what identifies or is secret in them, and what stays."""

from __future__ import annotations

import random
import re
import string
from typing import Any

import pytest

from cassette import model
from cassette.scrub import REDACTED, Scrubber, gate, scrub
from tests.scrub import bodies
from tests.scrub.planting import text_of

LETTERS = string.ascii_letters + string.digits
CHANCE = random.Random(5)


def word(letters: str, length: int) -> str:
    """A generated word."""
    return "".join(CHANCE.choices(letters, k=length))


TOKENS = (
    f"dp.pt.{word(LETTERS, 43)}", f"vercel_{word(LETTERS, 24)}", f"PMAT-01{word('GHJKMN2345', 24)}",
    f"x_{word(LETTERS, 40)}",
)  # fmt: skip


def written(operation: str, request: dict[str, Any], response: dict[str, Any]) -> str:
    """The text of a scrubbed recording of one call, which the audit lets pass."""
    recorded = bodies.cassette((operation, request, model.Response(response)))
    scrubbed, scrubber = scrub(recorded)
    text = text_of(scrubbed)
    gate(text, scrubber.originals, "a.yaml")
    assert text_of(scrub(scrubbed)[0]) == text
    return text


def of_container(**members: Any) -> str:
    """The text of a recording of a task definition with these members of its container."""
    container = {"name": "app", "image": "nginx:1", **members}
    definition = {"family": "web", "containerDefinitions": [container]}
    return written(
        "DescribeTaskDefinition", {"taskDefinition": "web:1"}, {"taskDefinition": definition}
    )


@pytest.mark.parametrize("token", TOKENS)
def test_a_token_of_a_vendor_in_a_name_is_replaced(token: str) -> None:
    """Wherever names are: a group, an image, a container, a log group."""
    tail = re.split("[_.-]", token)[-1]
    task = bodies.task(group=f"family:{token}", startedBy=f"ci/{token}")
    assert tail not in written("DescribeTasks", {"tasks": [bodies.TASK]}, {"tasks": [task]})
    assert tail not in of_container(name=token, image=f"registry.example/app:{token}")
    logs = {"logDriver": "awslogs", "options": {"awslogs-group": f"/ecs/{token}"}}
    assert tail not in of_container(logConfiguration=logs)
    assert tail not in Scrubber().text(f"upstream said {token} is not valid here")


@pytest.mark.parametrize(
    "name",
    [
        "DemoTrafficGen01TaskDef59B414B2",
        "web-ClusterEB0386A7-Xa9bQ2mZk1Lp",
        "stack-Web-1A2B3C4D5E6F",
    ],
)
def test_names_that_tools_made_stay(name: str) -> None:
    """Words in a row, with numbers in between and a suffix."""
    assert f"name: {name}\n" in of_container(name=name)


@pytest.mark.parametrize("key", [f"TOKEN_{word(LETTERS, 30)}", "API_TOKEN_q8Zk2LmP"])
def test_a_random_name_of_a_variable_is_not_written(key: str) -> None:
    """Nor in the report that commands print."""
    value = key.rpartition("_")[2]
    assert value not in of_container(environment=[{"name": key, "value": "x"}])
    container = {"name": "app", "environment": [{"name": key, "value": "long value"}]}
    scrubber = Scrubber()
    scrubber.request("RegisterTaskDefinition", {"family": "a", "containerDefinitions": [container]})
    assert value not in str(scrubber.report)


@pytest.mark.parametrize("key", ["DB_PASSWORD", "TOKEN_TTL_SECONDS", "SECRET_V2", "PASSWORD_APP1"])
def test_names_of_variables_stay(key: str) -> None:
    """Also beside a word for a secret."""
    assert f"name: {key}\n" in of_container(environment=[{"name": key, "value": "x"}])


@pytest.mark.parametrize(
    "option",
    ["awslogs-group", "awslogs-stream-prefix", "awslogs-stream", "tag", "config-file-value"],
)
def test_hosts_in_paths_of_log_options_are_replaced(option: str) -> None:
    """A path may have the name of a host as well as names of files."""
    for path in ("/ecs/heron-shop.com/x", "/ecs/api.heron-shop.co.uk", "x/heron-shop.io"):
        options = {option: path}
        text = of_container(logConfiguration={"logDriver": "awslogs", "options": options})
        assert "heron-shop" not in text


@pytest.mark.parametrize(
    "path",
    ["/usr/src/app.py", "/etc/nginx/conf.d/default.conf", "/opt/java/conf/java.security",
     "/app/application.properties", "/var/run/docker.sock", "/srv/log4j2.component.properties"],
)  # fmt: skip
def test_names_of_files_in_paths_stay(path: str) -> None:
    """They end as those of hosts may."""
    assert f"workingDirectory: {path}\n" in of_container(workingDirectory=path)


@pytest.mark.parametrize("secret", ["qpubevuk", "QPUBEVUK", "Qpubevuk Zugrav", "RUNNING qpubevuk"])
def test_a_free_word_in_place_of_a_word_of_ecs_is_redacted(secret: str) -> None:
    """ECS enumerates these values, so any other word is none of them."""
    task = bodies.task(connectivity=secret, lastStatus=secret)
    text = written("DescribeTasks", {"tasks": [bodies.TASK]}, {"tasks": [task]})
    assert secret.rpartition(" ")[2] not in text
    controls = [{"namespace": "net.core.somaxconn", "value": secret}]
    text = of_container(systemControls=controls)
    assert secret.rpartition(" ")[2] not in text
    assert "net.core.somaxconn" in text


@pytest.mark.parametrize(
    "value",
    ["RUNNING", "STRINGSET", "PRECREATED", "TASK_COMPLETE", "SYS_PTRACE", "noexec", "gp3",
     "rprivate", "rexray/ebs", "t3.large", "net.ipv4.tcp_keepalive_time", "1.4.0",
     "FARGATE_SPOT", "awsvpc"],
)  # fmt: skip
def test_words_of_ecs_stay(value: str) -> None:
    """Those of botocore's model, of the kernel and of drivers of volumes."""
    task = bodies.task(connectivity=value)
    text = written("DescribeTasks", {"tasks": [bodies.TASK]}, {"tasks": [task]})
    assert f"connectivity: {value}\n" in text
    assert REDACTED not in text.partition("connectivity: ")[2].partition("\n")[0]
