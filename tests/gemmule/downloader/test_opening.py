"""The secret key opens what came, and no other key does."""

import hashlib
from pathlib import Path

import crypt4gh.keys.c4gh
from cryptography.hazmat.primitives.serialization import PrivateFormat

from genomics.crypt4gh import keys
from tests.gemmule.downloader.far_side import (
    INDEX,
    VARIANTS,
    FarSide,
)
from tests.gemmule.downloader.person import Run
from tests.genomics.crypt4gh import key_texts


def test_an_opened_file_takes_no_other_files_place(run: Run, site: FarSide) -> None:
    site.put("a.vcf.gz", b"in the way")
    site.sign()
    secret = run.file("key", keys.encode_secret_key(site.secret))
    assert run("--secret-key", secret, "--decrypt")[0] == 1
    assert run.names() == []
    assert run("--secret-key", secret)[0] == 0


def test_opened_with_the_key_and_not_with_another(run: Run, site: FarSide) -> None:
    other = run.file("other", keys.encode_secret_key(keys.generate()[0]))
    status, _, err = run("--secret-key", other, "--decrypt")
    assert status == 1
    assert err.startswith("This is not the key that the release was made for: ")
    assert not site.asked_for(VARIANTS), "before anything has come"
    secret = run.file("key", keys.encode_secret_key(site.secret))
    assert run("--decrypt")[0] == 2
    status, out, _ = run("--secret-key", secret, "--decrypt")
    assert status == 0
    assert "Opened: a.vcf.gz, a.tbi." in out
    for name, plain in site.plain.items():
        opened = run.folder / name.removesuffix(".c4gh")
        assert opened.read_bytes() == plain
        assert opened.stat().st_mode & 0o077 == 0
    assert run("--secret-key", secret, "--decrypt")[0] == 0


def test_a_secret_key_with_a_passphrase(
    run: Run, site: FarSide, tmp_path: Path
) -> None:
    secret, public = tmp_path / "p.sec", tmp_path / "p.pub"
    crypt4gh.keys.c4gh.generate(secret, public, passphrase=b"open sesame", comment=None)
    site.public = keys.parse_public_key(public.read_text())
    for name in tuple(site.named):
        site.put(name, site.plain[name])
    site.sign()
    options = ("--secret-key", str(secret), "--decrypt")
    status, _, err = run(*options)
    assert status == 2 and "passphrase" in err
    wrong = run.file("wrong", "open barley\n")
    assert run(*options, "--passphrase-file", wrong)[0] == 2
    right = run.file("right", "open sesame\n")
    assert run(*options, "--passphrase-file", right)[0] == 0
    assert (run.folder / "a.vcf.gz").read_bytes() == site.plain[VARIANTS]


def test_the_key_of_ssh_opens_what_was_made_for_it(run: Run, site: FarSide) -> None:
    site.public = keys.parse_public_key(key_texts.SSH)
    for name in tuple(site.named):
        site.put(name, site.plain[name])
    site.sign()
    text = key_texts.secret_text(key_texts.ED25519, PrivateFormat.OpenSSH)
    secret = run.file("id_ed25519", text)
    assert run("--secret-key", secret, "--decrypt")[0] == 0
    assert (run.folder / "a.vcf.gz").read_bytes() == site.plain[VARIANTS]


def test_what_does_not_open_leaves_no_plaintext(run: Run, site: FarSide) -> None:
    """The manifest names another inside than the file has."""
    site.named[INDEX]["sha256_plain"] = hashlib.sha256(b"else").hexdigest()
    site.sign()
    secret = run.file("key", keys.encode_secret_key(site.secret))
    status, _, err = run("--secret-key", secret, "--decrypt")
    assert status == 1
    assert err.splitlines()[-1].startswith("The file does not hold what the manifest")
    assert "a.tbi" not in run.names()
    assert not [name for name in run.names() if name.endswith(".part")]
