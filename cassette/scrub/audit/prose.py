"""The words that may remain in free text: plain words, numbers, pseudonyms, names in the file.

The scrub knows forms of secrets and replaces them. This is the inverse: after a word that announces
a secret or a user only what is hidden may follow, and of words with digits in them only those that
have a harmless form, or are a name elsewhere in the file, may remain.
"""

from __future__ import annotations

import re
import string
from collections.abc import Callable, Iterator, Set
from itertools import pairwise

from cassette.scrub.audit import views

Names = Callable[[], Set[str]]

RULES = {
    "announced": "what follows a word that announces a secret",
    "unexplained": "a random word that is neither a pseudonym nor a name in this file",
    "host": "the name of a host",
    "login": "a user and a password before an @ or at the end of a line of .pgpass",
    "quoted-user": "the name of a user: in quotes, after `user=`, or of a folder of users",
    "organization": "the id of an organization",
}

_MASKED = re.compile(
    r"[\"'`]?(?:REDACTED|user-(?:\d|ca55)|host-(?:\d|ca55)|name-ca55|\*\*|XXX|ca55e77e|[\w-]*ca55e77e|<|`"
    r"|\$(?!\w{0,64}?(?:[a-z]\w{0,64}?\d|\d\w{0,64}?[a-z]))|\{\{|\[REDACTED"
    r"|%\w{1,64}%|arn:|ca:55:e7:7e|198\.1[89]\.|2001:db8:|0{8}\d{4}|\d{11}0{8}"
    r"|(?i:i/o|yes|no|true|false|none|null|nil|required|optional|missing|empty|invalid|expired|denied)"
    r"(?![0-9A-Za-z])|[.:;,)\]}\"'\\]*$)"
)
# All of a line after a header, or of nothing.
_BLANK = re.compile(
    r"REDACTED|\*{2,}|X{3,}|<[A-Za-z ]{1,64}>|`[^`]{0,64}`"
    r"|\$(?:\{\w{1,64}\}?|[A-Za-z_]{1,64}|(?-i:[A-Z0-9_]{1,64}))|\{\{[^{}]{1,64}\}\}"
    r"|%\w{1,64}%|yes|no|true|false|none|null|nil|required|optional|missing|empty|invalid|expired|denied",
    re.IGNORECASE,
)
_OF_SERVICE = re.compile(
    r"-(?:api|cache|checker|exchange|init|lambda|page|reset|rotator|sender|service|svc|sync|worker)"
)
_NUMBER = re.compile(r"\d{1,5}(?:[.,]\d{1,5}){0,3}[A-Za-z%]{0,3}[.:;,)]*")
_ANNOUNCING = re.compile(
    r"(?<!(?i:unexpected) )"
    r"(?P<word>(?:(?<![A-Za-z])|(?<=store)|(?<=key))pass(?![A-Za-z])|passw(?:or)?d|passphrase|passcode|pwd|secret"
    r"|(?<!max)(?<!max[_-])token(?!iz|[_-]ttl)|credentials?"
    r"|(?:api|access|private|signing|encryption|master|stripe|fernet|hmac|shared|account)[_-]?key"
    r"|cookie|signature|sess(?:ion)?_?id|(?<![A-Za-z])sid(?![A-Za-z])|connect\.sid|(?:csrf|xsrf|awsalb)"
    r"|(?<!revision )identified (?:with [\w\"']{1,64} )?(?:by|as)(?: password)?)"
    r"(?P<rest>[\w.-]{0,40})(?P<close>[\"'\])]{0,3})"
    r"(?P<sign>\s?,\s{0,4}[\"']?value[\"']?\s?[:=]\s{0,4}"
    r"|:[ \t]{0,4}[|>][+-]?[ \t]{0,4}\n\s{1,64}|\s?(?:=>|:?==?)[ \t]?|\s?:\s{1,8}"
    r"|:(?=[\"'])|\s?[,(]\s?(?=[\"'])"
    r"|(?:\s(?:is|was|set to|changed to|of))?\s{1,4})"
    r"(?P<quote>[\"'(]{0,2})(?P<value>[^\s\"'&,;)\]}<>]{1,256})",
    re.IGNORECASE,
)
_ELEMENT = re.compile(
    r"<[\w:.-]{0,60}(?:passw(?:or)?d|passphrase|pwd|secret|token|credential|key)[\w.-]{0,60}"
    r"(?:\s[^<>]{0,256})?>(?P<value>[^<]{1,4096})</",
    re.IGNORECASE,
)
_COOKIE = re.compile(r"sess(?:ion)?_?id|sid|connect\.sid|csrf|xsrf|awsalb", re.IGNORECASE)
# Docker says `may require authorization: server message: …`, which is not a header.
_AUTHORIZATION = (
    r"(?:proxy-)?authorization(?=[\"']{0,2}\s?:\s{0,4}[\"']?"
    r"(?:basic|bearer|digest|negotiate|ntlm|token|aws4|[^\n\"']{0,512}\d))"
)
_HEADER = re.compile(
    rf"(?<![0-9A-Za-z])(?:{_AUTHORIZATION}|(?:set-)?cookie|x-api-key|x-amz-security-token)"
    r"[\"']{0,2}\s?:\s{0,4}[\"']?(?P<value>[^\n\"']{1,8192})",
    re.IGNORECASE,
)
_CREDENTIALS = re.compile(
    r"(?<![\w/.$#-])[\w.$#-]{1,64}(?::(?P<go>[^\s@\"'()]{1,128})@(?:tcp|udp|unix)\("
    r"|/(?P<oracle>[^\s/@\"']{1,128})@(?://|[\w.-]{1,128}:\d{2,5}/)"
    r"|:(?=[^\s:]{0,64}[a-z])(?=[^\s:]{0,64}\d)(?P<bare>[^\s\"'<>:@/.-]{6,256})@(?!sha\d)[a-z])",
    re.IGNORECASE,
)
_PGPASS = re.compile(
    r"(?<![\w.*:-])[\w.*-]{1,128}:(?:\d{2,5}|\*):[\w*-]{1,64}:[\w*.-]{1,64}:(?P<value>[^\s:\"']{3,256})(?!\S)"
)
_USER = re.compile(
    r"(?<![0-9A-Za-z])(?:user|username|login|role)(?: name)?[ =:]{1,3}"
    r"(?:'(?P<one>[^'\n]{1,128})'|\"(?P<two>[^\"\n]{1,128})\")",
    re.IGNORECASE,
)
# Accounts of images and systems, and words that no account has.
_SYSTEM_USERS = re.compile(
    r"(?i:admin(?:istrator)?|airflow|alpine|anonymous|apache|app(?:lication|s)?|app-?user|astro"
    r"|builder|celery|centos|ci|circleci|coder|codespace|container(?:administrator|user)|dagster"
    r"|data|datadog|dbt|debian|default|deploy(?:er)?|developer|docker|ec2-user|elasticsearch|fedora"
    r"|flink|fluent|git|gitlab-runner|gitpod|go|grafana|guest|hadoop|httpd|java|jboss|jenkins|jovyan"
    r"|kafka|keycloak|kibana|linuxbrew|logstash|master|mongo(?:db)?|mysql|nexus|nginx|nobody"
    r"|node(?:js)?|nonroot|opensearch|oracle|php|play|postgres|prefect|prometheus|public|python"
    r"|rabbitmq|rails|redis|root|ruby|runner|sa|seluser|server|service|solr|sonarqube|spark|spring"
    r"|ssm-user|superset|superuser|sys|system|tomcat|ubuntu|unknown|user(?:s|name)?|vault|vscode"
    r"|web(?:app)?|wiremock|worker|www(?:-data)?|zookeeper|yes|no|true|false|none|null|nil|required"
    r"|optional|missing|empty|invalid|expired|denied|disabled|enabled|undefined)"
)
_BARE_USER = re.compile(
    r"(?<![a-z])(?:[Uu]ser(?:[ _-]?(?:[Nn]ame|[Ii]d))?|USER(?:_?NAME|_?ID)?|[Uu]id|UID|[Uu]sr)"
    r"\s?=(?!=)\s?(?!arn:)(?P<bare>[A-Za-z][^\s\"'`&,;:()\[\]{}<>=|/]{0,126}\w)"
    r"(?![\w=(/:@+-]|\.\w)"
)
_FOLDER = re.compile(r"(?:/home/|/Users/|:\\{1,2}Users\\{1,2})(?P<of>[A-Za-z_][\w+@$.-]{0,63})")
_HIDDEN_USER = re.compile(
    r".*ca55e77e.*|arn:.*|REDACTED|\*{2,}|X{3,}|<[A-Za-z ]{1,64}>|`[A-Za-z ]{1,64}`"
    r"|user-\d+@example\.com"
    r"|[a-z]\w{0,30}\.(?:[a-z]{1,20}_){0,2}(?:id|uid|uuid|pk|key|name|user|username|email|login)"
)
_PERSON = re.compile(
    r"(?:(?i:iam user|by user|session name|session)\s"
    r"|(?<![\w:\\])[A-Z][A-Z0-9]{2,14}\\(?![nrtbfvux]))"
    r"(?=[\w+.-]{0,64}\d)(?P<person>[a-z][\w+-]{0,63}\.[\w+.-]{0,63}\w)(?![\w:/(])"
)
# In the lines of sudo, ssh and PAM.
_LOGGED = re.compile(
    r"(?:sudo(?:\[\d{1,7}\])?:\s{1,4}(?=\S{1,64} : )"
    r"|(?:publickey|pam|password) for (?:invalid user )?(?=\S{1,64} from )"
    r"|(?:user|by) (?=\S{1,64}\(uid=))(?P<logged>(?=\w{0,64}[._\d])[A-Za-z][\w.-]{1,64})"
)
_ORGANIZATION = re.compile(
    r"(?<![\w-])(?:o-(?=[a-z]*\d)(?=\d*[a-z])[a-z0-9]{10,32}|ou-[a-z0-9]{4,32}-[a-z0-9]{8,32})(?![\w-])"
)
# With a port, any dotted name whose last label ends in a digit is that of a host.
_PORTED = re.compile(
    r"(?<![\w.@/:-])(?:[a-z][a-z0-9-]{0,62}\.){1,8}"
    r"(?P<last>(?!(?:mp|bz|p|sqlite|ps|lz|h|x)\d)[a-z]{1,20}\d{1,3}):(?P<port>\d{4,5})(?!\w|[.:]\w)"
)
# A key in quotes that is said to be wrong.
_JUDGED = re.compile(
    r"(?<![A-Za-z])keys?\s{1,4}(?P<quote>[\"'])(?P<value>[^\"'\n]{1,128})(?P=quote)"
    r"\s(?:is|was|has been)?\s?(?:not valid|invalid|rejected|refused|wrong|expired|revoked)",
    re.IGNORECASE,
)
_ASSIGNED = re.compile(
    r"(?:passw(?:or)?d|secret|token|api[_-]?key)[:=](?P<value>[^\s:/,;]{1,256})", re.IGNORECASE
)
_DOTTED = re.compile(
    r"(?<![\w.@/:\\-])(?:[a-z][\w-]{0,62}\.){1,8}(?P<last>[a-z]{2,12})(?![\w-]|\.\w)"
)
# Endings that only host names usually have in a text.
_ENDS = frozenset(
    "com org edu gov int biz io dev net cloud bank tech online store xyz agency company "
    "systems solutions services digital finance shop global expert media-net "
    "ae ar at au be bg br ca ch cl cn cz de dk ee es eu fi fr gr hk hr hu ie il it jp kr lt lu lv "
    "mx my nl no nz pt ro ru sg si sk th tr tw ua uk us vn za".split()
)
_EVERYBODYS = re.compile(
    r"(?:.{0,600}\.)?(?:example(?:\.(?:com|net|org))?|localhost|amazonaws\.com(?:\.cn)?|api\.aws"
    r"|aws\.amazon\.com|public\.ecr\.aws|docker\.(?:io|com)|ghcr\.io|quay\.io|gcr\.io|pkg\.dev|k8s\.io"
    r"|nvcr\.io|cgr\.dev|kubernetes\.io|npmjs\.(?:com|org)|yarnpkg\.com|pypi\.org|pythonhosted\.org|rubygems\.org"
    r"|maven\.org|crates\.io|golang\.org|nodejs\.org|debian\.org|ubuntu\.com"
    r"|elastic\.co|microsoft\.com|git(?:lab|hub)\.(?:com|io)|githubusercontent\.com|socket\.io|engine\.io"
    r"|asp\.net|system\.net|task\.group|(?:ec2|compute|docker)\.internal|com\.amazonaws\..*)"
)
_CODE_BEFORE = re.compile(
    r"(?:modules?|imports?|packages?|class|from|named|files?|scripts?|python|in|function|attribute"
    r"|plugins?|loggers?|library|method|object|type|option|property|prefix)\s{0,3}[\"'`(]?\Z",
    re.IGNORECASE,
)
_CODE_AFTER = re.compile(r"[\"'`]?(?::[A-Za-z_]|\(|\.\w)")
# A name made by CloudFormation: Shop-WebServiceD69D759B-tGQ7dP3bXk2A.
_OF_STACK = re.compile(
    r"(?<![0-9A-Za-z-])(?:[A-Za-z][0-9A-Za-z]{1,63}-){1,5}[0-9A-Za-z]{12,13}(?![0-9A-Za-z-])"
)
_PIECES = re.compile(r"[^0-9A-Za-z!#$^&*~%+]+")
_SPACES = re.compile(r"[\s\"'`()\[\]{}<>,;|]+")
_CAMEL = re.compile(
    r"(?:[A-Z]?[a-z]{2,}\d{0,4}|[A-Z]{2,}\d{0,3}){1,8}[0-9A-F]{0,12}|[0-9a-f]+|[0-9A-Z]+"
)
_UPPER = re.compile(r"(?=(?:[A-Z]{0,64}\d){4})(?=[^G-Z]{0,64}[G-Z])[A-Z0-9]{24,}")
_HEX_ID = re.compile(
    r"(?<![0-9A-Fa-f%])(?!ca55e77e)(?:[0-9a-f]{16,}|[0-9A-F]{16,})(?<!ca55e77e)(?![0-9A-Fa-f])"
)
_OF_COMMIT = re.compile(
    r"(?<![0-9A-Za-z])(?:build|commit|git|head|nightly|ref|release|rev|revision|sha-?1?|snapshot|tag"
    r"|version)(?: (?:id|number))?[ #:=/@_-]{1,3}[\"'`(]?\Z",
    re.IGNORECASE,
)
_PASSWORD = re.compile(r"(?=.*[a-z])(?=.*[A-Z])(?=.*\d)(?=.*[!#^&*~])[^\s/:=?@]{8,128}")


# Any word that speaks of a secret, and a word near it that nobody uses in a sentence.
_SPEAKS = re.compile(
    r"(?=.{1,64}\Z)(?:.{0,64}[^a-z])?(?:.{0,64}(?:passw(?:or)?[dt]|passphrase|passcode|secret"
    r"|(?<!max)token|api_?key|access_?key|credential|requirepass|masterauth|kennwort|contrase"
    r"|wachtwoord)s?|.{0,64}pwd|pw|pin|otp|senha|passe"
    r"|(?:db|root|user|smtp|ldap|admin|bind)_?(?:pw|pass))(?:[^a-z/.]\w{0,64})?|auth|bearer|login",
    re.IGNORECASE,
)
_SPEAKING_PAIR = re.compile(
    r"(?:api|access|private|secret|signing|master|encryption) keys?|connection string|sshpass -p",
    re.IGNORECASE,
)
# An address, or an ARN in which somebody masked a part: arn:aws:ssm:…:<your id>:parameter/….
_WHOLE = re.compile(r"(?:\w{1,16}://|\barn:)(?:[^\s\"'<>]|<[^<>\n]{1,64}>(?=[:/_.-])){1,2048}")
_PARTS = re.compile(r"[^\s\"'`,;:=|<>()\[\]{}\u201c\u201d]+")
_HARMLESS = re.compile(
    r"[\W\d_]*|\D*|v?\d.{0,1}|v?\d+(?:[.,:/+-]\w{1,8})+|\d+(?:\.\d+)?[A-Za-z%]{1,4}"
    r"|[a-z]{2}-[a-z-]{2,20}-\d[a-z]?|\d{4}-\d\d-\d\d[T ].*|[/.].*|.*://.*|0x[0-9a-f]+|\w{1,4}"
    r"|(?i:sha-?\d{1,3}|md5|utf-?\d{1,2}|http/?\d.*|base\d\d|ipv\d|x\d\d.*|x\.?509|python\d|oauth\d"
    r"|argon2\w*|pbkdf2|blake\d\w?|sha\d+crypt|[ehpr]s\d\d\d|\w+25519|secp\d+..|rsa-?\d{4}"
    r"|amd64|arm64|tlsv?1.*|u?int\d\d|level\d|route53|scram-.*|registry-1\..*)"
    r"|.*(?:REDACTED|ca55e77e|host-\d|user-\d|198[.-]1[89]|2001:db8|0{8}\d|\d{11}0{8}).*|\$.*|%.*|arn"
)
_KNOWN = re.compile(r"(?i:sha-?\d{1,3}|md5|utf-?\d{1,2}|base\d\d|x\.?509|level\d)[.:;,]?")
_SET = re.compile(
    r"(?<![\w.*#?%>\])}\u00b7\u00bb\u2588-])-(?!aes-?\d)(?P<flag>[pPaAuUwWk](?:\s{1,4}|=)?|[tT](?:\s{1,4}|=))"
    r"(?P<value>[^\s\"'=-][^\s\"']{2,256})"
    r"|(?<![a-z])(?:key|dsn|salt|nonce|seed|mnemonic|hash)=[\"']?(?P<given>[^\s\"'&,;)\]}]{3,256})",
    re.IGNORECASE,
)
_OF_ECS = frozenset(
    "service cluster container task deployment family image volume revision region zone "
    "stream".split()
)


def found(text: str, names: Names) -> Iterator[str]:
    """The rules that find something in a text for people.

    Args:
        text: the whole value, without quotes and escapes.
        names: the words that are names elsewhere in the same file.
    """
    if "&" in text:
        text = views.without_entities(text)
    checks: dict[str, Callable[[str], bool]] = {
        "announced": lambda text: (
            _announced(text) or _is_near(text, names) or any(map(_is_set, _SET.finditer(text)))
        ),
        "host": _names_a_host,
        "login": _holds_a_login,
        "quoted-user": _names_a_user,
        "organization": lambda text: any(
            "ca55e77e" not in match[0] for match in _ORGANIZATION.finditer(text)
        ),
        "unexplained": lambda text: _is_unexplained(views.without_codes(text), names),
    }
    for rule, check in checks.items():
        if check(text):
            yield rule


def found_in_name(name: str) -> Iterator[str]:
    """The rules that match in a name chosen by a user."""
    given = [match["value"] for match in _ASSIGNED.finditer(name)]
    if any(not _MASKED.match(value) and not re.fullmatch(r"\d{1,5}", value) for value in given):
        yield "announced"
    if not name.startswith("/") and _names_a_host(name):
        yield "host"


def is_own_host(host: str) -> bool:
    """Whether a name with a dot is a private host."""
    return "ca55e77e" not in host and _EVERYBODYS.fullmatch(host) is None and not _is_false(host)


def _is_false(host: str) -> bool:
    return re.search(r"(?:^|\.)host-\d+\.|ip-198-1[89]-", host) is not None


def _announced(text: str) -> bool:
    if any(map(_gives, _ANNOUNCING.finditer(text))):
        return True
    if any(not _MASKED.match(match["value"].strip()) for match in _ELEMENT.finditer(text)):
        return True
    judged = [match["value"] for match in _JUDGED.finditer(text)]
    if any(re.search(r"\d", value) and not _HARMLESS.fullmatch(value) for value in judged):
        return True
    return any(not _BLANK.fullmatch(match["value"].strip()) for match in _HEADER.finditer(text))


def _gives(match: re.Match[str]) -> bool:
    """Whether the text after an announcing word is a value that is not hidden."""
    sign, value = match["sign"].strip(), match["value"]
    if match["rest"].endswith(".amazonaws.com"):  # secretsmanager.eu-west-1.amazonaws.com: …
        return False
    if sign == ":" and value.isalpha() and _OF_SERVICE.fullmatch(match["rest"]):
        return False
    if _MASKED.match(value) or _NUMBER.fullmatch(value) or _KNOWN.fullmatch(value):
        return False
    of_cookie = _COOKIE.match(match["word"]) is not None
    if any(mark in sign for mark in "=|>"):
        return len(value) >= (6 if of_cookie else 3)
    if of_cookie or (not sign and match["rest"]):
        return False
    if "'" in match["quote"] or '"' in match["quote"]:
        return True
    if sign.startswith(":"):
        telling = re.search("pass|pwd|key", match["word"], re.IGNORECASE)
        return len(value) >= 3 and (telling is not None or not value.rstrip(".:").isalpha())
    named, _, given = value.partition("=")
    if given and re.fullmatch(r"[\w.-]+", named) and _MASKED.match(given):
        return False
    bare = re.split(r"[:=(\[{]", value)[0]
    return len(bare) >= 6 and re.search(r"[\d!#$%&*^]", bare) is not None


def _is_set(match: re.Match[str]) -> bool:
    """Whether the value of a short flag or a key is not a path, a number or a plain word."""
    value, flag = match["value"] or match["given"], match["flag"] or ""
    if value.isdigit() and flag:
        return int(value) > (65_535 if flag[0] in "pPuU" or len(flag) == 1 else 999)
    return "/" not in value and _HARMLESS.fullmatch(value[:128].strip(".!?\\")) is None


def _is_near(text: str, names: Names) -> bool:
    """Whether a word of letters and digits is near a word for a secret."""
    words = _PARTS.findall(_WHOLE.sub("/", text))
    for index, word in enumerate(words):
        pair = f"{words[index - 1]} {word}" if index else word
        if not (_SPEAKS.fullmatch(word) or _SPEAKING_PAIR.fullmatch(pair)):
            continue
        after = words[index + 1 : index + 5]
        if after and re.fullmatch(r"(?i:pin|otp)", word) and re.fullmatch(r"\d{4,12}", after[0]):
            return True
        before = [
            words[place]
            for place in range(max(0, index - 4), index)
            if words[place + 1].lower() in ("is", "was")
            or (place and words[place - 1].lower() == "value")
        ]
        kinds = [*before, *after]
        for place, near in enumerate(kinds):
            named = near in names() or (place and kinds[place - 1].lower() in _OF_ECS)
            if not named and _HARMLESS.fullmatch(near[:128].strip(".!?\\")) is None:
                return True
            if near.endswith(".") and place >= len(before):
                break
    return False


def _holds_a_login(text: str) -> bool:
    given = [
        match["go"] or match["oracle"] or match["bare"] for match in _CREDENTIALS.finditer(text)
    ]
    given += [match["value"] for match in _PGPASS.finditer(text)]
    return any(_MASKED.match(value) is None for value in given)


def _names_a_user(text: str) -> bool:
    users = [match["one"] or match["two"] for match in _USER.finditer(text)]
    users += [match["person"] for match in _PERSON.finditer(text)]
    users += [match["logged"] for match in _LOGGED.finditer(text)]
    users += [
        match["bare"]
        for match in _BARE_USER.finditer(text)
        if not _SYSTEM_USERS.fullmatch(match["bare"])
    ]
    return names_a_folder(text) or any(
        _HIDDEN_USER.fullmatch(user) is None and not re.search("[0-9a-f-]{8}ca55e77e", user)
        for user in users
    )


def names_a_folder(text: str) -> bool:
    """Whether a path leads into a user's folder."""
    return any(
        not _SYSTEM_USERS.fullmatch(match["of"]) and not _HIDDEN_USER.fullmatch(match["of"])
        for match in _FOLDER.finditer(text)
    )


def _names_a_host(text: str) -> bool:
    for match in _DOTTED.finditer(text):
        if match["last"] not in _ENDS or not is_own_host(match[0]):
            continue
        before = text[max(0, match.start() - 40) : match.start()]
        if not _CODE_BEFORE.search(before) and not _CODE_AFTER.match(text, match.end()):
            return True
    return any(
        int(match["port"]) >= 1024
        and not _HARMLESS.fullmatch(match["last"])
        and not _CODE_BEFORE.search(text[max(0, match.start() - 40) : match.start()])
        for match in _PORTED.finditer(text)
    )


def _is_unexplained(text: str, names: Names) -> bool:
    for token in _SPACES.split(text):
        if len(token) < 8 or "REDACTED" in token or "ca55e77e" in token:
            continue
        # In an address or a name of a resource, other rules look at each part.
        if "://" in token or token.startswith("arn:"):
            continue
        if _PASSWORD.fullmatch(token.rstrip("!.:?").lstrip("*")) and token not in names():
            return True
        for piece in _PIECES.split(_OF_STACK.sub("", token)):
            word = re.split("%[0-9A-Fa-f]{2}", piece)[0]
            if len(word) >= 12 and _is_random(word) and word not in names():
                return True
    return any(
        set(match[0]) - set(string.digits) and not _is_commit(match)
        for match in _HEX_ID.finditer(text)
    )


def _is_commit(match: re.Match[str]) -> bool:
    """Whether the text says that hexadecimal digits are the SHA of a commit."""
    before = match.string[max(0, match.start() - 32) : match.start()]
    return len(match[0]) == 40 and _OF_COMMIT.search(before) is not None


def _is_random(piece: str) -> bool:
    if not piece.isalnum() or _CAMEL.fullmatch(piece):
        return len(piece) >= 24 and _UPPER.fullmatch(piece) is not None
    kinds = [character.isdigit() + 2 * character.isupper() for character in piece]
    changes = sum(one != other for one, other in pairwise(kinds))
    return len(set(kinds)) == 3 and changes / len(kinds) >= (0.45 if len(kinds) < 20 else 0.36)
