"""What scrubbing does to a recording."""

from __future__ import annotations

import json

import pytest

from cassette import errors, model
from cassette.ecs import shapes
from cassette.scrub import POLICY_VERSION, Scrubber, audit, comparable, pseudonym_of_id, scrub
from tests.scrub import bodies, planting
from tests.scrub.bodies import (
    ACCOUNT,
    CLUSTER_ARN,
    EMAIL,
    IP,
    PASSWORD,
    TASK,
    TASK_ARN,
    body_of,
    described,
)


def text_of(cassette: model.Cassette) -> str:
    """The complete content of the interactions as text."""
    return json.dumps(
        [
            [i.request, getattr(i.outcome, "body", None) or repr(i.outcome)]
            for i in cassette.interactions
        ],
        indent=1,
        ensure_ascii=False,
    )


def test_nothing_of_a_task_that_identifies_is_left() -> None:
    """Ids, accounts, addresses, environment values and tag values are gone; names stay."""
    scrubbed, scrubber = scrub(described(bodies.task()))
    text = text_of(scrubbed)
    for original in (
        ACCOUNT, bodies.OTHER_ACCOUNT, TASK, bodies.CONTAINER, bodies.ATTACHMENT, bodies.ENI,
        bodies.SUBNET, IP, "10-9-8-7", bodies.MAC, PASSWORD, "Jane Roe", bodies.DIGEST,
    ):  # fmt: skip
        assert original not in text
    task = body_of(scrubbed)["tasks"][0]
    assert task["clusterArn"] == "arn:aws:ecs:eu-west-1:000000000001:cluster/prod"
    assert task["createdAt"] == "2026-01-31T12:00:00.120Z"
    environment = task["overrides"]["containerOverrides"][0]["environment"]
    assert environment == [{"name": "DB_PASSWORD", "value": "REDACTED"}]
    assert task["tags"][0] == {"key": "owner", "value": "REDACTED"}
    assert task["tags"][1] == {"key": "aws:ecs:serviceName", "value": "web"}
    assert scrubbed.scrub == model.Scrub("standard", POLICY_VERSION)
    assert audit(text, scrubber.originals) == ()


def test_relations_hold_across_the_calls_of_a_recording() -> None:
    """Equal values stay equal, from RunTask and DescribeTasks to StopTask."""
    recording = bodies.cassette(
        ("RunTask", {"cluster": "prod", "taskDefinition": "web", "clientToken": "t"},
         model.Response({"tasks": [bodies.task(lastStatus="PENDING")], "failures": []})),
        ("DescribeTasks", {"cluster": bodies.CLUSTER_ARN, "tasks": [TASK]},
         model.Response({"tasks": [bodies.task()], "failures": []})),
        ("StopTask", {"cluster": "prod", "task": TASK_ARN, "reason": f"asked by {EMAIL}"},
         model.Response({"task": bodies.task(stoppedReason=f"asked by {EMAIL}, {IP}")})),
    )  # fmt: skip
    scrubbed, _ = scrub(recording)
    run, described_task = body_of(scrubbed)["tasks"][0], body_of(scrubbed, 1)["tasks"][0]
    stopped = body_of(scrubbed, 2)["task"]
    false = pseudonym_of_id(TASK)
    assert run["taskArn"] == described_task["taskArn"] == stopped["taskArn"]
    assert scrubbed.interactions[1].request["tasks"] == [false]
    assert scrubbed.interactions[2].request["task"] == stopped["taskArn"]
    assert stopped["taskArn"].endswith("/" + false)
    container = stopped["containers"][0]
    runtime, _, number = container["runtimeId"].partition("-")
    assert runtime == false
    assert number.isdigit()
    assert number != "1234567890"
    assert f"/{false}/" in container["containerArn"]
    attachment = stopped["attachments"][0]
    details = {pair["name"]: pair["value"] for pair in attachment["details"]}
    assert container["networkInterfaces"][0]["attachmentId"] == attachment["id"]
    address = details["privateIPv4Address"]
    assert container["networkInterfaces"][0]["privateIpv4Address"] == address
    assert details["privateDnsName"] == f"ip-{address.replace('.', '-')}.ec2.internal"
    reason = scrubbed.interactions[2].request["reason"]
    assert stopped["stoppedReason"] == f"{reason}, {address}"
    assert container["image"].startswith("000000000002.dkr.ecr.eu-west-1.amazonaws.com/team/web")


def test_an_original_learnt_late_is_replaced_where_it_stood_early() -> None:
    """A password that only its environment reveals is also replaced in an earlier text."""
    early = bodies.task(stoppedReason=f"login with {PASSWORD} failed", overrides={})
    recording = bodies.cassette(
        ("DescribeTasks", {"tasks": [TASK]}, model.Response({"tasks": [early]})),
        ("DescribeTasks", {"tasks": [TASK]}, model.Response({"tasks": [bodies.task()]})),
    )
    scrubbed, _ = scrub(recording)
    assert body_of(scrubbed)["tasks"][0]["stoppedReason"] == "login with REDACTED failed"


def test_scrubbing_again_changes_nothing() -> None:
    """scrub(scrub(x)) == scrub(x), and another account gets a new number."""
    once, _ = scrub(described(bodies.task(stoppedReason=f"{EMAIL} https://db.corp.internal/x")))
    again, scrubber = scrub(once)
    assert again == once
    assert scrubber.originals == frozenset()
    assert scrubber.text(f"account {'7' * 12}") == "account 000000000003"
    assert scrubber.text("at 10.1.1.1, a@b.test, c.corp.internal") == (
        "at 198.18.0.2, user-2@example.com, host-2.example"
    )


def test_what_came_out_still_parses() -> None:
    """botocore reads a scrubbed response with all members of its model, empty or kept."""
    scrubbed, _ = scrub(described(bodies.task()))
    parsed = shapes.parse("DescribeTasks", shapes.to_wire("DescribeTasks", body_of(scrubbed)))
    assert parsed["tasks"][0]["createdAt"].year == 2026


def test_members_that_nobody_knows_are_redacted_and_reported() -> None:
    """A member outside botocore's model is redacted completely; null stays null."""
    odd = bodies.task(newMember={"account": ACCOUNT}, other=None)
    scrubbed, scrubber = scrub(described(odd))
    task = body_of(scrubbed)["tasks"][0]
    assert task["newMember"] == "REDACTED"
    assert task["other"] is None
    assert scrubber.report.unknown == ("DescribeTasks: /tasks/*/newMember",)


def test_a_member_that_the_table_lacks_is_blank(monkeypatch: pytest.MonkeyPatch) -> None:
    """A member that a newer botocore added is blank by its type, so that it still parses."""
    from cassette.scrub import scrubber as module

    rows = dict(module._ROWS["Task"])
    for member in ("containers", "createdAt", "version", "group", "enableExecuteCommand"):
        del rows[member]
    monkeypatch.setitem(module._ROWS, "Task", rows)
    scrubbed, scrubber = scrub(described(bodies.task(enableExecuteCommand=True)))
    task = body_of(scrubbed)["tasks"][0]
    assert task["containers"] == []
    assert task["createdAt"] == "1970-01-01T00:00:00.000Z"
    assert task["version"] == 0
    assert task["group"] == "REDACTED"
    assert task["enableExecuteCommand"] is False
    assert "Task.containers" in scrubber.report.unknown


def test_a_value_of_another_type_than_the_models_is_blank() -> None:
    """Fail closed: a string where botocore expects a structure is not kept."""
    scrubbed, _ = scrub(described(bodies.task(overrides=EMAIL, version=EMAIL, group={"a": EMAIL})))
    assert EMAIL not in text_of(scrubbed)


def test_errors_are_scrubbed() -> None:
    """The message and the other members of an API error go through the same search."""
    message = (
        f"User: arn:aws:sts::{ACCOUNT}:assumed-role/Deployer/{EMAIL} is not authorized to "
        f"perform: ecs:DescribeTasks on resource: {TASK_ARN}"
    )
    error = model.ApiError(
        400, "ConflictException", message, {"resourceIds": [TASK_ARN], "odd": ACCOUNT}
    )
    scrubbed, _ = scrub(bodies.cassette(("DescribeTasks", {"tasks": [TASK]}, error)))
    false_arn = f"arn:aws:ecs:eu-west-1:000000000001:task/prod/{pseudonym_of_id(TASK)}"
    assert scrubbed.interactions[0].outcome == model.ApiError(
        400,
        "ConflictException",
        "User: arn:aws:sts::000000000001:assumed-role/Deployer/user-ca55e77e-1 is not "
        f"authorized to perform: ecs:DescribeTasks on resource: {false_arn}",
        {"resourceIds": [false_arn], "odd": "REDACTED"},
    )


@pytest.mark.parametrize(
    ("original", "expected"),
    [
        ("arn:aws:secretsmanager:eu-west-1:{a}:secret:prod/db-AbCdEf:password::",
         "arn:aws:secretsmanager:eu-west-1:000000000001:secret:prod/db-ca55..:password::"),
        ("arn:aws:secretsmanager:eu-west-1:{a}:secret:rds!cluster-web-AbCdEf",  # managed by RDS
         "arn:aws:secretsmanager:eu-west-1:000000000001:secret:rds!cluster-web-ca55.."),
        ("arn:aws:secretsmanager:eu-west-1:{a}:secret:db-ca55ad::X:1b2c3d4e-5f60-4718-8293-a4b5c6d7e8f9",
         "arn:aws:secretsmanager:eu-west-1:000000000001:secret:db-ca55ad::X:ff746af4-b446-480a-818e-5f4bca55e77e"),
        ("arn:aws:sts::{a}:federated-user/jroe.1",
         "arn:aws:sts::000000000001:federated-user/user-ca55e77e-1"),
        ("arn:aws-iso:servicediscovery:us-iso-east-1:{a}:namespace/ns-a1b2c3d4e5f6g7h8",
         "arn:aws-iso:servicediscovery:us-iso-east-1:000000000001:namespace/ns-1a74d9d8ca55e77e"),
        ("https://hooks.slack.com/services/T0A1B2C3D/B0A1B2C3D/abcdefghijKLMNOPqrstuvwx",
         "https://host-1.example/services/REDACTED"),
        ("sk-ant-abcdefgh-ijklmnop hf_abcdefghijKLMNOPQRSTuvwxyzabcdefgh", "REDACTED REDACTED"),
        ("npm_config_registry sg.production.tier", "npm_config_registry sg.production.tier"),
        ("--max-tokens 9 tokenizer=bert author=jo", "--max-tokens 9 tokenizer=bert author=jo"),
        ("https://sts.amazonaws.com/?RoleArn=arn%3Aaws%3Aiam%3A%3A{a}%3Arole%2Fx&Version=1",
         "https://sts.amazonaws.com/?RoleArn=arn%3Aaws%3Aiam%3A%3A000000000001%3Arole%2Fx&Version=1"),
        ("DB_PASSWORD=\nrun", "DB_PASSWORD=\nrun"),
        ("token: expired", "token: expired"),
        ("failed:\n  token: mauve today\n", "failed:\n  token: REDACTED today\n"),
        ("compass=mauve bypass: true DB_PASS=mauve --pass mauve",
         "compass=mauve bypass: true DB_PASS=REDACTED --pass REDACTED"),
        ("Authorization: token mauve-31, Cookie: id=mauve-31",
         "Authorization: REDACTED"),
        ("eyJhbGciOiJub25lIn0.\n  eyJzdWIiOiJqYW5lIn0\n  .c2lnbmF0dXJl", "REDACTED"),
        ("postgres://admin:p@ss/word@db.corp.internal:5432/app",
         "postgres://REDACTED:REDACTED@host-1.example:5432/app"),
        ("https://registry-1.docker.io/v2/ and https://api.ecr.eu-west-1.amazonaws.com/",
         "https://registry-1.docker.io/v2/ and https://api.ecr.eu-west-1.amazonaws.com/"),
        ("web-1234.eu-west-1.elb.amazonaws.com", "host-1.eu-west-1.elb.amazonaws.com"),
        ("{a}.dkr.ecr.cn-north-1.amazonaws.com.cn/cdk-{a}-x",
         "000000000001.dkr.ecr.cn-north-1.amazonaws.com.cn/cdk-000000000001-x"),
        ("arn:aws:s3:::logs-{a} arn:aws:iam::{a}:user/jane",
         "arn:aws:s3:::logs-000000000001 arn:aws:iam::000000000001:user/user-ca55e77e-1"),
        ("[fd00:1:2::3]:443 ::1 0.0.0.0 ::ffff:10.2.3.4 std::string 12:30:45",
         "[2001:db8::1]:443 ::1 0.0.0.0 ::ffff:198.18.0.1 std::string 12:30:45"),
        ("subnet-9f8e7d6c i-9f8e7d6c", "subnet-000010000ca55e77e i-000020000ca55e77e"),
        ("DB_PASSWORD=abc, token: x1y2z3", "DB_PASSWORD=REDACTED, token: REDACTED"),
        ("unable to pull secrets or registry auth: The task failed; exit code 137, version 1.4.0",
         "unable to pull secrets or registry auth: The task failed; exit code 137, version 1.4.0"),
        ("9223370460701754056 ns at 1730946635503", "9223370460701754056 ns at 1730946635503"),
        (bodies.JWT + " " + bodies.ACCESS_KEY, "REDACTED REDACTED"),
        (bodies.JWT + ". It is old.", "REDACTED It is old."),
        ("AppStack-WebServiceTaskDef4A3B2C1D-XYZ123ABC456",
         "AppStack-WebServiceTaskDef4A3B2C1D-XYZ123ABC456"),
        ("com.amazonaws.ecs.capability.docker-plugin.local",
         "com.amazonaws.ecs.capability.docker-plugin.local"),
        ("arn:aws:ecs:us-west-2:*******:task/<PREFIX>/x `region` XXXX",
         "arn:aws:ecs:us-west-2:*******:task/<PREFIX>/x `region` XXXX"),
        # Masks that begin like URL encoding, next to something that is replaced.
        ("%ACCOUNT_ID%.dkr.ecr.us-east-2.amazonaws.com/cdk-%ACCOUNT_ID%-us-east-2:{a}",
         "%ACCOUNT_ID%.dkr.ecr.us-east-2.amazonaws.com/cdk-%ACCOUNT_ID%-us-east-2:000000000001"),
        ("https://db-%41CCOUNT%.example.com/%account%?a={a}&b=%20%-%DE%",
         "https://db-%41CCOUNT%.example.com/%account%?a=000000000001&b=%20%-%DE%"),
        ("/ecs/%ACCOUNT% of arn:aws:logs:us-east-2:%ACCOUNT%:log-group:/ecs/{a}:*",
         "/ecs/%ACCOUNT% of arn:aws:logs:us-east-2:%ACCOUNT%:log-group:/ecs/000000000001:*"),
        ("%ACCOUNT%/%C3%A9/arn:aws:iam::{a}:role%2Fx",
         "%ACCOUNT%/%C3%A9/arn:aws:iam::000000000001:role%2Fx"),
    ],
)  # fmt: skip
def test_free_text(original: str, expected: str) -> None:
    """Each kind of token is found, and other text is not changed."""
    original = original.replace("{a}", "7" * 12)
    scrubbed = Scrubber().text(original)
    if "ca55.." in expected:
        head, tail = expected.split("ca55..")
        assert scrubbed.startswith(head + "ca55")
        assert scrubbed.endswith(tail)
    else:
        assert scrubbed == expected
    assert Scrubber().text(scrubbed) == scrubbed
    assert audit(planting.text_of(scrub(described(bodies.task(stoppedReason=original)))[0])) == ()


def test_a_known_account_is_found_inside_a_longer_word() -> None:
    """An account known from an ARN is replaced if its digits are a word of their own."""
    text = Scrubber().text(f"bucket{ACCOUNT}prod of {TASK_ARN}")
    assert text.startswith("bucket000000000001prod of arn:aws:ecs:eu-west-1:000000000001:")


def test_an_arn_without_an_account_stays_one() -> None:
    """`us-east-2::` resembles an IPv6 address, but is not one."""
    arn = "arn:aws:ecs:us-east-2::cluster/prod"
    scrubbed, _ = scrub(described({**bodies.task(), "clusterArn": arn}))
    assert body_of(scrubbed)["tasks"][0]["clusterArn"] == arn


def test_short_originals_do_not_eat_other_words() -> None:
    """A short secret is redacted only where it was found."""
    override = {"name": "web", "environment": [{"name": "PIN", "value": "137"}]}
    task = bodies.task(overrides={"containerOverrides": [override]}, stoppedReason="exit code 137")
    scrubbed, _ = scrub(described(task))
    assert body_of(scrubbed)["tasks"][0]["stoppedReason"] == "exit code 137"


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (["migrate", "--env", "prod"], ["migrate", "--env", "prod"]),
        (["--password", "abc", "-v"], ["--password", "REDACTED", "-v"]),
        (["--db-url=x", "LEVEL=debug"], ["--db-url=REDACTED", "LEVEL=REDACTED"]),
        (["sh", "-c", "A=1 run --to b && C='x y' go"], ["sh", "-c", "REDACTED"]),
        (['{"bucket": "private"}'], ["REDACTED REDACTED"]),
        ([f"notify {EMAIL}"], ["notify REDACTED"]),
        (["curl", "-u", "jroe:mauve-31", "-k"], ["curl", "-u", "REDACTED", "-k"]),
        (["CMD-SHELL", "curl -u jroe:mauve-31 localhost"], ["CMD-SHELL", "REDACTED"]),
        (["CMD", "curl", "-f", "http://localhost:8080/health"],
         ["CMD", "curl", "-f", "http://localhost:8080/health"]),
        (["/usr/bin/python3", "-m", "shop.tasks", "work/run.py"],
         ["python3", "-m", "shop.tasks", "work/run.py"]),
        (["gunicorn", "api.app:app", "-b", "0.0.0.0:80"],
         ["gunicorn", "api.app:app", "-b", "0.0.0.0:80"]),
        (["java", "-Xmx512m", "-Ddb.password=mauve", "-jar", "app.jar"],
         ["java", "-Xmx512m", "-Ddb.password=REDACTED", "-jar", "app.jar"]),
        (["app", "${DB_PASSWORD}", "--id", TASK, "--max-tokens", "4096"],
         ["app", "${DB_PASSWORD}", "--id", pseudonym_of_id(TASK), "--max-tokens", "4096"]),
        (["mauve-Whale-31", "mauve"], ["REDACTED", "REDACTED"]),
    ],
)  # fmt: skip
def test_commands(command: list[str], expected: list[str]) -> None:
    """The words of a command line are kept; values of options and assignments are not."""
    overrides = {"containerOverrides": [{"name": "web", "command": command}]}
    request = {"taskDefinition": "web", "overrides": overrides}
    scrubbed = Scrubber().request("RunTask", request)
    assert scrubbed["overrides"]["containerOverrides"][0]["command"] == expected
    assert Scrubber().request("RunTask", scrubbed) == scrubbed


def test_a_page_still_leads_to_the_next_one() -> None:
    """A response's token is the next request's token; a client token is redacted."""
    token = "opaque/+token=="
    recording = bodies.cassette(
        ("ListTasks", {}, model.Response({"taskArns": [TASK_ARN], "nextToken": token})),
        ("ListTasks", {"nextToken": token}, model.Response({"taskArns": []})),
    )
    scrubbed, _ = scrub(recording)
    false = body_of(scrubbed)["nextToken"]
    assert false.endswith("ca55e77e")
    assert scrubbed.interactions[1].request["nextToken"] == false
    assert Scrubber().request("RunTask", {"clientToken": "abc"}) == {"clientToken": "REDACTED"}


def test_strict_replaces_names_and_keeps_their_relations() -> None:
    """The strict policy replaces names of clusters, services, containers and images by
    pseudonyms.
    """
    task = bodies.task(group="service:storefront", stoppedReason="storefront failed")
    task["containers"][0] |= {"name": "checkout", "image": "registry.corp.io/shop/checkout:7"}
    recording = described(task)
    scrubbed, scrubber = scrub(recording, "strict")
    text = text_of(scrubbed)
    for name in ("storefront", "checkout", "shop", "registry.corp"):
        assert name not in text
    after = body_of(scrubbed)["tasks"][0]
    kind, service = after["group"].split(":")
    assert kind == "service"
    assert after["stoppedReason"] == f"{service} failed"
    assert after["containers"][0]["image"].endswith(f"/{after['containers'][0]['name']}:7")
    assert after["clusterArn"].rpartition("/")[2] in after["taskArn"]
    assert scrub(scrubbed, "strict")[0] == scrubbed
    assert audit(text, scrubber.originals) == ()


def test_strict_replaces_short_names_in_texts_after_their_kind() -> None:
    """`web` may be any word, but `(service web)` is the service."""
    events = [{"id": bodies.CONTAINER, "message": "(service web) runs the web; cluster dev."}]
    service = {"serviceName": "web", "clusterArn": CLUSTER_ARN, "events": events}
    body = model.Response({"services": [service], "failures": []})
    request = {"cluster": "dev", "services": ["web"]}
    scrubbed, scrubber = scrub(bodies.cassette(("DescribeServices", request, body)), "strict")
    after = body_of(scrubbed)["services"][0]
    cluster = scrubbed.interactions[0].request["cluster"]
    message = f"(service {after['serviceName']}) runs the web; cluster {cluster}."
    assert after["events"][0]["message"] == message
    assert scrubber.report.replaced["name"] == 3
    assert scrub(scrubbed, "strict")[0] == scrubbed


def test_there_is_no_other_policy() -> None:
    """An unknown policy is an error that lists the valid ones."""
    with pytest.raises(errors.UsageError, match="loose"):
        Scrubber("loose")


@pytest.mark.parametrize("original", [TASK, bodies.CONTAINER, bodies.ENI, "ab" * 32])
def test_the_pseudonym_of_an_id(original: str) -> None:
    """It has the id's form, is recognisable as a pseudonym, and is its own pseudonym."""
    false = pseudonym_of_id(original)
    assert false != original
    assert "ca55e77e" in false
    assert len(false) == len(original)
    assert [c == "-" for c in false] == [c == "-" for c in original]
    assert pseudonym_of_id(false) == false
    assert Scrubber().text(f"x {original} y") == f"x {false} y"


def test_text_without_the_form_of_an_id_has_no_pseudonym() -> None:
    """A name is not an id."""
    assert pseudonym_of_id("my-task") == "my-task"


def test_a_request_compares_with_its_recording_whatever_its_numbers() -> None:
    """An original and its pseudonym are equal in any recording."""
    asked = {"cluster": CLUSTER, "tasks": [TASK]}
    recorded = Scrubber()
    recorded.text(f"another account {'7' * 12} came first")
    in_file = recorded.request("DescribeTasks", asked)
    assert in_file != Scrubber().request("DescribeTasks", asked)
    assert comparable("DescribeTasks", asked) == comparable("DescribeTasks", in_file)


def test_the_report_counts_and_holds_no_original() -> None:
    """It has the number of replaced originals of each kind."""
    _, scrubber = scrub(described(bodies.task()))
    report = scrubber.report
    assert report.replaced["account id"] == 2
    redacted = ["ContainerOverride.environment[DB_PASSWORD]", "Task.tags[owner]"]
    assert report.redacted == dict.fromkeys(redacted, 1)
    assert not any(original in repr(report) for original in scrubber.originals)


CLUSTER = bodies.CLUSTER_ARN
