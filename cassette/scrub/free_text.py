"""The search of every string, token by token, for what identifies or is secret.

A token is bounded by what is neither a letter nor a digit, so that a short id never eats a
status code. Which characters a token has, and what stands beside it, decides what it is. What
is encoded is searched as whoever decodes it would read it (see `encodings`).

What comes out of a search is a text in which the same search finds nothing.
"""

from __future__ import annotations

import ipaddress
import re
from itertools import groupby, pairwise
from typing import TYPE_CHECKING

from cassette.scrub import encodings
from cassette.scrub.pseudonyms import (
    MARK,
    REDACTED,
    Memory,
    has_pseudonym,
    is_masked,
    is_pseudonym,
    pseudonym_of_id,
    pseudonym_of_opaque,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cassette.scrub.rules import Rules

# Shorter originals are no identifiers; searching for them would eat ordinary words.
SHORTEST_ORIGINAL = 6

_TELLING_WORD = (
    r"(?:password|passwd|passphrase|pwd|secret|api[_-]?key|access[_-]?key|private[_-]?key"
    r"|(?<!max)(?<!max[_-])token(?!iz|[_-]ttl)|auth(?!or(?!iz))|credentials?|signature"
    r"|session[_-]?key|license[_-]?key|cookie|(?<![a-z])pass(?![a-z]))"
)
SECRET_NAME = re.compile(
    rf"{_TELLING_WORD}|(?:^|[_-])(?:key|pass|dsn|cred|salt|pin)s?$", re.IGNORECASE
)

_L, _R = r"(?<![0-9A-Za-z])", r"(?![0-9A-Za-z])"  # the bounds of a token
_LX, _RX = r"(?<![0-9a-f])", r"(?![0-9a-f])"  # of what has a form of its own, in a longer word too
_DOT = r"(?:\s*\n\s*)?\.(?:\s*\n\s*)?"  # at which lines may be broken

# One alternation: where several fit at one place, the first one wins. A group's digits only
# keep its name apart.
_RULES: dict[str, str] = {
    "private_key": (
        r"-----BEGIN [A-Z ]*PRIVATE KEY[A-Z ]*-----[\s\S]*?(?:-----END [A-Z ]+-----|\Z)"
    ),
    # In a longer word only where it begins as the header of one does: alg, typ, kid, cty.
    "jwt": (
        rf"(?-i:{_L}eyJ|eyJ(?=hbGci|0eXAi|raWQi|jdHki))"
        rf"[A-Za-z0-9_-]{{8,}}{_DOT}[A-Za-z0-9_-]{{4,}}(?:{_DOT}[A-Za-z0-9_-]*){{0,3}}"
    ),
    "login": rf"{_L}(?<=://)(?:[^\s/:?#\"']*:(?!\d{{1,5}}[/?#])[^\s\"'<>]*|[^\s/:?#\"'<>]+)@",
    "access_key": (
        r"(?:(?-i:(?:AKIA|ASIA)[A-Z0-9]{16})"
        rf"|{_L}(?:AKIA|ASIA|ABIA|ACCA|AGPA|AIDA|AIPA|ANPA|ANVA|APKA|AROA|ASCA)[A-Z0-9]{{16}}{_R})"
    ),
    "vendor_token": (
        rf"{_L}(?-i:(?:gh[pousr]_|github_pat_|glpat-|xapp-|xox[abeoprs]-|AIza|GOCSPX-|ya29\."
        r"|IQoJ|FwoG|FQoG|hvs\.|dckr_pat_|SG\.|pypi-AgEI|sk-(?:ant|proj)-|NRAK-)"
        r"[A-Za-z0-9_./+=-]{12,}|(?:[rs]k_(?:live|test)_|whsec_)[A-Za-z0-9]{16,}"
        r"|(?:npm_|hf_|sk-)[A-Za-z0-9]{30,}"
        # The address of a webhook, of Slack's and of Discord's, is all that it takes to use it.
        r"|(?<=/services/)T[0-9A-Z]{6,}/B[0-9A-Z]{6,}/\w{16,}|(?<=/webhooks/)\d{17,20}/[\w-]{24,})"
    ),
    "secret_arn": (
        rf"{_L}arn:aws[a-z-]*:secretsmanager:[^:\s]*:[^:\s]*:secret:[\w/+=.@-]+(?::[\w-]*){{0,4}}"
    ),
    "arn": rf"{_L}arn:[^:\s/]+:[^:\s/]*:[^:\s/]*:\d{{4,12}}(?=:)",
    # No name has a colon, but an address has.
    "session": rf"{_L}(?:assumed-role/[^/\s]+|federated-user)/[\w+=,.@:-]*\w",
    "iam_user": rf"{_L}(?<=:)user/[\w+=,.@:/-]*\w",
    "revision": (
        rf"{_L}(?:service|daemon)-(?:deployment|revision)/[^\s/]+/(?:[^\s/]+/)?[\w-]{{16,24}}{_R}"
    ),
    "bearer": rf"{_L}(?:bearer|basic)\s+(?=[A-Za-z._~+/=-]*\d)[A-Za-z0-9._~+/=-]{{8,}}",
    "assignment": (
        # The sign is looked for first, since it is rarer than a long word to search.
        rf"{_L}(?=[\w.-]{{1,99}}[\"']?(?:\s?:?=|\s?:\s|:[\"']))"
        rf"(?P<key>[\w.-]{{0,40}}?{_TELLING_WORD}[\w.-]{{0,40}})"
        r"(?P<sign>[\"']?(?:\s?:?=[ \t]?|\s?:\s|:(?=[\"'])))"
        r"(?P<given>(?:(?:bearer|basic|token)\s+)?(?:\"[^\"]+\"|'[^']+'|[^\s\"'&,;)\]}]{3,}))"
    ),
    "flag": (
        rf"{_L}(?<!\w)(?P<option>--?[\w-]{{0,40}}?{_TELLING_WORD}[\w-]{{0,40}}\s+)"
        r"(?P<argument>\"[^\"]+\"|'[^']+'|[^\s\"'-][^\s\"']*)"
    ),
    "user_flag": (
        rf"{_L}(?<!\w)(?P<asks>(?:-u|--(?:proxy-)?user)[\s=]+[\"']?)"
        r"(?!\d+:\d+(?!\S))[^\s:\"']+:(?P<pass>[^\s\"']+)"
    ),
    "email": rf"{_L}(?<![\w.])[\w.%+'-]{{0,99}}\w@(?:[\w-]+\.)+[a-z][\w-]*",
    "ec2_name": rf"{_L}(?:ip|ec2)-\d{{1,3}}-\d{{1,3}}-\d{{1,3}}-\d{{1,3}}{_R}",
    "discovery_id": rf"{_L}(?:(?<=:namespace/)ns|(?<=:service/)srv)-[a-z0-9]{{16}}{_R}",
    "short_id": rf"{_L}[a-z]{{1,16}}-[0-9a-f]{{8}}(?![0-9a-f-])",
    "aws_id": rf"{_L}[a-z]{{1,16}}-[0-9a-f]{{17}}{_RX}",
    "uuid": rf"{_LX}[0-9a-f]{{8}}-[0-9a-f]{{4}}-[0-9a-f]{{4}}-[0-9a-f]{{4}}-[0-9a-f]{{12}}{_RX}",
    "mac": rf"{_LX}[0-9a-f]{{2}}(?:(?::[0-9a-f]{{2}}){{5}}|(?:-[0-9a-f]{{2}}){{5}}){_RX}",
    "ipv6": (
        r"(?:(?<![0-9A-Za-z:.])|(?<=[^0-9a-f]:)(?=[0-9a-f]))"
        r"(?=[0-9a-f]{0,4}:[0-9a-f]{0,4}:)[0-9a-f:]{2,39}"
        r"(?:(?<=:)\d{1,3}(?:\.\d{1,3}){3})?(?![0-9A-Za-z:]|\.\w)"
    ),
    "ipv4": r"(?<!\d)(?<!\d\.)\d{1,3}(?:\.\d{1,3}){3}(?!\d|\.\d)",
    "hex": rf"{_LX}[0-9a-f]{{16,}}{_RX}",
    "account": r"(?<!\d)(?:\d{12}|\d{4}-\d{4}-\d{4})(?!\d)",
    "host1": rf"{_L}(?:(?<=://)|(?<=@))(?:[\w-]+\.)+[a-z][\w-]*",
    # The name of a private network, whatever comes after it, or of a domain that may be anyone's.
    "host2": (
        rf"{_L}(?<!\w)(?<!\w[.-])(?!com\.amazonaws\.)(?:(?:[\w-]+\.)+"
        r"(?:internal|local|localdomain|corp|lan|intranet|private)(?![0-9A-Za-z])(?:[.-]*\w+)*"
        r"|(?:[\w-]+\.)+(?:cloud|com|net|org|io|dev|app|ai|aws|co|cn|de|edu|es|eu|fr|gov|jp|nl"
        r"|ru|tech|tv|uk|us|xyz)(?![0-9A-Za-z-]|\.\w))"
    ),
}


def _alternation(rules: Mapping[str, str]) -> re.Pattern[str]:
    """Rules as one search; those in a row that begin a token are tried only where one may begin."""
    rows = []
    for bound, row in groupby(rules.items(), key=lambda rule: rule[1].startswith(_L)):
        start = _L if bound else ""
        rows.append(
            f"{start}(?:{'|'.join(f'(?P<{rule}>{p.removeprefix(start)})' for rule, p in row)})"
        )
    return re.compile("|".join(rows), re.IGNORECASE)


_TOKEN = _alternation(_RULES)
_TELLING_USER = re.compile(r"[\d.+=,@-]")
_OF_NAMES = frozenset(("email", "host1", "host2"))
_ONE_WORD = re.compile(r"[A-Za-z_-]{0,15}")  # shorter than any token without a digit
_WORD = re.compile(r"[0-9A-Za-z]+")
_RUN = re.compile(r"[A-Za-z0-9+/_-]{20,}(?:={1,2}(?![0-9A-Za-z]))?")
_CDK_HASH = re.compile(r"[0-9A-F]{8}$")  # ends the names that CloudFormation's tools make
_HEX_ONLY = re.compile(r"[0-9a-fA-F-]*")
_HOST = re.compile(r"(?:[\w-]+\.)+[\w-]+")
_OWNED = re.compile(
    r"\barn:[^:\s/]+:[^:\s/]*:[^:\s/]*:(\d{12}):|(?<!\d)(\d{12})\.dkr\.ecr\.", re.ASCII
)
# An account id whose digits stand apart, such as 9988.7766.5544; one may begin inside another.
_APART = re.compile(r"(?<!\d)(?=((?:\d[^0-9A-Za-z]?){11}\d)(?!\d))", re.ASCII)
_TWELVE = re.compile(r"\d(?:[^0-9A-Za-z]?\d){11}", re.ASCII)
# How often a text is searched, and how deep: more than any real text needs.
_MOST_PASSES = 8
_DEEPEST = 12

# Hosts that everybody uses: their names tell nothing.
_PUBLIC = re.compile(
    r"(?:.*\.)?(?:docker\.io|docker\.com|public\.ecr\.aws|ghcr\.io|quay\.io|gcr\.io|pkg\.dev"
    r"|microsoft\.com|k8s\.io|elastic\.co|gitlab\.com|github\.com|githubusercontent\.com"
    r"|aws\.amazon\.com|example|example\.(?:com|org|net)|localhost)"
    r"|ec2\.internal|(?:[\w-]+\.)?compute\.internal|host\.docker\.internal",
    re.IGNORECASE,
)
# In front of these stands a name that an account chose or was given.
_OWN_NAME = re.compile(
    r"(?P<own>.+?)(?P<rest>\.(?:[a-z]{2}(?:-[a-z]+)+-\d\.)?(?:elb|rds|s3|s3-[\w-]+|cache|es|efs"
    r"|execute-api|elasticbeanstalk|kafka|docdb|redshift|vpce|lambda-url)(?:\..*)?"
    r"\.amazonaws\.com(?:\.cn)?)",
    re.IGNORECASE,
)
_AWS = re.compile(r"(?:.*\.)?(?:amazonaws\.com(?:\.cn)?|api\.aws)", re.IGNORECASE)
_SAME_FOR_ALL = [
    ipaddress.ip_network(network)
    for network in (
        "0.0.0.0/32", "127.0.0.0/8", "255.255.255.255/32", "192.0.2.0/24", "198.51.100.0/24",
        "203.0.113.0/24", "198.18.0.0/15", "169.254.169.0/24", "169.254.170.0/24",
        "::/128", "::1/128", "2001:db8::/32",
    )
]  # fmt: skip


class FreeText:
    """The search, with the memory of one recording and the rules of its project."""

    def __init__(self, memory: Memory, rules: Rules) -> None:
        self._memory = memory
        self._rules = rules
        self._found: dict[str, str] = {}
        self._words: dict[str, list[tuple[str, str]]] = {}
        self._accounts: dict[str, str] = {}
        self._runs: dict[str, str] = {}
        self._harmless: set[str] = set()
        self._depth = 0
        self.known = 0
        """How many originals are searched for by their own text; it only grows."""

    def learn(self, text: str) -> None:
        """Note what a text shows beyond doubt: earlier pseudonyms, and the accounts of ARNs."""
        self._memory.seed(text)
        for match in _OWNED.finditer(text):
            account = match[1] or match[2]
            self._account_id(account)

    def searched(self) -> frozenset[str]:
        """The originals that are searched for by their own text."""
        return frozenset(original for others in self._words.values() for original, _ in others)

    def remember(self, kind: str, original: str, pseudonym: str) -> str:
        """Search for an original everywhere from now on, in a form that no rule would find.

        Upper and lower case are one, but for words, which may be another word otherwise.
        """
        self.look_for(original, pseudonym)
        return self._memory.keep(kind, original, pseudonym)

    def look_for(self, original: str, pseudonym: str) -> None:
        """Replace a text everywhere from now on, if it is long enough to be no ordinary word."""
        word = _WORD.search(original)
        if word and len(original) >= SHORTEST_ORIGINAL and original != pseudonym:
            others = self._words.setdefault(word[0].lower(), [])
            if all(original != other for other, _ in others):
                others.append((original, pseudonym))
                others.sort(key=lambda pair: -len(pair[0]))
                self._forget()

    def _forget(self) -> None:
        self.known += 1
        self._found.clear()
        self._harmless.clear()

    def search(self, text: str) -> str:
        """A text with everything in it replaced that identifies or is secret."""
        if text not in self._found:
            self._depth += 1
            try:
                found = self._settled(text) if self._depth < _DEEPEST else REDACTED
            finally:
                self._depth -= 1
            self._found[text] = found
            self._found[found] = found
        return self._found[text]

    def _settled(self, text: str) -> str:
        """A text in which the search finds no more; nothing of it if there is always more."""
        for _ in range(_MOST_PASSES):
            replaced = self._rules.replaced(text, self._memory.keep)
            replaced = self._replace_known(replaced)
            if not _ONE_WORD.fullmatch(replaced):
                replaced = self._decode(replaced)
                replaced = _RUN.sub(self._run, replaced)
                replaced = self._replace_tokens(replaced, self._token)
                replaced = self._replace_accounts(replaced)
            if replaced == text:
                # What a rule of the project finds in a text of stand-ins has no end, either.
                return REDACTED if self._rules.finds(text) else text
            text = replaced
        return REDACTED

    def host(self, host: str) -> str:
        """The pseudonym of a host, or the host if everybody uses it."""
        bare = host.lower()
        if _PUBLIC.fullmatch(bare) or has_pseudonym(bare):
            return host
        own = _OWN_NAME.fullmatch(bare)
        if own:
            false = self.remember("host", own["own"], self._memory.numbered("host", own["own"]))
            return false.removesuffix(".example") + own["rest"]
        if _AWS.fullmatch(bare):
            return self._replace_tokens(host, self._token_of_label)
        return self.remember("host", host, self._memory.numbered("host", bare))

    def is_token(self, text: str) -> bool:
        """Whether a text is one token and nothing else, so that a rule replaces it everywhere."""
        return _TOKEN.fullmatch(text) is not None

    def is_false(self, text: str) -> bool:
        """Whether a text shows a pseudonym, encoded or not."""
        plain = encodings.unescaped(encodings.percent_decoded(text))
        return has_pseudonym(text) or has_pseudonym(plain)

    def is_host(self, text: str) -> bool:
        """Whether a text has the form of a DNS name with a dot."""
        return _HOST.fullmatch(text) is not None and not text.replace(".", "").isdigit()

    # -- the parts of the search ----------------------------------------------------------

    def _replace_known(self, text: str) -> str:
        if self._words.keys().isdisjoint(map(str.lower, _WORD.findall(text))):
            return text
        parts, done = [], 0
        for word in _WORD.finditer(text):
            for original, pseudonym in self._words.get(word[0].lower(), ()):
                start = word.start() - _WORD.search(original).start()  # type: ignore[union-attr]  # has one
                end = start + len(original)
                if start >= done and _same(text[start:end], original) and _apart(text, start, end):
                    parts += [text[done:start], pseudonym]
                    done = end
                    break
        return "".join([*parts, text[done:]]) if done else text

    def _replace_accounts(self, text: str) -> str:
        """A text without the accounts whose digits stand apart, or in a longer word."""
        parts, done = [], 0
        if not (self._accounts and _TWELVE.search(text)):
            return text
        for match in _APART.finditer(text):
            digits = re.sub(r"\D", "", match[1])
            if digits in self._accounts and match.start() >= done:
                parts += [text[done : match.start()], _set_apart(self._accounts[digits], match[1])]
                done = match.end(1)
        return "".join([*parts, text[done:]]) if done else text

    def _decode(self, text: str) -> str:
        """A text with what is encoded in it searched as whoever decodes it would read it."""
        if not text.isascii():
            plain = encodings.in_plain_letters(text)
            if plain != text and self.search(plain) != plain:
                return self.search(plain)
        if "\\" in text:
            plain = encodings.unescaped(text)
            if plain != text and self.search(plain) != plain:
                return encodings.escaped(self.search(plain), like=text)
        if "%" in text:
            for run in encodings.PERCENT:
                text = run.sub(self._decode_percent, text)
        return encodings.BASE64.sub(self._decode_base64, text)

    def _decode_percent(self, match: re.Match[str]) -> str:
        plain = encodings.percent_decoded(match[0])
        found = self.search(plain)
        return match[0] if found == plain else encodings.percent_encoded(found, like=match[0])

    def _decode_base64(self, match: re.Match[str]) -> str:
        """A run of base64, or nothing of it if what it says is not to be seen."""
        run = match[0]
        # Whatever has a digit or a dot in it is encoded with a capital letter.
        if run in self._harmless or run.islower():
            return run
        for plain in encodings.base64_texts(run):
            if plain == encodings.PACKED or self.search(plain) != plain:
                return self.remember("secret", run, REDACTED)
        self._harmless.add(run)
        return run

    def _run(self, match: re.Match[str]) -> str:
        """A run of letters and digits, replaced where it is too random to be a name."""
        run = match[0]
        if run.startswith("eyJ") and match.string[match.end() : match.end() + 1] == ".":
            return run  # a part of a JSON Web Token, which has a rule of its own
        if run not in self._runs:
            self._runs[run] = self._random(run)
        return self._runs[run]

    def _random(self, run: str) -> str:
        if len(run) == 40 and _looks_random(run, 0.33, 1) and not set("-_=") & set(run):
            return self._secret("secret", run)
        if len(run) >= 32 and set("+=") & set(run) and _looks_random(run.rstrip("="), 0.4, 2):
            return self._secret("secret", run)
        return "/".join(self._segment(segment) for segment in run.split("/"))

    def _segment(self, segment: str) -> str:
        pieces = re.split(r"[-_+=]", segment)
        if not any(
            len(piece) >= 20 and _looks_random(_CDK_HASH.sub("", piece), 0.4, 2) for piece in pieces
        ):
            return segment
        if len(segment) >= 32:
            return self._secret("secret", segment)
        return self.remember("id", segment, pseudonym_of_opaque(segment, len(segment)))

    def _replace_tokens(self, text: str, replace: Callable[[re.Match[str]], str | None]) -> str:
        """A text with each token replaced; where there is none after all, one may begin inside."""
        parts, done, place = [], 0, 0
        while match := _TOKEN.search(text, place):
            found = replace(match)
            if found is None:
                place = match.start() + 1
                continue
            parts += [text[done : match.start()], found]
            # A token has at least one character, so that this comes to an end.
            done = place = match.end()
        return "".join([*parts, text[done:]]) if done else text

    def _token(self, match: re.Match[str]) -> str | None:
        """What becomes of a token; None if it is none."""
        rule = str(match.lastgroup)
        own = encodings.after_escape(match.string, match.start())
        # Decoding came first, so what begins after an escape, such as %2F, has its pseudonym.
        if own and (rule in _OF_NAMES or has_pseudonym(match.string[own : match.end()])):
            return match[0]
        return _METHODS[rule](self, match)

    def _token_of_label(self, match: re.Match[str]) -> str | None:
        return None if str(match.lastgroup).startswith("host") else self._token(match)

    def _secret(self, kind: str, original: str) -> str:
        return self.remember(kind, original, REDACTED)

    # -- what becomes of a token ----------------------------------------------------------

    def _credential(self, match: re.Match[str]) -> str:
        return self._memory.keep("credential", match[0], REDACTED)

    def _login(self, match: re.Match[str]) -> str:
        user, colon, password = match[0][:-1].partition(":")
        if not colon:
            # A plain word may stand for anything else too, so it is replaced only here.
            if _TELLING_USER.search(user) and self.search(user) == user:
                self.remember("credential", user, REDACTED)
            return f"{REDACTED}@"
        for given in (password, encodings.percent_decoded(password)):
            if not is_masked(given) and not self.is_token(given):
                self.remember("credential", given, REDACTED)
        return f"{REDACTED}:{REDACTED}@"

    def _assignment(self, match: re.Match[str]) -> str | None:
        key, sign, given = match["key"], match["sign"], match["given"]
        prose = (
            given.isalpha()
            and ":" in sign
            and not re.search(r"pass|pwd|key", key, re.IGNORECASE)
            and not _begins_a_line(match)
        )
        return None if prose else key + sign + self._value(given, key)

    def _flag(self, match: re.Match[str]) -> str:
        return match["option"] + self._value(match["argument"], match["option"])

    def _user_flag(self, match: re.Match[str]) -> str:
        return match["asks"] + REDACTED + ":" + self._value(match["pass"], "password")

    def _value(self, given: str, key: str) -> str:
        quote = given[0] if given[0] in "\"'" else ""
        bare = given.strip("\"'")
        if is_masked(bare):
            return given
        # Elsewhere an ordinary word is no credential, unless it was somebody's password.
        telling = not bare.isalpha() or re.search("pass|pwd|secret", key, re.IGNORECASE)
        if len(bare) >= 8 and telling and not self.is_token(bare):
            self.remember("credential", bare, REDACTED)
        return f"{quote}{REDACTED}{quote}"

    def _secret_arn(self, match: re.Match[str]) -> str:
        head, _, rest = match[0].partition(":secret:")
        name, colon, key = rest.partition(":")
        false = self.search(name)
        if re.search(r"-[A-Za-z0-9]{6}$", name) and not re.search(r"-ca55[0-9a-f]{2}$", name):
            tail = pseudonym_of_opaque(name, 10)[-2:]
            false = self.search(name[:-7]) + "-ca55" + tail
            self.remember("secret name", name, false)
        return (
            f"{self.search(head + ':').removesuffix(':')}:secret:{false}{colon}{self.search(key)}"
        )

    def _arn(self, match: re.Match[str]) -> str:
        head, _, account = match[0].rpartition(":")
        return f"{head}:{self._account_id(account)}"

    def _session(self, match: re.Match[str]) -> str:
        kind, *role, session = match[0].split("/")
        return "/".join([kind, *map(self.search, role), self._user(session)])

    def _iam_user(self, match: re.Match[str]) -> str:
        return "user/" + self._user(match[0].removeprefix("user/"))

    def _user(self, user: str) -> str:
        false = self.search(user)
        if false != user or has_pseudonym(user) or is_masked(user):
            return false
        false = self._memory.numbered("user", user)
        return self.remember("user", user, false) if _TELLING_USER.search(user) else false

    def _revision(self, match: re.Match[str]) -> str:
        names, _, own = match[0].rpartition("/")
        kind, _, names = names.partition("/")
        names = "/".join(map(self.search, names.split("/")))
        false = own if own.isdigit() else pseudonym_of_opaque(own, len(own))
        return f"{kind}/{names}/{self._memory.keep('id', own, false)}"

    def _discovery_id(self, match: re.Match[str]) -> str:
        prefix, _, own = match[0].partition("-")
        return self._memory.keep("id", match[0], f"{prefix}-{pseudonym_of_opaque(own, 16)}")

    def _email(self, match: re.Match[str]) -> str:
        if is_pseudonym(match[0]):
            return match[0]
        return self._memory.numbered("e-mail address", match[0])

    def _ec2_name(self, match: re.Match[str]) -> str | None:
        kind, _, dashes = match[0].partition("-")
        address = self._address(dashes.replace("-", "."))
        return address and f"{kind}-{address.replace('.', '-')}"

    def _short_id(self, match: re.Match[str]) -> str | None:
        if match[0].rpartition("-")[2].isalpha():  # an English word, such as `a-facade`
            return None
        prefix, _, digits = match[0].rpartition("-")
        if digits.lower() == MARK:
            return match[0]
        return f"{prefix}-{self._memory.numbered('short id', match[0])}"

    def _id(self, match: re.Match[str]) -> str:
        original = match[0]
        if original.isdigit() and len(original) < 32:  # the number of a deployment or a time
            return original
        return self._memory.keep("id", original, pseudonym_of_id(original))

    def _mac(self, match: re.Match[str]) -> str:
        mac = match[0].lower().replace("-", ":")
        false = mac if mac.startswith("ca:55:e7:7e:") else self._memory.numbered("MAC address", mac)
        return false if ":" in match[0] else false.replace(":", "-")

    def _ipv6(self, match: re.Match[str]) -> str | None:
        head, _, tail = match[0].rpartition(":")
        if "." in tail:  # an IPv4 address inside
            inner = self._address(tail)
            return inner and f"{head}:{inner}"
        return self._address(match[0])

    def _ipv4(self, match: re.Match[str]) -> str | None:
        return self._address(match[0])

    def _address(self, text: str) -> str | None:
        try:
            address = ipaddress.ip_address(text)
        except ValueError:
            return None
        if any(address in network for network in _SAME_FOR_ALL):
            return text
        kind = f"IPv{address.version} address"
        return self._memory.numbered(kind, text if address.version == 4 else str(address))

    def _account(self, match: re.Match[str]) -> str:
        false = self._account_id(match[0].replace("-", ""))
        return f"{false[:4]}-{false[4:8]}-{false[8:]}" if "-" in match[0] else false

    def _account_id(self, account: str) -> str:
        if account.startswith("00000000"):
            return account
        if account not in self._accounts:
            self._accounts[account] = self._memory.numbered("account id", account)
            self._forget()
        return self._accounts[account]

    def _host(self, match: re.Match[str]) -> str:
        return self.host(match[0])


_METHODS: dict[str, Callable[[FreeText, re.Match[str]], str | None]] = {
    "private_key": FreeText._credential,
    "jwt": FreeText._credential,
    "login": FreeText._login,
    "access_key": FreeText._credential,
    "vendor_token": FreeText._credential,
    "bearer": FreeText._credential,
    "secret_arn": FreeText._secret_arn,
    "arn": FreeText._arn,
    "session": FreeText._session,
    "iam_user": FreeText._iam_user,
    "revision": FreeText._revision,
    "assignment": FreeText._assignment,
    "flag": FreeText._flag,
    "user_flag": FreeText._user_flag,
    "email": FreeText._email,
    "ec2_name": FreeText._ec2_name,
    "discovery_id": FreeText._discovery_id,
    "short_id": FreeText._short_id,
    "aws_id": FreeText._id,
    "uuid": FreeText._id,
    "mac": FreeText._mac,
    "ipv6": FreeText._ipv6,
    "ipv4": FreeText._ipv4,
    "hex": FreeText._id,
    "account": FreeText._account,
    "host1": FreeText._host,
    "host2": FreeText._host,
}


def _begins_a_line(match: re.Match[str]) -> bool:
    """Whether what was found is the first thing in its line, in a text of several lines."""
    line = match.string[: match.start()].rpartition("\n")[2]
    return "\n" in match.string and not line.strip(" \t-\"'")


def _same(text: str, original: str) -> bool:
    if original.isalpha():
        return text == original
    return text.lower() == original.lower()


def _set_apart(digits: str, like: str) -> str:
    """Digits with what stands between those of another text."""
    each = iter(digits)
    return re.sub(r"\d", lambda _: next(each), like)


def _apart(text: str, start: int, end: int) -> bool:
    """Whether a place in a text is bounded by what is neither a letter nor a digit."""
    before, after = text[start - 1 : start] if start else "", text[end : end + 1]
    return not (_WORD.match(before) or _WORD.match(after))


def looks_random(text: str) -> bool:
    """Whether a text is one token too random for a person to have chosen it."""
    return len(text) >= 16 and " " not in text and _looks_random(text, 0.4, 2)


def _looks_random(text: str, changes: float, digits: int) -> bool:
    """Whether the kind of character changes as often as in no name: words keep to one kind."""
    if _HEX_ONLY.fullmatch(text):  # an id, which the rules replace with its relations kept
        return False
    kinds = [
        0 if c.isdigit() else 1 if c.islower() else 2 for c in text if c.isascii() and c.isalnum()
    ]
    if kinds.count(0) < digits or 1 not in kinds:
        return False
    if 2 not in kinds and (len(kinds) < 24 or kinds.count(0) < 5):
        return False
    changed = sum(a != b for a, b in pairwise(kinds))
    return changed / len(kinds) >= changes
