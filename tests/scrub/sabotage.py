"""The scrub without one of its rules, steps or treatments, and made-up recordings for each."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest

from cassette import model
from cassette.scrub import encodings, free_text, near_secrets, scrubber, tokens
from tests.scrub import bodies, planting

ACCOUNT, TASK, EMAIL, PASSWORD = bodies.ACCOUNT, bodies.TASK, bodies.EMAIL, bodies.PASSWORD
NEVER = re.compile(r"(?!)")
Off = Callable[[pytest.MonkeyPatch], None]


class Planted(NamedTuple):
    """A recording, and the values that must not remain in it."""

    recording: model.Cassette
    value: str


def text(said: str) -> model.Cassette:
    """A recording with this free text."""
    return bodies.described(bodies.task(stoppedReason=said))


def answer(operation: str, **body: Any) -> model.Cassette:
    """A recording of one answer."""
    return bodies.cassette((operation, {}, model.Response(body)))


def container(**members: Any) -> model.Cassette:
    """A recording of this container definition."""
    definition = {"containerDefinitions": [{"name": "web", **members}]}
    return answer("DescribeTaskDefinition", taskDefinition=definition)


# -- rules of the search: `{}` is where each of the values goes -------------------------------

PASSWORDS = ("mauve-Whale-31", "hunter22", "Zx9#kLq2", "korrekt77horse", "0penSesame!")
USERS = ("jroe", "jane.roe", "svc-deploy-2")
HOSTS = ("db7.acmepay.ch", "vault.acmepay.com", "mq.acmepay.io", "a.b.acmepay.co.uk")
HEX = ("0f1e2d3c4b5a69788796a5b4c3d2e1f0", "9a8b7c6d5e4f30211203f4e5d6c7b8a9")
ACCOUNTS = (ACCOUNT, "776655443322", "314159265358")
ADDRESSES = (bodies.IP, "172.31.4.5", "52.17.9.200")
IPV6 = (planting.IPV6, "2600:1f18:44aa:5b00::7890", "2a05:d018:1:2:3:4:5:6")
UNIQUE = ("Q7ZXQ7ZXQ7ZXQ7ZXQ", "PLM4K2J8H6G5F3D1S")

TOKENS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "private_key": (
        ("-----BEGIN RSA PRIVATE KEY-----\n{}\n-----END RSA PRIVATE KEY-----",
         "key: -----BEGIN PRIVATE KEY----- {}", "-----BEGIN OPENSSH PRIVATE KEY-----\n{}"),
        ("MIIEvQIB", "MIIBVwIB"),
    ),
    "jwt": (("{}", "got {} back", "x={}"), (bodies.JWT, "eyJhbGciOiJSUzI1NiJ9.eyJhIjoxfQ.c2ln")),
    "login": (
        ("postgres://admin:{}@db.example:5432/app", "amqp://:{}@localhost/", "at redis://a:{}@b"),
        ("mauve-Whale-31", "hunter22", "0penSesame"),
    ),
    "access_key": (("{}", "key {} expired", "id={}"), (bodies.ACCESS_KEY, "ASIA" + "K4PM" * 4)),
    "vendor_token": (
        ("{}", "with {}.", "t: {}"),
        ("glpat-synthetic-token-one", "ghp_" + "a1B2" * 9, "xoxb-123456789012-abcdefabcdef",
         "sk_live_" + "a1B2" * 6, "hvs." + "a1B2" * 6, "npm_" + "a1B2" * 9),
    ),
    "secret_arn": (
        ("arn:aws:secretsmanager:eu-west-1:000000000001:secret:prod/db-{}",
         "fetch arn:aws:secretsmanager:eu-west-1:000000000001:secret:a-{}:k::"),
        ("Xy12Zq", "aBcD3f"),
    ),
    "arn": (
        ("arn:aws:ecs:eu-west-1:{}:cluster/prod", "arn:aws-cn:logs:cn-north-1:{}:log-group:a"),
        ACCOUNTS,
    ),
    "session": (
        ("arn:aws:sts::000000000001:assumed-role/deploy/{}", "federated-user/{} may not"),
        USERS,
    ),
    "iam_user": (("arn:aws:iam::000000000001:user/{}", "is arn:aws:iam::000000000001:user/a/{}"),
                 USERS),
    "revision": (
        ("service-deployment/prod/web/{}", "service-revision/prod/web/{} failed"),
        ("abcdefghijk-lmnopq", "Zk39dkqPz0-LmqW71a"),
    ),
    "deployment": (("(deployment ecs-svc/{})", "ECS deployment ecs-svc/{} completed."),
                   ("9123370460701754056", "5813948576120394857")),
    "bearer": (("sent Bearer {}", "Basic {} refused"), ("abc-def-12345", "am9objpwYXNz1")),
    "assignment": (
        ("DB_PASSWORD={}", "password: {} x", "token = '{}'", "API_KEY={};", "\"secret\": \"{}\""),
        ("mauve-Whale-31", "hunter22", "korrekt77horse"),
    ),
    "setting": (("key={}", "cache.dsn='{}'", "SALT={}"), ("Tr0ub4dor&3", "mauve-Whale-31")),
    "short_flag": (("mysql -u root -p{}", "redis-cli -a {} ping", "x -U {}", "influx -t {}"),
                   ("hunter22", "korrekt77horse", "83741")),
    "flag": (("login --password {}", "run --api-token '{}' now", "x -secret {}"),
             ("mauve-Whale-31", "hunter22", "korrekt77horse")),
    "user_flag": (("curl -u jroe:{} localhost", "curl --proxy-user a:{} x"), PASSWORDS[:4]),
    "email": (("{}", "asked by {}.", "<{}>"), (EMAIL, "j.roe+ecs@acmepay.ch")),
    "ec2_name": (("ip-{}", "host ip-{}.ec2.internal"), ("10-6-5-4", "172-31-9-8")),
    "discovery_id": (
        ("arn:aws:servicediscovery:eu-west-1:000000000001:service/srv-{}",
         "arn:aws:servicediscovery:eu-west-1:000000000001:namespace/ns-{}"),
        ("a1b2c3d4e5f6g7h8", "z9y8x7w6v5u4t3s2"),
    ),
    "zone_id": (("hosted zone {} is gone", "arn:aws:route53:::hostedzone/{}"),
                ("Z1D633PJN98FT9", "Z0123456ABCDEFGHIJKL")),
    "request_id": (("RequestID: {}, x", "<RequestId>{}</RequestId>"),
                   ("63G1F57G4NOG5U1D", "QX7T0D9A2K4M6P8R")),
    "pool_id": (("pool {} is gone", "user pool {}"),
                ("eu-west-1_AOquUT7At", "us-east-1_b7Kd92LmQ")),
    "short_id": (("sg-{}", "subnet-{} is full", "(vpc-{})"), ("1a2b3c4d", "9f8e7d6c")),
    "aws_id": (("eni-{}", "i-{} gone", "fs-{}.efs"), ("0a1b2c3d4e5f60718", "0f9e8d7c6b5a43210")),
    "uuid": (("{}", "request id: {}", "a/{}/b", "E42{}", "failed{}x"),
             (bodies.CONTAINER, bodies.ATTACHMENT)),
    "mac": (("{}", "mac {}."), (bodies.MAC, "0a:58:a9:fe:12:34")),
    "ipv6": (("{}", "ping {}: unreachable", "[{}]:443"), IPV6),
    "ipv4": (("{}", "dial tcp {}:443", "from {}."), ADDRESSES),
    "hex": (("{}", "task {} failed", "ecs/web/{}"), HEX),
    "account": (("{}", "account {} has", "x {}."), (*ACCOUNTS, "776-655-443-321")),
    "dsn": (
        ("app:{}@tcp(localhost:3306)/app", "user/{}@//localhost:1521/ORCL", "dial a:{}@unix(/s)"),
        PASSWORDS[:4],
    ),
    "unique_id": (("AROA{}:jroe", "AIDA{}", "id AGPA{}."), UNIQUE),
    "named_user": (
        ('role "{}" does not exist', "Access denied for user '{}'", 'username: "{}"'),
        USERS,
    ),
    "bare_user": (("connect user={} refused", "DB_USER={};", "Uid={};Server=a"), USERS),
    "home": (
        ("/home/{}/app: not found", "C:\\Users\\{}\\x", "open /Users/{}"),
        ("jroe", "jane.roe", "svc-roe-2"),
    ),
    "person": (("IAM user {} may not", "Stopped by user {}", "CORP\\{} failed to log on"),
               ("jroe.kq7", "svc.deploy-2")),
    "organization": (
        ("arn:aws:organizations::000000000001:policy/o-{}/p-1",
         "arn:aws:organizations::000000000001:account/o-{}/000000000001"),
        ("a1b2c3d4e5", "z9y8x7w6v5u4"),
    ),
    "header": (
        ("Cookie: theme=dark; id={}", "Set-Cookie: a={}; Path=/", "Authorization: AWS4 x/{}"),
        PASSWORDS,
    ),
    "session_cookie": (("JSESSIONID={}; Path=/", "got sid={}", "csrftoken={};"),
                       ("mauvewhale31x", "q8w7e6r5", "0a1b2c3d4e")),
    "sql": (
        ("ALTER USER app IDENTIFIED BY '{}'", "CREATE ROLE app PASSWORD '{}'",
         'IDENTIFIED WITH x BY "{}"'),
        (*PASSWORDS, "mauve"),
    ),
    "identified": (("ALTER USER app IDENTIFIED BY {}", "identified with x by {} failed"),
                   PASSWORDS),
    "judged": (("key \"{}\" is invalid", "token '{}' rejected", "secret \"{}\" was refused"),
               PASSWORDS),
    "element": (("<password>{}</password>", "<a><apiToken x='1'>{}</apiToken></a>"),
                (*PASSWORDS, "mauve")),
    "netrc": (("machine localhost login jroe password {}", "login jroe\n password {}"),
              PASSWORDS),
    "pgpass": (("localhost:5432:app:jroe:{}", "in *:*:app:jroe:{} there"), (*PASSWORDS, "mauve")),
    "block": (("password: |\n  {}\n", "apiToken: >-\n    {}\n"), (*PASSWORDS, "mauve")),
    "code": (
        ("x(:password => '{}')", "define('TOKEN', '{}')", "setPassword(\"{}\")",
         "env['SECRET']='{}'"),
        (*PASSWORDS, "mauve"),
    ),
    "said": (("the password was {}", "with password {} failed", "secret '{}' is bad",
              "token changed to {}"),
             PASSWORDS),
    "private_host": (("queue.{}", "lookup a.b.{}: no such host"),
                     ("corp.internal", "acmepay.lan", "service.consul")),
    "reverse_name": (("{}", "lookup {}: NXDOMAIN", "PTR of {}."),
                     ("7.8.9.10.in-addr.arpa", "8.b.d.0.1.0.0.2.ip6.arpa", "31.172.in-addr.arpa")),
    "host1": (("https://{}/v1", "see http://{}"), (*HOSTS, "vault.acme")),
    "host2": (("could not resolve {}.", "lookup {}: no such host", "\"{}\" refused"),
              (*HOSTS, "db.acmepay.zone7:5432")),
}  # fmt: skip


def _without_near_secrets(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(near_secrets, "redacted", lambda text, note: text)


def without_token(rule: str) -> Off:
    """Remove one rule of the alternation."""

    def off(patch: pytest.MonkeyPatch) -> None:
        rest = {name: pattern for name, pattern in tokens.RULES.items() if name != rule}
        of_names = {name: rest[name] for name in tokens.NAME_RULES if name in rest}
        patch.setattr(free_text, "in_text", functools.cache(lambda: tokens.alternation(rest)))
        _without_near_secrets(patch)  # it would redact most of what the rule lets through
        patch.setattr(free_text, "in_name", functools.cache(lambda: tokens.alternation(of_names)))

    return off


def without(module: Any, name: str, nothing: Any) -> Off:
    """Remove one step of the search."""
    return lambda patch: patch.setattr(module, name, nothing)


def _without_url_encoding(patch: pytest.MonkeyPatch) -> None:
    for part in ("VALUE", "RUN"):
        patch.setattr(encodings, f"PERCENT_{part}", NEVER)


# What no rule of the search has a form for.
NEAR = (
    "{} is the password", '{"value": "{}", "name": "DB_PASSWORD"}', "password=b'{}'", "PIN {} bad",
    'password: Some("{}")', "password=`{}`", "<password><![CDATA[{}]]></password>",
    "AUTH default {}",
    "Passwort: {}", "password -> {}", "password[0]={}", '"password": ["{}"]', "requirepass {}",
    "mot de passe: {}", "sshpass -p {} ssh", "dbPass={}", "pw {}", "otp {} expired",
    "connection string {}", "invalid api key {}",
)  # fmt: skip
KEY = "aB3" + "dE5fG7hJ9kL" * 3 + "mN1p"
OFTEN = (ACCOUNT, bodies.CONTAINER, bodies.IP, EMAIL, bodies.ACCESS_KEY)
STEPS: dict[str, tuple[tuple[Planted, ...], Off]] = {
    "random runs": (
        tuple(
            Planted(text(f"log in with {value} failed"), value)
            for value in (KEY, "Jd8!kLm-Q2v#Zr_9wLp$Tb4^Xn7&Yc1*", "Pr0d2026Acm3Adm1nS3cr3t")
        ),
        without(free_text, "_RUN", NEVER),
    ),
    "originals already known": (
        tuple(
            Planted(
                bodies.described(
                    bodies.task(
                        stoppedReason=f"log in with {value} failed",
                        overrides={
                            "containerOverrides": [
                                {"environment": [{"name": "DB_PASSWORD", "value": value}]}
                            ]
                        },
                    )
                ),
                value,
            )
            for value in (PASSWORD, "mauve-Whale-31", "hunter22")
        ),
        without(free_text.FreeText, "_replace_known", lambda self, text: text),
    ),
    "accounts with separated digits": (
        tuple(
            Planted(text(f"account {said}"), said) for said in ("99887.7665544", "9 98877665544")
        ),
        without(free_text.FreeText, "_replace_accounts", lambda self, text: text),
    ),
    "URL encoding": (
        tuple(
            Planted(text("x/" + "".join(f"%{ord(c):02x}" for c in value) + "/y"), value)
            for value in OFTEN
        ),
        _without_url_encoding,
    ),
    "JSON escapes": (
        tuple(
            Planted(text("a\\n" + "".join(f"\\u{ord(c):04x}" for c in value)), value)
            for value in OFTEN
        ),
        without(encodings, "unescaped", lambda text: text),
    ),
    "base64": (
        tuple(
            Planted(text(planting._base64(" " * n + value + " ")), value)
            for n, value in enumerate(OFTEN)
        ),
        without(encodings, "BASE64", NEVER),
    ),
    "near a telling word": (
        tuple(
            Planted(text(form.replace("{}", value)), value)
            for form in NEAR
            for value in ("hunter22", "Tr0ub4dor&3", "korrekt77horse", "Kq8vZt0ubW")
        ),
        _without_near_secrets,
    ),
    "entities of HTML": (
        tuple(
            Planted(text("".join(f"&#{ord(letter)};" for letter in value)), value)
            for value in OFTEN
        ),
        without(encodings, "unmasked", lambda text: text),
    ),
    "letters of another width": (
        tuple(Planted(text(planting._wide(value)), value) for value in OFTEN),
        without(encodings, "in_plain_letters", lambda text: text),
    ),
}

# -- treatments: members for each ----------------------------------------------------------


def _task(value: str, **members: Any) -> Planted:
    return Planted(bodies.described(members), value)


def _of_container(value: str, **members: Any) -> Planted:
    return Planted(container(**members), value)


def _option(driver: str, name: str, value: str) -> Planted:
    return _of_container(value, logConfiguration={"logDriver": driver, "options": {name: value}})


def _detail(name: str, value: str) -> Planted:
    return _task(value, attachments=[{"details": [{"name": name, "value": value}]}])


TREATMENTS: dict[str, tuple[Planted, ...]] = {
    "keep": tuple(_task(value, lastStatus=f"RUNNING {value}") for value in OFTEN),
    "inside": tuple(
        Planted(bodies.described(bodies.task()), value)
        for value in (ACCOUNT, TASK, bodies.MAC, bodies.IP, PASSWORD, "Jane Roe")
    ),
    "name": tuple(
        _of_container(value, name=f"web-{value}")
        for value in (ACCOUNT, bodies.CONTAINER, bodies.ENI, bodies.ACCESS_KEY)
    ) + tuple(
        Planted(answer("DescribeServices", services=[{"serviceName": name}]), name)
        for name in ("token:hunter22", "shop.acmepay.com")
    ),
    "arn": tuple(
        Planted(answer("ListTasks", taskArns=[arn]), value)
        for arn, value in (
            (bodies.TASK_ARN, ACCOUNT), (bodies.TASK_ARN, TASK), (bodies.CLUSTER_ARN, ACCOUNT),
            (TASK, TASK),
        )
    ) + tuple(
        _task(value, startedBy=f"ci-{value}", group=f"service:{value}")
        for value in ("password=hunter22", "ci.acmepay.com")
    ),
    "id": (
        _task(bodies.ATTACHMENT, attachments=[{"id": bodies.ATTACHMENT}]),
        _task("my-own-id-7", containers=[{"runtimeId": "my-own-id-7"}]),
        _task("gpu-mauve", containers=[{"gpuIds": ["gpu-mauve"]}]),
        _task(bodies.SUBNET, attachments=[
            {"details": [{"name": "subnetId", "value": bodies.SUBNET}]}]),
        _detail("volumeId", "vol-0a1b2c3d4e5f60718"),
        _task(bodies.DIGEST, containers=[{"imageDigest": bodies.DIGEST}]),
        Planted(answer("ExecuteCommand", session={"sessionId": "jroe-0a1b"}), "jroe-0a1b"),
    ),
    "text": tuple(_task(value, stoppedReason=f"asked by {value}") for value in OFTEN),
    "host": (
        Planted(answer("DiscoverPollEndpoint", endpoint=planting.HOST), planting.HOST),
        *(_of_container(host, hostname=host) for host in HOSTS),
        *(_of_container(host, dnsSearchDomains=["a.example", host]) for host in HOSTS[:2]),
        _detail("privateDnsName", "db7.acmepay.ch"),
        Planted(answer("DescribeClusters", clusters=[
            {"serviceConnectDefaults": {"namespace": "prod.acmepay.ch"}}]), "prod.acmepay.ch"),
    ),
    "image": (
        _of_container(ACCOUNT, image=f"{ACCOUNT}.dkr.ecr.eu-west-1.amazonaws.com/web:1"),
        _of_container("registry.acmepay.ch", image="registry.acmepay.ch/team/web:1"),
        _of_container("nexus.acmepay.com", image="nexus.acmepay.com:5000/web"),
        _of_container("a" * 15 + "1" * 49, image="web@sha256:" + "a" * 15 + "1" * 49),
    ),
    "command": tuple(
        _of_container(value, command=command)
        for value in PASSWORDS
        for command in (
            ["login", "--password", value], ["mysql", "-uroot", f"-p{value}"], ["job", value],
            ["sh", "-c", f"login {value}"], ["CMD-SHELL", f"curl -u a:{value} x"],
            ["app", f"--dsn={value}"], ["app", f"KEY={value}"], ["app", "--queue", value],
        )
    ),
    "environment": tuple(
        _of_container(value, environment=[{"name": name, "value": value}])
        for name, value in (("COLOUR", "mauve"), ("DB_PASSWORD", PASSWORD), ("N", "whale7"))
    ),
    "details": (
        _detail("networkInterfaceId", bodies.ENI),
        _detail("macAddress", bodies.MAC),
        _detail("privateIPv4Address", bodies.IP),
        _detail("subnetId", bodies.SUBNET),
        _detail("vpcId", "my-own-vpc"),
        _detail("newDetail", "mauve"),
    ),
    "pairs": tuple(
        Planted(
            answer("DescribeClusters", clusters=[{"statistics": [{"name": "a", "value": value}]}]),
            value,
        )
        for value in OFTEN
    ),
    "expression": tuple(
        Planted(answer("DescribeServices", services=[
            {"placementConstraints": [{"expression": f"attribute:owner {compared}"}]}]), value)
        for compared, value in (("== mauve", "mauve"), ("in [whales, x]", "whales"))
    ),
    "attributes": tuple(
        _task(value, attributes=[{"name": name, "value": value}])
        for name, value in (("stack", "whales"), ("owner", "Jane Roe"), ("cost", "4711"))
    ),
    "properties": tuple(
        Planted(
            answer(
                "DescribeTaskDefinition",
                taskDefinition={
                    "proxyConfiguration": {"properties": [{"name": "Extra", "value": value}]}
                },
            ),
            value,
        )
        for value in ("whales", "q8w7e6r5")
    ),
    "tags": tuple(
        _task(value, tags=[{"key": key, "value": value}])
        for key, value in (("team", "whales"), ("owner", "Jane Roe"), ("cost", "4711"))
    ),
    "options": (
        _option("splunk", "splunk-token", PASSWORD),
        _option("splunk", "splunk-url", "mauve"),
        _option("gelf", "gelf-address", "whale7"),
        _option("awsfirelens", "apikey", "q8w7e6r5"),
    ),
    "labels": tuple(
        _of_container(value, dockerLabels={key: value})
        for key, value in (("team", "whales"), ("org.acme/owner", "Jane Roe"), ("n", "4711"))
    ),
    "token": tuple(
        Planted(answer("ListTasks", taskArns=[], nextToken=value), value)
        for value in ("opaque-and-long", "mauve")
    ),
    "redact": (
        Planted(answer("ExecuteCommand", session={"tokenValue": "opaque-and-long"}),
                "opaque-and-long"),
        Planted(answer("ExecuteCommand", session={"streamUrl": "wss://localhost/mauve"}), "mauve"),
        _of_container("tcp-mauve", systemControls=[], repositoryCredentials="tcp-mauve"),
    ),
}  # fmt: skip


def untouched(self: scrubber.Scrubber, value: Any, *_: Any) -> Any:
    """A treatment without effect."""
    return value


def without_treatment(treatment: str) -> Off:
    """A treatment without effect, whose values the search skips."""

    def off(patch: pytest.MonkeyPatch) -> None:
        string = scrubber.Scrubber._string
        patch.setattr(
            scrubber.Scrubber,
            "_string",
            lambda self, of, value, place: (
                value if of is untouched else string(self, of, value, place)
            ),
        )
        for table in (scrubber._OF_TEXT, scrubber._OF_WHOLE):
            if treatment in table:
                patch.setitem(table, treatment, untouched)
        if treatment == "redact":
            patch.setattr(scrubber.Scrubber, "_blank", untouched)
        if treatment == "inside":
            patch.setattr(scrubber.Scrubber, "_inside", untouched)

    return off


def _planted(rule: str) -> Iterator[Planted]:
    forms, values = TOKENS[rule]
    for form in forms:
        for value in values:
            yield Planted(text(form.replace("{}", value)), value)


SABOTAGES: dict[str, tuple[tuple[Planted, ...], Off]] = {
    **{rule: (tuple(_planted(rule)), without_token(rule)) for rule in TOKENS},
    **STEPS,
    **{
        f"treatment {name}": (planted, without_treatment(name))
        for name, planted in TREATMENTS.items()
    },
}


def is_shown(value: str, said: str) -> bool:
    """Whether a text shows a value to people who decode it, found without the audit's code."""
    if value in said:
        return True
    lines = {
        line
        for line in said.splitlines()
        if re.search(r"[\\%&]|[^\s]{24}", line) or not line.isascii()
    }
    views = (view for line in lines for view in planting._views(line, 2))
    return any(value.lower() in view.lower() for view in views)
