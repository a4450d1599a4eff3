"""Members in which only pseudonyms may remain."""

from __future__ import annotations

import re
from collections.abc import Iterator, Set

from cassette.scrub.audit import prose
from cassette.scrub.audit.scalars import Scalar

RULES = {
    "hidden-member": "a member that only ever holds a pseudonym or nothing",
    "option-of-driver": "the value of an option or a label that is not known to be harmless",
}

_HIDDEN = re.compile(
    r"(?:|null|.*(?:ca55e77e|REDACTED|(?<!\d)0{8}\d{4}(?!\d)|ca:55:e7:7e:|198[.-]1[89][.-]"
    r"|2001:db8:|host-\d+\.example|user-\d+@example).*"
    r"|\*{2,}|X{3,}|<[A-Za-z ]{1,64}>|`[A-Za-z ]{1,64}`|arn:.*)",
    re.DOTALL,
)
_ALWAYS = frozenset(
    "accessPointId attachmentId ec2InstanceId fileSystemId gpuId gpuIds hookId imageDigest "
    "inboundSecurityGroup neuronDeviceIds runtimeId securityGroup securityGroupIds securityGroups "
    "sessionId snapshotId subnetIds subnets subnetId networkInterfaceId volumeId securityGroupId "
    "vpcId allocationId associationId clientToken exact instanceIdentityDocument "
    "instanceIdentityDocumentSignature nextToken repositoryCredentials streamUrl tokenValue".split()
)
# The known details of attachments; others may have any value.
_DETAILS = frozenset(
    "status deleteOnTermination filesystemType volumeType sizeInGiB encrypted iops throughput "
    "volumeInitializationRate attachmentStatus portName ingressPortOverride port volumeName "
    "policyName scalingPlanName capacityProviderName containerName ContainerName serviceName "
    "roleArn kmsKeyId targetGroupArn serviceArn loadBalancerArn capacityProviderArn registryArn "
    "macAddress privateIPv4Address privateIpv4Address publicIPv4Address ipv6Address IPv6Address "
    "statusReason clientAliases tagSpecifications".split()
)
# The details of a container instance's health, which are not pairs of a name and a value.
_OF_HEALTH = frozenset(("type", "lastUpdated", "lastStatusChange"))
_ATTRIBUTES = re.compile(r"ecs\.|com\.amazonaws\.ecs\.")
# An attribute that is not of ECS, compared with a value, in an expression for placing tasks.
_COMPARED = re.compile(
    r"attribute:(?!ecs\.|com\.amazonaws\.ecs\.)[\w./-]+(?![\w./-])\s*(?!!?(?:not_)?exists)"
    r"(?:[=!<>][=~]?|!?[a-z_]+\s|!?in(?=\[))\s*(?!\[?[\"']?(?:REDACTED|\*\*|X{3}|<|\]))[\w\[\"']"
)
_OF_OTHERS = ("attributes", "requiresAttributes", "properties")
_EXPRESSIONS = ("expression", "filter")
_PROPERTIES = re.compile(
    r"(?:Ignored[UG]ID|Proxy(?:In|E)gressPort|AppPorts|EgressIgnored(?:Ports|IPs))\Z"
)
_HOSTS = frozenset(
    "discoveryName dnsName dnsSearchDomains domain domainName endpoint hostname namespace "
    "serviceConnectEndpoint telemetryEndpoint privateDnsName publicDnsName".split()
)
_HOST = re.compile(r"(?:[A-Za-z0-9_][\w-]{0,62}\.){1,8}[A-Za-z][\w-]{0,62}\.?")
_REGISTRY = re.compile(r"(?P<host>[\w-]+(?:\.[\w-]+){1,8})(?::\d{1,5})?/.+")
_DIGEST = re.compile(r"@\w+:(?P<digits>[0-9A-Fa-f]{32,})")
_MAPS = frozenset(("options", "dockerLabels", "driverOpts", "labels"))
_PLAIN_OPTIONS = frozenset(
    "mode max-buffer-size awslogs-region awslogs-create-group awslogs-datetime-format region Name "
    "max-size max-file compress enable-ecs-log-metadata config-file-type "
    "awslogs-group awslogs-stream-prefix awslogs-stream tag config-file-value".split()
)


def found(value: Scalar, kept: Set[str]) -> Iterator[str]:
    """The rules that match a value that its member should have hidden.

    Args:
        value: one value of a cassette, or a list of them.
        kept: the values that a project keeps: `hostname[*]`, `dockerLabels[team]`.
    """
    member = value.named if value.key == "value" and value.parent == "details" else value.key
    if f"{member}[*]" in kept or f"{value.parent}[{member}]" in kept:
        return
    texts = value.items if value.items is not None else (value.text,)
    of_others = _is_of_others(value, kept) and not all(map(_HIDDEN.fullmatch, texts))
    if of_others or (
        any(_is_shown(member, value.parent, text) for text in texts)
        and not (value.parent == "details" and value.key in _OF_HEALTH)
    ):
        yield "hidden-member"
    in_map = value.parent in _MAPS and f"{value.parent}[*]" not in kept
    known = value.parent == "options" and value.key in _PLAIN_OPTIONS
    if in_map and not known and not all(map(_HIDDEN.fullmatch, texts)):
        yield "option-of-driver"


def _is_of_others(value: Scalar, kept: Set[str]) -> bool:
    """Whether it is a value of an attribute or property of neither ECS nor App Mesh."""
    of_ecs = _PROPERTIES if value.parent == "properties" else _ATTRIBUTES
    if value.key != "value" or value.parent not in _OF_OTHERS:
        return False
    spared = {f"{value.parent}[{value.named}]", f"{value.parent}[*]"}
    return of_ecs.match(value.named) is None and spared.isdisjoint(kept)


def _is_shown(member: str, parent: str, text: str) -> bool:
    if member in _EXPRESSIONS and _COMPARED.search(text):
        return True
    if member in _ALWAYS:
        return _HIDDEN.fullmatch(text) is None
    if member in _HOSTS and parent != "systemControls":
        return _is_own_host(text.removesuffix("."))
    if parent == "details" and member not in _DETAILS | {"name", "value"}:
        return _HIDDEN.fullmatch(text) is None
    if member != "image":
        return False
    digest = _DIGEST.search(text)
    if digest and "ca55e77e" not in digest["digits"]:
        return True
    registry = _REGISTRY.fullmatch(text)
    return registry is not None and _is_own_host(registry["host"])


def _is_own_host(text: str) -> bool:
    return _HOST.fullmatch(text) is not None and prose.is_own_host(text.lower())
