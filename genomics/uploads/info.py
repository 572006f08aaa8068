"""Check INFO, entry by entry, and learn what keys a file uses.

A release computes INFO anew and copies only what describes an allele. So odd entries
are read with a warning, except those that say which bases a record covers: these must
have one reading.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import NoReturn

from genomics.uploads.definitions import as_text, undeclared
from genomics.uploads.header import (
    COLUMNS,
    CUTTING_KEYS,
    EXTENT_KEYS,
    KEY,
    Header,
)
from genomics.uploads.refusal import Code, refusal
from genomics.uploads.values import Field

MAX_INFO_ENTRIES = 4096
_EXTENT_KEYS = tuple(key.encode() for key in EXTENT_KEYS)
_COLUMN = COLUMNS.index("INFO") + 1


class InfoReader:
    """Checks the INFO of one record after another.

    `standard_name` gives the name that the store has for a contig; a file has at most
    `most_keys`.
    """

    def __init__(
        self,
        header: Header,
        standard_name: Callable[[bytes], bytes],
        most_keys: int,
    ) -> None:
        self._most_keys = most_keys
        self._header = header
        self._standard_name = standard_name
        self._info: dict[bytes, Field] = {
            key.encode(): Field(definition, is_ours=False)
            for key, definition in header.info.items()
        }
        self._number = 0

    def read(self, info: bytes, number: int) -> bytes:
        """Check an INFO column; return it in canonical form, or as it is if it is."""
        self._number = number
        if info.count(b";") >= MAX_INFO_ENTRIES:
            self._refuse(
                "too-many-fields",
                f"expected at most {MAX_INFO_ENTRIES} entries in INFO",
            )
        entries = info.split(b";")
        is_changed = b"" in entries
        if is_changed:
            entries = [entry for entry in entries if entry]
            if not entries:
                self._refuse("info", "expected entries or '.' as INFO")
        by_key: dict[bytes, bytes] = {}
        for entry in entries:
            key, equals, value = entry.partition(b"=")
            field = self._info.get(key) or self._learn(key)
            if field is None:
                is_changed = True
                continue
            if key in by_key:
                self._check_again(key, by_key[key], entry)
                is_changed = True
                continue
            if not equals:
                field.has_bare = True
                if key in _EXTENT_KEYS:
                    self._refuse_extent(key, field)
            elif value not in field.accepted and not field.fits([value]):
                self._give_way(key, field)
            elif key == b"END" and b"," in value:
                self._refuse_extent(key, field)
            field.has_values |= equals != b""
            if key == b"CHR2" and (standard := self._standard_name(value)) != value:
                entry = key + b"=" + standard
                is_changed = True
            by_key[key] = entry
        return b";".join(by_key.values()) or b"." if is_changed else info

    def finish(self) -> None:
        """Put the INFO keys that the records brought into the header."""
        ours = [key.decode() for key, field in self._info.items() if field.is_ours]
        if ours:
            self._header.warnings.append(
                f"{len(ours)} INFO key(s) are not declared, such as {ours[0]}"
            )
        for key, field in self._info.items():
            if field.is_ours and field.has_bare and not field.has_values:
                # A key that always stands alone is a flag, declared or not.
                flag = undeclared("INFO", key.decode(), self._header.version)
                field.redefine(replace(flag, number="0", type="Flag"))
        self._header.info = {
            key.decode(): field.definition for key, field in self._info.items()
        }

    def _refuse(self, code: Code, message: str) -> NoReturn:
        raise refusal(code, message, self._number, _COLUMN)

    def _check_again(self, key: bytes, first: bytes, again: bytes) -> None:
        if first != again and key.decode() in CUTTING_KEYS:
            self._refuse(
                "info-duplicate",
                f"expected each INFO key once, got {key.decode()} with two values",
            )
        self._header.tally.note(
            self._number,
            f"INFO has {key.decode()} more than once; the first counts; remove the "
            "others",
        )

    def _learn(self, key: bytes) -> Field | None:
        """Return the field of a key met for the first time, None for an odd key."""
        text = key.decode()
        if not KEY.fullmatch(text):
            if not text or text.strip().upper() in CUTTING_KEYS:
                self._refuse("info", "expected entries KEY=value or KEY in INFO")
            self._header.tally.note(
                self._number,
                "INFO has a key with a blank or another character that is not allowed "
                "in keys, often because a value has ';' in it; the entry is left out; "
                "write %3B for ';' in a value",
            )
            return None
        if len(self._info) == self._most_keys:
            self._refuse(
                "too-many-fields", f"expected at most {self._most_keys} INFO keys"
            )
        definition = undeclared("INFO", text, self._header.version)
        field = self._info[key] = Field(definition, is_ours=True)
        return field

    def _give_way(self, key: bytes, field: Field) -> None:
        """Keep as text what is not of its type.

        Annotations often break their own types, and a release computes INFO anew: it
        passes on only what describes the allele, so nothing wrong can come of it.
        """
        if key in _EXTENT_KEYS:
            self._refuse_extent(key, field)
        if field.definition.type in ("String", "Character"):
            return  # an empty text
        self._header.warnings.append(
            f"line {self._number}: INFO {key.decode()} is not of Type "
            f"{field.definition.type}; kept as String"
        )
        field.redefine(as_text(field.definition))

    def _refuse_extent(self, key: bytes, field: Field) -> NoReturn:
        self._refuse(
            "info-value",
            f"expected {field.wanted} as INFO {key.decode()}, because it says which "
            "bases the record covers",
        )
