"""Replaces each token that the search found, rule by rule."""

from __future__ import annotations

import hashlib
import ipaddress
import re
from typing import TYPE_CHECKING

from cassette.scrub import encodings, hosts, secret_words, vocabulary
from cassette.scrub.pseudonyms import (
    MARK,
    REDACTED,
    Memory,
    has_pseudonym,
    is_masked,
    is_numbered,
    is_pseudonym,
    pseudonym_of_id,
    pseudonym_of_number,
    pseudonym_of_opaque,
    set_apart,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from cassette.scrub.searching import Search

_PADDING = re.compile(r"(?<!\d)0{1,2}(?=\d)")
# The tag of an image, such as web:202611231158.
_DATE = re.compile(
    r"20\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?:[01]\d|2[0-3])[0-5]\d", re.ASCII
)
_IMAGE_BEFORE = re.compile(r"(?!account|owner|id:)[A-Za-z][\w.-]{0,40}:\Z")
_VERSION_BEFORE = re.compile(
    r"(?:version|release)[ :=/]{1,2}v?\Z|(?<![0-9A-Za-z.])v\Z", re.IGNORECASE
)
# A program's version, such as nginx/1.25.3.1; redis/10.0.0.5:6379 is an address.
_PROGRAM_BEFORE = re.compile(
    r"(?<![\w./-])(?:amazon-ecs-agent|apache|chrome|chromium|containerd|curl|docker|dotnet|envoy|firefox"
    r"|go|haproxy|httpd|iis|java|jdk|jetty|linux|mariadb|mysql|nginx|node|openresty|openssl|php|postgres"
    r"|postgresql|python|redis|ruby|safari|tomcat|traefik|wget)(?:/|==)v?\Z",
    re.IGNORECASE,
)
# The date of a build or the SHA of a commit: build 202611291530, commit 1b2c….
_BUILD_BEFORE = re.compile(
    r"(?<![0-9A-Za-z])(?:build|commit|git|head|nightly|ref|release|rev|revision|sha|sha-?1|snapshot|tag"
    r"|version)(?: (?:id|number))?[ #:=/@_-]{1,3}[\"'`(]?\Z",
    re.IGNORECASE,
)
_SHA = re.compile("[0-9a-f]{40}")
_ARN_BEFORE = re.compile(r"(?<![0-9A-Za-z])arn:[^\s\"'<>,]{1,512}/[\w.-]{0,64}\Z")
# What ends the name of a service, such as password-reset.
_OF_SERVICE = re.compile(
    r"-(?:api|cache|checker|exchange|init|lambda|page|reset|rotator|sender|service|svc|sync|worker)\Z"
)
_COLUMN = re.compile(  # of SQL, such as u.id in `o.user_id = u.id`
    r"[a-z]\w{0,30}\.(?:[a-z]{1,20}_){0,2}(?:id|uid|uuid|pk|key|name|user|username|email|login)",
    re.IGNORECASE,
)
_BEGINS_OPTION = re.compile(r"(?:\A|\s)/\Z")  # of Windows: /password:…
_VERSION = re.compile(r"v?\d{1,4}(?:\.\d{1,4}){1,3}")
TELLING_USER = re.compile(r"[\d.+=,@-]")
_HIGHEST_PORT = 65_535
# Programs whose -p, -a, -w, -k and -t take no secret.
_OTHER_FLAGS = re.compile(
    r"(?<![\w-])(?:mkdir|cp|install|ps|ls|du|touch|tar|git|rsync|grep|tee|netstat|ss|lsof|tmux|top|kill"
    r"|docker|podman|buildah|build|nginx|ssh|mount|sort|column|test|unzip|uname|tail|wc|xargs|unshare"
    r"|set|option|flag|read|declare|nohup|date|env|python[\d.]{0,4}|gunicorn)(?![\w-])"
)
_REFUSED = re.compile(r"[45]\d\d [A-Z]")  # token: 401 Unauthorized
_PYTHON_BEFORE = re.compile(r"python[\d.]{0,4} \Z")
# Texts about a secret that do not reveal it.
_HARMLESS = re.compile(
    r"\$(?:\{\w{1,64}|[a-z_]{1,64}|(?-i:[A-Z0-9_]{1,64}))(?::?(?:\?[a-z ]{0,64}|[=+-]))?\}?"
    r"|\{\{[^{}]{1,64}\}\}|%\w{1,64}%|`[^`]{0,64}`"
    r"|i/o|yes|no|true|false|none|null|nil"
    r"|required|optional|missing|empty|invalid|expired|denied|disabled|enabled|undefined"
    r"|\[REDACTED",
    re.IGNORECASE,
)
_UNIT_AFTER = re.compile(
    r"\s?(?:[kKMGT]i?B?\b|bytes?|[nmu\u00b5]?s\b|ops|items|lines|records|rows|rec|times|tokens|%)"
)
_OWNER_BEFORE = re.compile(r"(?:account|owner|registry|aws)[^0-9]{0,16}\Z", re.IGNORECASE)
_SIZE = re.compile(r"(?:\d{0,2}(?:00|24|48|96|92|84|68|36|12|56)|(?:19|20)\d\d)")
_OF_SQL = re.compile(r"(?:alter|create) (?:user|role) |grant .{1,64} to ", re.IGNORECASE)
_LISTENS = re.compile(r"[a-z]{2,20}=:\d{1,5}")  # -addr=:8080
_SURELY_SECRET = re.compile(rf"pass|pwd|key|{secret_words.ANY}", re.IGNORECASE)
# The group of a rule that holds nothing but the secret.
_VALUES = ("crumb", "literal", "inner", "coded", "spoken")

_SAME_FOR_ALL = [
    ipaddress.ip_network(network)
    for network in (
        "0.0.0.0/32", "127.0.0.0/8", "255.255.255.255/32", "192.0.2.0/24", "198.51.100.0/24",
        "203.0.113.0/24", "198.18.0.0/15", "169.254.169.0/24", "169.254.170.0/24",
        "::/128", "::1/128", "2001:db8::/32",
    )
]  # fmt: skip


class TokenTreatments:
    """One method for each rule of `tokens.RULES`.

    Args:
        search: the search that found the token; it searches the token's parts.
        memory: the originals and their pseudonyms.
    """

    def __init__(self, search: Search, memory: Memory) -> None:
        self._search = search
        self._memory = memory

    def replaced(self, rule: str, match: re.Match[str]) -> str | None:
        """The replacement of a token; None if it is a false match."""
        return _METHODS[rule](self, match)

    def _credential(self, match: re.Match[str]) -> str:
        return self._memory.keep("credential", match[0], REDACTED)

    def _login(self, match: re.Match[str]) -> str:
        user, colon, password = match[0][:-1].partition(":")
        if not colon:
            # A plain word may mean anything elsewhere, so it is replaced only here.
            if TELLING_USER.search(user) and self._search.search(user) == user:
                self._search.remember("credential", user, REDACTED)
            return f"{REDACTED}@"
        for given in (password, encodings.percent_decoded(password)):
            if not is_masked(given) and not self._search.is_token(given):
                self._search.remember("credential", given, REDACTED)
        return f"{REDACTED}:{REDACTED}@"

    def _assignment(self, match: re.Match[str]) -> str | None:
        key, sign, given = match["key"], match["sign"], match["given"]
        if given.isdigit() and key.lower() == "tokens":  # of a language model
            return None
        if ":" in sign and _OF_SERVICE.search(key) and vocabulary.is_plain(given):
            return None
        prose = (
            given.isalpha()
            and ":" in sign
            and (not re.search("[a-z][A-Z]", given) or given.endswith(("Exception", "Error")))
            and not _SURELY_SECRET.search(key)
            and not _begins_a_line(match)
        )
        if ":" in sign and (
            hosts.of_aws(key) or _REFUSED.match(match.string, match.start("given"))
        ):
            return None  # secretsmanager.eu-west-1.amazonaws.com: …
        before = match.string[: match.start()]
        # Of an ARN or a path, and a tag of an image.
        if sign == ":" and (
            (before.endswith((":", "/")) and not _BEGINS_OPTION.search(before))
            or _VERSION.fullmatch(given)
            or (_ARN_BEFORE.search(before[-512:]) and vocabulary.is_plain(given.strip(":")))
        ):
            return None
        return None if prose else key + sign + match["mark_of_string"] + self._value(given, key)

    def _flag(self, match: re.Match[str]) -> str | None:
        if match["argument"] in vocabulary.SAID_OF_OPTIONS:
            return None
        return match["option"] + self._value(match["argument"], match["option"])

    def _setting(self, match: re.Match[str]) -> str | None:
        given = match["set"]
        plain = vocabulary.is_plain(given.strip("\"'")) or has_pseudonym(given)
        return None if plain else match["named"] + self._value(given, "password")

    def _short_flag(self, match: re.Match[str]) -> str | None:
        """Separate from its value, a flag may have an address, a path or a number."""
        short, given = match["short"], match["passed"]
        passed = given.strip("\"'")
        parted = short[-1] in "=: \t\n"
        # A long option with one dash, such as -password=, has rules of its own.
        named = passed[-1] in "=:" and passed[:-1].isalpha()
        if not parted and (named or vocabulary.is_plain(match[0].strip("-"))):
            return None
        if not parted and _LISTENS.fullmatch(passed):
            return None
        if (
            "://" in passed
            or REDACTED in passed
            or has_pseudonym(passed)
            or (parted and "/" in passed)
        ):
            return None
        if short[1] == "u" and _PYTHON_BEFORE.search(match.string[: match.start()][-16:]):
            return None
        if passed.isdigit():
            harmless = parted and int(passed) <= (_HIGHEST_PORT if short[1] in "pPuU" else 999)
        else:
            harmless = vocabulary.is_plain(passed) and not self._is_password(match)
        if harmless:
            return None
        if short[1] in "uU":
            return f"{short}{REDACTED}"
        return short + self._value(given, "password")

    @staticmethod
    def _is_password(match: re.Match[str]) -> bool:
        """Whether a plain word after a flag is a password, the flag's only use."""
        before = match.string[max(0, match.start() - 64) : match.start()]
        told = match["short"][1] not in "uU" and match["short"][-1] in "= \t\n"
        passed = match["passed"].strip("\"'")
        # Alone at the beginning or in a sentence, the flag may be what the sentence is about.
        program = re.search(r"[\w./-]{1,40}(?= )", before)
        return (
            told
            and program is not None
            and passed.isalpha()
            and passed.lower() not in vocabulary.METAVARIABLES
            and _OTHER_FLAGS.search(before) is None
        )

    def _user_flag(self, match: re.Match[str]) -> str:
        return match["asks"] + REDACTED + ":" + self._value(match["pass"], "password")

    def _value(self, given: str, key: str) -> str:
        quote = given[0] if given[0] in "\"'" else ""
        bare = given[1:-1] if quote and given[-1] == quote else given.strip("\"'")
        escape = "" if quote else bare[len(bare.rstrip("\\")) :]  # of the quote after the value
        bare = bare.removesuffix(escape) if escape else bare
        hidden = is_masked(bare) or is_numbered(bare)
        if hidden or _HARMLESS.fullmatch(bare) or not re.search(r"\w|..", bare):
            return given
        # Elsewhere an ordinary word is not a credential, unless it was somebody's password.
        telling = not bare.isalpha() or re.search("pass|pwd|secret", key, re.IGNORECASE)
        if (
            (len(bare) >= 8 or (len(bare) >= 6 and not vocabulary.is_plain(bare)))
            and telling
            and not self._search.is_token(bare)
            and not has_pseudonym(bare)
        ):
            self._search.remember("credential", bare, REDACTED)
        return f"{quote}{REDACTED}{quote}{escape}"

    def _given(self, match: re.Match[str]) -> str:
        """A value in its group; the text around it is kept."""
        group = next(g for g in _VALUES if g in match.groupdict() and match[g] is not None)
        start, end = match.span(group)
        before, after = match.string[match.start() : start], match.string[end : match.end()]
        return before + self._value(match[group], "password") + after

    def _identified(self, match: re.Match[str]) -> str | None:
        """A bare password of SQL; in a sentence anything may be identified by a plain word."""
        before = match.string[max(0, match.start() - 96) : match.start()]
        if vocabulary.is_plain(match["mark"]) and not _OF_SQL.search(before):
            return None
        return match["by"] + self._value(match["mark"], "password")

    def _netrc(self, match: re.Match[str]) -> str:
        """An entry of .netrc, or a command of Windows: its user is one, whatever the name."""
        entry = match["entry"].rstrip()
        space = match["entry"][len(entry) :]
        return self._search.search(entry) + space + self._value(match["word"], "password")

    def _pgpass(self, match: re.Match[str]) -> str:
        """A line of .pgpass: its host is one, whatever its name."""
        host, _, rest = match["fields"].partition(":")
        if "." in host:
            host = self._search.search(f"//{host}").removeprefix("//")
        return f"{host}:{rest}{self._value(match['last'], 'password')}"

    def _header(self, match: re.Match[str]) -> str:
        line = match["line"].strip()
        if is_masked(line) or _HARMLESS.fullmatch(line):
            return match[0]
        self._memory.keep("credential", line, REDACTED)
        return match["heading"] + match["colon"] + REDACTED

    def _block(self, match: re.Match[str]) -> str | None:
        lines = match["lines"].strip()
        if is_masked(lines):
            return match[0]
        for line in lines.split("\n"):
            self._search.look_for(line.strip(), REDACTED)
        end = "\n" if match[0].endswith("\n") else ""
        return f"{match['blockkey']}  {REDACTED}{end}"

    def _dsn(self, match: re.Match[str]) -> str | None:
        user, sign, password = re.split("([:/])", match[0][:-1], maxsplit=1)
        if (
            match["bare"]
            and (
                vocabulary.is_plain(password)  # a version, such as react:18.2.0@latest
                or has_pseudonym(password)
                or is_pseudonym(f"{password}@{match.string[match.end() : match.end() + 11]}")
            )
        ):
            return None
        if user == REDACTED and is_masked(password):
            return match[0]
        return f"{REDACTED}{sign}{self._value(password, 'password')}@"

    def _named_user(self, match: re.Match[str]) -> str:
        quoted = match["quoted"]
        if _HARMLESS.fullmatch(quoted[1:-1]):
            return match[0]
        return match["who"] + quoted[0] + self._search.user(quoted[1:-1]) + quoted[-1]

    def _bare_user(self, match: re.Match[str]) -> str | None:
        """A user after `=`, or one that is not plain, in a sentence."""
        user = match["account_name"]
        may_be_plain = "=" not in match["role"]
        if (
            user.lower() in vocabulary.ACCOUNTS
            or _COLUMN.fullmatch(user)
            or _HARMLESS.fullmatch(user)
            or (may_be_plain and vocabulary.is_plain(user) and "." not in user)
            or has_pseudonym(user)
            or is_masked(user)
        ):
            return None
        return match["role"] + self._search.user(user)

    def _home(self, match: re.Match[str]) -> str | None:
        owner = match["owner"]
        if owner.lower() in vocabulary.ACCOUNTS or has_pseudonym(owner) or is_masked(owner):
            return None
        return self._search.user(owner)

    def _person(self, match: re.Match[str]) -> str | None:
        person = match["whom"] or match["directory"] or match["logged"]
        known = person.lower() in vocabulary.ACCOUNTS or hosts.may_be_file(person)
        if known or vocabulary.is_plain(person) or has_pseudonym(person):
            return None
        return match[0].removesuffix(person) + self._search.user(person)

    def _unique_id(self, match: re.Match[str]) -> str:
        return self._search.remember("user", match[0], self._memory.numbered("user", match[0]))

    def _organization(self, match: re.Match[str]) -> str | None:
        *path, found = match[0].rpartition("/")  # of a root, the organization is before it
        prefix, _, own = found.partition("-")
        if has_pseudonym(own):
            return None
        false = f"{prefix}-{self._memory.numbered('short id', found)}"
        return self._search.name(path[0]) + path[1] + false

    def _secret_arn(self, match: re.Match[str]) -> str:
        head, _, rest = match[0].partition(":secret:")
        name, colon, key = rest.partition(":")
        false = self._search.search(name)
        if re.search(r"-[A-Za-z0-9]{6}$", name) and not re.search(r"-ca55[0-9a-f]{2}$", name):
            tail = pseudonym_of_opaque(name, 10)[-2:]
            false = self._search.search(name[:-7]) + "-ca55" + tail
            self._search.remember("secret name", name, false)
        owner = self._search.search(head + ":").removesuffix(":")
        return f"{owner}:secret:{false}{colon}{self._search.search(key)}"

    def _arn(self, match: re.Match[str]) -> str:
        head, _, account = match[0].rpartition(":")
        return f"{head}:{self._search.account(account)}"

    def _session(self, match: re.Match[str]) -> str:
        kind, *role, session = match[0].split("/")
        return "/".join([kind, *map(self._search.name, role), self._search.user(session)])

    def _iam_user(self, match: re.Match[str]) -> str:
        kind, _, user = match[0].partition("/")
        return f"{kind}/{self._search.user(user)}"

    def _revision(self, match: re.Match[str]) -> str:
        names, _, own = match[0].rpartition("/")
        kind, _, names = names.partition("/")
        names = "/".join(map(self._search.name, names.split("/")))
        if own.isdigit():
            return f"{kind}/{names}/{self._number(own)}"
        return f"{kind}/{names}/{self._memory.keep('id', own, pseudonym_of_opaque(own, len(own)))}"

    def _deployment(self, match: re.Match[str]) -> str:
        return f"ecs-svc/{self._number(match[0].removeprefix('ecs-svc/'))}"

    def _number(self, number: str) -> str:
        """The pseudonym of the number of a deployment or a revision, in every place."""
        return self._search.remember("id", number, pseudonym_of_number(number))

    def _discovery_id(self, match: re.Match[str]) -> str:
        prefix, _, own = match[0].partition("-")
        return self._memory.keep("id", match[0], f"{prefix}-{pseudonym_of_opaque(own, 16)}")

    def _zone_id(self, match: re.Match[str]) -> str:
        own = match[0][1:]
        return self._memory.keep("id", match[0], match[0][0] + pseudonym_of_opaque(own, len(own)))

    def _request_id(self, match: re.Match[str]) -> str:
        own = match["request"]
        return match["asked"] + self._search.remember("id", own, pseudonym_of_opaque(own, len(own)))

    def _pool_id(self, match: re.Match[str]) -> str:
        region, _, _ = match[0].partition("_")
        return f"{region}_{self._memory.numbered('short id', match[0])}"

    def _email(self, match: re.Match[str]) -> str:
        user, _, host = match[0].rpartition("@")
        # Only the form of an encoded URL with a password is left.
        if is_pseudonym(match[0]) or (user == REDACTED and has_pseudonym(host)):
            return match[0]
        return self._memory.numbered("e-mail address", match[0])

    def _ec2_name(self, match: re.Match[str]) -> str | None:
        kind, _, dashes = match[0].partition("-")
        address = self._address(dashes.replace("-", "."))
        return address and f"{kind}-{address.replace('.', '-')}"

    def _short_id(self, match: re.Match[str]) -> str | None:
        prefix, _, digits = match[0].rpartition("-")
        if digits.isalpha():  # an English word, such as `a-facade`
            return None
        if digits.lower() == MARK:
            return match[0]
        return f"{prefix}-{self._memory.numbered('short id', match[0])}"

    def _id(self, match: re.Match[str]) -> str:
        original = match[0]
        if original.isdigit() and len(original) < 32:  # a time, or of nothing that is known
            return original
        before = match.string[max(0, match.start() - 32) : match.start()]
        if _SHA.fullmatch(original) and _BUILD_BEFORE.search(before):
            return original
        if original[32:33] == "-":  # of a container on Fargate: the id of its task, and a number
            task, _, own = original.partition("-")
            false = pseudonym_of_id(task)
            if false != task:  # the digits of what is false are false already
                digits = str(int(hashlib.sha256(original.encode()).hexdigest(), 16))[-len(own) :]
                return self._memory.keep("id", original, f"{false}-{digits}")
            return original
        return self._memory.keep("id", original, pseudonym_of_id(original))

    def _mac(self, match: re.Match[str]) -> str:
        digits = re.sub(r"\W", "", match[0].lower())
        if digits.startswith(MARK):
            return match[0]
        mac = ":".join(digits[place : place + 2] for place in range(0, 12, 2))
        false = self._memory.numbered("MAC address", mac)
        if "." in match[0]:
            return re.sub(r"(..):(..):(..):(..):", r"\1\2.\3\4.", false).replace(":", "")
        return false if ":" in match[0] else false.replace(":", "-")

    def _ipv6(self, match: re.Match[str]) -> str | None:
        if re.fullmatch(r"\d{4}:\d{4}:\d{4}", match[0]):  # an account, separated by colons
            return self._account(match)
        head, _, tail = match[0].rpartition(":")
        if "." in tail:  # an IPv4 address inside
            inner = self._address(tail)
            return inner and f"{head}:{inner}"
        return self._address(match[0])

    def _ipv4(self, match: re.Match[str]) -> str | None:
        before = match.string[max(0, match.start() - 32) : match.start()]
        if _VERSION_BEFORE.search(before):
            return match[0]
        if _PROGRAM_BEFORE.search(before) and not match.string.startswith(":", match.end()):
            private = re.match(r"10\.|127\.|172\.|192\.", match[0])
            return self._address(match[0]) if private else match[0]
        return self._address(match[0])

    def _address(self, text: str) -> str | None:
        try:
            # Octets may be padded with zeros.
            address = ipaddress.ip_address(_PADDING.sub("", text) if "." in text else text)
        except ValueError:
            return None
        if any(address in network for network in _SAME_FOR_ALL):
            return text
        kind = f"IPv{address.version} address"
        return self._memory.numbered(kind, str(address))

    def _account(self, match: re.Match[str]) -> str | None:
        before = match.string[max(0, match.start() - 64) : match.start()]
        dated = _DATE.fullmatch(match[0]) and (
            _IMAGE_BEFORE.search(before) or _BUILD_BEFORE.search(before)
        )
        if dated and not self._search.is_account(match[0]):
            return match[0]
        digits = "".join(filter(str.isdigit, match[0]))
        if digits == match[0]:
            return self._search.account(digits)
        groups = re.findall(r"\d+", match[0])
        if len(groups) == 3 and all(map(_SIZE.fullmatch, groups)):
            return None
        if ", " in match[0] and not _OWNER_BEFORE.search(before):
            return None
        if len(groups) == 4 and self._is_count(match):
            return None
        return set_apart(self._search.account(digits), match[0])

    def _is_count(self, match: re.Match[str]) -> bool:
        """Whether digits in groups of three are a large number, as people write it."""
        between, digits = match[0][3], re.sub(r"\D", "", match[0])
        if digits.startswith("00000000") or self._search.is_account(digits):
            return False
        before = match.string[max(0, match.start() - 24) : match.start()]
        after = match.string[match.end() : match.end() + 16]
        if all(group.endswith("0") for group in match[0].split(between)):
            return not _OWNER_BEFORE.search(before)
        return (
            between not in "-/:#"
            and (between == "," or _UNIT_AFTER.match(after) is not None)
            and not _OWNER_BEFORE.search(before)
        )

    def _judged(self, match: re.Match[str]) -> str | None:
        """A quoted secret that the text calls wrong; a key may be the name of a setting."""
        of_setting = match["subject"].lower().startswith("key")
        if of_setting and vocabulary.is_plain(match["object"].strip("\"'`")):
            return None
        return match["subject"] + self._value(match["object"], "password")

    def _surely_host(self, match: re.Match[str]) -> str:
        return self._search.host(match[0])

    def _host(self, match: re.Match[str]) -> str | None:
        text = match.string
        before = text[max(0, match.start() - 40) : match.start()]
        after = text[match.end() : match.end() + 8]
        if match[0].startswith("com.amazonaws."):
            return None
        return self._search.host(match[0]) if hosts.is_host(match[0], before, after) else None


_METHODS: dict[str, Callable[[TokenTreatments, re.Match[str]], str | None]] = {
    **dict.fromkeys(
        ("private_key", "jwt", "access_key", "vendor_token", "bearer"),
        TokenTreatments._credential,
    ),
    "login": TokenTreatments._login,
    "secret_arn": TokenTreatments._secret_arn,
    "arn": TokenTreatments._arn,
    "session": TokenTreatments._session,
    "iam_user": TokenTreatments._iam_user,
    "revision": TokenTreatments._revision,
    "deployment": TokenTreatments._deployment,
    "assignment": TokenTreatments._assignment,
    "dsn": TokenTreatments._dsn,
    "unique_id": TokenTreatments._unique_id,
    "identified": TokenTreatments._identified,
    "pgpass": TokenTreatments._pgpass,
    "netrc": TokenTreatments._netrc,
    "judged": TokenTreatments._judged,
    "person": TokenTreatments._person,
    "named_user": TokenTreatments._named_user,
    "bare_user": TokenTreatments._bare_user,
    "home": TokenTreatments._home,
    "organization": TokenTreatments._organization,
    "header": TokenTreatments._header,
    "block": TokenTreatments._block,
    **dict.fromkeys(
        ("session_cookie", "sql", "element", "code", "said"),
        TokenTreatments._given,
    ),
    "flag": TokenTreatments._flag,
    "setting": TokenTreatments._setting,
    "short_flag": TokenTreatments._short_flag,
    "user_flag": TokenTreatments._user_flag,
    "email": TokenTreatments._email,
    "ec2_name": TokenTreatments._ec2_name,
    "discovery_id": TokenTreatments._discovery_id,
    "zone_id": TokenTreatments._zone_id,
    "request_id": TokenTreatments._request_id,
    "pool_id": TokenTreatments._pool_id,
    "short_id": TokenTreatments._short_id,
    **dict.fromkeys(("aws_id", "uuid", "hex"), TokenTreatments._id),
    "mac": TokenTreatments._mac,
    "ipv6": TokenTreatments._ipv6,
    "ipv4": TokenTreatments._ipv4,
    "account": TokenTreatments._account,
    **dict.fromkeys(("host1", "reverse_name"), TokenTreatments._surely_host),
    **dict.fromkeys(("host2", "private_host"), TokenTreatments._host),
}


def _begins_a_line(match: re.Match[str]) -> bool:
    """Whether a match is the first word in its line, in a text of several lines."""
    line = match.string[: match.start()].rpartition("\n")[2]
    return "\n" in match.string and not line.strip(" \t-\"'")
