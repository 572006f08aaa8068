"""The public part of an event says what is allowed, and nothing of a person."""

from typing import Any

import pytest

from ledger import errors
from ledger.tlog import vocabulary

DIGEST = "ab" * 32
BASE64_DIGEST = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="

ALLOWED: list[tuple[str, dict[str, Any]]] = [
    ("consent.given", {}),
    ("consent.given", {"form_sha256": DIGEST}),
    ("consent.withdrawn", {"form_sha256": BASE64_DIGEST}),
    ("form.published", {"form_sha256": DIGEST, "version": "1.0", "language": "en-GB"}),
    (
        "access.submitted",
        {
            "dataset": "GMD000001",
            "request_sha256": DIGEST,
            "duo": ["DUO:0000042", "HMB"],
        },
    ),
    (
        "access.approved",
        {
            "request_sha256": DIGEST,
            "statement_sha256": DIGEST,
            "expires_on": "2027-02-28",
            "institution": "https://ror.org/05f950310",
        },
    ),
    (
        "data.released",
        {
            "dataset": "GMD000001",
            "manifest_sha256": DIGEST,
            "cohort_root": BASE64_DIGEST,
            "institution": "05f950310",
        },
    ),
    ("data.revoked", {"manifest_sha256": DIGEST, "reason": "consent-withdrawn"}),
    ("data.registered", {"dataset": "GMD7K2Q9XA", "build": "GRCh38"}),
    ("role.granted", {"role": "irb_reviewer", "channel": "command"}),
    ("subject.erased", {}),
    (
        "log.genesis",
        {
            "origin": "example.com/log",
            "key_id": "c74f20a3",
            "key": "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        },
    ),
]


@pytest.mark.parametrize(("event_type", "pub"), ALLOWED)
def test_what_an_event_may_say(event_type: str, pub: dict[str, Any]) -> None:
    vocabulary.check(event_type, pub)


@pytest.mark.parametrize(
    "event_type", ["consent.deleted", "", "Consent.given", "x" * 99]
)
def test_an_unknown_type_is_refused(event_type: str) -> None:
    with pytest.raises(errors.EventTypeUnknown, match="not an event type"):
        vocabulary.check(event_type, {})


@pytest.mark.parametrize(
    ("event_type", "pub"),
    [
        ("data.released", {"dataset": "GMD000001"}),
        ("form.published", {"version": "1.0"}),
        ("role.granted", {}),
    ],
)
def test_what_is_essential_must_be_said(event_type: str, pub: dict[str, Any]) -> None:
    with pytest.raises(errors.PubInvalid, match="must say in public"):
        vocabulary.check(event_type, pub)


@pytest.mark.parametrize(
    ("event_type", "key"),
    [
        ("consent.given", "donor"),
        ("consent.given", "dataset"),
        ("subject.erased", "subject"),
        ("data.delivered", "recipient"),
    ],
)
def test_a_key_that_is_not_listed_is_refused_and_not_repeated(
    event_type: str, key: str
) -> None:
    pub = {key: "Ada Lovelace", "manifest_sha256": DIGEST}
    if event_type != "data.delivered":
        del pub["manifest_sha256"]
    with pytest.raises(errors.PubInvalid, match="may say in public only") as refused:
        vocabulary.check(event_type, pub)
    assert "Ada" not in str(refused.value)


@pytest.mark.parametrize(
    ("event_type", "pub"),
    [
        ("consent.given", {"form_sha256": "Ada Lovelace"}),
        ("consent.given", {"form_sha256": DIGEST.upper()}),
        ("consent.given", {"form_sha256": DIGEST + "\n"}),
        ("consent.given", {"form_sha256": BASE64_DIGEST[:-2] + "V="}),
        ("consent.given", {"form_sha256": None}),
        ("consent.given", {"form_sha256": [DIGEST]}),
        ("access.submitted", {"request_sha256": DIGEST, "duo": "HMB"}),
        ("access.submitted", {"request_sha256": DIGEST, "duo": ["HMB", "DUO:0000042"]}),
        ("access.submitted", {"request_sha256": DIGEST, "duo": ["HMB", "HMB"]}),
        ("access.submitted", {"request_sha256": DIGEST, "duo": [1]}),
        ("access.submitted", {"request_sha256": DIGEST, "duo": ["ada@example.org"]}),
        (
            "access.submitted",
            {"request_sha256": DIGEST, "duo": [f"DUO:{n:07}" for n in range(33)]},
        ),
        ("access.approved", {"request_sha256": DIGEST, "expires_on": "2027-02-29"}),
        ("access.approved", {"request_sha256": DIGEST, "expires_on": "2027-2-1"}),
        ("access.approved", {"request_sha256": DIGEST, "institution": "Ada's lab"}),
        ("data.registered", {"dataset": "NA12878"}),
        ("data.registered", {"dataset": "GMDADALOVE"}),
        ("data.registered", {"dataset": "GMD000001", "build": "hg19"}),
        ("data.revoked", {"manifest_sha256": DIGEST, "reason": "Ada withdrew"}),
        ("role.granted", {"role": "x" * 17}),
    ],
)
def test_a_value_of_another_shape_is_refused_and_not_repeated(
    event_type: str, pub: dict[str, Any]
) -> None:
    with pytest.raises(errors.PubInvalid, match="another value came") as refused:
        vocabulary.check(event_type, pub)
    assert "Ada" not in str(refused.value)


def test_the_list_of_types_is_the_published_one() -> None:
    published = """
        log.genesis log.key log.policy consent.given consent.changed consent.paused
        consent.resumed consent.withdrawn consent.refused consent.expired
        access.submitted access.approved access.denied access.reviewed access.renewed
        access.expired access.closed agreement.signed form.published data.registered
        data.released data.delivered data.revoked data.deleted subject.erased
        audit.viewed person.identified role.granted role.revoked incident.reported
        hold.signed
    """
    assert set(vocabulary.EVENT_TYPES) == set(published.split())


def test_no_type_may_speak_of_a_donor_or_a_subject() -> None:
    words = {"donor", "subject", "person", "name", "email", "user", "sample"}
    for each in vocabulary.EVENT_TYPES.values():
        for key in each.required | each.optional:
            assert not words & set(key.split("_"))
