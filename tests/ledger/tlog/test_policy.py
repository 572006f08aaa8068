"""A policy is one of C2SP tlog-policy, and believes nothing that it does not name."""

import hashlib
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger import errors
from ledger.tlog import canonical, note, policy
from ledger.tlog.note import SignerKey
from ledger.tlog.policy import Policy
from tests.ledger.tlog.cast import (
    EXAMPLE,
    KEYS,
    LOG,
    LOG_LINE,
    WITNESSES,
    cosigned,
    witness_key,
)


def test_the_example_of_the_specification_reads() -> None:
    found = Policy.parse(EXAMPLE)
    assert found.logs == (LOG.verifier,)
    assert found.log_urls == (None,)
    assert [each.name for each in found.witnesses] == list(KEYS)
    assert [each.key for each in found.witnesses] == [k.verifier for k in KEYS.values()]
    assert [(each.name, each.threshold) for each in found.groups] == [
        ("X-witnesses", 2),
        ("Y-witnesses", 1),
        ("X-and-Y", 2),
    ]
    assert found.quorum == "X-and-Y"
    assert found.text == EXAMPLE
    assert found.sha256 == hashlib.sha256(EXAMPLE.encode()).hexdigest()


def test_the_quorum_of_the_example_is_its_formula() -> None:
    found = Policy.parse(EXAMPLE)
    for count in range(len(KEYS) + 1):
        for names in itertools.combinations(KEYS, count):
            x, y = ([n for n in names if n.startswith(letter)] for letter in "XY")
            assert found.is_met(names) == (len(x) >= 2 and len(y) >= 1)


def test_a_group_is_met_by_witnesses_and_not_by_its_own_name() -> None:
    found = Policy.parse(EXAMPLE)
    assert not found.is_met(["X-and-Y", "X-witnesses", "Y-witnesses", "nobody"])


@pytest.mark.parametrize(("k", "needed"), [("any", 1), ("all", 3), ("1", 1), ("3", 3)])
def test_a_threshold_counts_members(k: str, needed: int) -> None:
    text = f"{WITNESSES}group G {k} X1 X2 X3\nquorum G\n"
    assert Policy.parse(text).groups[0].threshold == needed
    assert Policy.parse(text).is_met(list(KEYS)[:needed])
    assert not Policy.parse(text).is_met(list(KEYS)[: needed - 1])


def test_urls_and_white_space_and_comments_may_stand_there() -> None:
    found = Policy.parse(
        f"\t # a comment \N{SNOWMAN}\n \t \n\n"
        f"  quorum\tnone \n"
        f"\tlog {LOG.verifier.text}   https://example.com/log?\u00e9\t\n"
        f"witness#1 \t\n".replace("witness#1", "#witness")
        + f"witness \u00a0#1\u2028 {KEYS['X1'].verifier.text} https://w.example/\n"
    )
    assert found.log_urls == ("https://example.com/log?\u00e9",)
    # No-break space and line separator are opaque octets like any other.
    assert found.witnesses[0].name == "\u00a0#1\u2028"
    assert found.witnesses[0].url == "https://w.example/"


def test_names_are_octets_that_no_form_of_unicode_equates() -> None:
    text = (
        f"witness K {KEYS['X1'].verifier.text}\n"
        f"witness \u212a {KEYS['X2'].verifier.text}\nquorum K\n"
    )
    found = Policy.parse(text)
    assert found.is_met(["K"]) and not found.is_met(["\u212a"])


def test_octets_of_no_encoding_are_names_too() -> None:
    data = b"witness \xff\x85 %b\nquorum \xff\x85\n" % (
        KEYS["X1"].verifier.text.encode()
    )
    found = Policy.from_bytes(data)
    assert found.sha256 == hashlib.sha256(data).hexdigest()
    assert found.is_met([found.witnesses[0].name])


def test_a_policy_may_name_no_log_and_then_believes_none() -> None:
    found = Policy.parse("quorum none\n")
    assert (found.logs, found.witnesses) == ((), ())
    assert found.is_met([])
    with pytest.raises(errors.NoteInvalid, match="not signed by any known key"):
        found.check(cosigned())


def test_sixty_four_of_each_are_read_and_no_more() -> None:
    seeds = [hashlib.sha256(b"%d" % number).digest() for number in range(65)]
    logs = [
        f"log {SignerKey(name=f'log{n}', seed=seed).verifier.text}\n"
        for n, seed in enumerate(seeds)
    ]
    witnesses = [f"witness w{n} {witness_key(n).verifier.text}\n" for n in range(65)]
    # Each group is a member of the next: the deepest nesting there can be.
    groups = ["group g0 any w0\n"] + [
        f"group g{n} all g{n - 1}{f' w{n}' if n < 64 else ''}\n" for n in range(1, 65)
    ]
    full = "".join(logs[:64] + witnesses[:64] + groups[:64]) + "quorum g63\n"
    found = Policy.parse(full)
    names = [each.name for each in found.witnesses]
    assert found.is_met(names) and not found.is_met(names[1:])
    for more in (logs[64], witnesses[64], groups[64]):
        with pytest.raises(errors.PolicyInvalid, match="at most 64 logs"):
            Policy.parse(full + more)
    with pytest.raises(errors.PolicyInvalid, match="at most 262144 bytes"):
        Policy.parse(full + "#" * 262144 + "\n")


X1, X2 = (f"witness {name} {KEYS[name].verifier.text}\n" for name in ("X1", "X2"))
RENAMED = SignerKey(name="another.name", seed=LOG.seed)
AGAIN = SignerKey(name="another.name", seed=KEYS["X1"].seed, algorithm=note.COSIGNATURE)
POST_QUANTUM = "example.com/w+01020304+" + canonical.encode_base64(
    b"\x06" + bytes(1312)
)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "ends in a newline"),
        ("quorum none", "ends in a newline"),
        ("\n", "has a quorum line"),
        (LOG_LINE, "has a quorum line"),
        ("quorum none\nquorum none\n", "line 2: there is one quorum line"),
        ("quorum\n", "a line is"),
        ("quorum none none\n", "a line is"),
        ("quorum X1\n", "is not defined before"),
        (f"quorum X1\n{X1}", "line 1: the quorum is not defined before"),
        ("Quorum none\n", "a line is"),
        ("quorum none\nlogs\n", "line 2: a line is"),
        ("log\nquorum none\n", "a line is"),
        (f"{LOG_LINE[:-1]} url url\nquorum none\n", "a line is"),
        (f"log {LOG.verifier.text[:-1]}\nquorum none\n", "not a verifier key"),
        (f"log {LOG.text}\nquorum none\n", "not a verifier key|id of a verifier"),
        (f"log {KEYS['X1'].verifier.text}\nquorum none\n", "type 01, type 04 came"),
        (f"log {POST_QUANTUM}\nquorum none\n", "line 1: .* type 06 of 1312 bytes"),
        (f"{LOG_LINE}{LOG_LINE}quorum none\n", "line 2: the key of a log stands"),
        (f"{LOG_LINE}log {RENAMED.verifier.text}\nquorum none\n", "stands there"),
        (f"{X1}{X1}quorum none\n", "stands there already"),
        (f"{X1}witness W {AGAIN.verifier.text}\nquorum none\n", "stands there"),
        (f"{X1}{X2.replace('X2', 'X1', 1)}quorum none\n", "the name is taken"),
        (X1.replace("X1", "none", 1) + "quorum none\n", "the name is taken"),
        (f"witness {KEYS['X1'].verifier.text}\nquorum none\n", "a line is"),
        (f"{X1[:-1]} url url\nquorum none\n", "a line is"),
        (f"witness W {LOG.verifier.text}\nquorum none\n", "type 04, type 01 came"),
        (f"witness W {POST_QUANTUM}\nquorum none\n", "type 06 of 1312 bytes"),
        (f"{X1}group\nquorum none\n", "a line is"),
        (f"{X1}group G\nquorum none\n", "a line is"),
        (f"{X1}group G any\nquorum none\n", "a line is"),
        (f"{X1}group X1 any X1\nquorum none\n", "the name is taken"),
        (f"{X1}group none any X1\nquorum none\n", "the name is taken"),
        (f"{X1}group G any G\nquorum none\n", "each member is defined before"),
        (f"{X1}group G any none\nquorum none\n", "each member is defined before"),
        (f"{X1}group G any X2\n{X2}quorum none\n", "each member is defined before"),
        (f"{X1}group G all X1 X1\nquorum none\n", "of one group once"),
        (f"{X1}group G any X1\ngroup H any X1\nquorum none\n", "of one group once"),
        (f"{X1}{X2}group G any X1\ngroup H 2 G X1\nquorum H\n", "of one group once"),
        (f"{X1}group G 0 X1\nquorum none\n", "a plain number"),
        (f"{X1}group G 01 X1\nquorum none\n", "a plain number"),
        (f"{X1}group G +1 X1\nquorum none\n", "a plain number"),
        (f"{X1}group G -1 X1\nquorum none\n", "a plain number"),
        (f"{X1}group G 1.0 X1\nquorum none\n", "a plain number"),
        (f"{X1}group G \uff11 X1\nquorum none\n", "a plain number"),
        (f"{X1}group G {'9' * 5000} X1\nquorum none\n", "a plain number"),
        (f"{X1}group G Any X1\nquorum none\n", "a plain number"),
        (f"{X1}group G 2 X1\nquorum none\n", "2 of 1 members can never"),
        ("quorum none\r\n", "no control character"),
        ("# \x00\nquorum none\n", "no control character"),
        ("# \x7f\nquorum none\n", "no control character"),
        ("quorum none\x0b\n", "no control character"),
        ("# \ud800\nquorum none\n", "made of octets"),
    ],
)
def test_another_text_is_no_policy(text: str, message: str) -> None:
    with pytest.raises(errors.PolicyInvalid, match=message):
        Policy.parse(text)


@given(st.text(max_size=80))
def test_garbage_raises_policy_invalid(text: str) -> None:
    with pytest.raises(errors.PolicyInvalid):
        Policy.parse(f"{text}\n")


@given(st.binary(max_size=80))
def test_garbage_octets_raise_policy_invalid(data: bytes) -> None:
    with pytest.raises(errors.PolicyInvalid):
        Policy.from_bytes(data)


def test_any_flipped_bit_of_a_key_is_refused() -> None:
    for line in (LOG_LINE, X1):
        start = line.rindex(" ") + 1
        for at in range(start, len(line) - 1):
            for bit in range(7):
                changed = line[:at] + chr(ord(line[at]) ^ 1 << bit) + line[at + 1 :]
                with pytest.raises(errors.PolicyInvalid):
                    Policy.parse(f"{changed}quorum none\n")


def test_a_dropped_doubled_or_swapped_line_asks_for_the_same_or_is_refused() -> None:
    good = Policy.parse(EXAMPLE)
    lines = EXAMPLE.splitlines(keepends=True)
    spoken = [at for at, line in enumerate(lines) if line[0] not in "#\n"]
    for at in spoken:
        with pytest.raises(errors.PolicyInvalid):
            Policy.parse("".join([*lines[:at], lines[at] * 2, *lines[at + 1 :]]))
        dropped = "".join(lines[:at] + lines[at + 1 :])
        if lines[at].startswith("log"):
            assert not Policy.parse(dropped).logs
            continue
        with pytest.raises(errors.PolicyInvalid):
            Policy.parse(dropped)
    for one, other in itertools.pairwise(spoken):
        swapped = list(lines)
        swapped[one], swapped[other] = lines[other], lines[one]
        try:
            found = Policy.parse("".join(swapped))
        except errors.PolicyInvalid:
            continue
        assert (set(found.witnesses), set(found.groups), found.quorum) == (
            set(good.witnesses),
            set(good.groups),
            good.quorum,
        )


def test_none_is_the_name_of_nobody() -> None:
    assert policy.NONE == "none"
    assert Policy.parse(f"{WITNESSES}quorum none\n").is_met([])
