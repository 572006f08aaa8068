"""The countries that a donor can pick."""

from consent import countries


def test_every_country_has_a_code_and_a_name_and_they_come_by_name() -> None:
    found = countries.names()
    assert len(found) == 249
    assert all(len(code) == 2 and code.isupper() for code in found)
    assert list(found.values()) == sorted(found.values())
    assert (found["SE"], found["DE"]) == ("Sweden", "Germany")
