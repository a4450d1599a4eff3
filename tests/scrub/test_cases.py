"""Synthetic recordings that scrubbing once leaked, blocked or destroyed, or on which it hung."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cassette import model
from cassette.scrub import KeptArgument, Rules, gate, scrub
from cassette.scrub.pseudonyms import pseudonym_of_number
from tests.scrub import bodies
from tests.scrub.planting import text_of

CASES = sorted(Path(__file__).with_name("cases").glob("*.json"))
# What has to be in the file, where a case is about what stays.
STAYS = {
    "01": ["name: DB_HOST"],
    "02": ["000000000001:task/qa/"],
    "03": ['[celery, "--broker", REDACTED]'],
    "04": ['[docker, login, "-u", REDACTED, "-p", REDACTED]'],
    "13": ['[deploy.exe, /password:REDACTED, "--password:REDACTED"]'],
    "18": ["assumed-role/Deploy/user-ca55e77e-1 is not authorized"],
    "20": ["ping 2001:db8::1: Network is unreachable"],
    "26": ["host-1.eu-west-1.neptune.amazonaws.com"],
    "32": ["login with REDACTED failed"],
    "35": [":secret:stripe"],
    "38": ["--token=REDACTED"],
    "41": ["image: web:202611231158"],
    "42": ["[gunicorn, api.app:app]"],
    "44": ["clusterName: web-d383adf1", "[web-d383adf1]"],
}


def recording(case: dict[str, Any]) -> model.Cassette:
    """The recording of a case's one call."""
    return bodies.cassette((case["operation"], case["request"], model.Response(case["response"])))


@pytest.mark.parametrize("file", CASES, ids=lambda file: file.stem)
@pytest.mark.parametrize("policy", ["standard", "strict"])
def test_a_case_is_written_without_what_was_planted(file: Path, policy: str) -> None:
    """No planted value remains, the audit accepts it, and scrubbing again changes nothing."""
    case = json.loads(file.read_text("utf-8"))
    scrubbed, scrubber = scrub(recording(case), policy)
    text = text_of(scrubbed)
    assert [one for one in case["_planted"] if one.lower() in text.lower()] == []
    gate(text, scrubber.originals, "a.yaml")
    assert text_of(scrub(scrubbed, policy)[0]) == text
    if policy == "standard":
        assert [one for one in STAYS.get(file.name[:2], ()) if one not in text] == []


def test_two_tasks_in_a_cluster_of_two_letters_stay_two() -> None:
    """Their ARNs are parsed as ARNs, so no rule for secrets applies to them."""
    ids = ["7c1e0f9a2b3d4e5f8a9b0c1d2e3f4a5b", "8d1e0f9a2b3d4e5f8a9b0c1d2e3f4a5c"]
    odd = ["Xk29fLm3Pq8Zr4Tn6Vb1Wc5Yd7Ha0Je", "Ab83hTz5Nq1Lw7Cx2Mv9Ks4Rf6Gp0Yd"]
    arns = [f"arn:aws:ecs:eu-west-1:{bodies.ACCOUNT}:task/qa/{id_}" for id_ in ids + odd]
    answer = model.Response({"tasks": [{"taskArn": arn} for arn in arns], "failures": []})
    request = {"cluster": "qa", "tasks": ids + odd}
    scrubbed, _ = scrub(bodies.cassette(("DescribeTasks", request, answer)))
    named = [task["taskArn"] for task in bodies.body_of(scrubbed)["tasks"]]
    assert len(set(named)) == 4
    assert [arn.rpartition("/")[2] for arn in named] == scrubbed.interactions[0].request["tasks"]
    assert not any("REDACTED" in arn for arn in named)
    assert len({arn.rpartition("/")[2][:8] for arn in named}) == 4


@pytest.mark.parametrize(
    "harmless",
    ["(using password: YES)", "auth=none", "password=${DB_PASSWORD}", "512MiB of 1024",
     "cannot find module 'socket.io'", "app.kubernetes.io/name", "vpc-public-a",
     "version 1.2.3.4-5 of web-d383adf1", "version 10.0.17763.1234", "version 8.8.4.4 is out",
     "cannot pull web:202611231158", "run `make test` first", "go", "eu", "512MiB, 30s, 4096",
     "no module named 'shop.api.app'", "log stream ecs/web not found", "--max-tokens 4096"],
)  # fmt: skip
def test_harmless_texts_stay_or_lose_only_a_host(harmless: str) -> None:
    """A text without a secret is neither blocked nor destroyed."""
    scrubbed, scrubber = scrub(bodies.described(bodies.task(stoppedReason=harmless)))
    gate(text_of(scrubbed), scrubber.originals, "a.yaml")
    assert "REDACTED" not in bodies.body_of(scrubbed)["tasks"][0]["stoppedReason"]


def test_a_project_keeps_the_arguments_of_one_container() -> None:
    """A rule with a container does not concern other containers, and the file passes its audit."""
    kept = KeptArgument("ContainerOverride.command", container="sidecar")
    overrides = [{"name": name, "command": ["run", "orders-9"]} for name in ("sidecar", "web")]
    task = bodies.task(overrides={"containerOverrides": overrides})
    rules = Rules(arguments=(kept,))
    scrubbed, scrubber = scrub(bodies.described(task), rules=rules)
    found = bodies.body_of(scrubbed)["tasks"][0]["overrides"]["containerOverrides"]
    assert [one["command"][-1] for one in found] == ["orders-9", "REDACTED"]
    gate(text_of(scrubbed), scrubber.originals, "a.yaml", rules)
    assert scrub(scrubbed, rules=rules)[0] == scrubbed


SUFFIXES = (
    "web-d383adf1", "Shop-ClusterEB0386A7-sCRgDrfn5BP9", "shop-Cluster-1ABCD2EFGH3IJ",
    "Shop-EcsCluster-tGQ7dP3bXk2A", "web-7f9c6bd5c8-x2v4q", "web-x7f8a9", "shop-ALB-1X2Y3Z4A5B6C7",
    "web-20241105123456",
)  # fmt: skip


@pytest.mark.parametrize("name", SUFFIXES)
def test_a_name_with_a_random_suffix_stays(name: str) -> None:
    """Suffixes of CloudFormation, CDK, Terraform and Kubernetes in names, ARNs and texts."""
    arn = f"arn:aws:ecs:eu-west-1:{bodies.ACCOUNT}:cluster/{name}"
    texts = [f"(service {name}) has started 2 tasks", f"{name} in cluster {name} failed"]
    for text in texts:
        task = bodies.task(clusterArn=arn, group=f"service:{name}", startedBy=name)
        task["stoppedReason"] = task["containers"][0]["reason"] = text
        scrubbed, scrubber = scrub(bodies.described(task))
        gate(text_of(scrubbed), scrubber.originals, "a.yaml")
        (left,) = bodies.body_of(scrubbed)["tasks"]
        assert left["clusterArn"] == arn.replace(bodies.ACCOUNT, "000000000001")
        assert (left["group"], left["startedBy"]) == (task["group"], name)
        assert left["stoppedReason"] == left["containers"][0]["reason"] == text
        alone, scrubber = scrub(bodies.described({"stoppedReason": text}))
        gate(text_of(alone), scrubber.originals, "a.yaml")
        assert bodies.body_of(alone)["tasks"][0]["stoppedReason"] == text


def test_a_tag_key_that_looks_like_a_host_stays() -> None:
    """So do names of variables and labels; Prefect finds its flow run by one."""
    keys = ["prefect.io/flow-run-id", "app.kubernetes.io/name"]
    tags = [{"key": key, "value": "mauve"} for key in keys]
    scrubbed, _ = scrub(bodies.described(bodies.task(tags=tags)))
    assert [tag["key"] for tag in bodies.body_of(scrubbed)["tasks"][0]["tags"]] == keys


def test_a_cassette_of_the_first_form_is_still_asked_by_the_original_id() -> None:
    """Its mark comes first; both forms are recognised and kept."""
    from cassette.scrub import comparable, identities, pseudonym_of_id
    from cassette.scrub.pseudonyms import former_form

    for original in (bodies.TASK, bodies.CONTAINER):
        new, old = identities(original)
        assert new == pseudonym_of_id(original) == pseudonym_of_id(new)
        assert old == former_form(new) == pseudonym_of_id(old)
        assert old.startswith("ca55e77e")
        asked = [comparable("DescribeTasks", {"tasks": [id_]}) for id_ in (original, new, old)]
        assert asked[0] == asked[1] == asked[2]


@pytest.mark.parametrize(
    "harmless",
    ["version 8.8.4.4 is out", "cannot pull web:202611231158", "no module socket.io",
     "CPU at 99.95% of limit", "disk 100% full", "50 %", "%s is not defined", "%H:%M", "x?y=%s",
     "java.lang.OutOfMemoryError: Java heap space", "java.lang.Exception", "app.module.py",
     "config.settings.local", "Microsoft.AspNetCore.Hosting", "image token:latest",
     "cannot pull auth-service:1.27", "app/token:1.2", "secret:get", "password:required",
     "Token::check", "pin count: 333", "ping: 200", "opinion=good", "app key is missing"],
)  # fmt: skip
def test_versions_tags_and_modules_stay_in_a_text(harmless: str) -> None:
    """They resemble an address, an account, an encoding and a host."""
    scrubbed, scrubber = scrub(bodies.described(bodies.task(stoppedReason=harmless)))
    gate(text_of(scrubbed), scrubber.originals, "a.yaml")
    assert bodies.body_of(scrubbed)["tasks"][0]["stoppedReason"] == harmless


@pytest.mark.parametrize(
    ("words", "written"),
    [
        (["-storepass", "83741"], ["-storepass", "REDACTED"]),
        (["-token", "worker"], ["-token", "REDACTED"]),
        (["-storepass=83741"], ["-storepass=REDACTED"]),
        (["-dbPassword", "83741"], ["-dREDACTED", "REDACTED"]),
        (["--dsn=512m"], ["--dsn=REDACTED"]),
        (["--master-key=83741"], ["--master-key=REDACTED"]),
        (["--pin", "83741"], ["--pin", "REDACTED"]),
        (["--bind-pw", "worker"], ["--bind-pw", "REDACTED"]),
        (["--connection-string=1.2.3"], ["--connection-string=REDACTED"]),
        (["--password", "", "83741"], ["--password", "", "REDACTED"]),
        (["--password", "--", "83741"], ["--password", "REDACTED", "REDACTED"]),
        (["--password\n", "83741"], ["REDACTED", "REDACTED"]),
        (["--password", "Kq8v=x"], ["--password", "REDACTED"]),
        (["--token", "a2VzdHJlbA=="], ["--token", "REDACTED"]),
        (["-p", "user=heron"], ["-p", "REDACTED"]),
        (["--password", "--x=y"], ["--password", "REDACTED"]),
        (["--password=", "83741"], ["--password=", "REDACTED"]),
        (["/password:83741"], ["/password:REDACTED"]),
        (["PIN=83741"], ["PIN=REDACTED"]),
        (["--ping", "5", "--port=8080"], ["--ping", "5", "--port=8080"]),
        (["--password=${DB_PASSWORD}"], ["--password=${DB_PASSWORD}"]),
        (["--mfa-code", "83741"], ["--mfa-code", "REDACTED"]),
        (["--one-time-code=83741"], ["--one-time-code=REDACTED"]),
        (["-Dpin=83741"], ["-Dpin=REDACTED"]),
        (["--dbPin=83741"], ["--dbPin=REDACTED"]),
        (["--psk", "83741"], ["--psk", "REDACTED"]),
        (["--db.private-key=x"], ["--db.private-key=REDACTED"]),
        (["-Dcache.internal-ttl=5"], ["-Dcache.internal-ttl=5"]),
        (["--spring.cloud.consul.host=5"], ["--spring.cloud.consul.host=5"]),
        (
            ["http.server", "8000", "--password", "8374"],
            ["http.server", "8000", "--password", "REDACTED"],
        ),
    ],
)
def test_every_value_after_an_option_for_a_secret_goes(
    words: list[str], written: list[str]
) -> None:
    """Also a harmless form, joined by = or :, or after an empty value."""
    command = {"name": "web", "command": ["app", *words]}
    task = bodies.task(overrides={"containerOverrides": [command]})
    scrubbed, scrubber = scrub(bodies.described(task))
    gate(text_of(scrubbed), scrubber.originals, "a.yaml")
    overrides = bodies.body_of(scrubbed)["tasks"][0]["overrides"]["containerOverrides"]
    assert overrides[0]["command"] == ["app", *written]
    assert scrub(scrubbed)[0] == scrubbed


@pytest.mark.parametrize(
    "text",
    ["password:{}", "refreshToken:{}", "&{{User:root Password:{} Port:1}}", "map[secret:{} a:b]",
     '[{{"name":"DB_PASSWORD","value":"{}"}}]', "{{'Key': 'apiToken', 'Value': '{}'}}",
     '<add key="password" value="{}"/>', '<property name="password">{}</property>',
     "ENCRYPTION_KEY={}", "encryptionKey: {} x", "AccountKey={};a=b", "STRIPE_KEY={}", "DB_PW={}",
     "dbPass={}", "rootpw={}", "pin: {} x", "otp={}", "https://a.example/?sig={}"],
)  # fmt: skip
def test_a_value_of_a_pair_of_any_notation_goes(text: str) -> None:
    """A colon without a space, a name next to its value, and names of keys, PINs and signatures."""
    scrubbed, scrubber = scrub(bodies.described(bodies.task(stoppedReason=text.format("hunter2x"))))
    gate(text_of(scrubbed), scrubber.originals, "a.yaml")
    assert bodies.body_of(scrubbed)["tasks"][0]["stoppedReason"] == text.format("REDACTED")
    assert scrub(scrubbed)[0] == scrubbed


@pytest.mark.parametrize(
    ("said", "left"),
    [("mac 0a58.a9fe.1234 up", "a9fe.1234"), ("no srv-utcrh6wavdkggqtk", "utcrh6"),
     ("ns-utcrh6wavdkggqtk gone", "utcrh6"),
     ("container 0f1e2d3c4b5a69788796a5b4c3d2e1f0-1234567890 exited", "1234567890")],
)  # fmt: skip
def test_an_id_of_another_form_becomes_a_pseudonym_once(said: str, left: str) -> None:
    """A MAC address in Cisco's form, ids of Cloud Map, and Fargate's runtime ids."""
    scrubbed, scrubber = scrub(bodies.described(bodies.task(stoppedReason=said)))
    gate(text_of(scrubbed), scrubber.originals, "a.yaml")
    assert left not in text_of(scrubbed)
    assert "REDACTED" not in bodies.body_of(scrubbed)["tasks"][0]["stoppedReason"]
    assert scrub(scrubbed)[0] == scrubbed


def test_an_account_known_from_an_arn_is_none_as_the_tag_of_an_image() -> None:
    """There, twelve digits are otherwise a date."""
    definition = {
        "taskDefinitionArn": "arn:aws:ecs:eu-west-1:739201846553:task-definition/web:3",
        "containerDefinitions": [{"name": "web", "image": "app:739201846553"}],
    }
    answer = model.Response({"taskDefinition": definition})
    scrubbed, _ = scrub(bodies.cassette(("DescribeTaskDefinition", {}, answer)))
    assert "image: app:000000000001" in text_of(scrubbed)


def test_the_number_of_a_deployment_has_one_pseudonym_everywhere() -> None:
    """In its member, startedBy, ARNs and texts, with or without its prefix."""
    number, revision = "5813948576120394857", "4980306466373577095"
    arn = f"arn:aws:ecs:eu-west-1:{bodies.ACCOUNT}:service-revision/prod/web/{revision}"
    service = {
        "taskSets": [{"id": f"ecs-svc/{number}", "startedBy": f"ecs-svc/{number}"}],
        "deployments": [
            {
                "id": f"ecs-svc/{number}",
                "rolloutStateReason": f"ECS deployment ecs-svc/{number} to {arn} completed.",
            }
        ],
        "events": [{"message": f"(deployment {number}) rolled {revision} back"}],
    }
    task = bodies.task(startedBy=f"ecs-svc/{number}", stoppedReason=f"stopped by {number}")
    recording = bodies.cassette(
        ("DescribeTasks", {"tasks": [bodies.TASK]}, model.Response({"tasks": [task]})),
        ("ListTasks", {"startedBy": f"ecs-svc/{number}"}, model.Response({"taskArns": []})),
        ("DescribeServices", {"services": ["web"]}, model.Response({"services": [service]})),
    )
    scrubbed, scrubber = scrub(recording)
    text = text_of(scrubbed)
    gate(text, scrubber.originals, "a.yaml")
    assert number not in text
    assert revision not in text
    assert text.count(pseudonym_of_number(number)) == 8
    assert text.count(pseudonym_of_number(revision)) == 2
    assert text_of(scrub(scrubbed)[0]) == text


@pytest.mark.parametrize(
    "command", [["app", "--password", "kestrel9608"], ["vault", "login", "kestrel9608"]]
)
def test_the_secret_of_a_command_goes_everywhere(command: list[str]) -> None:
    """Also from names and texts without a word for a secret."""
    overrides = {"containerOverrides": [{"name": "web", "command": command}]}
    task = bodies.task(
        overrides=overrides, startedBy="job-kestrel9608", stoppedReason="failed: kestrel9608"
    )
    scrubbed, scrubber = scrub(bodies.described(task))
    gate(text_of(scrubbed), scrubber.originals, "a.yaml")
    assert "kestrel9608" not in text_of(scrubbed)
    assert scrub(scrubbed)[0] == scrubbed


def test_what_the_health_of_an_instance_says_stays() -> None:
    """Its details are ECS's own words, unlike those of an attachment."""
    details = [{"type": "CONTAINER_RUNTIME", "status": "OK", "lastUpdated": 1769860800.12}]
    health = {"overallStatus": "OK", "details": details}
    instances = {"containerInstances": [{"healthStatus": health}]}
    recording = bodies.cassette(("DescribeContainerInstances", {}, model.Response(instances)))
    scrubbed, scrubber = scrub(recording)
    gate(text_of(scrubbed), scrubber.originals, "a.yaml")
    (instance,) = bodies.body_of(scrubbed)["containerInstances"]
    assert instance["healthStatus"]["details"][0]["type"] == "CONTAINER_RUNTIME"


def test_what_is_no_word_of_ecs_goes_from_statistics_and_settings() -> None:
    """Their values are numbers and words such as enabled."""
    statistics = [{"name": "runningEC2TasksCount", "value": v} for v in ("3", "dunlin92")]
    clusters = {"clusters": [{"statistics": statistics}], "failures": []}
    scrubbed, _ = scrub(bodies.cassette(("DescribeClusters", {}, model.Response(clusters))))
    (cluster,) = bodies.body_of(scrubbed)["clusters"]
    assert [one["value"] for one in cluster["statistics"]] == ["3", "REDACTED"]


def test_an_arn_after_the_kind_of_its_credentials_stays_an_arn() -> None:
    """Windows containers name the file of their credentials in this way."""
    arn = f"credentialspecdomainless:arn:aws:ssm:eu-west-1:{bodies.ACCOUNT}:parameter/x"
    definition = {"containerDefinitions": [{"name": "web", "credentialSpecs": [arn]}]}
    answer = model.Response({"taskDefinition": definition})
    scrubbed, scrubber = scrub(bodies.cassette(("DescribeTaskDefinition", {}, answer)))
    gate(text_of(scrubbed), scrubber.originals, "a.yaml")
    false = "credentialspecdomainless:arn:aws:ssm:eu-west-1:000000000001:parameter/x"
    assert false in text_of(scrubbed)
