"""A variant that was written to a file and read again is the same variant."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Mapping

import botocore.session
import pytest

import cassette
from cassette import scrub
from cassette.files import import_files
from cassette.model import Response
from cassette.scrub import Scrubber
from tests.live import bodies
from tests.patch.variant_checks import BASES, is_variant, tried

# Patches whose texts hold what scrubbing looks for: ARNs of roles and secrets, hosts, sessions.
SAMPLE = [
    "api/access-denied",
    "api/bad-gateway",
    "api/connection-reset",
    "service/load-balancer-unhealthy",
    "start/no-such-user",
    "start/secret-access-denied",
    "stopped/image-pull",
    "volume/role-not-assumed",
]


@pytest.fixture
def written(tmp_path):
    """A variant written as `cassette patch … -o` does it, and read again."""

    def write_and_read(variant):
        path = tmp_path / "variant.yaml"
        cassette.save(variant, path)
        return cassette.load(path)

    return write_and_read


@pytest.mark.parametrize("name", SAMPLE)
def test_writing_a_variant_loses_nothing(name, written):
    """Every outcome is the same: scrubbing replaces nothing that the patch made."""
    bases = ("web", "ec2-awsvpc-with-volume-and-exec", "fargate-with-volume")
    made = {base: tried(name, base) for base in bases}
    fitting = {base: variant for base, variant in made.items() if is_variant(variant)}
    assert fitting
    for base, variant in fitting.items():
        assert written(variant).interactions == variant.interactions, base


def test_a_written_variant_replays_the_same(written):
    """A client sees the same states, at the same calls, from the file."""
    variant = cassette.load("web").patched("start/secret-access-denied")
    ecs = botocore.session.Session().create_client("ecs", region_name="eu-west-1")
    seen = []
    for one in (variant, written(variant)):
        with cassette.replay(one, region="any") as tape:
            request = dict(one.interactions[-1].request)
            answers = [ecs.describe_tasks(**request) for _ in range(4)]
            seen.append((answers, [call.outcome for call in tape.calls]))
    assert seen[0] == seen[1]


@pytest.mark.parametrize(
    "text",
    [
        "errors:\ndenied: access is denied\nunauthorized: authentication required\n",
        "may require authorization: server message: insufficient_scope: authorization failed",
        "unable to assume Role 'arn:aws:iam::000000000001:role/ecsInfrastructureRole'. Please",
    ],
)
def test_words_of_ecs_are_kept(text):
    """They only look like a header or a user name."""
    assert Scrubber().text(text) == text


@pytest.mark.parametrize("account", ["************", "*******", "XXXXXXXXXXXX"])
@pytest.mark.parametrize(
    "text",
    [
        "perform it on resource: arn:aws:secretsmanager:us-east-2:{}:secret:web/token-ca55e7 as",
        "failed to fetch secret arn:aws:secretsmanager:us-east-2:{}:secret:web/token-ca55e7 from",
        "on resource: arn:aws:ssm:us-east-2:{}:parameter/sample-fargate/token because no",
        "on arn:aws:logs:us-east-2:{}:log-group:/ecs/sample-fargate01:log-stream: because no",
    ],
)
def test_an_arn_with_a_masked_account_is_kept(account, text):
    """Imported recordings have them: neither the masked account nor the rest is a secret."""
    said = text.format(account)
    assert Scrubber().text(said) == said


# Patches that put the account, the family, the image or the cluster of a task into a text.
NAMING = [
    "api/missing",
    "api/access-denied",
    "pull/ecr-connection",
    "start/log-group-denied",
    "start/secret-access-denied",
    "start/secret-denied",
    "stopped/image-pull",
]
MASKS = [
    *("************", "***", "1234****9012", "XXXXXXXXXXXX", "############"),
    *("xxxxxxxxxxxx", "AWS_ACCOUNT_ID", "account-id", "????????????"),
    *("<your_id>", "<ACCOUNT ID>", "[account]", "{account-id}", "${ACCOUNT}"),
    *("%ACCOUNT%", "%aws_account_id%", "%12345%"),
]
CHOSEN = [
    *("Web01TaskDef59B414B2", "ShopStackWebTaskDef4F8A1B2C-EfyMIBhdCKVk", "aB3dE5fG7hI9jK1lM3"),
    *("<PREFIX>-WebTaskDefinition", "web-<env>", "[env]-web", "****-web"),
    *("web.prod", "jane.doe", "token-service", "web-pass", "password_reset", "o-ab12cd34ef"),
]


@pytest.fixture
def imported(tmp_path):
    """Imports a stopped task, with other words in place of some."""

    def of(changes):
        text = json.dumps(bodies.described(bodies.stopped(tags=True)))
        for word, other in changes.items():
            text = re.sub(word, lambda _, other=other: other, text)
        source = tmp_path / "task.json"
        source.write_text(text, "utf-8")
        (made,) = import_files([source], tmp_path / "out", scrub.NO_RULES)
        return cassette.load(made.path)

    return of


@pytest.mark.matrix
@pytest.mark.parametrize("mask", MASKS)
def test_masked_accounts_are_kept_in_a_variant(mask, imported, written):
    """As people publish what they record: an ARN in a text has the mask that the task has."""
    repository = f"assets-{mask}-us-east-2"
    base = imported({bodies.ACCOUNT: mask, bodies.REGISTRY_ACCOUNT: mask, "shop/web": repository})
    shown = base.tasks[0]
    assert shown["clusterArn"] == f"arn:aws:ecs:eu-west-1:{mask}:cluster/prod"
    registry = f"{mask}.dkr.ecr.eu-west-1.amazonaws.com"
    assert shown["containers"][0]["image"] == f"{registry}/{repository}:2026.11.1"
    for name in NAMING:
        variant = base.patched(name)
        assert written(variant).interactions == variant.interactions, name
    assert f":{mask}:" in base.patched("start/secret-denied").tasks[0]["stoppedReason"]


PLACES = {
    "family": r"(?<=task-definition/)web",
    "image": r"(?<=amazonaws.com/shop/)web(?=:)",
    "container": r'(?<="name": ")web(?=")',
    "cluster": r'(?<=/)prod(?=[/"])',
}


@pytest.mark.matrix
@pytest.mark.parametrize(
    "places",
    [
        pytest.param(list(PLACES), id="all"),
        *(pytest.param([one], id=one, marks=pytest.mark.exhaustive) for one in PLACES),
    ],
)
@pytest.mark.parametrize("chosen", CHOSEN)
def test_names_are_kept_in_a_variant(chosen, places, imported, written):
    """A name may look generated, like a host or like a secret, in a text as where it is a name."""
    base = imported({PLACES[place]: chosen for place in places})
    for name in NAMING:
        variant = base.patched(name)
        assert written(variant).interactions == variant.interactions, name


def renamed(value, rename):
    """Plain data with every text changed by a function."""
    if isinstance(value, str):
        return rename(value)
    if isinstance(value, Mapping):
        return {key: renamed(inner, rename) for key, inner in value.items()}
    return [renamed(one, rename) for one in value] if isinstance(value, (list, tuple)) else value


def as_imported(text):
    """Ids with the mark at the end, as scrubbing makes them now."""
    return re.sub("ca55e77e([0-9a-f]{24})(?![0-9a-f])", r"\1ca55e77e", text)


def as_uuids(text):
    """Task ids in their old form."""
    form = r"\1-\2-\3-\4-\5"
    pattern = "(?<![0-9a-f])" + "".join(rf"([0-9a-f]{{{n}}})" for n in (8, 4, 4, 4, 12))
    return re.sub(pattern + "(?![0-9a-f])", form, as_imported(text))


@pytest.mark.parametrize("rename", [as_imported, as_uuids])
@pytest.mark.parametrize(
    ("base", "name"),
    [
        ("deployment-ec2", "infrastructure/instance-draining-replaced"),
        ("deployment", "deployment/image-pull"),
    ],
)
def test_the_ids_of_new_tasks_are_kept(base, name, rename, written):
    """Their mark is where the ids of the recording have it."""
    original = BASES[base]
    interactions = tuple(
        dataclasses.replace(
            one,
            request=renamed(one.request, rename),
            outcome=Response(renamed(one.outcome.body, rename)),
        )
        for one in original.interactions
    )
    variant = dataclasses.replace(original, interactions=interactions).patched(name)
    assert len(variant.tasks) > len(original.tasks)
    assert written(variant).interactions == variant.interactions
