"""The forms of values that a text must not contain, each with a rule, and harmless exceptions."""

from __future__ import annotations

import functools
import ipaddress
import re
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_L, _R = r"(?<![0-9A-Za-z])", r"(?![0-9A-Za-z])"
_SECRETIVE = (
    r"(?i:[\w.-]{0,40}?(?:passw(?:or)?d|passphrase|pwd|secret|api[_-]?key|access[_-]?key"
    r"|(?<!max)(?<!max[_-])token(?!iz|[_-]ttl)|private[_-]?key|credentials?|(?<![a-z])pass(?![a-z]))[\w.-]{0,40})"
)
# Harmless values of a rule: hidden ones, pseudonyms, references, and no value.
_HIDDEN = (
    r"(?!\[?REDACTED|\*\*|XXX|ca55e77e|user-|host-|arn:|(?i:null|none|true|false|yes|no|nil|missing|empty"
    r"|required|optional|invalid|expired|denied)(?![0-9A-Za-z])"
    r"|\$(?!\w{0,64}?(?:[a-z]\w{0,64}?\d|\d\w{0,64}?[a-z]))|<|`|\{\{|%\w{1,64}%|\\{1,4}[nrt]|pass:REDACTED"
    r"|[0-9a-f-]{4,64}ca55e77e)"
)

# rule: (what it looks for, its pattern)
RULES: dict[str, tuple[str, str]] = {
    "private-key": ("the beginning of a private key", r"-----BEGIN [A-Z ]{0,32}PRIVATE KEY"),
    "jwt": (
        "a JSON Web Token",
        (
            rf"(?:{_L}eyJ|eyJ(?=hbGci|0eXAi|raWQi|jdHki))[\w-]{{8,4096}}"
            r"(?:[ \t]{0,8}\n\s{0,8})?\.(?:[ \t]{0,8}\n\s{0,8})?[\w-]{4,}"
        ),
    ),
    "url-password": (
        "a password in a URL",
        r"://(?!REDACTED:REDACTED@)[^\s/:?#\"'<>]{0,128}:(?!\d{1,5}[/?#])[^\s\"'<>]{1,512}@",
    ),
    "url-user": ("a user in a URL", r"://(?!REDACTED@)[^\s/:?#\"'<>]{1,128}@"),
    "access-key": (
        "the id of an AWS access key",
        (
            rf"(?:AKIA|ASIA)[A-Z0-9]{{16}}|{_L}(?:ABIA|ACCA|AGPA|AIDA|AIPA|ANPA|ANVA|APKA|AROA|ASCA)"
            rf"[A-Z0-9]{{16,17}}{_R}"
        ),
    ),
    "session-token": (
        "what looks like a session token of AWS",
        rf"{_L}(?:IQoJ|FwoG|FQoG)[A-Za-z0-9/+=%]{{60,}}",
    ),
    "vendor-token": (
        "a token of a service that marks its tokens",
        (
            rf"{_L}(?:(?:gh[oprsu]_|github_pat_|glpat-|xapp-|xox[abeoprs]-"
            r"|AIza|GOCSPX-|ya29\.|hvs\.|dckr_pat_|SG\.|pypi-AgEI|sk-(?:ant|proj)-|NRAK-)[\w./+=-]{12,}"
            r"|(?:[rs]k_(?:live|test)_|whsec_)[A-Za-z0-9]{16,}|(?:npm_|hf_|sk-)[A-Za-z0-9]{30,}"
            r"|(?<=/services/)T[0-9A-Z]{6,}/B[0-9A-Z]{6,}/\w{16,}"
            r"|(?<=/webhooks/)\d{17,20}/[\w-]{24,})"
        ),
    ),
    "bearer": (
        "the credentials of a request",
        rf"{_L}(?i:bearer|basic)\s{{1,4}}{_HIDDEN}(?=[A-Za-z._~+/=-]{{0,64}}\d)[\w.~+/=-]{{8,}}",
    ),
    "password": (
        "a value given for a secret",
        (
            rf"{_L}{_SECRETIVE}[\"']?\s?:?=[ \t]?[\"']?{_HIDDEN}[^\s\"'&,;)\]}}]{{3,}}"
            rf"|(?<![\w-])--?{_SECRETIVE}(?:\s{{1,8}}|[\"']?,\s{{0,8}})[\"']?"
            rf"(?!(?:was|has|not|needs|requires|must|cannot|and)\s){_HIDDEN}[^\s\"'-][^\s\"']{{2,}}"
            rf"|(?<![\w-])(?:-[uU]|--(?:proxy-)?user)[\s=]{{1,4}}[\"']?{_HIDDEN}(?!\d{{1,9}}:\d{{1,9}}(?!\S))"
            r"[^\s:\"']{1,128}:[^\s\"']+"
            rf"|[\"'](?i:[\w.-]{{0,64}}passw(?:or)?d)[\"']\s?:\s?[\"']{_HIDDEN}[^\"']{{3,}}"
        ),
    ),
    "secret-key": (
        "what looks like a secret key of AWS",
        r"(?<![0-9A-Za-z/+])(?=[a-z/+]{0,40}[A-Z0-9])[A-Za-z0-9/+]{40}(?![0-9A-Za-z/+=])",
    ),
    "secret-name": (
        "the name of a secret with its random end",
        r":secret:[\w/+=.@!-]{0,500}-(?!ca55)[A-Za-z0-9]{6}(?![\w/+=.@!-])",
    ),
    "session-name": (
        "who assumed a role",
        r"(?:assumed-role/[^/\s]{1,128}|federated-user)/[\w+=,.@:-]+",
    ),
    "user-name": (
        "the name of a user",
        r"(?:(?<=:)user|(?<=\d{12}:)(?:(?:sms-)?mfa|u2f))/[\w+=,.@:/-]+",
    ),
    "account-id": (
        "twelve digits that may be an AWS account id",
        (
            # not the end of a uuid; one in three hundred ends in digits only
            r"(?=\d)(?<!\d)(?:(?<![0-9a-f]{4}-[0-9a-f]{4}-)(?!00000000)\d{12}(?!\d)"
            rf"|{_L}(?!00000000|0000-0000)\d{{4}}-\d{{4}}-\d{{4}}(?![0-9A-Za-z-])"
            rf"|{_L}(?<!\d-)(?!000-000)\d{{3}}-\d{{3}}-\d{{3}}-\d{{3}}(?![0-9A-Za-z-]))"
        ),
    ),
    "e-mail": (
        "an e-mail address",
        (
            r"(?<![\w.%+-])(?!REDACTED@)[\w.+-]{0,64}\w@"
            r"(?!(?:[\w-]{1,63}\.){0,8}example\.(?:com|org|net)\b)(?:[\w-]{1,63}\.){1,8}[A-Za-z]{2,}"
        ),
    ),
    "mac-address": (
        "the address of a network interface",
        r"(?<![0-9A-Fa-f])(?:[0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2}(?![0-9A-Fa-f])",
    ),
    "private-address": (
        "an address of a private network",
        (
            rf"(?=[\dA-Fa-fi:])(?:(?<![\d.])\d{{1,3}}(?:[.]\d{{1,3}}){{3}}(?!\d|\.\d)"
            rf"|{_L}(?:ip|ec2)-\d{{1,3}}(?:-\d{{1,3}}){{3}}{_R}"
            r"|(?<![0-9A-Za-z:.])(?=[0-9A-Fa-f]{0,4}:[0-9A-Fa-f]{0,4}:)[0-9A-Fa-f]{0,4}"
            r"(?::[0-9A-Fa-f]{1,4}|::[0-9A-Fa-f]{0,4}){1,8}(?![0-9A-Za-z]|\.\w|:[0-9A-Fa-f:]))"
        ),
    ),
    "private-host": (
        "the name of a host that is nobody else's",
        (
            r"(?<![0-9A-Za-z.-])(?!jdk\.internal\.)(?:[\w-]{1,63}\.){1,8}"
            r"(?:internal|local|localdomain|corp|lan|intranet|consul|home\.arpa)"
            r"(?![0-9A-Za-z]|(?:\.[a-z]\w{0,30}){0,6}\.[A-Z][a-z])"  # a class of Java
            r"|(?<![\w.])(?!198\.1[89]\.)(?:[0-9a-f]{1,3}\.){1,32}(?:in-addr|ip6)\.arpa(?![\w-])"
            r"|(?<![0-9A-Za-z.-])[\w.-]{1,253}\.(?:elb|rds|cache|es|efs|execute-api|docdb|redshift)"
            r"\.(?:[a-z0-9.-]{1,64}\.)?amazonaws\.com"
        ),
    ),
    "identifier": (
        "the id of one resource",
        (
            rf"{_L}(?:eni|eni-attach|subnet|sg|sgr|vpc|vpce|i|vol|snap|ami|eipalloc|eipassoc|rtb|igw"
            rf"|nat|acl|lt|fs|fsap)-[0-9a-f]{{8}}{_R}"
            rf"|{_L}[a-z]{{1,16}}-(?!ca55e77e)[0-9a-f]{{17}}{_R}"
            r"|(?!ca55e77e)[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}"
            rf"|{_L}(?!ca55e77e)[0-9a-f]{{32}}{_R}"
            rf"|(?:(?<=:namespace/)ns|(?<=:service/)srv)-(?!ca55e77e)[a-z0-9]{{16}}{_R}"
            r"|(?:service|daemon)-(?:deployment|revision)/[^\s/]{1,255}/(?:[^\s/]{1,255}/)?[\w-]{16,24}(?![\w-])"
            r"|ecs-svc/(?!0{8}|\d{11}0{8}(?!\d))\d{6,20}"
            rf"|{_L}Z(?=[A-Z]{{0,30}}\d[A-Z]{{0,30}}\d)[A-Z0-9]{{12,20}}(?!\w)"
            r"|(?:(?<=hostedzone/)|(?<=change/)|(?<=delegationset/))[A-Z][A-Z0-9]{7,31}(?!\w)"
            # a pool of Cognito, a request to S3
            rf"|{_L}[a-z]{{2}}(?:-[a-z]{{2,9}}){{1,3}}-\d_(?=[a-z]{{0,8}}[A-Z0-9])[A-Za-z0-9]{{9}}{_R}"
            rf"|{_L}(?i:request[ _-]?id)[\"']?\s?[:=>]\s?[\"']?"
            rf"(?=[A-Z]{{0,15}}\d)[0-9A-Z]{{16}}{_R}"
        ),
    ),
}
LOOKS_FOR = {
    **{rule: looks_for for rule, (looks_for, _) in RULES.items()},
    "address": "an address of the Internet",
}
# A sign that every match of a rule has, and that is found much faster.
SIGNS = {
    rule: re.compile(sign)
    for rule, sign in {
        "private-key": "PRIVATE KEY",
        "jwt": "eyJ",
        "url-password": "://",
        "url-user": "://",
        "access-key": "A[A-Z]{3}[A-Z0-9]{16}",
        "session-token": "IQoJ|FwoG|FQoG",
        "vendor-token": (
            r"gh[oprsu]_|_pat_|glpat|xapp|xox|k_(?:live|test)_|whsec|AIza|GOCSPX|ya29|hvs\.|SG\."
            "|pypi|sk-|NRAK|npm_|hf_|/services/T|/webhooks/"
        ),
        "bearer": r"[rcRC]\s",
        # what follows an option is behind a space or a comma
        "password": (
            r"[=\s,pP](?:(?<==)|(?<=[\w.-]{2}[\s,])|(?<=[\w.-]{2}[\"'][\s,])"
            r"|(?<=[pP])[aA][sS\u017f]{2}[wW])"
        ),
        "secret-key": "[A-Za-z0-9/+]{40}",
        "secret-name": ":secret:",
        "session-name": "assumed-role/|federated-user/",
        "user-name": ":(?:user|(?:sms-)?mfa|u2f)/",
        "account-id": r"\d{12}|\d{4}-\d{4}|\d{3}-\d{3}-\d{3}",
        "e-mail": "@",
        "mac-address": ":[0-9A-Fa-f]{2}:",
        "private-address": r"\d[.-]\d|:[0-9A-Fa-f]{0,4}:",
        "private-host": r"\.(?:internal|local|corp|lan|intranet|arpa)|amazonaws",
        "identifier": (
            "-[0-9a-fA-F]{4}|[0-9a-f]{32}|-(?:deployment|revision)/|/(?:ns|srv)-|ecs-svc/|Z[A-Z0-9]{12}"
            r"|hostedzone/|change/|delegationset/|-\d_[A-Za-z0-9]{9}|[iI][dD][\"']?\s?[:=>]\s?[\"']?[0-9A-Z]{16}"
        ),
    }.items()
}
# The value given for a secret may match another rule, so it is searched separately.
_GIVEN = ("bearer", "password")


def _searches(text: str) -> Iterator[re.Pattern[str]]:
    """The rules that may match in a text, as one search, and those for the values in them."""
    told = [rule for rule in RULES if SIGNS[rule].search(text)]
    for rules in (
        tuple(rule for rule in told if rule not in _GIVEN),
        tuple(rule for rule in told if rule in _GIVEN),
    ):
        if rules:
            yield _any_of(rules)


@functools.lru_cache(maxsize=4096)  # most lines of a cassette are in the next one as well
def found(text: str) -> tuple[tuple[int, str], ...]:
    """The place of each match of a rule in a text, and the rule."""
    places = []
    for search in _searches(text):
        place = 0
        while match := search.search(text, place):
            rule = _rule_of(match)
            if rule is not None:
                places.append((match.start(), rule))
            # A harmless match may contain the start of another one.
            place = match.start() + 1 if rule is None else match.end()
    return tuple(places)


@functools.lru_cache(maxsize=1024)
def _any_of(rules: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(f"(?P<{rule.replace('-', '_')}>{RULES[rule][1]})" for rule in rules))


# Examples in the documentation of botocore's models and in AWS's user guides.
_DOCUMENTED = frozenset(
    "123456789012 111122223333 444455556666 777788889999 111222333444 012345678901 012345678910 "
    "012345678912 123456789011 123456789101 210987654321 "
    "AKIAIOSFODNN7EXAMPLE AKIAI44QH8DHBEXAMPLE wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".split()
)
# Everybody's: those of no host, of this one, of AWS's metadata, for documentation and benchmarks.
# Those of pseudonyms come first.
_NOBODYS: dict[int, list[ipaddress.IPv4Network] | list[ipaddress.IPv6Network]] = {
    4: [
        ipaddress.IPv4Network(network)
        for network in (
            "198.18.0.0/15", "0.0.0.0/32", "127.0.0.0/8", "169.254.169.0/24", "169.254.170.0/24",
            "192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "255.255.255.255/32",
        )
    ],
    6: [ipaddress.IPv6Network(network) for network in ("2001:db8::/32", "::/128", "::1/128")],
}  # fmt: skip
_DOCUMENTED_NAMES = frozenset(
    "user user-name username session session-name role-session-name MySession mysession".split()
)
# Ids in documentation count their digits up.
_DOCUMENTED_ID = re.compile("12345678-?90|1234567890abcdef|abcdef1?234567890|a1b2c3d4-5678-90ab")
# A page of documentation may have a uuid in its address.
_PAGE = re.compile(r"https://(?:learn\.microsoft\.com|docs\.aws\.amazon\.com)/[^\s?#]{0,160}\Z")
_FALSE = re.compile(
    r"ca55e77e|REDACTED|host-\d|user-\d+@example\.com|0{8}\d{4}|\d{11}0{8}(?!\d)|198[.-]1[89][.-]|2001:db8:|ca:55:e7:7e|\*\*|<|X{3}"
)
_PUBLIC_HOST = re.compile(
    r".*ca55e77e.*|(?:.*\.)?[nrt]?(?:ip-198-1[89]-\d+-\d+|host-[0-9a-z]+)\..*"
    r"|\.?[a-z]{2}(?:-[a-z]{1,16}){1,3}-\d\..*|(?:[\w-]+\.)?compute\.internal"
    r"|ec2\.internal|host\.docker\.internal|com\.amazonaws\..*|docker-plugin\.local"
    r"|(?:[a-z_]{1,30}\.)?settings\.local"
)
# The name of an option or a property of words, in which the ending of a private network is a part.
_PROPERTY = re.compile(
    r"-{0,2}(?:[A-Za-z]+\.){1,8}(?:internal|local|localdomain|corp|lan|intranet|consul)"
    r"[.-][A-Za-z]{2,}(?:[.-][A-Za-z]+){0,6}(?![\w@/]|[.-]\w|:\d)"
    r"(?<!\.internal)(?<!\.local)(?<!\.localdomain)(?<!\.corp)(?<!\.lan)(?<!\.intranet)(?<!\.consul)"
)
_OF_EXAMPLE = re.compile(r"(?:\.[\w-]{1,63}){0,4}\.example(?:\.(?:com|org|net))?(?![\w-]|\.\w)")
_HOST_SAID = re.compile(
    r"(?://|@|(?i:hosts?|server|lookup|resolve|connect(?:ion)? to|tcp)[\s:=]{1,3})\Z"
)
EVERYBODYS_HOST = re.compile(
    r".*ca55e77e.*|(?:.*\.)?(?:example(?:\.(?:com|net|org))?|localhost|amazonaws\.com(?:\.cn)?|api\.aws"
    r"|aws\.amazon\.com|public\.ecr\.aws|docker\.(?:io|com)|ghcr\.io|quay\.io|gcr\.io|pkg\.dev|k8s\.io"
    r"|nvcr\.io|cgr\.dev|kubernetes\.io|npmjs\.(?:com|org)|yarnpkg\.com|pypi\.org|pythonhosted\.org|rubygems\.org"
    r"|maven\.org|crates\.io|golang\.org|nodejs\.org|debian\.org|ubuntu\.com"
    r"|elastic\.co|microsoft\.com|git(?:lab|hub)\.com|githubusercontent\.com"
    r"|(?:ec2|compute|docker)\.internal)",
    re.IGNORECASE,
)
_DATED = re.compile(r"20\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?:[01]\d|2[0-3])[0-5]\d")
_TAG_OF = re.compile(r"(?!account|owner|id:)[A-Za-z][\w.-]{0,40}:\Z")
_OF_VERSION = re.compile(r"(?i:version|release)[ :=/]{1,2}v?\Z|(?<![0-9A-Za-z.])[vV]\Z")
_OF_PROGRAM = re.compile(r"(?<![\w./-])[A-Za-z][a-z-]{1,15}(?:/|==)v?\Z")
_OF_BUILD = re.compile(
    r"(?<![0-9A-Za-z])(?i:build|nightly|release|rev(?:ision)?|snapshot|tag|version|commit|git|head|ref"
    r"|sha-?1?)(?: (?:id|number))?[ #:=/@_-]{1,3}[\"'`(]?\Z"
)
_IMAGE = re.compile(r"\bimage[\"']?:\s?[\"']?[\w./-]{1,200}:\Z")
_LONGEST_ID = 256  # a longer word is not an id
_WORD_BEFORE, _WORD_AFTER = re.compile(r"[^\W_]{1,256}\Z"), re.compile(r"[^\W_]{1,256}")
_OF_ID = re.compile(r"[0-9a-fA-F]+|.*ca55e77e.*")


def _rule_of(match: re.Match[str]) -> str | None:
    """The rule that a match breaks; None if it is a documented example or a false match."""
    rule, found = str(match.lastgroup).replace("_", "-"), match[0]
    if found in _DOCUMENTED:
        return None
    check = _CHECKS.get(rule)
    return check(match) if check else rule


def _secret_key(match: re.Match[str]) -> str | None:
    found = match[0]
    if re.search(r"(?:^|/)[0-9a-f]{16,}(?:/|$)", found):  # a path that ends in an id
        return None
    mixed = re.search("[a-z]", found) and re.search("[A-Z]", found) and re.search(r"\d", found)
    kinds = [c.isdigit() + 2 * c.isupper() for c in found if c.isalnum()]
    changes = sum(a != b for a, b in pairwise(kinds))
    return "secret-key" if mixed and changes >= len(kinds) / 3 else None


def _account(match: re.Match[str]) -> str | None:
    """Whether it is an account: not part of an id, an image's tag, or one digit twelve times."""
    if len(set(match[0])) == 1:
        return None
    if match[0].count("-") == 3 and all(group[-1] == "0" for group in match[0].split("-")):
        return None
    text = match.string
    start, end = match.span()
    if _IMAGE.search(text, max(0, start - 300), start):
        return None
    before = text[max(0, start - 64) : start]
    if _DATED.fullmatch(match[0]) and (_TAG_OF.search(before) or _OF_BUILD.search(before)):
        return None
    head = _WORD_BEFORE.search(text, max(0, start - _LONGEST_ID), start)
    tail = _WORD_AFTER.match(text, end, end + _LONGEST_ID)
    word = f"{head[0] if head else ''}{match[0]}{tail[0] if tail else ''}"
    return None if word != match[0] and _OF_ID.fullmatch(word) else "account-id"


def _address(match: re.Match[str]) -> str | None:
    found = match[0]
    if _OF_VERSION.search(match.string, max(0, match.start() - 16), match.start()):
        return None
    if found[0] in "ie":  # ip-10-0-0-1
        found = found.partition("-")[2].replace("-", ".")
    try:
        address = ipaddress.ip_address(found)
    except ValueError:
        return None
    if not address.is_private and _says_version(match):
        return None
    inner = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    if any((inner or address) in network for network in _NOBODYS[(inner or address).version]):
        return None
    return "private-address" if (inner or address).is_private else "address"


def _says_version(match: re.Match[str]) -> bool:
    """Whether four numbers are a program's version or an image's tag."""
    before = match.string[max(0, match.start() - 300) : match.start()]
    if _OF_PROGRAM.search(before[-24:]):
        return not match.string.startswith(":", match.end())
    return _IMAGE.search(before.removesuffix("v")) is not None


def _mac(match: re.Match[str]) -> str | None:
    digits = match[0].lower().replace(":", "")
    return None if digits.startswith("ca55e77e") or len(set(digits)) == 1 else "mac-address"


def _host(match: re.Match[str]) -> str | None:
    before = match.string[max(0, match.start() - 24) : match.start()]
    if _PROPERTY.match(match.string, match.start()) and not _HOST_SAID.search(before):
        return None
    if _OF_EXAMPLE.match(match.string, match.end()):  # corp.example.com is nobody's
        return None
    return None if _PUBLIC_HOST.fullmatch(match[0].lower()) else "private-host"


def _named(match: re.Match[str]) -> str | None:
    """The name of a user; for a path, its last part."""
    rule = str(match.lastgroup).replace("_", "-")
    name = match[0].rpartition("/")[2]
    return None if _FALSE.search(name) or name in _DOCUMENTED_NAMES else rule


def _identifier(match: re.Match[str]) -> str | None:
    found = match[0].lower()
    if "/" in found:
        return None if _FALSE.search(found) or _DOCUMENTED_ID.search(found) else "identifier"
    word = match.string[max(0, match.start() - 200) : match.start()]
    if _PAGE.search(word):
        return None
    digits = found.rpartition("-")[2] if len(found) < 32 else found
    no_id = "ca55e77e" in found or _DOCUMENTED_ID.search(found) or digits.isalpha()
    return None if no_id or len(set(digits) - {"-"}) < 4 else "identifier"


_CHECKS: dict[str, Callable[[re.Match[str]], str | None]] = {
    "secret-key": _secret_key,
    "account-id": _account,
    "private-address": _address,
    "mac-address": _mac,
    "private-host": _host,
    "session-name": _named,
    "user-name": _named,
    "identifier": _identifier,
}
