"""Decides which dotted words are host names, and which parts of one identify its owner."""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING

from botocore import loaders

from cassette.scrub import vocabulary

if TYPE_CHECKING:
    from publicsuffixlist import PublicSuffixList

# Suffixes of private networks; the public suffix list knows those of the Internet.
PRIVATE = ("internal local localdomain corp lan intranet private home consul svc localnet").split()
_PRIVATE_NAME = re.compile(
    rf"(?:[\w-]{{1,63}}\.){{1,8}}(?:{'|'.join(PRIVATE)}|home\.arpa)(?![0-9a-z])"
)
# Public names, which identify nobody.
_PUBLIC = re.compile(
    r"(?:.*\.)?(?:docker\.io|docker\.com|public\.ecr\.aws|ghcr\.io|quay\.io|gcr\.io|pkg\.dev"
    r"|microsoft\.com|k8s\.io|kubernetes\.io|elastic\.co|gitlab\.com|github\.com"
    r"|githubusercontent\.com|npmjs\.(?:com|org)|yarnpkg\.com|pypi\.org|pythonhosted\.org"
    r"|nvcr\.io|cgr\.dev|rubygems\.org|maven\.org|crates\.io|golang\.org|nodejs\.org|debian\.org|ubuntu\.com"
    r"|aws\.amazon\.com|example|example\.(?:com|org|net)|localhost)"
    r"|ec2\.internal|(?:[\w-]+\.)?compute\.internal|host\.docker\.internal"
    r"|amazonaws\.com(?:\.cn)?|api\.aws",  # as they are; a name before them may be an account's
    re.IGNORECASE,
)
_AWS = re.compile(r"(?P<own>.+)\.(?P<suffix>amazonaws\.com(?:\.cn)?|api\.aws)", re.IGNORECASE)
_REGION = re.compile(r"[a-z]{2}(?:-[a-z]{1,16}){1,3}-\d[a-z]?")
# Labels of AWS's hosts besides its services and regions.
_AWS_LABELS = frozenset(
    "api aoss apigateway appsync-api cache dkr docdb dualstack ecs-a ecs-t ecs-tcs elb execute-api "
    "es fips ingest ingest-timestream kafka kafka-connect lambda-url memorydb mq neptune "
    "elasticache "
    "s3 s3-control s3-fips s3-website ssmmessages ec2messages monitoring states vpce www".split()
)
# Whose domains begin the keys of tags and labels that tools set.
_TOOLS = frozenset(
    "kubernetes.io k8s.io x-k8s.io prefect.io dagster.io astronomer.io apache.org helm.sh "
    "argoproj.io fluxcd.io istio.io linkerd.io knative.dev crossplane.io cert-manager.io "
    "opencontainers.org docker.com traefik.io hashicorp.com terraform.io pulumi.com "
    "amazonaws.com aws.com eks.io karpenter.sh datadoghq.com newrelic.com dynatrace.com "
    "sentry.io grafana.com prometheus.io elastic.co openshift.io redhat.com coreos.com "
    "gitlab.com github.com circleci.com google.com googleapis.com microsoft.com azure.com "
    "backstage.io opentelemetry.io kubeflow.org ray.io dask.org".split()
)
_DOMAIN = re.compile(r"(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24}")
# Names of programs and packages, and words of patch files, that look like names of hosts.
_PROGRAMS = frozenset(
    "socket.io engine.io asp.net system.io java.io java.net node.js vue.js next.js react.js "
    "express.js system.net botocore.client aws.ecs task.group".split()
)
# Last labels that end the names of files, modules, members and columns more often than those of
# hosts.
_OF_CODE = frozenset(
    "able actor app author auto bar best bid bot box build business cab call cards care case cat "
    "cc center cfg channel chat city claims click codes community compare contact country cpp "
    "credit data date day delivery design dev direct directory discount do domains download drive "
    "email equipment events exchange exposed express fail family fast feedback final fit free fun "
    "game gap give got group guide gz health help host how id info io java jobs lease legal life "
    "like limited link live locker mad map market md media mil mk ml mobi mobile money mov name "
    "net network new now nu one open origins page parts party pay phone photo pid pin ping pl "
    "place play plus pm post pr pro prod properties property protection ps pub py read red repair "
    "report rest review reviews rip rs run sa safe save sc search secure security select sh show "
    "site smart so spot ss st star storage stream style supply support tab tar target tax team tf "
    "to today tools top total training travel trust ts vi video vu watch website win work works "
    "world wtf you zero zip zone".split()
)
_ALWAYS_HOSTS = frozenset("io dev net".split())
# Labels that do not identify the owner of a host: all of them are names of modules.
_MODULES = frozenset(
    "app api base config core handlers lib main models module modules prod run settings src tasks "
    "test tests utils views".split()
)
_VERSION = re.compile(r"v?\d{1,4}(?:\.\d{1,4})+")
_COLUMN = re.compile(r"[a-z0-9]{0,30}_\w{0,30}\.\w+")  # such as u1_0.id; no domain has a _
_NAMED_VERSION = re.compile(r"\d{1,4}(?:\.\d{1,4}){1,4}\.[a-z]\w*")  # such as 6.4.1.final
_MODULE_FILE = re.compile(r"(?:[a-z_]\w{0,62}\.){2,8}py|(?:[a-z_]{1,30}\.)?settings\.local")
_COUNTRY = re.compile(r"\.(?:com|coop|edu|gov|mil|net|org|una)\.py\Z")
# A class of Java or .NET, such as java.lang.Exception and Microsoft.AspNetCore.Hosting.
_CLASS = re.compile(
    r"jdk\.internal\..+|javax?\.(?:awt|beans|io|lang|management|math|naming|net|nio|rmi|security|servlet|sql|text"
    r"|time|util|xml)\..+|(?:\w{1,63}\.){1,8}[A-Z][a-z]\w*(?:Exception|Error)"
    r"|(?:Amazon|AWSSDK|Azure|Microsoft|System)(?:\.[A-Z]\w{1,62}){1,8}"
    r"|(?:[A-Z]\w{1,62}\.){1,8}(?=\w{6})[A-Z][a-z]+\w*|lib[\w.+-]{1,60}\.so"
    # A variant of a file, such as Dockerfile.prod.
    r"|(?i:caddy|docker|gem|jenkins|just|make|pip|proc|rake|tilt|vagrant)file\.\w+"
)
# A class in packages, and a member of one: okhttp3.internal.Http2Stream.read
_OF_CLASS = re.compile(
    r"(?:[a-z]\w{0,62}\.){2,10}[A-Z]\w{0,20}[a-z]\w{2,62}(?P<member>\.[a-zA-Z]\w{0,62}){0,2}"
)
_ENDS_HOST = re.compile(
    rf"\.(?:com|org|net|io|dev|[a-z]{{2}}|{'|'.join(PRIVATE)})\Z", re.IGNORECASE
)
_CODE_BEFORE = re.compile(
    r"(?:module|modules|import|imports|package|packages|class|from|named|file|script|python|in"
    r"|function|attribute|plugin|logger)\s{0,3}[\"'`(]?\Z",
    re.IGNORECASE,
)
_HOST_BEFORE = re.compile(
    r"(?:hosts?|hostnames?|host names?|servers?(?: at)?|address|addr|//|@"
    r"|(?<![A-Za-z])(?:lookup|resolv(?:e|ed|ing)|dial|tcp|domains?|endpoint|valid for|not known"
    r"|enotfound|eai_again|getaddrinfo|gethostbyname|nslookup|dig|ping|reach|upstream|peer|proxy"
    r"|origin|website|sni|cn|dns|connect to|connection to|connected to|connecting to|ssh|curl"
    r"|wget))[\s:=]{0,3}[\"'`(\[]?\Z",
    re.IGNORECASE,
)
# Text before a dotted word that makes it a host, with any ending.
_SURELY_BEFORE = re.compile(
    r"(?:host|hostname|lookup|resolve(?: host)?|enotfound|eai_again|not known|dial tcp|nslookup"
    r"|unknownhost(?:exception)?|nxdomain|servfail"
    r"|valid for|[\s(]//)[\s:=]{0,3}[\"'`]?\Z",
    re.IGNORECASE,
)
_PORT_AFTER = re.compile(r":(?P<port>\d{2,5})(?!\d|[.:]\d)")
_CODE_AFTER = re.compile(r":[A-Za-z_]|\(|\.(?:py|js|java|go|rb|rs|ts)\b")
# Last labels that are also the ends of files of programs, with lines after a colon.
_OF_FILES = frozenset("cc cpp java map md mk ml mov pl pm ps py rs sc sh so st tar ts zip".split())

# An ending of a private network's own, and the labels before it.
_OWN_LABEL, _LABEL = re.compile(r"[a-z][a-z0-9-]{1,30}"), re.compile(r"[A-Za-z][A-Za-z0-9-]{0,62}")
_FILES = _OF_FILES | frozenset(
    "avi bak bash bat bin bz2 cer cfg cjs class cmd conf config crt cs csr css csv db dll doc "
    "dockerfile docx egg env err exe gif go gpg gz h hcl hpp html img iml ini iso jar jks "
    "jpeg jpg js json jsonl jsx key ko kt ldb lock log lua lz4 mjs mp3 mp4 mtail npmrc o old "
    "orig out p12 par parquet patch pb pdf pem pfx php pid png policy ppt pptx properties "
    "proto ps1 pub pyc pyi rb rdb rpm rst rules scala security service sock socket sql sqlite "
    "sqlite3 sum svg "
    "swift swp tf tfstate tfvars tgz timer tmp toml tpl tsx ttf txt unit vue war wasm wat "
    "webm webp whl woff xls xlsx xml xsd xz yaml yml zst".split()
)
_OF_PROPERTIES = ("home", "private")  # of PRIVATE, what also ends names such as user.home
_NO_OPTION = frozenset(PRIVATE) - {"home"}
_REVERSED = ("org.", "com.", "io.", "net.")  # begin the names of packages of Java
_HIDDEN_FILE = re.compile(r"(?:\A|[\s/\"'])\.\Z")  # such as .env.dev
_FEWEST_LABELS = 2
_LEAST_PORT = 1024  # of a service that has one of its own; lower numbers are those of lines


def is_public(host: str) -> bool:
    """Whether a host is public, so that its name identifies nobody."""
    return _PUBLIC.fullmatch(host) is not None


def is_own_domain(domain: str, slash: str) -> bool:
    """Whether a key begins with a domain, other than that of a well-known tool.

    Args:
        domain: the key up to its first slash.
        slash: that slash; empty if the key has none, and may be the name of a property.
    """
    *own, last = domain.lower().split(".")
    if not domain.isascii() or ".".join([*own[-1:], last]) in _TOOLS:
        return False
    of_key = slash or (last in ("com", "net", "org") and not all(map(vocabulary.is_plain, own)))
    return bool(of_key and _DOMAIN.fullmatch(domain) and is_host(domain))


def is_private(host: str) -> bool:
    """Whether a host's name, in lower case, belongs to a private network."""
    return _PRIVATE_NAME.fullmatch(host) is not None


def is_host(word: str, before: str = "", after: str = "") -> bool:
    """Whether a dotted word of a text is the name of a host.

    Args:
        word: the word.
        before: some of the text before it.
        after: some of the text after it.
    """
    name = word.lower().rstrip(".")
    announced = _HOST_BEFORE.search(before) is not None
    of_code = is_code(word) or _is_class(word, after)
    if _is_option(word, before) or (of_code and not announced):
        return False
    if of_aws(name) or (_PRIVATE_NAME.match(name) and not _is_property(word, before, after)):
        return True
    if _SURELY_BEFORE.search(before) and re.search("[a-z]{2}", name) and not _VERSION.match(name):
        return name not in _PROGRAMS
    of_sql = _COLUMN.fullmatch(name) and not announced
    if of_sql or name in _PROGRAMS or _NAMED_VERSION.fullmatch(name):
        return False
    if _public_suffixes().privatesuffix(name) is None:
        return _has_own_ending(word, before, after)
    if _CODE_AFTER.match(after) or _CODE_BEFORE.search(before):
        return False
    labels = name.split(".")
    if labels[-1] not in _OF_CODE or labels[-1] in _ALWAYS_HOSTS or announced:
        return not _HIDDEN_FILE.search(before)
    if word.startswith(("self.", "this.")):
        return False
    if labels[-1] in _OF_FILES and (len(labels) == _FEWEST_LABELS or word[0].isupper()):
        return False
    # A module, a member of an object: known words. A host has a name of its own.
    return _PORT_AFTER.match(after) is not None or not all(map(vocabulary.is_plain, labels[:-1]))


def _is_property(word: str, before: str, after: str) -> bool:
    """Whether a dotted word names a property, such as cache.internal-ttl.

    The ending of a private network is only a part of it, and its words say nothing of whose it
    would be as a host.
    """
    port = _PORT_AFTER.match(after)
    if _HOST_BEFORE.search(before) or (port and int(port["port"]) >= _LEAST_PORT):
        return False
    last = word.lower().rpartition(".")[2]
    if last in PRIVATE and last not in _OF_PROPERTIES:
        return False
    return word.startswith(_REVERSED) or vocabulary.is_plain(word)


def _is_class(word: str, after: str) -> bool:
    """Whether a dotted word is a class in packages, or a member of one that is called."""
    found = _OF_CLASS.fullmatch(word)
    if found is None or _ENDS_HOST.search(word):
        return False
    return not found["member"] or after.startswith("(")


def _is_option(word: str, before: str) -> bool:
    """Whether a dotted word is an option, as in --db.private-key and -Dcatalina.home."""
    given = before.endswith("--") or (word[0] == "D" and before.endswith("-"))
    given = given and _PRIVATE_NAME.match(word.lower()) is not None
    last = word.lower().rpartition(".")[2]
    return given and last not in _NO_OPTION and re.sub("[.-]", "", word).isalpha()


def _has_own_ending(word: str, before: str, after: str) -> bool:
    """Whether a dotted word is a host, although no list has its last label.

    A port, or a word that announces a host, distinguishes it from a file or a member of an object.
    Labels that no file and no program has do so as well.
    """
    *own, last = word.split(".")
    if not _OWN_LABEL.fullmatch(last) or last.lower() in _FILES or word[0].isupper():
        return False
    if word.startswith(("ecs.", "com.amazonaws.")) or _CODE_AFTER.match(after):
        return False
    in_path = before[-1:] in ("/", "\\") and not before.endswith("//")
    if in_path or not all(map(_LABEL.fullmatch, own)):
        return False
    if all(map(vocabulary.is_plain, word.split("."))):  # words do not say whose it is
        return False
    port = _PORT_AFTER.match(after)
    if port and not _CODE_BEFORE.search(before):
        return int(port["port"]) >= _LEAST_PORT or not word.startswith(_REVERSED)
    if _HOST_BEFORE.search(before):
        return True
    # In running text, names of modules and of members have no hyphen.
    return len(own) > 1 and any("-" in label for label in own) and not vocabulary.is_plain(last)


def is_name(word: str) -> bool:
    """Whether a dotted word is a name of plain words, such as web.prod, in a place for names."""
    *own, last = word.lower().split(".")
    return last in _OF_CODE - _ALWAYS_HOSTS and all(map(vocabulary.is_plain, own))


def may_be_file(word: str) -> bool:
    """Whether a dotted word in a path ends like a file name."""
    return word.rpartition(".")[2].lower() in _FILES


def is_code(word: str) -> bool:
    """Whether a dotted word is the name of a class or a module, with any ending."""
    if _CLASS.fullmatch(word) and word.rpartition(".")[2].lower() not in PRIVATE:
        return True
    if _MODULE_FILE.fullmatch(word) and not _COUNTRY.search(word):
        return True
    return _MODULES.issuperset(word.split("."))


def of_aws(host: str) -> tuple[str, str] | None:
    """The part of an AWS host's name that an account chose, and the rest; None for other hosts.

    Only labels that are known to name a service or a region are the rest, so that a new kind of
    host shows too little of itself and never too much.
    """
    match = _AWS.fullmatch(host.lower())
    if match is None:
        return None
    labels = match["own"].split(".")
    known = len(labels)
    while known and _is_of_aws(labels[known - 1]):
        known -= 1
    return ".".join(labels[:known]), ".".join([*labels[known:], match["suffix"]])


def _is_of_aws(label: str) -> bool:
    bare = re.sub(r"-\d{1,2}$", "", label)
    return bool(_REGION.fullmatch(label)) or bare in _AWS_LABELS or bare in _services()


@functools.cache
def _services() -> frozenset[str]:
    """The names of AWS's services in botocore."""
    return frozenset(loaders.create_loader().list_available_services("service-2"))


@functools.cache
def _public_suffixes() -> PublicSuffixList:
    # Reading it takes 50 ms, so it is read only for a text with a dotted word.
    from publicsuffixlist import PublicSuffixList  # noqa: PLC0415

    return PublicSuffixList(accept_unknown=False)
