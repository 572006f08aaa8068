"""Crypt4GH key pairs as the tool of the same name makes them."""

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from crypt4gh.keys import c4gh

CRYPT4GH = Path(sys.executable).with_name("crypt4gh")


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyPair:
    secret: Path
    public: Path

    @property
    def public_text(self) -> str:
        return self.public.read_text()

    @property
    def secret_text(self) -> str:
        return self.secret.read_text()

    def decrypt(self, ciphertext: bytes) -> subprocess.CompletedProcess[bytes]:
        """Open a file with the `crypt4gh` command, as its owner does."""
        return subprocess.run(
            [CRYPT4GH, "decrypt", "--sk", self.secret],
            input=ciphertext,
            capture_output=True,
            timeout=60,
        )


@pytest.fixture
def new_pair(tmp_path: Path) -> Callable[..., KeyPair]:
    """Return a function that makes a pair of keys, without a passphrase."""
    made = 0

    def make(passphrase: bytes | None = None) -> KeyPair:
        nonlocal made
        made += 1
        pair = KeyPair(
            secret=tmp_path / f"{made}.sec",
            public=tmp_path / f"{made}.pub",
        )
        c4gh.generate(str(pair.secret), str(pair.public), passphrase, None)
        return pair

    return make


@pytest.fixture
def pair(new_pair: Callable[..., KeyPair]) -> KeyPair:
    return new_pair()
