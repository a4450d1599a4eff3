"""Forms found by a second attack: hosts under new TLDs, short base64, flags, odd members."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cassette import model
from cassette.scrub import Scrubber, audit, gate, pseudonyms, scrub
from tests.scrub import bodies
from tests.scrub.planting import SLOW, text_of
from tests.scrub.test_near_secrets import said

ENDS = ("app", "run", "health", "dev", "io", "live", "page", "sh", "py", "zip", "rs", "name")
SAYING = (
    "getaddrinfo ENOTFOUND {}", "could not resolve host: {}", "see //{}/img", "host={}",
    "Name or service not known: {}", "certificate is valid for {}, not y", "https://{}/a",
    "dial tcp: lookup {} on 198.18.0.1:53: no such host", "ping {}", "connect to {}:443",
)  # fmt: skip


@SLOW
@given(
    st.sampled_from(SAYING),
    st.sampled_from(["acmepay", "heron-shop", "blueheron2"]),
    st.sampled_from(ENDS),
)
def test_a_host_of_two_labels_goes(saying: str, name: str, end: str) -> None:
    """With any ending, if the text says that it is a host."""
    assert name not in said(saying.format(f"{name}.{end}"))


@pytest.mark.parametrize(
    "end", ["app", "run", "health", "live", "page", "io", "dev", "email", "jobs", "prod", "support"]
)
def test_a_host_goes_that_is_made_of_no_known_words(end: str) -> None:
    """A module is kept, and so is an object's member."""
    assert "acmepay" not in said(f"unable to use acmepay.{end} today")


@pytest.mark.parametrize(
    "text",
    ["api.app:app", "cannot find module socket.io", "main.py:42", "task.name is missing",
     "app.run failed",
     "object.map", "libssl.so.1.1: cannot open", "foo.service.ts", "main.go:33",
     "app.rs:17", "at app.models.user.User.save (user.js:12:3)", "where o.user_id = u.id",
     "users.email is null", "insert into app.jobs values", "Dockerfile.prod", "Dockerfile.dev",
     "open .env.prod", "open .env.dev: no such file", "config.database.host is undefined",
     "self.acmeClient.run failed", "this.session.search", "order by p.date",
     "at kotlin.coroutines.jvm.internal.BaseContinuationImpl.resumeWith(A.kt:1)",
     "at okhttp3.internal.http2.Http2Connection$ReaderRunnable.run(A.kt:637)",
     "google.golang.org/grpc/internal/transport.(*http2Client).reader",
     "j.user_id = o.user_id", "Node.js", "lookup amazonaws.com failed",
     "lookup AMAZONAWS.COM failed"],
)  # fmt: skip
def test_modules_files_and_members_stay(text: str) -> None:
    """Also if their ending is a top-level domain."""
    assert said(text) == text


@SLOW
@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=6, max_size=24))
@example("AMAZONAWS.COM")
def test_base64_of_a_short_text_goes(secret: str) -> None:
    """If all of it is readable, except plain words by chance."""
    run = base64.b64encode(secret.encode()).decode()
    assert "REDACTED" in said(f"sent {run} again")
    assert "REDACTED" in said(f"sent {run.rstrip('=')} again")


@pytest.mark.parametrize(
    "text",
    ["mysql -ubob -p{}", "sshpass -p {} ssh", "redis-cli -a {} ping", "x --pin {}", "key={}",
     "cache.dsn='{}'", "SALT={}", "scott/{}@ORCL", "jdbc:oracle:thin:bob/{}@db1:1521:X"],
)  # fmt: skip
@pytest.mark.parametrize("secret", ["hunter2", "Kq8vZt0ubW", "mauvepelican"])
def test_the_value_of_a_flag_or_a_setting_goes(text: str, secret: str) -> None:
    """Short flags of many programs, names of keys, data sources of Oracle."""
    assert secret not in said(text.format(secret))


@pytest.mark.parametrize(
    "text",
    ["run -p 8080:80 nginx", "mkdir -p /var/lib/x", "useradd -u 1000 app", "key=value", "-p 8080",
     "cache_key=user", "docker build -t web -a ."],
)  # fmt: skip
def test_paths_ports_and_plain_words_after_a_flag_stay(text: str) -> None:
    """They hold no secret."""
    assert said(text) == text


def _written(operation: str, **body: Any) -> str:
    scrubbed, scrubber = scrub(bodies.cassette((operation, {}, model.Response(body))))
    text = text_of(scrubbed)
    gate(text, scrubber.originals, "a.yaml")
    assert text_of(scrub(scrubbed)[0]) == text
    return text


def test_a_member_keeps_only_words_of_ecs() -> None:
    """A status, a zone and a size are kept; other words are not."""
    kept = {"lastStatus": "RUNNING", "availabilityZone": "eu-west-1b", "platformFamily": "Linux"}
    windows = {"platformFamily": "Windows-Server-2022-Full"}
    text = _written("DescribeTasks", tasks=[kept, windows, dict.fromkeys(kept, "Kq8vZt0ubW")])
    assert all(value in text for value in [*kept.values(), *windows.values()])
    assert "Kq8vZt0ubW" not in text


@pytest.mark.parametrize(
    "text",
    ["s3://{}/x", "s3a://{}", "arn:aws-cn:s3:::{}/x", "https://s3.eu-west-1.amazonaws.com/{}/x",
     "bucket {} does not exist", "bucketName: {}", "Bucket='{}'", "https://{}.s3.amazonaws.com/x"],
)  # fmt: skip
def test_a_bucket_is_replaced_under_strict(text: str) -> None:
    """In a text, wherever it says that it is one; plain words after `bucket` are none."""
    recorded = bodies.described(bodies.task(stoppedReason=text.format("heron-exports")))
    scrubbed, scrubber = scrub(recorded, "strict")
    written = text_of(scrubbed)
    assert "heron" not in written
    gate(written, scrubber.originals, "a.yaml")
    assert text_of(scrub(scrubbed, "strict")[0]) == written
    assert Scrubber("strict").text("token bucket is full") == "token bucket is full"


def test_attributes_properties_and_options_of_others_are_redacted() -> None:
    """Those of ECS, App Mesh and log drivers are kept."""
    attributes = {"ecs.instance-type": "t3.large", "owner": "janedoe"}
    properties = {"AppPorts": "8080", "Extra": "hunter2x"}
    options = {"awslogs-region": "eu-west-1", "mode": "hunter2x", "awslogs-multiline-pattern": "^x"}
    pairs = [
        [{"name": name, "value": value} for name, value in given.items()]
        for given in (attributes, properties)
    ]
    text = _written("DescribeContainerInstances", containerInstances=[{"attributes": pairs[0]}])
    assert "t3.large" in text
    assert "janedoe" not in text
    definition = {
        "proxyConfiguration": {"properties": pairs[1]},
        "containerDefinitions": [{"logConfiguration": {"options": options}}],
    }
    text = _written("DescribeTaskDefinition", taskDefinition=definition)
    assert all(value in text for value in ("8080", "eu-west-1"))
    assert all(value not in text for value in ("hunter2x", "^x"))


def test_numbers_of_deployments_differ_in_their_first_eight_digits() -> None:
    """Programs show and compare only these; cassettes of the first form are still read."""
    numbers = [pseudonyms.pseudonym_of_number(str(5_813_948_576_120_394_000 + n)) for n in range(9)]
    assert len({number[:8] for number in numbers}) == 9
    for number in numbers:
        first = number[11:] + number[:11]
        assert pseudonyms.current_form(f"ecs-svc/{first} done") == f"ecs-svc/{number} done"
        for same in (number, first):
            assert Scrubber().text(f"(deployment ecs-svc/{same})") == f"(deployment ecs-svc/{same})"
            assert pseudonyms.is_pseudonym(f"ecs-svc/{same}")
            assert not audit(f"startedBy: ecs-svc/{same}\n")
