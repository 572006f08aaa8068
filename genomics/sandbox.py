"""Shut the child process in before it reads a byte it did not write.

Limits, no network, no new privileges, death with the parent. Called first by
`python -m genomics`; starting, watching and cleaning up is left to `genomics.child`.
"""

import ctypes
import dataclasses
import os
import resource
import signal
from pathlib import Path

from genomics.errors import ChildKilled, JobInvalid
from genomics.jsonfields import JSON, Fields

# Lets the child start ahead of its job and wait for it.
SPARE = "--spare"

_CLONE_NEWUSER = 0x10000000  # linux/sched.h
_CLONE_NEWNET = 0x40000000
_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_PR_SET_NO_NEW_PRIVS = 38


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Resources:
    """What the kernel lets the child use; going over ends it."""

    memory_bytes: int = 4 << 30
    cpu_s: int = 6 * 3600
    file_bytes: int = 1 << 40
    open_files: int = 64

    def to_json(self) -> dict[str, JSON]:
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, value: JSON) -> "Resources":
        fields = Fields(value, "resources")
        found = cls(**{f.name: fields.integer(f.name) for f in dataclasses.fields(cls)})
        fields.finish()
        if 0 in dataclasses.astuple(found):
            raise JobInvalid("expected resources above 0")
        return found


def enter(resources: Resources, *, parent: int | None) -> bool:
    """Confine this process for good; return whether it is cut off from the network.

    A kernel that lets no one leave the network namespace is not an error: the caller
    says so in its log. `parent` is the process to die with, if any.
    """
    os.umask(0o077)
    libc = ctypes.CDLL(None, use_errno=True)
    # Root may leave the network at once; others only inside a user namespace of their
    # own. This comes before prctl: a change of credentials clears the death signal.
    is_isolated = any(
        libc.unshare(flags) == 0
        for flags in (_CLONE_NEWNET, _CLONE_NEWUSER | _CLONE_NEWNET)
    )
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        raise ChildKilled("expected to give up new privileges, the kernel refused")
    if parent is not None:
        die_with(parent)
    for limit, value in (
        (resource.RLIMIT_CORE, 0),  # a core file would hold genotypes
        (resource.RLIMIT_AS, resources.memory_bytes),
        (resource.RLIMIT_CPU, resources.cpu_s),
        (resource.RLIMIT_FSIZE, resources.file_bytes),
        (resource.RLIMIT_NOFILE, resources.open_files),
    ):
        _lower(limit, value)
    return is_isolated


def die_with(parent: int) -> None:
    """Let this process die with its parent; a copy of it has to ask again."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0:
        raise ChildKilled("expected to die with the parent, the kernel refused")
    # The parent may have died before the line above; then nobody would tell us.
    if os.getppid() != parent:
        raise ChildKilled("expected a living parent process, it is gone")


def part_path(final: Path) -> Path:
    """Return where to write `final` until it is whole, in the same directory.

    The name ends with that of the private directory, this process's current one, so
    that the parent finds what an interrupted child left behind.
    """
    return final.with_name(f".{final.name}.{Path.cwd().name}.part")


def _lower(limit: int, value: int) -> None:
    _, hard = resource.getrlimit(limit)
    if hard != resource.RLIM_INFINITY:
        value = min(value, hard)
    resource.setrlimit(limit, (value, value))
