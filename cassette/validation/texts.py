"""The rules for texts: a stopped reason names the task's own resources."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator, Sequence

from cassette.validation.rule import Misfit, Rule, Task
from cassette.validation.task_parts import ARN, details, either, id_of, names, things

_REGION = re.compile(
    r"(?<![\w-])(?:af|ap|ca|cn|eu|il|me|mx|sa|us(?:-gov|-isob?)?)-"
    r"(?:central|north|south|east|west|northeast|northwest|southeast|southwest)-\d(?![\w-])"
)
_IN_TEXT = re.compile(r"arn:([\w-]+):([\w-]+):([\w-]*):(\d{12})?:(\S*)")
_SUBNET = re.compile(r"subnet-[0-9a-f]{8,17}\b")
_DEPLOYMENT = re.compile(r"ecs-svc/\d+")
_TASK_ID = re.compile(
    r"(?::task/(?:[\w-]+/)?|:assumed-role/[\w+=,.@-]+/|:log-stream:[^\s:]*/)([0-9a-f]{32})\b"
)
_MASKED = r"<[^<>\n]{1,64}>"
_PULLED = re.compile(
    r"(?:pull access denied for|failed to resolve ref|manifest for) "
    rf"((?:[^\s<>,'\"]|{_MASKED})*(?:[^\s<>,'\":;.]|{_MASKED}))"
)
# Where only the path of an image is sure: a mirror or a cache may have another host.
_PULLED_BY_PATH = (
    re.compile(r"https?://[\w.:-]+/v2/([\w./-]+)/(?:manifests|blobs)/"),
    re.compile(
        r"(?:(?:cannot|can['\u2019]t) pull|from the Amazon ECR repository) "
        r"['\"\u2018]([^'\"\u2019\s]+)['\"\u2019]"
    ),
)
_DEPENDENCY = re.compile(r"dependency \[([^\]]+)\] for target \[([^\]]+)\]")
_OF_AGENT = "~internal~"  # how the agent's own containers are named, which no task shows
# Whose resources are always in the task's own account and region.
_AT_HOME = ("ecs", "elasticloadbalancing")


def _texts(task: Task) -> Iterator[tuple[str, str]]:
    """Every text of a task that gives a reason for a stop, and its place."""
    if isinstance(task.get("stoppedReason"), str):
        yield "/stoppedReason", task["stoppedReason"]
    for place, container in things(task, "containers"):
        if isinstance(container.get("reason"), str):
            yield f"{place}/reason", container["reason"]
    for place, attachment in things(task, "attachments"):
        for within, detail in things(attachment, "details"):
            if detail.get("name") == "statusReason" and isinstance(detail.get("value"), str):
                yield f"{place}{within}/value", detail["value"]


def _own_names(task: Task) -> Iterator[Misfit]:
    id_, started = id_of(task), str(task.get("startedBy"))
    attachments = [one for _, one in things(task, "attachments")]
    subnets = {str(subnet) for one in attachments if (subnet := details(one).get("subnetId"))}
    own = ARN.fullmatch(str(task.get("taskArn")))
    for place, text in _texts(task):
        for subnet in _SUBNET.findall(text):
            if subnets and subnet not in subnets:
                yield Misfit(place, f"it names {subnet}", either(subnets))
        for deployment in _DEPLOYMENT.findall(text):
            if started.startswith("ecs-svc/") and deployment != started:
                yield Misfit(place, f"it names the deployment {deployment}", started)
        for other in _TASK_ID.findall(text):
            if id_ and len(id_) == len(other) and other != id_:
                yield Misfit(place, f"it names the task {other}", id_)
        for partition, service, region, account, _ in _IN_TEXT.findall(text):
            if own and service in _AT_HOME and (partition, region, account) != own.groups()[:3]:
                yield Misfit(
                    place,
                    f"it names a resource of arn:{partition}:{service}:{region}:{account}",
                    f"arn:{own[1]}:{service}:{own[2]}:{own[3]}:…",
                )


def _home(task: Task) -> Iterator[Misfit]:
    own = ARN.fullmatch(str(task.get("taskArn")))
    if own is None:
        return
    images = [str(one.get("image")) for _, one in things(task, "containers") if "image" in one]
    named = json.dumps([images, task.get("overrides")], default=str)
    regions, accounts = {own[2], *_REGION.findall(named)}, {own[3], *re.findall(r"\d{12}", named)}
    for place, text in _texts(task):
        for region in _REGION.findall(text):
            if region not in regions and _REGION.fullmatch(own[2]):
                yield Misfit(place, f"it names the region {region}", own[2])
        for _, service, _, account, _ in _IN_TEXT.findall(text):
            foreign = account and account not in accounts and service != "organizations"
            if foreign and len(own[3]) == len(account):
                yield Misfit(place, f"it names the account {account}", own[3])
        yield from (Misfit(place, *found) for found in _other_images(text, images))
        yield from (Misfit(place, *found) for found in _other_containers(text, names(task)))


def _other_images(text: str, images: Sequence[str]) -> Iterator[tuple[str, str]]:
    """The images in a text that are not the task's, and those that are."""
    for pulled in _PULLED.findall(text):
        if images and _repository(pulled) not in map(_repository, images):
            yield f"it names the image {pulled}", either(tuple(images))
    for path in itertools.chain.from_iterable(form.findall(text) for form in _PULLED_BY_PATH):
        if images and _path(path) not in map(_path, images):
            yield f"it names the image {path}", either(tuple(images))


def _other_containers(text: str, known: Sequence[str]) -> Iterator[tuple[str, str]]:
    """The containers in a text that the task does not have, and those that it has."""
    for name in itertools.chain.from_iterable(_DEPENDENCY.findall(text)):
        if known and name not in known and not name.startswith(_OF_AGENT):
            yield f"it names the container {name}", either(known)


def _repository(image: str) -> str:
    """An image's name in full, as for Docker Hub's short names, without its tag and digest."""
    name = re.sub(r":[^/:]*$", "", image.partition("@")[0].rstrip(":"))
    return re.sub(r"^(?:docker\.io/)?(?:library/)?", "", name)


def _path(image: str) -> str:
    """An image's name without its registry: as in a URL, an ARN or in full."""
    name = _repository(image.rpartition(":repository/")[2])
    host, _, path = name.partition("/")
    name = path if path and re.search(r"[.:]|^localhost$", host) else name
    return name.removeprefix("library/")


RULES = (
    Rule(
        "text-names",
        "A text that says why a task stopped names the task's own subnet, deployment (startedBy) "
        "and id, and a target group in its own region and account.",
        "real responses",
        state=_own_names,
    ),
    Rule(
        "text-home",
        "Regions, accounts, images and containers in such a text are the task's own, or named by "
        "its images or overrides. (A secret may be in another account.)",
        "real responses",
        "warning",
        state=_home,
    ),
)
