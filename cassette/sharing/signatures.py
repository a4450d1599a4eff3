"""Signatures of manifests by SSH keys, made and verified with ssh-keygen."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cassette.errors import PackError, UsageError

_NAMESPACE = "cassette-pack"


def sign(content: bytes, key: str) -> bytes:
    """Sign a content with the private key in a file.

    Raises:
        UsageError: the key cannot be used.
        PackError: ssh-keygen is missing.
    """
    done = _keygen("-Y", "sign", "-n", _NAMESPACE, "-f", key, stdin=content)
    if done.returncode:
        raise UsageError(
            f"the key {key!r} cannot sign: {done.stderr.decode('utf-8', 'replace').strip()}",
            fix="ssh-keygen -t ed25519 -f packs_key",
        )
    return done.stdout


def verify(content: bytes, signature: bytes | None, signer: str, pack: str) -> None:
    """Refuse a content without a signature of the signer.

    Args:
        content: what is signed.
        signature: the signature; None if there is none.
        signer: a principal and a public key, as in ssh's file of allowed signers.
        pack: the pack, for errors.

    Raises:
        PackError: it is not signed, or not by the signer; or ssh-keygen is missing.
    """
    if signature is None:
        raise refused(pack, signer)
    with allowed(signer) as file:
        one = file.with_name("manifest.sig")
        one.write_bytes(signature)
        words = ("-Y", "verify", "-n", _NAMESPACE, "-f", str(file), "-I", _principal(signer))
        if _keygen(*words, "-s", str(one), stdin=content).returncode:
            raise refused(pack, signer)


@contextmanager
def allowed(signer: str) -> Iterator[Path]:
    """A file of allowed signers that has one line."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "allowed"
        file.write_text(f"{signer}\n", "utf-8")
        yield file


def refused(pack: str, signer: str) -> PackError:
    """The error for a pack that is not signed as the project requires."""
    return PackError(
        f"the pack {pack} is not signed by {_principal(signer)}",
        nearest=f"[tool.cassette.signers] requires a signature of {_principal(signer)}",
        fix="ask its publisher to publish it with --sign KEY, or remove the signer after a review",
    )


def _principal(signer: str) -> str:
    return signer.split(maxsplit=1)[0]


def _keygen(*words: str, stdin: bytes) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(  # noqa: S603 - no shell
            ["ssh-keygen", *words],  # noqa: S607 - wherever the system has it
            input=stdin,
            capture_output=True,
            check=False,
        )
    except FileNotFoundError:
        raise PackError(
            "signatures need ssh-keygen, which is not installed", fix="install OpenSSH 8.2 or newer"
        ) from None
