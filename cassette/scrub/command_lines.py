"""Scrubs command lines: the structure is kept, the values are not.

What a secret looks like in a command cannot be listed, so this module lists what is kept: the
program's base name, known subcommands, the names of options, the number of arguments, and values
of a few forms that hold no secret. docs/scrubbing.md says so with examples.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from cassette.scrub import secret_words
from cassette.scrub.pseudonyms import REDACTED, is_masked
from cassette.scrub.randomness import looks_random
from cassette.scrub.tokens import OF_LOGIN
from cassette.scrub.vocabulary import is_plain

_SHELLS = frozenset(
    "sh bash ash dash zsh ksh fish cmd cmd.exe powershell powershell.exe pwsh".split()
)
_SHELL_TEXT = re.compile(r"-[a-z]{0,4}c[a-z]{0,2}|/[ck]|-command|-encodedcommand", re.IGNORECASE)
_PROGRAM = re.compile(r"[A-Za-z][A-Za-z_-]{0,30}\d?(?:[._-][A-Za-z_-]{1,30}){0,4}")
_VERSIONED = re.compile(r"(?:python|pip|php|node|ruby|java|mysql|postgres|perl|lua)\d[\d.]{0,5}")
_LONG_OPTION = re.compile(r"--[A-Za-z][A-Za-z]{0,24}\d?(?:[-_.][A-Za-z]{1,24}\d?){0,7}")
_DASHED = re.compile(r"-[A-Za-z]")
_DASHED_OPTION = re.compile(r"-[A-Za-z][A-Za-z_-]{0,30}")
_DASHED_WORDS = frozenset(
    "-jar -version -help -cp -classpath -server -Xmx -Xms -Xss -verbose -config -debug -name -port "
    "-lc -ec -xe -ex -xc -it -rf -la -al -sf -fsS -sS -fs -sSf -eu -euc -eux -euxc -exc -var "
    "-Command -File".split()
)
_JVM_OPTION = re.compile(
    r"-X(?:m[nsx]|ss)\d{1,6}[kKmMgG]?|-XX:[+-][A-Z][A-Za-z]{1,60}\d?|-XX:[A-Z][A-Za-z]{1,60}"
    r"=[\d.]{1,12}[kmgKMG]?"
)
_WINDOWS_OPTION = re.compile(r"/[A-Za-z][A-Za-z_-]{0,30}(?=:)")
# A variable's name may have digits; any other word with digits may be a secret with an = in it.
_NAME = re.compile(r"(?:[A-Z_][A-Z0-9_]{0,60}|[A-Za-z_][A-Za-z_.-]{0,60})(?=[=:])")
_JAVA_PROPERTY = re.compile(r"-D[A-Za-z][A-Za-z_.-]{0,60}")
_PLAIN = re.compile(
    r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?Z?)?"
    r"|\d{1,5} (?:second|minute|hour|day)s?"
    r"|:?\d{1,5}|\d{1,4}(?:\.\d{1,4}){1,3}|\d{1,5}(?:ms|s|m|h|d|k|K|M|G|Ki|Mi|Gi|kb|kB|KB|mb|MB|gb|GB|TB|KiB|MiB|GiB|%)"
    r"|\$\{?[A-Z_][A-Z0-9_]{0,60}\}?|[<>|&;]{1,2}|2>&1|\.|/|--?|daemon off;"
)
_SIGN = re.compile(r"-D|--?|/")
_NUMBER = re.compile(r"\d{1,5}")
_WORKERS = re.compile(r"\d{1,2}")
# An address on this host, with a path of common words.
_LOCAL = re.compile(
    r"(?:(?:https?|tcp)://)?(?:localhost|127\.0\.0\.1|0\.0\.0\.0)(?::\d{1,5})?"
    r"(?P<path>/[a-z0-9/_-]{0,60})?"
)
_PATH_WORDS = frozenset(
    "actuator alive api app check db health healthcheck healthy healthz heartbeat index info "
    "internal ishealthy live liveness livez metrics ping pong probe ready readiness ready readyz "
    "stats status up version v1 v2 v3".split()
)
_REFERENCE = re.compile(r"\$\{?[A-Z_][A-Z0-9_]{0,60}\}?")
_FILE = re.compile(
    r"(?:\./|(?P<of_root>/))?(?:[A-Za-z_-]{1,30}/){0,6}[A-Za-z_-]{1,40}"
    r"\.(?:py|js|mjs|cjs|ts|sh|bash|rb|php|jar|war|pl|ps1|exe|dll|sql|conf|cfg|ini|toml|ya?ml|json)"
)
_MODULE = re.compile(r"[a-z_]{1,40}(?:\.[a-z_]{1,40}){0,6}(?::[A-Za-z_]{1,40}(?:\(\))?)?")
_LONGEST_COUNT = 3  # of digits after an option of one letter, which may be that of a token
# Programs whose first argument is a number, and words before the number of a port.
_COUNTING = frozenset("sleep kill nice seq timeout nc ncat telnet".split())
_HIGHEST_PORT = 65_535
_LISTENING = frozenset("http.server SimpleHTTPServer runserver".split())
_WITH_PORT = frozenset(
    "puma rails uvicorn hypercorn http-server serve redis-server flask next nuxt vite thin unicorn "
    "rackup".split()
)
_RUNS_MODULES = re.compile(r"(?:python|pypy)[\d.]{0,5}|coverage|kernprof|")
_SERVERS = frozenset(
    "gunicorn uvicorn hypercorn daphne granian uwsgi waitress-serve flask celery rq "
    "dramatiq".split()
)
# Long options with one dash, of Java's keytool, openssl and others: no value is glued to them.
_DASHED_SECRETS = frozenset(
    "-password -passwd -passphrase -passin -passout -pass -storepass -keypass -srcstorepass "
    "-deststorepass -srckeypass -destkeypass -token -authtoken -apitoken -apikey -api-key -secret "
    "-credentials -pin -otp -jwt -bearer -cookie".split()
)
# Short options that many programs use for a password, a user or a key.
_SHORT_SECRETS = frozenset("-p -P -a -u -U -w -W -k -s".split())
_TELLING = re.compile(
    r"pass|pwd|secret|(?<!max-)token(?!iz|-ttl)|key|auth|cred|user|dsn|sign|pw(?![a-z])|jwt|bearer"
    r"|cookie|conn(?:ection)?[-_.]?str"
    rf"|{OF_LOGIN}|{secret_words.ANY}",
    re.IGNORECASE,
)
_WORDS = frozenset(
    "run start serve server worker workers web api beat scheduler job jobs task tasks migrate "
    "migrations upgrade downgrade head heads up down apply plan init build test tests check "
    "version help list show get set create delete update describe exec execute sync deploy shell "
    "console login logout status info debug warn warning error critical trace prod production "
    "staging stage dev development local qa true false yes no on off none auto all default main "
    "master public json text yaml csv tcp udp http https grpc collectstatic runserver "
    "makemigrations "
    "createsuperuser flush loaddata dumpdata db:migrate db:seed db:create assets:precompile "
    "webserver consume consumer producer listen process queue schedule cron daemon foreground "
    "background force dry-run verbose quiet install pull push ls cat echo sleep exit env printenv "
    "date true pwd ps top hostname whoami id cp mv rm mkdir touch find grep curl wget backend "
    "frontend app application standalone cluster client node agent manager controller docker ecs "
    "container image compose artisan queue:work queue:listen schedule:run schedule:work prisma "
    "sequelize typeorm knex alembic rake rspec sidekiq daphne CMD NONE".split()
)


# A word after which no value stays: `passwd`, `vault login`, `rabbitmqctl add_user`.
_TELLING_WORD = re.compile(
    r"(?=[a-z][a-z_-]{0,40}\Z)[a-z_-]{0,30}?(?:pass|pwd|secret|token|cred|login|logon|signin"
    rf"|{secret_words.ANY}"
    r"|(?<![a-z])auth(?![a-z])|user(?![a-z]))",
    re.IGNORECASE,
)
_TELLING_PROGRAM = re.compile(r"pass(?!enger)|pwd|secret|login|credential", re.IGNORECASE)


class Argument(NamedTuple):
    """A value in a command line that no rule keeps.

    Args:
        text: the value.
        option: the option that it belongs to; empty for a word of its own.
        after_login: whether a word such as `login` precedes it, so that it may be a secret.
    """

    text: str
    option: str
    after_login: bool = False


Part = str | Argument


def parts(words: Sequence[str], *, arguments_only: bool = False) -> Iterator[list[Part]]:
    """The part of each word to keep, and the other values.

    Args:
        words: a command line.
        arguments_only: whether the program is named elsewhere, so that the first word is not it.
    """
    program, option, shell_text = "", "", False
    named = not arguments_only  # whether the next word is the program
    served = False  # whether the program is a server, whose -p is a port
    owed = told = False  # a value of a secret is still to come; only values of secrets come
    for word in words:
        if shell_text:
            yield [word] if is_masked(word) else [Argument(word, option)]
        elif named and word in ("CMD", "CMD-SHELL", "NONE"):
            shell_text = word != "CMD"  # after NONE, nothing has a meaning
            yield [word]
            continue
        elif named and not word.startswith("-"):
            program = re.split(r"[/\\]", word)[-1].lower()
            told = bool(_TELLING_PROGRAM.search(program))
            yield _program(word)
        else:
            shell_text = program in _SHELLS and bool(_SHELL_TEXT.fullmatch(word))
            stays = _word(word, program, option)
            if option == "-p" and served and _is_port(word):
                stays, owed = [word], False
            elif tells_secret(option) and re.search("[a-z][A-Z]", word) and not is_plain(word):
                stays = [Argument(word, option)]  # as random as a secret that begins with a dash
            is_value = stays == [word] and word[:1] not in ("", "-", "$") and not _is_hidden(word)
            if is_value and (owed or told):
                stays = [Argument(word, option)]
            yield [
                part._replace(after_login=told) if isinstance(part, Argument) else part
                for part in stays
            ]
            owed = tells_secret(option) and _is_option(word)
            told = told or (not option and bool(_TELLING_WORD.match(word)))
        served = served or word in _WITH_PORT
        if option == "-m" and word in _SERVERS and _RUNS_MODULES.fullmatch(program):
            program = word  # as in python -m uvicorn
        option, named = word if word in _LISTENING else _announced(word, option), False


def hidden(word: str, found: str) -> str:
    """The part to keep of a harmless word in which the search found something.

    Args:
        word: an option, an assignment, or a word of another kind.
        found: the word with pseudonyms in it.
    """
    name, given, value = found.partition("=")
    address = word[0] not in "-/_" and not word[0].isalpha()
    if address or name == word.partition("=")[0]:
        return found
    sign = _SIGN.match(word)
    return f"{sign[0] if sign else ''}{REDACTED}{given}{value}"


def _is_hidden(word: str) -> bool:
    return is_masked(word) or is_masked(word.partition("=")[2].strip("\"'"))


def _is_port(word: str) -> bool:
    return _NUMBER.fullmatch(word) is not None and int(word) <= _HIGHEST_PORT


def _announced(word: str, option: str) -> str:
    """The option that the next word belongs to; empty if it belongs to none."""
    if _is_option(word):
        return word
    name = word.strip()
    if name in ("", "--"):  # an empty value may be a mistake, and the secret the next word
        return option if _is_secret(option) else ""
    bare = name.rstrip("=:")
    alone = "=" not in bare and ":" not in bare and (bare != name or name[0] == "-")
    return bare if alone and _is_secret(bare) else ""


def _program(word: str) -> list[Part]:
    if is_masked(word):
        return [word]
    given = _NAME.match(word)
    if given and word[given.end() : given.end() + 1] == "=":
        return _assigned(word, given.end())
    base = re.split(r"[/\\]", word)[-1]
    kept = _PROGRAM.fullmatch(base) or _VERSIONED.fullmatch(base)
    return [base] if kept and not looks_random(base) else [Argument(word, "")]


def _word(word: str, program: str, option: str) -> list[Part]:
    if not word or is_masked(word):
        return [word]
    if _is_option(word):
        return [word]
    # A secret may have an = in it.
    forms = (_LONG_OPTION, _JAVA_PROPERTY, _WINDOWS_OPTION, _NAME, _DASHED_OPTION)
    for form in () if _is_secret(option) else forms:
        given = form.match(word)
        if given and word[given.end() : given.end() + 1] in ("=", ":"):
            if form is _NAME and word[given.end()] == ":":
                continue
            return _assigned(word, given.end())
    if word.startswith("-") and not _PLAIN.fullmatch(word):
        glued = None if _is_secret(option) else _DASHED.match(word)
        # Of `-pPASSWORD` the option's letter stays.
        return [word[:2], Argument(word[2:], word[:2])] if glued else [Argument(word, option)]
    return [word] if _stays(word, program, option) else [Argument(word, option)]


def _assigned(word: str, end: int) -> list[Part]:
    value = word[end + 1 :]
    quote = value[:1] if len(value) > 1 and value[:1] in "\"'" and value[-1] == value[0] else ""
    bare = value[1:-1] if quote else value
    if not bare or is_masked(bare) or _REFERENCE.fullmatch(bare):
        return [word]
    if (_PLAIN.fullmatch(bare) or _is_local(bare)) and not _is_secret(word[:end]):
        return [word]
    return [word[: end + 1] + quote, Argument(bare, word[:end]), quote]


def _holds_secret(option: str) -> bool:
    """Whether a secret is attached to its option: --token-JYpPPioOt, but not --authToken."""
    mixed = re.search("[a-z][A-Z]", option) and not is_plain(option.lstrip("-"))
    return bool(mixed) and tells_secret(option)


def _is_option(word: str) -> bool:
    return bool(
        (_LONG_OPTION.fullmatch(word) and not looks_random(word) and not _holds_secret(word))
        or _DASHED.fullmatch(word)
        or word in _DASHED_WORDS
        or _JVM_OPTION.fullmatch(word)
        or word in _DASHED_SECRETS
    )


def _stays(word: str, program: str, option: str) -> bool:
    """Whether a word that belongs to no option has a harmless form."""
    if option in ("-w", "-W") and _WORKERS.fullmatch(word):
        return True
    if _is_secret(option):
        return False
    if _NUMBER.fullmatch(word):  # it may be a PIN
        long = len(word) > _LONGEST_COUNT and _DASHED.fullmatch(option)
        too_high = option in _LISTENING and int(word) > _HIGHEST_PORT
        return (bool(option) and not long and not too_high) or program in _COUNTING
    if (
        _WORDS.issuperset(word.split(":"))  # of npm: start:prod
        or word in _WORDS
        or word in _WITH_PORT
        or word in _LISTENING
        or _PLAIN.fullmatch(word)
        or _names_file(word)
        or _is_local(word)
    ):
        return True
    return _names_module(word, program, option) and _MODULE.fullmatch(word) is not None


def _is_local(word: str) -> bool:
    local = _LOCAL.fullmatch(word)
    return local is not None and _PATH_WORDS.issuperset(
        re.findall("[a-z0-9]+", local["path"] or "")
    )


def _names_file(word: str) -> bool:
    """Whether a word is the file of a program; from the root, the words of its path are known."""
    file = _FILE.fullmatch(word)
    if file is None or file["of_root"] is None:
        return file is not None
    return all(is_plain(part) for part in word.split("/")[1:-1])


def _names_module(word: str, program: str, option: str) -> bool:
    """Whether a word may be a Python module."""
    if program in _SERVERS:
        return ":" in word or option in ("-A", "--app", "--module")
    return option == "-m" and _RUNS_MODULES.fullmatch(program) is not None


def _is_secret(option: str) -> bool:
    return option in _SHORT_SECRETS or tells_secret(option)


def tells_secret(option: str) -> bool:
    """Whether an option's name says that its value is a secret."""
    return _TELLING.search(option) is not None


def redacted(words: Sequence[str]) -> list[str]:
    """A command line reduced to its structure."""
    return [
        "".join(REDACTED if isinstance(part, Argument) else part for part in word)
        for word in parts(words)
    ]
