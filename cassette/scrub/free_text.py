"""The search of every string, token by token, for what identifies or is secret.

A token is bounded by what is neither a letter nor a digit, so that a short id never eats a
status code. Its characters and its neighbours decide what it is. Encoded text
is searched in its decoded form (see `encodings`).

The search finds nothing in its own result.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from cassette.scrub import encodings, hosts, near_secrets, vocabulary
from cassette.scrub.pseudonyms import (
    REDACTED,
    Memory,
    has_pseudonym,
    is_masked,
    is_pseudonym,
    set_apart,
)
from cassette.scrub.randomness import has_random_part, looks_random
from cassette.scrub.token_treatments import TELLING_USER, TokenTreatments
from cassette.scrub.tokens import ID_RULES, in_name, in_text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cassette.scrub.project_rules import Rules

# Shorter originals are not identifiers; searching for them would replace ordinary words.
SHORTEST_ORIGINAL = 6

# A redacted value of this form is also searched for elsewhere: no other word has it.
PASSWORD = re.compile(r"(?=\S*\d)(?=\S*[A-Z])(?=\S*[a-z])\S{8,256}")
_OF_NAMES = frozenset(("email", "host1", "host2"))
_ONE_WORD = re.compile(r"[A-Za-z_-]{0,15}")  # shorter than any token without a digit
_WORD = re.compile(r"[0-9A-Za-z]+")
_RUN = re.compile(r"[^\s\"'<>()\[\]{},;]{16,}")  # of what has no space and no bracket in it
_ID_INSIDE = re.compile(r"(?:^|[/:_.-])[0-9a-f]{16,}(?:$|[/:_.-])|[0-9a-f]{4}-[0-9a-f]{12}")
# A secret key of AWS, also with slashes in it.
_KEY = re.compile(r"(?<![0-9A-Za-z/+])(?=[0-9A-Za-z/+]*[/+])[0-9A-Za-z/+]{40}(?![0-9A-Za-z/+=])")
_PARTS = re.compile("[-_+]|%[0-9A-Fa-f]{2}")  # between parts of a run; each part may be random
_OF_NAME = re.compile(r"[\w.:/+@,#*-]*", re.ASCII)
_SEGMENT = re.compile(r"[^/:=,]{16,}")
_EC2_HOST = re.compile(
    r"(?:ip|ec2)(?:-\d{1,3}){4}\.(?:ec2\.internal|(?:[\w-]{1,32}\.)?compute\.(?:internal|amazonaws\.com))"
)
_HOST = re.compile(r"(?:[\w-]{1,63}\.){1,8}[\w-]{1,63}")
# Texts that certainly contain an account. Each begins with its literal, which is found faster.
_OWNED = (
    re.compile(r"arn:(?<!\warn:)[^:\s/]{1,32}:[^:\s/]{0,64}:[^:\s/]{0,64}:(\d{12}):", re.ASCII),
    re.compile(r"\.dkr\.ecr\.(?<=(?<!\d)(\d{12})\.dkr\.ecr\.)", re.ASCII),
)
# An account id with separated digits, such as 9988.7766.5544; one may begin inside another.
_APART = re.compile(r"(?<!\d)(?=((?:\d[^0-9A-Za-z]{0,2}){11}\d)(?!\d))", re.ASCII)
_TWELVE = re.compile(r"\d(?:[^0-9A-Za-z]{0,2}\d){11}", re.ASCII)
_BUCKET = re.compile(
    r"(?P<before>(?<![\w.])(?:s3[an]?://|arn:aws[a-z-]{0,16}:s3:::|s3[.-][\w.-]{0,40}amazonaws\.com/"
    r"|(?P<said>bucket(?:[ _-]?name)?[\"']?[ =:]{1,3}[\"'`]?)))"
    r"(?P<bucket>[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])",
    re.IGNORECASE,
)
# How often a text is searched, and how deep: more than any real text needs.
_MOST_PASSES = 8
_MOST_SEARCHED = 10_000  # texts that are remembered from one part of a recording to the next
_DEEPEST = 12


_Extent = tuple[int, int]


class FreeText:
    """The search, with the memory of one recording and the rules of its project."""

    def __init__(self, memory: Memory, rules: Rules, *, strict: bool = False) -> None:
        self._memory = memory
        self._tokens = TokenTreatments(self, memory)
        self._rules = rules
        self._strict = strict
        self._found: dict[str, str] = {}
        self._names: dict[str, str] = {}
        # Known originals by their first word, then by its offset and their length, the longest
        # first, then in lower case: what is compared does not grow with their number.
        self._words: dict[str, dict[_Extent, dict[str, dict[str, str]]]] = {}
        self._accounts: dict[str, str] = {}
        self._runs: dict[str, str] = {}
        self._harmless: set[str] = set()
        self._plain_names: dict[str, str] = {}
        self._named: re.Pattern[str] | None = None
        self._depth = 0
        self._new: list[str] = []
        self.known = 0
        """How many originals are searched for by their own text; it only grows."""

    def learn(self, text: str) -> None:
        """Note what a text shows beyond doubt: earlier pseudonyms, and the accounts of ARNs."""
        self._memory.seed(text)
        found = [(match.start(1), match[1]) for form in _OWNED for match in form.finditer(text)]
        for account in dict.fromkeys(account for _, account in sorted(found)):
            self.account(account)

    def searched(self) -> frozenset[str]:
        """The originals that are searched for by their own text."""
        return frozenset(
            original
            for of_word in self._words.values()
            for of_extent in of_word.values()
            for same in of_extent.values()
            for original in same
        )

    def trim(self) -> None:
        """Forget searched texts if there are many; what was learned from them stays."""
        for searched in (self._found, self._names, self._runs, self._harmless):
            if len(searched) > _MOST_SEARCHED:
                searched.clear()

    def take_new(self) -> list[str]:
        """The originals since the last call that are searched for by their own text."""
        new, self._new = self._new, []
        return new

    def remember(self, kind: str, original: str, pseudonym: str) -> str:
        """Search for an original everywhere from now on, in a form that no rule would find.

        Case is ignored, except for plain words, which may mean something else in another case.
        """
        self.look_for(original, pseudonym)
        return self._memory.keep(kind, original, pseudonym)

    def look_for(self, original: str, pseudonym: str) -> None:
        """Replace a text everywhere from now on, if it is long enough to be no ordinary word."""
        word = _WORD.search(original)
        if word and len(original) >= SHORTEST_ORIGINAL and original != pseudonym:
            first, extent = word[0].lower(), (word.start(), len(original))
            of_word = self._words.setdefault(first, {})
            if extent not in of_word:
                of_word[extent] = {}
                in_order = sorted(of_word.items(), key=lambda item: -item[0][1])
                of_word = self._words[first] = dict(in_order)
            same = of_word[extent].setdefault(original.lower(), {})
            if original not in same:
                same[original] = pseudonym
                self._new.append(original)
                self._forget()

    def show(self, names: Mapping[str, str]) -> None:
        """Let names stay in texts as well, since the file shows them anyway.

        Args:
            names: each with the plain one that the search takes it for.
        """
        self._plain_names.update(names)
        if not self._plain_names:
            return
        longest = sorted(self._plain_names, key=len, reverse=True)
        self._named = re.compile(
            rf"(?<![0-9A-Za-z*])(?:{'|'.join(map(re.escape, longest))})(?![0-9A-Za-z*])"
        )

    def _forget(self) -> None:
        self.known += 1
        self._found.clear()
        self._names.clear()
        self._harmless.clear()

    def search(self, text: str) -> str:
        """A text with everything replaced that identifies or is secret."""
        if text not in self._found:
            self._depth += 1
            try:
                found = self._searched(text) if self._depth < _DEEPEST else REDACTED
            finally:
                self._depth -= 1
            self._found[text] = found
            self._found[found] = found
        return self._found[text]

    def _searched(self, text: str) -> str:
        """A text after the search; as it is if nothing but the names that are shown is found."""
        if self._named is not None and self._replace_known(text) == text:
            plain = self._named.sub(lambda name: self._plain_names[name[0]], text)
            if plain != text and self._settled(plain) == plain:
                return text
        return self._settled(text)

    def _settled(self, text: str) -> str:
        """Search a text until nothing is found; redact it if that never ends."""
        for _ in range(_MOST_PASSES):
            replaced = self._rules.replaced(text, self._memory.keep)
            replaced = self._replace_known(replaced)
            if not _ONE_WORD.fullmatch(replaced):
                replaced = self._decode(replaced)
                replaced = self._replace_tokens(replaced, in_text(), self._token)
                replaced = near_secrets.redacted(replaced, self._near_secret)
                replaced = encodings.SHORT_BASE64.sub(self._short_base64, replaced)
                replaced = _RUN.sub(self._run, replaced)
                replaced = self._replace_accounts(replaced)
                if self._strict:
                    replaced = _BUCKET.sub(self._bucket, replaced)
            if replaced == text:
                # A rule of the project may find something in pseudonyms again and again.
                return REDACTED if self._rules.finds(text) else text
            text = replaced
        return REDACTED

    def name(self, text: str) -> str:
        """A name with only those parts replaced that have the form of an identifier.

        A name may look like a host, a secret key or an assignment, and is still a name. What has
        other characters than names have is a text.
        """
        if not _OF_NAME.fullmatch(text) or "://" in text:
            return self.search(text)
        if text not in self._names:
            replaced = self._replace_known(self._rules.replaced(text, self._memory.keep))
            replaced = self._replace_tokens(replaced, in_name(), self._token)
            replaced = encodings.BASE64.sub(self._decode_base64, replaced)
            replaced = _SEGMENT.sub(self._random_segment, replaced)
            self._names[text] = self._replace_accounts(replaced)
        return self._names[text]

    def _random_segment(self, match: re.Match[str]) -> str:
        """A part of a name; a number if it is generated, like a vendor's token."""
        segment = match[0]
        if has_pseudonym(segment) or REDACTED in segment or not has_random_part(segment):
            return segment
        return self.remember("short id", segment, self._memory.numbered("short id", segment))

    def user(self, user: str) -> str:
        """The pseudonym of a user, whatever the name contains."""
        if is_pseudonym(user) or is_masked(user):
            return user
        if self.is_id(user):  # the session of a task's role has the task's id
            return self.name(user)
        false = self._memory.numbered("user", user)
        return self.remember("user", user, false) if TELLING_USER.search(user) else false

    def account(self, account: str) -> str:
        """The pseudonym of an account id, in every spelling from now on."""
        if account.startswith("00000000"):
            return account
        if account not in self._accounts:
            self._accounts[account] = self._memory.numbered("account id", account)
            self._new.append(account)
            self._forget()
        return self._accounts[account]

    def is_account(self, digits: str) -> bool:
        """Whether digits are certainly an account id."""
        return digits in self._accounts

    def is_id(self, text: str) -> bool:
        """Whether a text is exactly one id in a form that AWS assigns."""
        match = in_name().fullmatch(text)
        return match is not None and match.lastgroup in ID_RULES

    def host(self, host: str) -> str:
        """The pseudonym of a host; a public host is kept."""
        bare = host.lower()
        if hosts.is_public(bare) or has_pseudonym(bare):
            return host
        of_aws = hosts.of_aws(bare)
        first, _, domain = host.partition(".")
        if _EC2_HOST.fullmatch(bare) and self.name(first) != first:
            return f"{self.name(first)}.{domain}"
        if of_aws is None:
            return self.remember("host", host, self._memory.numbered("host", bare))
        own, rest = of_aws
        # A registry is named by its account; with few digits, that was masked before.
        masked = rest.startswith("dkr.ecr.") and sum(map(str.isdigit, own)) < 8
        if not own or masked:
            return host
        found = self.name(own)
        if found == own or _keeps_name(own, found):
            found = self.remember("host", own, self._memory.numbered("host", own))
        return f"{found.removesuffix('.example')}.{rest}"

    def is_token(self, text: str) -> bool:
        """Whether a text is exactly one token, which a rule replaces everywhere."""
        return in_text().fullmatch(text) is not None

    def shows_pseudonym(self, text: str) -> bool:
        """Whether a text shows a pseudonym, encoded or not."""
        if has_pseudonym(text) or not ("%" in text or "\\" in text):
            return has_pseudonym(text)
        return has_pseudonym(encodings.unescaped(encodings.percent_decoded(text)))

    def is_host(self, text: str) -> bool:
        """Whether a text has the form of a DNS name with a dot."""
        return _HOST.fullmatch(text) is not None and not text.replace(".", "").isdigit()

    # -- the parts of the search ----------------------------------------------------------

    def _replace_known(self, text: str) -> str:
        if self._words.keys().isdisjoint(map(str.lower, _WORD.findall(text))):
            return text
        parts, done = [], 0
        for word in _WORD.finditer(text):
            for (offset, length), originals in self._words.get(word[0].lower(), {}).items():
                start = word.start() - offset
                end = start + length
                pseudonym = self._pseudonym(text[start:end], originals) if start >= done else None
                if pseudonym is not None and _apart(text, start, end):
                    parts += [text[done:start], pseudonym]
                    done = end
                    break
        return "".join([*parts, text[done:]]) if done else text

    @staticmethod
    def _pseudonym(text: str, originals: Mapping[str, Mapping[str, str]]) -> str | None:
        """The pseudonym of a known original; for a plain word, in its own case."""
        same = originals.get(text.lower(), {})
        if text in same:
            return same[text]
        return next((false for original, false in same.items() if not original.isalpha()), None)

    def _replace_accounts(self, text: str) -> str:
        """A text without account ids whose digits are separated, or part of a longer word."""
        parts, done = [], 0
        if not (self._accounts and _TWELVE.search(text)):
            return text
        for match in _APART.finditer(text):
            digits = re.sub(r"\D", "", match[1])
            if digits in self._accounts and match.start() >= done:
                parts += [text[done : match.start()], set_apart(self._accounts[digits], match[1])]
                done = match.end(1)
        return "".join([*parts, text[done:]]) if done else text

    def _decode(self, text: str) -> str:
        """A text whose encoded parts are searched in their decoded form."""
        if not text.isascii():
            plain = encodings.in_plain_letters(text)
            if plain != text and self.search(plain) != plain:
                return self.search(plain)
        if "\\" in text:
            plain = encodings.unescaped(text)
            if plain != text and self.search(plain) != plain:
                return encodings.escaped(plain, self.search(plain), text)
        if "&" in text:
            plain = encodings.unmasked(text)
            if plain != text and self.search(plain) != plain:
                return encodings.masked(plain, self.search(plain), text)
        if "%" in text:
            text = encodings.PERCENT_VALUE.sub(self._decode_percent, text)
            text = encodings.PERCENT_RUN.sub(self._decode_percent, text)
        return encodings.BASE64.sub(self._decode_base64, text)

    def _short_base64(self, match: re.Match[str]) -> str:
        """A run; redacted if all of it is readable in base64, unless by chance."""
        run = match[0]
        # A name of words may be readable by chance.
        return run if run.isdigit() or vocabulary.is_plain(run) else self._secret("secret", run)

    def _decode_percent(self, match: re.Match[str]) -> str:
        """One value, or a run with its delimiters, with its encoding kept around what is found."""
        if "%" not in match[0]:
            return match[0]
        plain = encodings.percent_decoded(match[0])
        # What is not really encoded, such as 100%, is not searched again.
        found = plain if plain == match[0] else self.search(plain)
        if found == plain:
            return match[0]
        is_value = match.re is encodings.PERCENT_VALUE
        return encodings.percent_encoded(plain, found, match[0], is_value=is_value)

    def _decode_base64(self, match: re.Match[str]) -> str:
        """A run of base64, redacted if its content must not be shown."""
        run = match[0]
        # The base64 of a text with a digit or a dot has a capital letter.
        if run in self._harmless or run.islower():
            return run
        for plain in encodings.base64_texts(run):
            if plain == encodings.PACKED or self.search(plain) != plain:
                return self.remember("secret", run, REDACTED)
        self._harmless.add(run)
        return run

    def _run(self, match: re.Match[str]) -> str:
        """A run without spaces, redacted if it is too random to be a name."""
        run = match[0]
        if run not in self._runs:
            self._runs[run] = self._random(run)
        return self._runs[run]

    def _random(self, run: str) -> str:
        run = _KEY.sub(self._key, run)
        if has_pseudonym(run) or _ID_INSIDE.search(run) or "REDACTED" in run:
            pieces = re.split(r"([/:=@&?.,])", run)
        elif re.search(r"[!#$^&*]", run) and "://" not in run and looks_random(run):
            return self._secret("secret", run)
        elif len(run) == 40 and run.replace("/", "").replace("+", "").isalnum():
            return self._secret("secret", run) if looks_random(run) else run
        else:
            pieces = re.split(r"([/:=@&?.,])", run)
        return "".join(
            self._secret("secret", piece)
            if any(map(looks_random, _PARTS.split(piece))) and not has_pseudonym(piece)
            else piece
            for piece in pieces
        )

    def _key(self, match: re.Match[str]) -> str:
        key = match[0]
        path = has_pseudonym(key) or _ID_INSIDE.search(key)
        return self._secret("secret", key) if looks_random(key) and not path else key

    def _bucket(self, match: re.Match[str]) -> str:
        bucket = match["bucket"]
        if is_pseudonym(bucket) or (match["said"] and vocabulary.is_plain(bucket)):
            return match[0]
        return match["before"] + self._memory.numbered("name", bucket)

    def _replace_tokens(
        self, text: str, tokens: re.Pattern[str], replace: Callable[[re.Match[str]], str | None]
    ) -> str:
        """Replace each token in a text; a false match may contain the start of another one."""
        parts, done, place = [], 0, 0
        while match := tokens.search(text, place):
            found = replace(match)
            if found is None:
                place = match.start() + 1
                continue
            parts += [text[done : match.start()], found]
            # A token has at least one character, so that this comes to an end.
            done = place = match.end()
        return "".join([*parts, text[done:]]) if done else text

    def _token(self, match: re.Match[str]) -> str | None:
        """The replacement of a token; None if it is a false match."""
        rule = str(match.lastgroup)
        own = encodings.after_escape(match.string, match.start())
        # Decoding came first, so what begins after an escape, such as %2F, has its pseudonym.
        if own and (rule in _OF_NAMES or has_pseudonym(match.string[own : match.end()])):
            return match[0]
        return self._tokens.replaced(rule, match)

    def _near_secret(self, word: str) -> None:
        """Note a word that was redacted because it was near a word for a secret."""
        if PASSWORD.fullmatch(word):
            self._secret("secret", word)

    def _secret(self, kind: str, original: str) -> str:
        return self.remember(kind, original, REDACTED)


def _keeps_name(own: str, found: str) -> bool:
    """Whether a part of a host stayed that may be a name, as in acme-billing-123456789012."""
    left = set(re.split("[.-]", own)).intersection(re.split("[.-]", found))
    return any(len(label) > 2 and label != "vpce" for label in left)


def _apart(text: str, start: int, end: int) -> bool:
    """Whether a part of a text has no letter or digit directly before or after it."""
    before, after = text[start - 1 : start] if start else "", text[end : end + 1]
    return not (_WORD.match(before) or _WORD.match(after))
