"""Plain words, which are common in messages and reveal nothing.

`words.txt` has English and technical words, most of them those of the documentation of AWS's APIs.
`verdicts.txt` has the words with which other languages say that a password is wrong or expired.
"""

from __future__ import annotations

import functools
import re
from pathlib import Path

# Numbers, versions, times, sizes, regions, references, and known words with a digit.
_FORM = re.compile(
    r"[^0-9A-Za-z\x80-\U0010ffff]*|[*xX]{2,}|0x[0-9a-f]{1,16}"
    r"|v?\d{1,5}(?:[.,:/-]\d{1,5}){0,5}(?:-(?:alpha|beta|rc|dev)[.\d]{0,4})?"
    r"|\d{1,5}(?:\.\d{1,3})?(?:[nuµm]?s|sec|min|[mhdwy]|[kKMGT]i?[bB]?|%|x|st|nd|rd|th)"
    r"|\d{4}-\d\d-\d\d[T ]?[\d:.]{0,15}(?:Z|[+-]\d\d:?\d\d)?"
    r"|[a-z]{2}(?:-[a-z]{2,9}){1,3}-\d[a-z]?"
    r"|\$(?:\d{1,2}|\{[A-Za-z_]\w{0,63}\}?|[A-Za-z_]{1,64}|[A-Z_][A-Z0-9_]{0,63})|%[\w%]{1,64}|-{0,2}\w?"
    r"|(?:/@?[a-z][a-z_.-]{0,40}){2,12}/?"
    r"|(?i:sha-?(?:1|224|256|384|512)|md5|utf-?(?:8|16)|http/?[123](?:\.[01])?|base(?:32|64)|ipv[46]"
    r"|x86(?:_64)?|x\.?509|ec2|s3|k8s|v\d{1,2}|o?auth2?|python[23]?|amd64|arm64|tls(?:v?1\.[0-3])?"
    r"|argon2(?:id|[di])?|pbkdf2|blake[23][bs]?|(?:sha\d{3}|md5)crypt|[ehpr]s(?:256|384|512)"
    r"|(?:ed|x|curve)25519|secp\d{3}[kr]1|chacha20|poly1305|ripemd160|rsa-?\d{4}|p-?(?:256|384|521)"
    r"|p12|aes-?\d{3}(?:-[a-z]{3})?|int(?:32|64)|i/o|sasl2?|level\d|route53|scram-sha-\d{1,3})"
)
_PIECE = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[\W_]+|[\s\S]")
_BETWEEN = re.compile(r"[-_./'\u2019+&]|::|\W+\Z")
_EDGES = ".,!?\u2026\\*"

# Common users and users' folders of images, programs and systems.
ACCOUNTS = frozenset(
    "admin administrator airflow alpine anonymous apache app application apps appuser app-user "
    "astro builder celery centos ci circleci coder codespace containeradministrator containeruser "
    "dagster data datadog dbt debian default deploy deployer developer docker ec2-user "
    "elasticsearch fedora flink fluent git gitlab-runner gitpod go grafana guest hadoop httpd "
    "java jboss jenkins jovyan kafka keycloak kibana linuxbrew logstash master mongo mongodb mysql "
    "nexus nginx nobody node nodejs nonroot opensearch oracle php play postgres prefect "
    "prometheus public python rabbitmq rails redis root ruby runner sa seluser server service "
    "solr sonarqube spark spring ssm-user superset superuser sys system tomcat ubuntu unknown user "
    "username users vault vscode web webapp wiremock worker www www-data zookeeper".split()
)
# What a sentence says of an option: --password is required
SAID_OF_OPTIONS = frozenset("is was has not needs requires must cannot and or".split())
# Words in the place of an option's value, as in --password PATH.
METAVARIABLES = SAID_OF_OPTIONS.union(
    "port path file dir directory name profile project prefix for to in flag option flags "
    "options are".split()
)


@functools.cache
def words() -> frozenset[str]:
    """Every English and technical word, in lower case."""
    return frozenset(Path(__file__).with_name("words.txt").read_text("ascii").split())


@functools.cache
def _verdicts() -> frozenset[str]:
    """The words of other languages, in lower case."""
    lines = Path(__file__).with_name("verdicts.txt").read_text("utf-8").splitlines()
    return frozenset(word for line in lines for word in line.partition(":")[2].split())


def pieces(word: str) -> list[str]:
    """The parts of a word, divided at capitals, digits and punctuation, in lower case."""
    return [piece.lower() for piece in _PIECE.findall(word)]


@functools.cache
def _letters_in_a_row() -> frozenset[str]:
    return frozenset(three for word in words() for three in _threes(word))


def _threes(word: str) -> list[str]:
    """All sequences of three letters in a word, including its bounds."""
    bounded = f"^{word.lower()}$"
    return [bounded[place : place + 3] for place in range(len(bounded) - 2)]


def is_spelled(word: str) -> bool:
    """Whether a word is spelled as English ones are, though it may not be on the list.

    Each three letters in a row occur in a word of the list. Of random words of eight letters, one
    in several thousand passes; of the names of states that ECS may have one day, 85 % do.
    """
    return _letters_in_a_row().issuperset(_threes(word))


def is_plain(word: str) -> bool:
    """Whether a word consists of known words, or has a harmless form."""
    bare = word.strip(_EDGES)
    if _FORM.fullmatch(bare) or bare.lower() in _verdicts():
        return True
    known = words()
    return all(piece in known or _BETWEEN.fullmatch(piece) for piece in pieces(bare))
