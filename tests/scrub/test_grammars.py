"""Values that only their grammar reveals: the text before, after and around them."""

from __future__ import annotations

import html
import ipaddress
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from cassette import model
from cassette.scrub import scrub
from cassette.scrub.pseudonyms import has_pseudonym
from tests.scrub import bodies
from tests.scrub.planting import SLOW
from tests.scrub.results import said, written

HEX = "0123456789abcdef"


def digits(count: int) -> st.SearchStrategy[str]:
    """A number of random hexadecimal digits."""
    return st.text(HEX, min_size=count, max_size=count)


uuids = (
    st.tuples(*map(digits, (8, 4, 4, 4, 12)))
    .map("-".join)
    .filter(lambda u: len(set(u)) > 6 and not has_pseudonym(u))
)


@SLOW
@given(
    st.sampled_from(["E", "ERR", "code0x", "failed", "E42", "x_", "Error:", "id=", "deadbeef"]),
    uuids,
    st.sampled_from(["", "failed", "x", "_1", " failed", "abc"]),
)
def test_a_uuid_glued_to_a_word_goes(before: str, uuid: str, after: str) -> None:
    """Its form is clear, whatever is next to it."""
    assert uuid not in said(f"{before}{uuid}{after}")


# Labels that no list of words has, under endings that no list of endings has.
labels = st.builds(
    "{}{}".format, st.sampled_from(["qzacme", "xkpay", "vaultq-1"]), st.integers(0, 9)
)
endings = st.sampled_from(["zone7", "dc1", "acmenet", "k8s-qz", "office2", "vlan30", "qzint"])
hosts = st.builds(
    "{}.{}.{}".format, st.sampled_from(["db", "api-1", "mq.eu", "redis"]), labels, endings
)
AROUND = (
    "http://{}/v1", "amqp://{}", "postgres://{}:5432/app", "ssh://ops@{}", "user@{}", "//{}/x",
    "host={} port=5432", "host: {}", "HOST='{}'", "hostname={};", "{}:5432 refused", "{}:8443",
    "connect ECONNREFUSED {}:9092", "cannot connect to {}", "connecting to {}: timed out",
    "dial {} failed", "dial tcp: lookup {}: no such host", "could not resolve {}",
    "server {} is down", "upstream {} timed out", "endpoint {} is unreachable",
    "HTTPSConnectionPool(host='{}', port=443)", "getaddrinfo ENOTFOUND {}", "curl {}",
    "UnknownHostException: {}", "connection to server at \"{}\" failed", "proxy {} refused",
    "u=https%3A%2F%2F{}%2Fcb", "https%253A%252F%252F{}%253A8443", "to%20//{}",
)  # fmt: skip


@SLOW
@given(hosts, st.sampled_from(AROUND))
def test_a_host_under_an_ending_of_its_own_goes(host: str, around: str) -> None:
    """A scheme, an @, a port or a word announces it."""
    assert host not in said(around.replace("{}", host))


KEPT = """
api.app:app failed
api.app:8000
socket.io:3000 closed
app.worker:1024
redis.client:6379
api.v2:8080
main.go:1024 +0x1d
index.d.ts:1200
worker.log:2000
nginx.conf:12 unexpected
server nginx.conf is not valid
curl config.json
version 1.2.3:80
1.27.3-alpine3.20
org.acme.Foo.start:120
missing attribute ecs.capability.docker-remote-api.1.19
com.amazonaws.ecs.capability.logging-driver.awslogs
kernel 5.10.205-195.807.amzn2.x86_64
lib libssl-1.1.so is missing
keeping tape.calls: all of them
key "name" is invalid
key "DB_HOST" is invalid
unexpected token 'export'
invalid token '<' at position 0
resource identified by name
identified by sha256
mkdir -p build
docker build -t web .
docker run -p 8080:80 web
gunicorn -w 4 -t 120
ssh -p 2222 localhost
python -u manage.py runserver
python -m http.server 8000
option -p is not supported
total 123,456,789,012 bytes
elapsed 123 456 789 012 ns
sizes 100-200-300-400 px
unknown key cache.internal-ttl
helm value image.private-registry is required
server.private-port=8080
x.home-dir unset
user.home is not writable
spring.datasource.internal-pool.size is deprecated
com.acme.internal-id missing
lookup secretsmanager.eu-west-1.amazonaws.com: i/o timeout
unable to read the token: i/o timeout
password=${DB_PASSWORD:?missing}
token=${TOKEN:-}
"""


@pytest.mark.parametrize("text", [line for line in KEPT.splitlines() if line])
def test_what_only_looks_like_it_stays(text: str) -> None:
    """Files, modules, versions, settings, counts and flags of other programs."""
    assert said(text) == text


@SLOW
@given(
    st.sampled_from(["startedBy", "group", "serviceName", "clusterName", "family", "name"]),
    st.sampled_from(["{}", "ci/{}", "service:{}", "deploy-{}"]),
    st.one_of(
        st.builds(
            "{}{}{}".format,
            st.sampled_from(["token", "db-password", "SECRET", "api_key", "passwd"]),
            st.sampled_from([":", "="]),
            st.sampled_from(["hunter2", "Kq8vZt0u", "mauve-pelican", "x7f8a"]),
        ),
        hosts,
        st.builds("{}.qzacme.{}".format, labels, st.sampled_from(["com", "io", "ch", "co.uk"])),
    ),
)
def test_a_secret_and_a_host_in_a_name_go(member: str, around: str, value: str) -> None:
    """In startedBy, and in names of services, clusters, families and containers."""
    # Without a port or a word that announces a host, its labels have to be unusual.
    assume(":" in value or "=" in value or "-" in value.rpartition(".")[0] or "qzacme." in value)
    name = around.replace("{}", value)
    answers: dict[str, tuple[str, dict[str, Any]]] = {
        "startedBy": ("DescribeTasks", {"tasks": [{"startedBy": name}]}),
        "group": ("DescribeTasks", {"tasks": [{"group": name}]}),
        "serviceName": ("DescribeServices", {"services": [{"serviceName": name}]}),
        "clusterName": ("DescribeClusters", {"clusters": [{"clusterName": name}]}),
        "family": ("DescribeTaskDefinition", {"taskDefinition": {"family": name}}),
        "name": ("DescribeTasks", {"tasks": [{"containers": [{"name": name}]}]}),
    }
    operation, body = answers[member]
    text = written(bodies.cassette((operation, {}, model.Response(body))))
    assert value.replace("=", ":").rpartition(":")[2] not in text


@pytest.mark.parametrize(
    "name",
    ["service:token-service", "family:auth-token", "auth-token:3", "ci/pipeline-7", "api.app",
     "deploy-1.2.3", "airflow.dag.task", "job:nightly", "ecs-svc/1234567890100000000",
     "web.prod", "token-service", "airflow.dag.run", "nightly/cache.internal-ttl"],
)  # fmt: skip
def test_other_names_stay(name: str) -> None:
    """Any name may have a word for a secret or a dot."""
    scrubbed, _ = scrub(bodies.described({"startedBy": name, "group": name}))
    task = bodies.body_of(scrubbed)["tasks"][0]
    assert (task["startedBy"], task["group"]) == (name, name)


@pytest.mark.matrix
@pytest.mark.parametrize("subject", ["key", "token", "secret", "password", "API key", "PIN"])
@pytest.mark.parametrize("quote", ["'", '"'])
@pytest.mark.parametrize("verdict", ["is invalid", "rejected", "was refused", "has been revoked"])
def test_a_quoted_value_with_a_verdict_goes(subject: str, quote: str, verdict: str) -> None:
    """A quoted key may be the name of a setting, so its plain words are kept."""
    for value in ("X7kq", "hunter2", "Kq8v", *(["mauve"] if subject != "key" else [])):
        assert said(f"{subject} {quote}{value}{quote} {verdict}") == (
            f"{subject} {quote}REDACTED{quote} {verdict}"
        )


@pytest.mark.parametrize(
    "text",
    ["identified by {}", "ALTER USER app IDENTIFIED BY {};", "identified with sha by {} failed",
     "CREATE USER app identified by password {}"],
)  # fmt: skip
@pytest.mark.parametrize("value", ["hunter2", "Kq8vZt0u", "x7f8a"])
def test_a_bare_password_of_sql_goes(text: str, value: str) -> None:
    """A plain word is redacted if the statement shows that it is a password."""
    assert value not in said(text.replace("{}", value))
    assert "mauve" not in said("ALTER USER app IDENTIFIED BY mauve")


@SLOW
@given(
    st.text("0123456789", min_size=12, max_size=12),
    st.sampled_from("-/_. "),
    st.sampled_from(["account {} has", "owner {}.", "id {}", "({})", "AWS {}"]),
)
def test_an_account_in_groups_of_three_goes(account: str, between: str, around: str) -> None:
    """With any separator, unless it is a round number or has a unit."""
    groups = [account[place : place + 3] for place in range(0, 12, 3)]
    assume(not account.startswith("00000000") and len(set(account)) > 3)
    assume(not all(group.endswith("0") for group in groups))
    assume(between != "." or any(int(group) > 255 for group in groups))
    apart = between.join(groups)
    assert apart not in said(around.replace("{}", apart))


@SLOW
@given(st.ip_addresses(), st.sampled_from(["{}", "lookup {}: NXDOMAIN", "PTR of {}.", "{}. on"]))
def test_the_name_that_looks_an_address_up_goes(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address, around: str
) -> None:
    """It shows the address backwards."""
    assert "arpa" not in said(around.replace("{}", address.reverse_pointer))


@pytest.mark.parametrize("host", ["db.qzacme.ch", "db.qzacme.zone7", "10.9.8.7"])
@pytest.mark.parametrize("password", ["Kq8vx9", "mauve"])
def test_a_line_of_pgpass_has_neither_its_host_nor_its_password(host: str, password: str) -> None:
    """Its first field is a host, whatever its name."""
    stays = said(f"{host}:5432:app:bob:{password}")
    assert host not in stays
    assert stays.endswith(":5432:app:bob:REDACTED")


@pytest.mark.parametrize("name", ["_gh_sess", "user_session_id", "wordpress_logged_in_7f", "a"])
@pytest.mark.parametrize("form", ["cookie {}", "cookie {}; theme=dark"])
def test_the_value_of_a_cookie_goes_and_its_name_stays(name: str, form: str) -> None:
    """A name before the value is not mistaken for it."""
    text = form.format(f"{name}=Kq8vx9Zr2w")
    assert said(text) == text.replace("Kq8vx9Zr2w", "REDACTED")


@pytest.mark.parametrize(
    "text",
    ["(db:\\n  password: Kq8vx9Zr\\n)", '{"Password":"Kq8vx9Zr"}; \\\\srv\\share of Kq8vx9Zr',
     "lookup\\nweb.c8a7b6c5.eu-west-1.rds.amazonaws.com", "file web.c8a7b6c5.cache.amazonaws.com",
     "web-1.eu-west-1.elb.amazonaws.com-arn:aws:ecs:eu-west-1:000000000001:cluster/web",
     'x7"776-655-443-321', "port=8080=776-655-443-321", "x glpat-abcdefghij123"],
)  # fmt: skip
def test_what_is_glued_or_escaped_goes_and_is_not_refused(text: str) -> None:
    """Quotes, escapes and neighbouring values do not hide it from the scrub."""
    stays = said(text)
    for value in ("Kq8vx9Zr", "c8a7b6c5", "web-1", "776-655", "abcdefghij123"):
        assert value not in stays


@pytest.mark.parametrize("text", ["port=5432\\nsocket.io:3000", 'said "x"\\tasp.net'])
def test_a_module_after_an_escape_stays(text: str) -> None:
    """The letter of the escape is not taken for the first letter of its name."""
    assert said(text) == text


def test_an_account_that_is_known_goes_with_two_marks_between_its_digits() -> None:
    """For example, a comma and a space."""
    arn = "arn:aws:iam::776655443321:role/x"
    assert "7766, 5544, 3321" not in said(f"role {arn} of account 7766, 5544, 3321 denied")


@pytest.mark.parametrize(
    "text",
    ["db.qzacme.internal-5432 refused", "web.qzacme.corp-old is down", "lookup db.internal-one",
     "http://cache.internal-one/x", "cache.internal-one:5432", "kestrel.lan-db is down"],
)  # fmt: skip
def test_a_host_with_something_glued_to_it_goes(text: str) -> None:
    """Its labels are not plain words, or the text says that it is a host."""
    assert "host-1.example" in said(text)


@pytest.mark.parametrize(
    "word",
    ["contrase\u00f1a", "contrasen\u0303a", "пароль", "hasło", "密码", "mật-khẩu", "db password"],
)  # fmt: skip
@pytest.mark.parametrize("member", ["startedBy", "group"])
def test_a_value_for_a_secret_in_a_name_goes_in_every_language(word: str, member: str) -> None:
    """Scrubbing the rest again changes nothing."""
    assert "Otter36" not in written(bodies.described({member: f"{word}:Otter36qow"}))


def test_the_health_of_a_container_instance_is_recorded() -> None:
    """Its details are not pairs of a name and a value."""
    check = {
        "type": "CONTAINER_RUNTIME",
        "status": "IMPAIRED",
        "lastUpdated": "2026-01-31T12:00:00.000Z",
        "lastStatusChange": "2026-01-31T12:00:00.000Z",
    }
    instance = {"healthStatus": {"overallStatus": "IMPAIRED", "details": [check]}}
    body = {"containerInstances": [instance]}
    recording = bodies.cassette(("DescribeContainerInstances", {}, model.Response(body)))
    written(recording)
    assert scrub(recording)[0].interactions == recording.interactions


@pytest.mark.parametrize(
    ("expression", "stays"),
    [
        ("attribute:owner == heron and attribute:ecs.os-type == linux",
         "attribute:owner == REDACTED and attribute:ecs.os-type == linux"),
        ("not(attribute:stack in [a, heron]) or attribute:gpu exists",
         "not(attribute:stack in [REDACTED]) or attribute:gpu exists"),
        ("attribute:owner!='Jane Heron'", "attribute:owner!='REDACTED'"),
        ("attribute:x not_in [] and task:group == service:web",
         "attribute:x not_in [] and task:group == service:web"),
        ("attribute:ecs.availability-zone in [us-east-1a, us-east-1b]",) * 2,
    ],
)  # fmt: skip
def test_what_an_attribute_is_compared_with_goes(expression: str, stays: str) -> None:
    """Like its value, in a container instance and in a task definition's requirements."""
    service = {"placementConstraints": [{"type": "memberOf", "expression": expression}]}
    recording = bodies.cassette(("DescribeServices", {}, model.Response({"services": [service]})))
    assert stays.replace("'", "") in written(recording).replace("'", "")
    required = [{"name": "owner", "value": "heron"}, {"name": "ecs.os-type", "value": "linux"}]
    body = {"taskDefinition": {"requiresAttributes": required}}
    text = written(bodies.cassette(("DescribeTaskDefinition", {}, model.Response(body))))
    assert "heron" not in text
    assert "linux" in text


@pytest.mark.parametrize("number", ["7981996483", "79819", "798199648"])
def test_the_number_of_a_container_on_fargate_goes(number: str) -> None:
    """Its pseudonym has the task's pseudonym and another number."""
    text = written(bodies.described({"containers": [{"runtimeId": f"{bodies.TASK}-{number}"}]}))
    assert number not in text


people = st.sampled_from(["jroe", "jane.roe", "janeroe", "svc-roe-2", "JRoe", "mark", "x_roe7"])


@SLOW
@given(
    st.sampled_from(
        ["/home/{}/app: denied", "open /home/{}: no such file", "/Users/{}/dev/a.py", "~{}/app",
         "C:\\Users\\{}\\x", "C:\\\\Users\\\\{}\\\\x", "file:///home/{}/a", "/export/home/{}",
         "%2Fhome%2F{}%2Fapp", "c:/Users/{}/x", "\\\\fs01\\home\\{}", "user={} dbname=x",
         "DB_USER={};", "Uid={};Pwd=x", "user id={};", "?username={}&page=2", "currentUser={}",
         "{{\"user\":\"{}\"}}", "spring.datasource.username={}"]
    ),
    people,
)  # fmt: skip
def test_the_name_of_a_user_goes_from_paths_and_data_sources(form: str, user: str) -> None:
    """Whatever the name is; the path and the key stay."""
    left = said(form.format(user))
    assert user not in left
    assert "user-ca55e77e-1" in left


@pytest.mark.parametrize(
    "text",
    ["permission denied for user {}", "login failed for user {}.", "user: {} not found"],
)
@pytest.mark.parametrize("user", ["jroe", "jane.roe", "x_roe7"])
def test_the_name_of_a_user_goes_from_a_sentence(text: str, user: str) -> None:
    """Unless it is a plain word."""
    assert user not in said(text.format(user))


@pytest.mark.parametrize(
    "text",
    ["/home/ubuntu/app", "/home/node/app/index.js: not found", "C:\\Users\\ContainerUser\\x",
     "/root/.ssh", "the user is not authorized", "user=root dbname=x", "uid=1000 gid=1000",
     "user=null", "user=${DB_USER}", "parser=html", "user agent blocked", "superuser=true",
     "/homepage/index", "GET /users/list", "~/app", "version ~1.2/x", "max_user=100",
     "user namespaces are disabled", "user=%s", "invalid user input", "a=1&copy=2", "A&B; C",
     "x &amp; y", "1 &lt; 2", "AT&T;"],
)  # fmt: skip
def test_accounts_of_programs_and_entities_of_nothing_stay(text: str) -> None:
    """So do plain words after `user` in a sentence."""
    assert said(text) == text


@SLOW
@given(
    st.sampled_from(["&#{0};", "&#x{0:x};", "&#X{0:X};", "&#0{0};", "&#x00{0:x};"]),
    st.sampled_from(
        ["password=hunter2x", "998877665544", "jane.roe@corp.test", "db.corp.internal", "10.9.8.7"]
    ),
    st.booleans(),
)
def test_what_entities_of_html_hide_goes(form: str, text: str, all_of_it: bool) -> None:
    """In HTML or XML, any character may be an entity, or only punctuation."""
    hidden = "".join(
        form.format(ord(one)) if all_of_it or not one.isalnum() else one for one in text
    )
    left = html.unescape(said(f"got {hidden} back"))
    assert text.removeprefix("password=") not in left


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("API key&#61;hunter2x", "API key&#61;REDACTED"),
        ("&quot;password&quot;:&quot;hunter2x&quot;", "&quot;password&quot;:&quot;REDACTED&quot;"),
        ("&lt;pwd&gt;hunter2x&lt;/pwd&gt;", "&lt;pwd&gt;REDACTED&lt;/pwd&gt;"),
        ("jane&#64;corp.test &amp; co", "user-1@example.com &amp; co"),
        ("?password=a7xq9&amp;page=2", "?password=REDACTED&amp;page=2"),
        ("jdbc:oracle:thin:roe/heron@db", "jdbc:oracle:thin:REDACTED/REDACTED@db"),
        ("sqlplus roe/heron@db failed", "sqlplus REDACTED/REDACTED@db failed"),
    ],
)
def test_only_what_changes_is_written_without_entities(text: str, written: str) -> None:
    """The rest of the text does not change."""
    assert said(text) == written


@pytest.mark.parametrize(
    "resource",
    ["policy/o-a1b2c3d4e5/service_control_policy/{}", "root/o-a1b2c3d4e5/{}",
     "policy/o-a1b2c3d4e5/tag_policy/{}", "ou/o-a1b2c3d4e5/{}"],
)  # fmt: skip
def test_the_ids_of_an_organization_go(resource: str) -> None:
    """Those of its policies, its root and its units."""
    own = {"p": "p-k9x2m4q7", "r": "r-ab12", "o": "ou-ab12-k9x2m4q7"}[resource[0]]
    left = said(f"denied by arn:aws:organizations::205718934401:{resource.format(own)}")
    assert own not in left
    assert "a1b2c3d4e5" not in left
