"""Search a whole site for what it must not hold: tables, files, broker, logs.

A value is looked for as text, in hex and in base64 at each of the three places at which
it may begin in a block of three bytes. Files are also searched as they are inside.
"""

import base64
import contextlib
import gzip
import uuid
import zlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import psycopg
import redis
from psycopg import sql

# Blocks of columns are deflated one by one, and none is longer here.
_WINDOW = 1 << 16
_SHORTEST = 16
_PACKED = (".columns",)
_VARIABLES = ("DATABASE_URL", "VAULT_DATABASE_URL")


def spellings(value: str | bytes | uuid.UUID) -> set[bytes]:
    """Return the bytes under which a value may lie somewhere."""
    match value:
        case uuid.UUID():
            raw = {value.bytes, str(value).encode(), value.hex.encode()}
        case str():
            raw = {value.encode(), value.lower().encode(), value.upper().encode()}
        case _:
            raw = {value}
    found = set(raw)
    for one in raw:
        found |= {one.hex().encode(), one.hex().upper().encode()}
        for shift in range(3):
            for encode in (base64.b64encode, base64.urlsafe_b64encode):
                # Without the characters that also depend on what stands beside it.
                found.add(encode(bytes(shift) + one)[-(-shift * 8 // 6) : -4])
    return {one for one in found if len(one) >= 6}


class Sweep:
    """Values by name, and where each of them was found."""

    def __init__(self, values: Mapping[str, str | bytes | uuid.UUID]) -> None:
        self._wanted = {name: spellings(value) for name, value in values.items()}
        self.found: dict[str, set[str]] = {name: set() for name in values}

    def look(self, place: str, data: bytes) -> None:
        for name, texts in self._wanted.items():
            if any(text in data for text in texts):
                self.found[name].add(place)

    def files(self, root: Path) -> None:
        """Search every file below the folder, its name, and what is packed in it."""
        for path in sorted(root.rglob("*")):
            place = str(path.relative_to(root))
            self.look(place, place.encode())
            if not path.is_file():
                continue
            data = path.read_bytes()
            self.look(place, data)
            if path.suffix in _PACKED or data[:2] == b"\x1f\x8b":
                for inside in _unpacked(data):
                    self.look(f"{place} (unpacked)", inside)

    def tables(self, environment: Mapping[str, str]) -> None:
        """Search every row of every table on PostgreSQL; on SQLite `files` does."""
        for variable in _VARIABLES:
            if variable not in environment:
                continue
            with psycopg.connect(environment[variable]) as connection:
                for table in _tables(connection):
                    query = sql.SQL("SELECT t::text FROM {} AS t")
                    rows = connection.execute(query.format(sql.Identifier(table)))
                    for (row,) in rows:
                        self.look(table, row.encode())

    def broker(self, address: Path) -> None:
        """Search every key of the broker, whatever type it is of."""
        with redis.Redis(unix_socket_path=str(address)) as client:
            for key in client.scan_iter():
                self.look("broker", key)
                for data in _values(client, key):
                    self.look(f"broker {key!r}", data)


def _unpacked(data: bytes) -> Iterator[bytes]:
    """Yield what is packed in the data: as gzip, or deflated anywhere inside it."""
    if data[:2] == b"\x1f\x8b":
        with contextlib.suppress(OSError, EOFError, zlib.error):
            yield gzip.decompress(data)
            return
    start = 0
    while start < len(data):
        inflater = zlib.decompressobj(wbits=-15)
        try:
            found = inflater.decompress(data[start : start + _WINDOW])
        except zlib.error:
            found = b""
        if inflater.eof and len(found) >= _SHORTEST:
            yield found
            start += len(data[start : start + _WINDOW]) - len(inflater.unused_data)
        else:
            start += 1


def _tables(connection: "psycopg.Connection[Any]") -> list[str]:
    rows = connection.execute(
        "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
    )
    return [str(name) for (name,) in rows]


def _values(client: Any, key: bytes) -> Iterable[bytes]:
    match client.type(key):
        case b"string":
            return [client.get(key)]
        case b"list":
            return list(client.lrange(key, 0, -1))
        case b"set":
            return list(client.smembers(key))
        case b"zset":
            return [member for member, _ in client.zrange(key, 0, -1, withscores=True)]
        case b"hash":
            return [part for pair in client.hgetall(key).items() for part in pair]
    raise AssertionError("a type of key that is not searched")
