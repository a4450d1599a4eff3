"""The words that may remain in a command line: a program, options, and values of a few forms."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

RULES = {"argument": "a word of a command line that is neither hidden nor known to be harmless"}

KEYS = frozenset(("command", "entryPoint"))

_HIDDEN = re.compile(
    r"(?:REDACTED|[\w.:/+=,@%-]*(?:ca55e77e|(?<!\d)0{8}\d{4}(?!\d)|198[.-]1[89][.-]|2001:db8:|host-\d+\.example"
    r"|user-\d+@example\.com)[\w.:/+=,@%?&*-]*|\*{2,}|X{3,}|<[A-Za-z ]{1,64}>|`[A-Za-z ]{1,64}`)"
)
_OPTION = re.compile(r"--[A-Za-z][A-Za-z]{0,24}\d?(?:[-_.][A-Za-z]{1,24}\d?){0,7}|-[A-Za-z]")
_DASHED = frozenset(
    "-Command -File -Xms -Xmx -Xss -al -classpath -config -cp -debug -ec -eu -euc -eux -euxc -ex "
    "-exc -fs -fsS -help -it -jar -la -lc -name -port -rf -sS -sSf -server -sf -var -verbose "
    "-version -xc -xe".split()
)
_OF_JVM = re.compile(
    r"-X(?:m[nsx]|ss)\d+[kKmMgG]?|-XX:(?:[+-][A-Za-z]+\d?|[A-Za-z]+=[\d.]+[kmgKMG]?)"
)
_GLUED = re.compile(r"(?P<option>-[A-Za-z])(?P<value>.+)", re.DOTALL)
_GIVEN = re.compile(r"(?P<option>[-/]{0,2}[A-Za-z_][\w.-]{0,60})[=:](?P<value>.*)", re.DOTALL)
_PLAIN = re.compile(
    r"|:?\d{1,5}|\d{1,4}(?:\.\d{1,4}){1,3}|\d{1,5} ?[A-Za-z%]{1,7}"
    r"|\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?Z?)?"
    r"|\$\{?[A-Z_][A-Z0-9_]{0,60}\}?|[<>|&;]{1,2}|2>&1|\.|/|--?|daemon off;"
    r"|(?:(?:https?|tcp)://)?(?:localhost|127\.0\.0\.1|0\.0\.0\.0)(?::\d{1,5})?(?:/"
    r"(?:(?:is)?(?:actuator|alive|api|app|check|db|health[a-z]{0,5}|heartbeat|index|info|internal"
    r"|live[a-z]{0,4}|metrics|p[io]ng|probe|read[iy][a-z]{0,4}|stats|status|up|version|v[123])?[/_-]?){0,9})?"
)
_ORDINAL = re.compile(r"\d{1,5}")
_OF_LETTER = re.compile(r"-[A-Za-z]")
_SERVES = frozenset(
    "flask http-server hypercorn next nuxt puma rackup rails redis-server serve thin unicorn "
    "uvicorn vite".split()
)
_TAKES_PORT = ("http.server", "SimpleHTTPServer", "runserver")
_TAKES_NUMBER = re.compile(r"sleep|kill|nice|seq|timeout|nc|ncat|telnet")
_RUNS_PYTHON = re.compile(r"(?:python|pypy)[\d.]*|coverage|kernprof|")
_TELLS = re.compile(r"passw|pwd|secret|token|credential|login|logon", re.IGNORECASE)
_NAMED = re.compile(r"[-/]{1,2}[A-Za-z][\w.-]*|[A-Z_][A-Z0-9_]*|[A-Za-z_.-]+")
_PROGRAM = re.compile(r"[A-Za-z][A-Za-z_-]{0,30}[\d.]{0,6}(?:[._-][A-Za-z_-]{1,30}){0,4}")
_FILE = re.compile(r"[A-Za-z_./-]{1,240}\.[A-Za-z]{1,4}\d?")
_MODULE = re.compile(r"[a-z_.]{1,280}(?::[A-Za-z_]{1,40}(?:\(\))?)?")
_ARN = re.compile(r"arn:aws[\w-]{0,20}:\S{1,2048}")
_SHELLS = frozenset(
    "sh bash ash dash zsh ksh fish cmd cmd.exe powershell powershell.exe pwsh".split()
)
_SHELL_TEXT = re.compile(r"-[a-z]{0,4}c[a-z]{0,2}|/[ck]|-command|-encodedcommand", re.IGNORECASE)
_SECRET = re.compile(
    r"(?i:(?:--?|/)?[\w.-]{0,60}(?:pass|pwd|secret|(?<!max-)token(?!iz|-ttl)|key|auth|cred|user|dsn"
    r"|sign|pw(?![a-z])|jwt|bearer|cookie|conn(?:ection)?[-_.]?str|(?<![a-z])(?:pin|otp|psk)(?![a-z])"
    r"|-D(?:pin|otp)(?![a-z])|(?:mfa|2fa|otp|one-?time|verification)[_-]?code"
    r"|(?-i:[a-z](?:Pin|Otp)(?![a-z]))|kennwort|contrase|senha|wachtwoord|heslo|parola|adgangskode|haslo|lozinka|salasana)"
    r"[\w.-]{0,60})|-[pPaUuwW]"
)
# Long options with one dash.
_SECRET_DASHED = frozenset(
    "-api-key -apikey -apitoken -authtoken -bearer -cookie -credentials -destkeypass "
    "-deststorepass -jwt -keypass -otp -pass -passin -passout -passphrase -passwd -password -pin "
    "-secret -srckeypass -srcstorepass -storepass -token".split()
)
_REFERENCE = re.compile(r"\$\{?[A-Z_][A-Z0-9_]{0,60}\}?")
_OF_MODULE = frozenset(("-A", "--module", "--app"))
_SERVERS = frozenset(
    "gunicorn uvicorn hypercorn daphne granian uwsgi waitress-serve flask celery rq "
    "dramatiq".split()
)
WORDS = frozenset(
    "CMD CMD-SHELL NONE admin agent all api app application apply assets:precompile auto backend "
    "background beat build cat check client cluster collectstatic compose config console consume "
    "consumer container controller cp create createsuperuser critical cron csv curl daemon date "
    "db:create db:migrate db:seed debug default delete deploy describe destroy dev development "
    "diff docker down downgrade dry-run dumpdata echo ecs env error exec execute exit export false "
    "find flush force foreground format frontend generate get grep grpc head heads health "
    "healthcheck help hostname http https id image import info init install job jobs json launch "
    "list listen loaddata local localhost login logout logs ls main makemigrations manager master "
    "migrate migrations mkdir monitor mv no node none off on ping plan printenv process prod "
    "producer production ps public publish pull push pwd qa queue quiet ready release reload "
    "remove replica reset restart restore rm run runserver schedule scheduler seed serve server "
    "set shell show sleep stage staging standalone start status stop sync task tasks tcp test "
    "tests text top touch trace true udp up update upgrade validate verbose version wait warn "
    "warning watch web webserver wget whoami worker workers yaml yes "
    "alembic artisan daphne knex prisma queue:listen queue:work rake rspec schedule:run "
    "schedule:work sequelize sidekiq typeorm".split()
)
"""Words that hold no secret, in any command. A word that is not here has to be hidden."""

Keeps = Callable[[str, str], bool]


def found(words: Sequence[str], keeps: Keeps) -> Iterator[int]:
    """The index of each word of a command line that must not remain.

    Args:
        words: the command line, without its quotes.
        keeps: whether the project keeps a value, by the option before it and by its text.
    """
    if len(words) == 1 and len(words[0].split()) > 1:  # all of it in one string
        words = words[0].split()
    program, option, is_text, first = "", "", False, True
    told = False
    for index, word in enumerate(words):
        if is_text:
            harmless = _is_hidden(word)
        elif first and word in ("CMD", "CMD-SHELL", "NONE"):
            is_text = word != "CMD"
            continue
        elif first and _PROGRAM.fullmatch(word):
            program, harmless = word.lower(), True
        else:
            is_text = program in _SHELLS and _SHELL_TEXT.fullmatch(word) is not None
            harmless = _is_harmless(word, program, option)
            if (
                option == "-p"
                and _ORDINAL.fullmatch(word)
                and not _SERVES.isdisjoint(words[:index])
            ):
                harmless = int(word) <= 65_535
            if told and not _is_hidden(word) and not _is_option(word) and not _given(word):
                harmless = False
            told = told or (not option and word.isidentifier() and _TELLS.search(word) is not None)
        if not harmless and not _is_kept(option, word, keeps):
            yield index
        if option == "-m" and word in _SERVERS and _RUNS_PYTHON.fullmatch(program):
            program = word
        option, first = _next_option(word, option), False


def _next_option(word: str, option: str) -> str:
    """The option that the following word belongs to."""
    if _is_option(word) or word in _TAKES_PORT:
        return word
    if word.strip() in ("", "--"):
        return option if _SECRET.fullmatch(option) else ""
    empty = word.strip()[:-1] if word.strip()[-1] in "=:" else ""
    return empty if _SECRET.fullmatch(empty) else ""


def _is_kept(option: str, word: str, keeps: Keeps) -> bool:
    given = _given(word)
    own = given is not None and keeps(given["option"], given["value"].strip("\"'"))
    return own or keeps(option, word)


def _given(word: str) -> re.Match[str] | None:
    """An option with its value in one word, or an assignment."""
    given = _GIVEN.fullmatch(word) or _GLUED.fullmatch(word)
    return given if given and (given["option"][0] in "-/" or "=" in word) else None


def _is_hidden(word: str) -> bool:
    return not word or _HIDDEN.fullmatch(word) is not None


def _is_option(word: str) -> bool:
    if _OPTION.fullmatch(word) or _OF_JVM.fullmatch(word):
        return True
    return word in _DASHED or word in _SECRET_DASHED


def _highest(option: str) -> int:
    """The highest number after an option that is a count or a port, and not the id of a token."""
    if option in _TAKES_PORT:
        return 65_535
    return 999 if _OF_LETTER.fullmatch(option) else 99_999


def _is_harmless(word: str, program: str, option: str) -> bool:
    if _is_hidden(word) or _is_option(word):
        return True
    if option and _SECRET.fullmatch(option):
        return option in ("-w", "-W") and len(word) < 3 and word.isdigit()
    if _ORDINAL.fullmatch(word) and not _TAKES_NUMBER.fullmatch(program):
        return bool(option) and int(word) <= _highest(option)
    if (
        word in WORDS
        or WORDS.issuperset(word.split(":"))
        or word in _SERVES
        or word in _TAKES_PORT
        or _PLAIN.fullmatch(word)
        or _FILE.fullmatch(word)
        or _ARN.fullmatch(word)
    ):
        return True
    given = _given(word)
    if given is not None:
        if not _NAMED.fullmatch(given["option"]):
            return False
        value = given["value"].strip("\"'")
        if _is_hidden(value) or _REFERENCE.fullmatch(value):
            return True
        return _PLAIN.fullmatch(value) is not None and not _SECRET.fullmatch(given["option"])
    if program in _SERVERS:
        of_module = ":" in word or option in _OF_MODULE
    else:
        of_module = option == "-m" and _RUNS_PYTHON.fullmatch(program) is not None
    return of_module and _MODULE.fullmatch(word) is not None
