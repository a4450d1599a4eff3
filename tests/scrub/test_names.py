"""Names, keys and ECS's own words: the identifying or secret parts, and those that are kept."""

from __future__ import annotations

import random
import re
import string
from typing import Any

import pytest

from cassette import model
from cassette.scrub import REDACTED, Rules, Scrubber, gate, scrub
from cassette.scrub.vocabulary import is_spelled
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
    """The text of a scrubbed recording of one call; the audit accepts it."""
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
    """In every kind of name: a group, an image, a container, a log group."""
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
    """Several words with numbers between them and a suffix."""
    assert f"name: {name}\n" in of_container(name=name)


@pytest.mark.parametrize("key", [f"TOKEN_{word(LETTERS, 30)}", "API_TOKEN_q8Zk2LmP"])
def test_a_random_name_of_a_variable_is_not_written(key: str) -> None:
    """Nor is it in the report of the commands."""
    value = key.rpartition("_")[2]
    assert value not in of_container(environment=[{"name": key, "value": "x"}])
    container = {"name": "app", "environment": [{"name": key, "value": "long value"}]}
    scrubber = Scrubber()
    scrubber.request("RegisterTaskDefinition", {"family": "a", "containerDefinitions": [container]})
    assert value not in str(scrubber.report)


@pytest.mark.parametrize("key", ["DB_PASSWORD", "TOKEN_TTL_SECONDS", "SECRET_V2", "PASSWORD_APP1"])
def test_names_of_variables_stay(key: str) -> None:
    """Also next to a word for a secret."""
    assert f"name: {key}\n" in of_container(environment=[{"name": key, "value": "x"}])


@pytest.mark.parametrize(
    "option",
    ["awslogs-group", "awslogs-stream-prefix", "awslogs-stream", "tag", "config-file-value"],
)
def test_hosts_in_paths_of_log_options_are_replaced(option: str) -> None:
    """A path may contain hosts and file names."""
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
    """Their endings may be those of hosts."""
    assert f"workingDirectory: {path}\n" in of_container(workingDirectory=path)


@pytest.mark.parametrize(
    "secret",
    [
        "qpubevuk",
        "QPUBEVUK",
        "Qpubevuk Zugrav",
        "RUNNING qpubevuk",
        f"in {bodies.ACCOUNT} qpubevuk",
    ],
)
def test_a_free_word_in_place_of_a_word_of_ecs_is_redacted(secret: str) -> None:
    """ECS enumerates these values, so other words are not its own."""
    task = bodies.task(connectivity=secret, lastStatus=secret)
    text = written("DescribeTasks", {"tasks": [bodies.TASK]}, {"tasks": [task]})
    assert secret.rpartition(" ")[2] not in text
    controls = [{"namespace": "net.core.somaxconn", "value": secret}]
    text = of_container(systemControls=controls)
    assert secret.rpartition(" ")[2] not in text
    assert "net.core.somaxconn" in text


NEW_WORDS = "HIBERNATING SUSPENDED QUARANTINED EVICTING ROLLED_BACK STOP_REQUESTED".split()


@pytest.mark.parametrize("status", NEW_WORDS)
def test_a_word_that_ecs_may_define_one_day_stays(status: str) -> None:
    """A word of capitals that is spelled as English ones are."""
    text = written("DescribeTasks", {}, {"tasks": [bodies.task(lastStatus=status)]})
    assert f"lastStatus: {status}\n" in text


def test_random_words_are_not_spelled_as_english_ones() -> None:
    """Of 20,000, at most one in a thousand; few of those made of syllables."""
    randoms = [word(string.ascii_uppercase, 8) for _ in range(20_000)]
    assert sum(map(is_spelled, randoms)) <= 20
    syllables = ["".join(word("BDFGKLMNPRSTVZ", 1) + word("AEIOU", 1) for _ in range(4))
                 for _ in range(2_000)]  # fmt: skip
    assert sum(map(is_spelled, syllables)) <= 300


def test_a_redacted_word_in_place_of_one_of_ecs_is_reported_and_can_be_kept() -> None:
    """The report names the member and the rule, not the word; with the rule, the word stays."""
    recorded = bodies.described(bodies.task(lastStatus="QPUBEVUK"))
    _, scrubber = scrub(recorded)
    assert scrubber.report.undefined == ("Task.lastStatus",)
    assert scrubber.report.redacted["Task.lastStatus"] == 1
    assert 'member = "Task.lastStatus"' in scrubber.report.advice
    assert "QPUBEVUK" not in scrubber.report.advice
    rules = Rules(members={"Task.lastStatus": "keep"})
    scrubbed, scrubber = scrub(recorded, rules=rules)
    text = text_of(scrubbed)
    assert "lastStatus: QPUBEVUK\n" in text
    assert (scrubber.report.undefined, scrubber.kept) == ((), ("Task.lastStatus",))
    gate(text, scrubber.originals, "a.yaml", rules)


def test_a_rule_keeps_any_value_of_a_member() -> None:
    """Not only words of ECS's own; what the search finds in it is still replaced."""
    rules = Rules(members={"Task.startedBy": "keep"})
    for value in ("nightly-qpubevuk", "Qpubevuk of 10.9.8.7"):
        scrubbed, scrubber = scrub(bodies.described(bodies.task(startedBy=value)), "strict", rules)
        text = text_of(scrubbed)
        assert "ubevuk" in text
        assert "10.9.8.7" not in text
        gate(text, scrubber.originals, "a.yaml", rules)


@pytest.mark.parametrize(
    "value",
    ["RUNNING", "STRINGSET", "PRECREATED", "TASK_COMPLETE", "SYS_PTRACE", "noexec", "gp3",
     "rprivate", "rexray/ebs", "t3.large", "net.ipv4.tcp_keepalive_time", "1.4.0",
     "DEPROVISIONING", "FARGATE_SPOT", "awsvpc"],
)  # fmt: skip
def test_words_of_ecs_stay(value: str) -> None:
    """Words of botocore's model, of the kernel and of volume drivers."""
    task = bodies.task(connectivity=value)
    text = written("DescribeTasks", {"tasks": [bodies.TASK]}, {"tasks": [task]})
    assert f"connectivity: {value}\n" in text
    assert REDACTED not in text.partition("connectivity: ")[2].partition("\n")[0]


@pytest.mark.parametrize(
    "key", ["heron-shop.com/owner", "team.heron-shop.io/a.b", "heron-shop.com"]
)
def test_a_domain_of_its_own_in_a_key_is_replaced(key: str) -> None:
    """In tags and labels, and in the report of the commands."""
    task = bodies.task(tags=[{"key": key, "value": "x"}])
    assert "heron-shop" not in written("DescribeTasks", {"tasks": ["a"]}, {"tasks": [task]})
    assert "heron-shop" not in of_container(dockerLabels={key: "x", "a/998877665544": "x"})
    scrubber = Scrubber()
    scrubber.request("TagResource", {"tags": [{"key": key, "value": "long value"}]})
    assert "heron-shop" not in str(scrubber.report)
    rules = Rules(members={f"Task.tags[{key}]": "keep"})
    recorded = bodies.cassette(("DescribeTasks", {}, model.Response({"tasks": [task]})))
    scrubbed, scrubber = scrub(recorded, rules=rules)
    text = text_of(scrubbed)
    assert f"key: {key}\n" in text
    gate(text, scrubber.originals, "a.yaml", rules)


@pytest.mark.parametrize(
    "key",
    ["prefect.io/flow-run-id", "app.kubernetes.io/name", "com.example.version", "spring.mail.com",
     "org.opencontainers.image.version", "management.endpoint.health", "a/b", "x.y"],
)  # fmt: skip
def test_keys_of_tools_and_properties_stay(key: str) -> None:
    """Programs look for them."""
    task = bodies.task(tags=[{"key": key, "value": "x"}])
    text = written("DescribeTasks", {"tasks": ["a"]}, {"tasks": [task]})
    assert f"key: {key}\n" in text
    assert f"{key}: REDACTED\n" in of_container(dockerLabels={key: "x"})


SHA = "1b2c3d4e5f60718293a4b5c6d7e8f90112233445"


@pytest.mark.parametrize(
    "said",
    ["nginx/1.25.3.1 failed", "pip: python==3.12.4.1", "app v1.2.3.4 is old", "build 202611291530",
     "build #202611291530 failed", f"commit {SHA}", f"git checkout of revision {SHA} failed",
     f"pull image app:sha-{SHA}", "pull image app:202611291530"],
)  # fmt: skip
def test_versions_builds_and_commits_in_texts_stay(said: str) -> None:
    """They resemble addresses, accounts and ids."""
    text = written("DescribeTasks", {"tasks": ["a"]}, {"tasks": [bodies.task(stoppedReason=said)]})
    assert said in text


@pytest.mark.parametrize(
    "tag", ["1.25.3.1", "v1.25.3.1-alpine", f"sha-{SHA}", SHA, f"main-{SHA}-12", "202611291530"]
)
def test_tags_of_images_stay(tag: str) -> None:
    """Whatever they resemble."""
    assert f"image: app:{tag}\n" in of_container(image=f"app:{tag}").replace('"', "")


@pytest.mark.parametrize(
    ("said", "hidden"),
    [("redis/10.9.8.7 failed", "10.9.8.7"), ("redis/54.9.8.7:6379 failed", "54.9.8.7"),
     ("web/54.9.8.7 failed", "54.9.8.7"), ("account 202611291530", "202611291530"),
     (f"cred id {SHA}", SHA), (f"token {SHA}", SHA), ("pool eu-west-1_AOquUT7At", "AOquUT7At"),
     ("RequestID: 63G1F57G4NOG5U1D, x", "63G1F57G4NOG5U1D"),
     ("<RequestId>63G1F57G4NOG5U1D</RequestId>", "63G1F57G4NOG5U1D")],
)  # fmt: skip
def test_addresses_accounts_and_ids_in_texts_are_replaced(said: str, hidden: str) -> None:
    """Also in places for a version, a date or a commit."""
    text = written("DescribeTasks", {"tasks": ["a"]}, {"tasks": [bodies.task(stoppedReason=said)]})
    assert hidden not in text


def stopped(container: str, reason: str) -> str:
    """What is written of the reason for which a task with this container stopped."""
    task = {
        "taskArn": "arn:aws:ecs:eu-west-1:************:task/prod/0123456789abcdef0123456789abcdef",
        "containers": [{"name": container, "reason": reason}],
    }
    request = {"cluster": "prod", "tasks": [task["taskArn"]]}
    recorded = bodies.cassette(("DescribeTasks", request, model.Response({"tasks": [task]})))
    scrubbed, _ = scrub(recorded)
    body = scrubbed.interactions[0].outcome.body
    return str(body["tasks"][0]["containers"][0]["reason"])


@pytest.mark.parametrize(
    ("container", "reason"),
    [
        ("web.prod", "container web.prod exited"),
        (
            "Web01TaskDef59B414B2",
            "failed to pull \u2018shop/Web01TaskDef59B414B2\u2019 from its registry",
        ),
        ("web", "secret arn:aws:secretsmanager:eu-west-1:************:secret:web/db was not found"),
    ],
)
def test_a_name_in_the_file_stays_in_its_texts(container, reason):
    """Nothing is gained by hiding it there."""
    assert stopped(container, reason) == reason


@pytest.mark.parametrize(
    ("container", "reason", "hidden"),
    [
        ("password", "password: kT4wQ9zr is wrong", "kT4wQ9zr"),
        ("user", "user jane.roe may not log in", "jane.roe"),
        ("db.pass", "db.pass=kT4wQ9zr was refused", "kT4wQ9zr"),
        ("web.prod", "no route to web.prod.corp.internal", "corp.internal"),
        ("Web01TaskDef59B414B2", "Web01TaskDef59B414B2 password is kT4wQ9zr", "kT4wQ9zr"),
    ],
)
def test_a_name_does_not_hide_what_it_announces(container, reason, hidden):
    """A secret, a user or a host next to a name is replaced as anywhere."""
    assert hidden not in stopped(container, reason)
