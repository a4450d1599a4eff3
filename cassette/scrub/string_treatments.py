"""Scrubs one string: the treatments of names, ARNs, ids, hosts, images and tokens.

Each string is parsed in the form that its member has, and only its parts are searched.
"""

from __future__ import annotations

import functools
import re

from cassette.ecs import shapes
from cassette.scrub import hosts, near_secrets
from cassette.scrub.free_text import PASSWORD, SHORTEST_ORIGINAL, FreeText
from cassette.scrub.pseudonyms import (
    MARK,
    REDACTED,
    Memory,
    is_masked,
    is_pseudonym,
    pseudonym_of_opaque,
)
from cassette.scrub.randomness import has_random_part
from cassette.scrub.tokens import TELLING_NAME
from cassette.scrub.vocabulary import is_plain, is_spelled

_ARN = re.compile(r"(?P<head>arn:[^:]+:(?P<service>[^:]*):[^:]*:[^:]*:)(?P<own>.+)", re.DOTALL)
# No account, or one with masked digits, such as 1234****9012.
_NO_ACCOUNT = re.compile(r"(?:[\dxX]*[^\w:][\dxX\W]*)?", re.ASCII)
# Services whose resources the search recognises by the text before them.
_OF_ONE_PIECE = ("iam", "sts", "secretsmanager", "servicediscovery", "organizations")
_NAMED_BY_ID = ("task", "container", "container-instance", "task-set", "attachment")
# Values in the place of a name that are not one: empty, a number, an id, a word of AWS's own.
_NO_NAME = re.compile(
    rf"\d*|\*|(?:eni|subnet|sg|vpc|i|vol|snap|fs|fsap)-{MARK}[0-9a-f]*"
    r"|(?:ecs|com\.amazonaws)\.[\w.-]+",
    re.ASCII,
)
# What members that are kept may have besides plain words: statuses, sizes, versions, types of
# instances, the hash of an agent, the format of a date, the family of a platform.
_OF_ECS = re.compile(
    r"[\d.,:/ *<>=%&|-]{0,64}|v?\d[\w.+~-]{0,40}|[0-9a-f]{6,12}"
    r"|(?:[a-z]{1,12}(?:-?\d[a-z0-9]{0,5})?[a-z-]{0,10}|\*)\.[a-z0-9*-]{1,16}"
    r"|(?:%-?[A-Za-z]|[\s:.,/\[\]()TZ-]){1,64}|[A-Za-z]{1,20}: ?v?\d[\w.+~-]{0,40}"
    r"|attribute:[\w.-]{1,128}"
    r"|\d{1,6}(?:\.\d{1,3})? ?(?:vCPU|[KMG]i?B)|<[a-z]{1,32}>[a-z]?"
    r"|Windows-Server-\d{4}-(?:Core|Full)",
    re.ASCII,
)
# As ECS writes the values of enums; HIBERNATING may be one that no botocore knows yet.
_OF_ENUM = re.compile(r"[A-Z]{3,24}(?:_[A-Z]{2,24}){0,4}")
# Words that ECS's API or the kernel enumerates, besides those of botocore's model: capabilities,
# options of mounts, accelerators, statuses; and words that only a newer botocore has in its model.
_ENUMERATED = frozenset(
    "STRINGSET PRECREATED SYS_PTRACE CAP_SYS_PTRACE MKNOD SYS_NICE SYS_RAWIO SYS_TTY_CONFIG "
    "SETFCAP SETGID SETPCAP SETUID SYS_CHROOT SYS_PACCT SYS_TIME WAKE_ALARM DAC_OVERRIDE "
    "DAC_READ_SEARCH FOWNER FSETID IPC_LOCK IPC_OWNER KILL LEASE LINUX_IMMUTABLE MAC_ADMIN "
    "MAC_OVERRIDE NET_ADMIN NET_BIND_SERVICE NET_BROADCAST NET_RAW SYSLOG AUDIT_CONTROL "
    "AUDIT_WRITE BLOCK_SUSPEND CHOWN SYS_ADMIN SYS_BOOT SYS_MODULE SYS_RESOURCE "
    "ro rw suid nosuid dev nodev exec noexec sync async dirsync remount mand nomand atime noatime "
    "diratime nodiratime bind rbind unbindable runbindable private rprivate shared rshared slave "
    "rslave relatime norelatime strictatime nostrictatime mode uid gid nr_inodes nr_blocks mpol "
    "rexray/ebs rexray/efs local nfs gp2 gp3 io1 io2 sc1 st1 xfs ext3 ext4 ntfs "
    "eia1.medium eia1.large eia1.xlarge eia2.medium eia2.large eia2.xlarge logentries sumologic "
    "dualStackIPv6 DEPROVISIONING BAKE_TIME BLUE_GREEN DEFERRED RECONCILE_SERVICE EC2_AUTOSCALING "
    "ACCELERATED_COMPUTE NEURON_DEVICE NeuronDevice BOUNDED_PERCENT UNBOUNDED_PERCENT "
    "WINDOWS_SERVER_2025_CORE WINDOWS_SERVER_2025_FULL a100 a10g amd defensive dualstack "
    "dualstack-without-public-ipv4 fpga gpu h100 habana hdd inferentia intel internet-facing k520 "
    "k80 m60 nvidia radeon-pro-v520 ssd strictest t4 t4g vu9p xilinx".split()
)
_PARAMETER = re.compile(r"(?:net|kernel|fs|vm|user)(?:\.[a-z0-9_-]{1,32}){1,5}")
# A value given for a secret in a name, and a dotted word in a name.
_SPEAKS = re.compile(r"[.:=]")
_GIVEN = re.compile(
    rf"(?P<told>(?<![0-9A-Za-z])[\w.-]{{0,32}}?{TELLING_NAME}[\w.-]{{0,32}}[:=])(?P<given>[^\s:/,;]+)",
    re.IGNORECASE,
)
_PART = re.compile(r"[^\s:/=,;]+")
_DOTTED = re.compile(
    r"(?<!\w)(?<!\w[.-])(?:[\w-]{1,63}\.){1,8}[a-z][\w-]{1,62}(?![0-9A-Za-z])", re.IGNORECASE
)
# A custom attribute and what it is compared with: attribute:owner == jane, attribute:x in [a, b].
_COMPARED = re.compile(
    r"(?P<attribute>attribute:(?!ecs\.|com\.amazonaws\.ecs\.)[\w./-]{1,128}\s{0,4}"
    r"(?:[=!]=|[=!]~|[<>]=?|!?in(?=[\s\[])|(?:not_)?(?:in|equals|matches)(?=[\s\[])"
    r"|(?:greater|less)_than(?:_equal)?(?=\s))\s{0,4})"
    r"(?P<value>\[[^\]]{0,4096}\]|\"[^\"]{0,512}\"|'[^']{0,512}'|[^\s\"'()\[\],]{1,512})"
)
_REGISTRY = re.compile(
    r"(?P<host>[\w-]+(?:\.[\w-]+)+|[\w-]+(?=:))(?P<port>(?::\d{1,5})?/)(?P<rest>.+)"
)
_PATH = re.compile(r"[\w.@+=,-]+(?:[/:][\w.@+=,-]+)*")
_DIGEST = re.compile(r"(?:@\w+:[0-9a-f]{32,})?$", re.IGNORECASE)
# Tags that look like an account, an address or an id: a date, a version, the SHA of a commit.
_TAG = re.compile(
    r":(?:(?P<date>\d{12})|v?(?P<version>\d{1,3}(?:\.\d{1,3}){3})(?:-[a-z][a-z0-9.]{0,30}){0,3}"
    r"|(?:[a-z]{1,12}[-_]){0,3}[0-9a-f]{40}(?:-\d{1,10})?)(?=$|@)"
)
_PRIVATE_ADDRESS = re.compile(r"10\.|192\.168\.|172\.(?:1[6-9]|2\d|3[01])\.")
# Words before a name in a text: only there is a short name not an ordinary word.
_KINDS = ("service", "cluster", "container", "family")
# Names that AWS gives, and the types of resources in ARNs.
_OWN_WORDS = frozenset(
    "default FARGATE FARGATE_SPOT EC2 EXTERNAL service family latest ecs-svc service-role "
    "aws-service-role role user task cluster library aws container container-instance "
    "task-definition task-set capacity-provider attachment service-deployment service-revision "
    "daemon daemon-deployment daemon-revision daemon-task-definition gateway gateway-route "
    "assumed-role secret parameter key alias log-group log-stream targetgroup loadbalancer "
    "listener listener-rule app net autoScalingGroup autoScalingGroupName scalingPolicy alarm "
    "certificate namespace instance-profile file-system access-point security-group subnet".split()
)


class StringTreatments:
    """One method for each treatment of a string.

    Args:
        free: the search of the string and its parts.
        memory: the originals and their pseudonyms.
        strict: whether names are replaced.
    """

    def __init__(self, free: FreeText, memory: Memory, *, strict: bool) -> None:
        self._free = free
        self._memory = memory
        self._strict = strict

    def keep(self, value: str) -> str:
        """A status, a size or another word of ECS's own; anything else is redacted."""
        found = self._free.search(value)
        # The result of the search decides, not the value: another scrub must have the same result.
        if is_masked(found) or _is_of_ecs(found):
            return found
        # A word next to a pseudonym stays only if it is one of ECS as well.
        is_known = self._free.shows_pseudonym(found) and all(
            _is_of_ecs(word) or self._free.shows_pseudonym(word) for word in found.split()
        )
        return found if is_known else REDACTED

    def text(self, value: str) -> str:
        """Free text: only what the search finds is replaced."""
        return self._free.search(value)

    def expression(self, value: str) -> str:
        """An expression for placing tasks: what an attribute is compared with may be its value."""
        return _COMPARED.sub(self._compared, self._free.search(value))

    @staticmethod
    def _compared(match: re.Match[str]) -> str:
        bare = match["value"].strip("[]\"'")
        if not bare or is_masked(bare):
            return match[0]
        return match["attribute"] + match["value"].replace(bare, REDACTED)

    def name(self, value: str) -> str:
        """A name chosen by a user: it is kept, except under the strict policy."""
        return self._strict_name(value) if self._strict else self._named(value)

    def _named(self, value: str) -> str:
        """A name without private hosts and without assignments to secrets."""
        found = _PART.sub(self._glued, self._free.name(value))
        if not _SPEAKS.search(found):
            return found
        found = _GIVEN.sub(self._given, found)
        return _DOTTED.sub(self._dotted, found)

    def key(self, value: str) -> str:
        """The name of a variable, a tag or a label, without a value that is attached to it."""
        found = self._free.name(value)
        start = near_secrets.glued(found)
        # Of TOKEN_TTL_SECONDS and TOKEN_q8Zk2LmP, only the second one has a value in it.
        if start is not None and PASSWORD.fullmatch(found, start) and not is_plain(found[start:]):
            return found[:start] + self._free.remember("secret", found[start:], REDACTED)
        return _GIVEN.sub(self._given, found) if ":" in found or "=" in found else found

    def _given(self, match: re.Match[str]) -> str:
        told, given = match["told"], match["given"]
        # The revision of a family.
        revision = told.endswith(":") and re.fullmatch(r"\d{1,5}", given)
        if revision or is_masked(given) or self._free.shows_pseudonym(given):
            return match[0]
        return told + self._free.remember("secret", given, REDACTED)

    def _glued(self, match: re.Match[str]) -> str:
        """A part of a name without the value that is attached to a word for a secret."""
        start = near_secrets.glued(match[0])
        if start is None:
            return match[0]
        return match[0][:start] + self._free.remember("secret", match[0][start:], REDACTED)

    def _dotted(self, match: re.Match[str]) -> str:
        word, text = match[0], match.string
        if word.startswith(("ecs.", "com.amazonaws.")) or hosts.is_name(word):
            return word
        if text.startswith("/") and hosts.may_be_file(word):
            return word
        before = text[max(0, match.start() - 40) : match.start()].rstrip("/")
        after = text[match.end() : match.end() + 8]
        return self._free.host(word) if hosts.is_host(word, before, after) else word

    def _strict_name(self, value: str) -> str:
        false = self._free.name(value)
        no_name = _NO_NAME.fullmatch(false) or is_pseudonym(false) or is_masked(false)
        if no_name or value in _OWN_WORDS:
            return false
        name = self._memory.numbered("name", value)
        # Within a text, a word of ECS's own is not a name, and a phrase has no clear end.
        if value in vocabulary() or not _PATH.fullmatch(value):
            return name
        for kind in _KINDS if len(value) < SHORTEST_ORIGINAL else ():
            self._free.look_for(f"{kind} {value}", f"{kind} {name}")
        return self._free.remember("name", value, name)

    def arn(self, value: str) -> str:
        """A resource by its ARN, its id or its name, parsed as what it is."""
        arn = _ARN.fullmatch(value)
        if arn is None:
            kind, marked, rest = value.partition(":arn:")  # as credentialspec:arn:… has it
            if marked and kind.isalpha():
                return f"{kind}:{self.arn(f'arn:{rest}')}"
            return self._resource(value)
        if arn["service"] in _OF_ONE_PIECE:
            found = self._free.name(value)
            resource = _ARN.fullmatch(found)
            if not self._strict or resource is None:
                return _PART.sub(self._glued, found)
            return resource["head"] + self._names(resource["own"])
        kind = re.split("[/:]", arn["own"], maxsplit=1)[0]
        named_by_id = arn["service"] == "ecs" and kind in _NAMED_BY_ID
        head = arn["head"]
        before, _, account = head[:-1].rpartition(":")
        if _NO_ACCOUNT.fullmatch(account):  # the head could look like an address or a secret
            head = f"{self._free.search(before)}:{self._free.search(account)}:"
        else:
            head = self._free.search(head)
        return head + self._resource(arn["own"], named_by_id)

    def _resource(self, value: str, named_by_id: bool = False) -> str:
        """A resource in an ARN, or its id or name alone; two resources never become one."""
        found = self._named(value)
        if self._strict:
            found = self._names(value, is_path=named_by_id)
        *path, original = re.split("([/:])", value)
        *_, last = re.split("([/:])", found)
        # A value that was redacted reached into the next part.
        if found.count("/") != value.count("/") and not self._strict:
            return found
        same = last == original and not self._free.shows_pseudonym(last) and not is_masked(last)
        # An id that an ARN shows, such as a masked one, is the same id alone.
        is_known = not path and self._memory.is_numbered("short id", original)
        of_no_form = same and (named_by_id or has_random_part(original) or is_known)
        hidden = REDACTED in last and REDACTED not in original and "=" not in last
        if original and (of_no_form or hidden):
            if not self._memory.is_numbered("short id", original):
                self._free.known += 1  # what was scrubbed before may have it alone
            number = self._memory.numbered("short id", original)
            head = found.removesuffix(last) if self._strict else self._free.name("".join(path))
            return head + self._free.remember("short id", original, number)
        return found

    def _names(self, value: str, is_path: bool = False) -> str:
        """A path of names, such as `service:web` or `cluster/prod`: each name by itself."""
        is_path = is_path or _PATH.fullmatch(value) is not None
        if not is_path or is_pseudonym(self._free.name(value)):
            return self._strict_name(value)
        parts = re.split(r"([/:])", value)
        return "".join(part if part in "/:" else self._strict_name(part) for part in parts)

    def id(self, value: str) -> str:
        """An identifier of one resource: always a pseudonym, whatever its form."""
        if value.startswith("arn:"):
            return self.arn(value)
        false = self._free.name(value)
        if not value or self._free.shows_pseudonym(value):
            return false
        if false != value and REDACTED not in false and self._free.shows_pseudonym(false):
            return false
        if REDACTED in value:  # an id in which something was hidden before
            return value
        if is_masked(value):
            return value
        prefix = re.match(r"[A-Za-z]{1,16}[-:](?=.*\d)", value)
        head = prefix[0] if prefix else ""
        own = value[len(head) :]
        if len(own) >= 16 and not own.isdigit():
            return self._free.remember("id", value, head + pseudonym_of_opaque(own, len(own)))
        number = self._memory.numbered("short id", value)
        return self._free.remember("short id", value, head + number)

    def host(self, value: str) -> str:
        """A DNS name, or a name that may be one."""
        if value.startswith("arn:"):
            return self.arn(value)
        bare = value.rstrip(".")
        if self._free.shows_pseudonym(bare):
            return self._free.name(value)
        if self._free.is_host(bare):
            return self._free.host(bare) + value[len(bare) :]
        return self.name(value)

    def image(self, value: str) -> str:
        """An image: its registry is a host, the rest a name."""
        registry = _REGISTRY.fullmatch(value)
        if registry is None:
            return self._image_name(value)
        return self.host(registry["host"]) + registry["port"] + self._image_name(registry["rest"])

    def _image_name(self, value: str) -> str:
        digest = _DIGEST.search(value)
        end = digest.start() if digest else len(value)
        tag = _TAG.search(value, 0, end)
        if tag and not (
            self._free.is_account(tag["date"] or "") or _PRIVATE_ADDRESS.match(tag["version"] or "")
        ):
            end = tag.start()
        else:
            tag = None
        name, rest = value[:end], value[end:]
        found = self._names(name) if self._strict else self._free.name(name)
        found = _PART.sub(self._glued, found)
        if tag:
            return found + tag[0] + self._free.name(rest.removeprefix(tag[0]))
        return found + self._free.name(rest)

    def token(self, value: str) -> str:
        """An opaque token, hashed."""
        if not value or is_masked(value):
            return value
        false = pseudonym_of_opaque(value)
        if self._free.is_token(value):  # nothing opaque: elsewhere it is what it is
            return self._memory.keep("token", value, false)
        return self._free.remember("token", value, false)


def _is_of_ecs(text: str) -> bool:
    """Whether a text is a word that ECS defines or may define one day, a size or a version."""
    if text in vocabulary() or text in _ENUMERATED or is_plain(text):
        return True
    if _OF_ENUM.fullmatch(text):
        return all(map(is_spelled, text.split("_")))
    return bool(_OF_ECS.fullmatch(text) or _PARAMETER.fullmatch(text))


@functools.cache
def vocabulary() -> frozenset[str]:
    """Words of ECS's own: they occur everywhere in a cassette, so no search may replace them."""
    words = set(shapes.operations()) | _OWN_WORDS
    service = shapes.service_model()
    for name in service.shape_names:
        shape = service.shape_for(name)
        if shape.type_name == "structure":
            words |= set(shape.members)
        words |= set(getattr(shape, "enum", ()))
    return frozenset(words)
