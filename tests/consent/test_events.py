"""What is signed and what is written."""

import json
from uuid import UUID

from consent import events

FIRST = UUID("11111111-1111-4111-8111-111111111111")


def test_the_public_part_says_at_most_which_form() -> None:
    assert events.public_part("ab" * 32) == {"form_sha256": "ab" * 32}
    assert events.public_part(None) == {}


def test_the_statement_is_one_sequence_of_bytes_with_its_words() -> None:
    def signed(modifiers: dict[str, object]) -> bytes:
        return events.statement(
            act="given",
            form_sha256="ab" * 32,
            language="en",
            terms={"permission": "GRU", "modifiers": modifiers},
            withheld={},
            discovery=True,
            sentences=["Your data may be used for any kind of research."],
        )

    one = signed({"PUB": True, "TS": 12})
    assert one == signed({"TS": 12, "PUB": True})
    assert one != signed({"PUB": True})
    found = json.loads(one)
    assert found["statement"] == "gemmule/consent/statement/v1"
    assert found["sentences"] == ["Your data may be used for any kind of research."]


def test_one_end_and_one_form_have_one_event() -> None:
    assert events.expiry_event(FIRST) == events.expiry_event(FIRST)
    assert events.expiry_event(FIRST) != FIRST
    one = events.form_event("general", "1.0", "en", "ab" * 32)
    assert one == events.form_event("general", "1.0", "en", "ab" * 32)
    others = {
        events.form_event("other", "1.0", "en", "ab" * 32),
        events.form_event("general", "1.1", "en", "ab" * 32),
        events.form_event("general", "1.0", "sv", "ab" * 32),
        events.form_event("general", "1.0", "en", "cd" * 32),
    }
    assert len(others - {one}) == 4
