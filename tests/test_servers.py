"""The servers of the tests: real, started on demand, gone afterwards."""

import psycopg
import redis


def test_postgres_answers_at_the_address_in_the_environment(postgres: str) -> None:
    admin = postgres.replace("/gemmule", "/postgres")
    with psycopg.connect(admin) as connection:
        row = connection.execute("SHOW server_version_num").fetchone()
    assert row is not None
    assert int(row[0]) >= 150_000


def test_valkey_answers_and_never_evicts(valkey: str) -> None:
    path = valkey.removeprefix("redis+socket://").partition("?")[0]
    with redis.Redis(unix_socket_path=path) as client:
        assert client.ping()
        assert client.config_get("maxmemory-policy") == {
            "maxmemory-policy": "noeviction"
        }
