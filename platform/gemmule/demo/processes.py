"""Run a whole site on one machine: broker, web server, worker and its clock.

Every child is on a leash: whatever ends this process, by whatever signal, ends them.
A child that dies is reported and not started again; what a site holds, and what it
is for, is the business of the callers.
"""

import http.client
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from celery import Celery

from gemmule.demo import leash, valkey

# "web", "worker", "beat", or what the caller brings a recipe for.
Name = str

# Django migrates one database at a time.
MIGRATE = tuple(
    ("migrate", "--verbosity", "0", "--database", alias)
    for alias in ("default", "vault")
)
_READY_TIMEOUT_S = 90.0
_WORKER = "worker@localhost"
_CELERY = (sys.executable, "-m", "celery", "-A", "gemmule.celery")
WORKER_COMMAND = (
    *(*_CELERY, "worker", "--concurrency", "2", "--hostname", _WORKER),
    # There is one worker: nobody to find, to watch or to agree with.
    *("--without-mingle", "--without-gossip", "--without-heartbeat"),
    *("--loglevel", "INFO"),
)


class SiteFailed(Exception):
    """The site cannot go on.

    SiteFailed
    |-- PortTaken       another program listens on the port
    |-- CommandFailed   a management command ended with an error
    |-- ProcessDied     a process that should run has ended
    `-- NotReady        a process runs but does not answer as it should
    """


class PortTaken(SiteFailed):
    """Another program listens on the port."""


class CommandFailed(SiteFailed):
    """A management command ended with an error."""


class ProcessDied(SiteFailed):
    """A process that should run has ended; the message ends with its log."""


class NotReady(SiteFailed):
    """A process runs but does not answer; the message ends with its log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How one child is started, and how it is asked to end."""

    command: tuple[str, ...]
    pass_fds: tuple[int, ...] = ()
    grace_s: float
    when_parent_dies: signal.Signals
    # Of what is not known here; the default is for who has nobody to answer to.
    is_ready: Callable[[], bool] = lambda: True


class Site:
    """A running site. Use `running`, which also ends it.

    Call its methods from the thread that started it: the kernel ends the children
    with that thread.
    """

    def __init__(
        self,
        *,
        environment: Mapping[str, str],
        listener: socket.socket,
        log_dir: Path,
        more: Mapping[Name, Recipe],
    ) -> None:
        self.environment = dict(environment)
        self.log_dir = log_dir
        self.port: int = listener.getsockname()[1]
        self._recipes = {**_recipes(listener, data_dir_of(environment)), **more}
        self._children: dict[Name, subprocess.Popen[bytes]] = {}
        self._brokers: list[valkey.Valkey] = []

    @property
    def url(self) -> str:
        """The address of the site; WebAuthn wants the name `localhost`."""
        return f"http://localhost:{self.port}"

    @property
    def broker(self) -> valkey.Valkey:
        """The broker, `broker.empty()` makes it forget."""
        return self._brokers[-1]

    def pid(self, name: Name) -> int:
        """Return the process id of the child, which leads its own process group."""
        return self._children[name].pid

    def manage(self, *arguments: str) -> None:
        """Run a management command on this site's state, its output on our stderr.

        Raises CommandFailed when it ends with an error.
        """
        process = leash.start(
            [sys.executable, "-m", "django", *arguments],
            log=None,
            environment=self.environment,
            when_parent_dies=signal.SIGKILL,
        )
        try:
            status = process.wait()
        finally:
            leash.kill_group(process)
        if status:
            raise CommandFailed(f"`{' '.join(arguments)}` ended with status {status}")

    def start(self, *names: Name) -> None:
        """Start the children and return when all of them answer."""
        for name in names:
            assert name not in self._children, f"{name} runs already"
            recipe = self._recipes[name]
            self._children[name] = leash.start(
                recipe.command,
                log=self._log(name),
                environment=self.environment,
                pass_fds=recipe.pass_fds,
                when_parent_dies=recipe.when_parent_dies,
            )
        self._wait_until_ready(set(names))

    def kill(self, *names: Name) -> None:
        """Kill the children and all that they started, as a power cut would."""
        for name in names:
            leash.kill_group(self._children.pop(name))

    def stop(self, *names: Name) -> None:
        """Ask the children to end, one after the other, and see that they have."""
        for name in names:
            leash.stop(
                self._children.pop(name),
                ask=signal.SIGTERM,
                grace_s=self._recipes[name].grace_s,
            )

    def check(self) -> None:
        """Raise ProcessDied when a child that should run does not."""
        for name, process in self._children.items():
            status = process.poll()
            if status is not None:
                raise ProcessDied(self._epitaph(name, f"ended with status {status}"))
        if self._brokers and self.broker.process.poll() is not None:
            raise ProcessDied("valkey has ended; see valkey.log")

    def watch(self) -> None:
        """Wait until a child dies, which raises ProcessDied, or a signal comes."""
        while True:
            self.check()
            time.sleep(0.5)

    @contextmanager
    def _alive(self) -> Iterator["Site"]:
        directory = data_dir_of(self.environment) / "valkey"
        with valkey.running(directory) as broker:
            self._brokers.append(broker)
            self.environment["REDIS_URL"] = broker.url
            try:
                yield self
            finally:
                with _uninterrupted():
                    # First who asks for work, then who does it, then those who were
                    # there before.
                    ours = ("web", "beat", "worker")
                    last = [name for name in self._children if name not in ours]
                    order = (*ours, *reversed(last))
                    self.stop(*(name for name in order if name in self._children))

    def _wait_until_ready(self, waiting: set[Name]) -> None:
        deadline = time.monotonic() + _READY_TIMEOUT_S
        while waiting:
            self.check()
            waiting = {name for name in waiting if not self._is_ready(name)}
            if waiting and time.monotonic() > deadline:
                name = sorted(waiting)[0]
                problem = f"did not answer within {_READY_TIMEOUT_S:.0f} s"
                raise NotReady(self._epitaph(name, problem))
            time.sleep(0.05)

    def _is_ready(self, name: Name) -> bool:
        if name == "web":
            status = _status(self.port)
            if status >= 500:
                raise NotReady(self._epitaph(name, f"answers with status {status}"))
            return status > 0
        if name == "worker":
            return worker_answers(self.environment["REDIS_URL"])
        return self._recipes[name].is_ready()

    def _log(self, name: Name) -> Path:
        return self.log_dir / f"{name}.log"

    def _epitaph(self, name: Name, problem: str) -> str:
        log = self._log(name)
        tail = log.read_text(errors="replace")[-1500:]
        return f"{name} {problem}; {log} ends:\n{tail}"


@contextmanager
def running(
    *,
    environment: Mapping[str, str],
    port: int = 0,
    prepare: tuple[tuple[str, ...], ...] = MIGRATE,
    start: tuple[Name, ...] = ("web", "worker", "beat"),
    first: Mapping[Name, Recipe] | None = None,
    beside: Mapping[Name, Recipe] | None = None,
) -> Iterator[Site]:
    """Run a site on `localhost:port` (0: any free port) until the block ends.

    Its state is in `environment["GEMMULE_DATA_DIR"]`. The management commands of
    `prepare` run one after the other before the children of `start` do. SIGTERM and
    SIGHUP end the block as Ctrl-C does, by KeyboardInterrupt. The children of `first`
    run before `prepare` does, those of `beside` after everything else.
    """
    first, beside = first or {}, beside or {}
    data_dir = data_dir_of(environment)
    log_dir = data_dir / "logs"
    log_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _listen(port) as listener:
        site = Site(
            environment={
                **environment,
                "DJANGO_SETTINGS_MODULE": "gemmule.settings",
                "GEMMULE_PUBLIC_URL": f"http://localhost:{listener.getsockname()[1]}",
                "PYTHONUNBUFFERED": "1",
            },
            listener=listener,
            log_dir=log_dir,
            more={**first, **beside},
        )
        with _ended_by_signals(), site._alive():
            site.start(*first)
            for command in prepare:
                site.manage(*command)
            site.start(*start, *beside)
            yield site


def data_dir_of(environment: Mapping[str, str]) -> Path:
    """Return where a site with this environment keeps its state."""
    return Path(environment["GEMMULE_DATA_DIR"])


def worker_answers(broker_url: str) -> bool:
    """Ask the worker for a sign of life through the broker."""
    app = Celery("supervisor", broker=broker_url, set_as_current=False)
    try:
        return bool(app.control.ping(destination=[_WORKER], timeout=0.5))
    finally:
        app.close()


def _recipes(listener: socket.socket, data_dir: Path) -> dict[Name, Recipe]:
    handle = listener.fileno()
    return {
        "web": Recipe(
            command=(
                *(sys.executable, "-m", "gunicorn", "gemmule.wsgi:application"),
                # The listening socket is ours and outlives a killed web server, so
                # that the port is neither lost nor raced for.
                *("--bind", f"fd://{handle}", "--worker-class", "gthread"),
                *("--workers", "1", "--threads", "64", "--graceful-timeout", "5"),
                *("--no-control-socket", "--access-logfile", "-"),
            ),
            pass_fds=(handle,),
            grace_s=10,
            when_parent_dies=signal.SIGTERM,
        ),
        "worker": Recipe(
            command=WORKER_COMMAND,
            grace_s=10,
            # Cold shutdown: a warm one would finish its task first, for minutes.
            when_parent_dies=signal.SIGQUIT,
        ),
        "beat": Recipe(
            command=(
                *(*_CELERY, "beat", "--schedule", str(data_dir / "beat-schedule")),
                *("--pidfile", "", "--loglevel", "WARNING"),
            ),
            grace_s=10,
            when_parent_dies=signal.SIGTERM,
        ),
    }


def _listen(port: int) -> socket.socket:
    try:
        return socket.create_server(("127.0.0.1", port), backlog=512)
    except OSError as error:
        # create_server puts the address into the error's text; the number says enough.
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise PortTaken(
            f"cannot listen on port {port} ({reason}); choose another with --port"
        ) from error


def _status(port: int) -> int:
    """Return the status of the front page, 0 while nobody answers."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/", headers={"Host": f"localhost:{port}"})
        return connection.getresponse().status
    except OSError:
        return 0
    finally:
        connection.close()


def _uninterrupted() -> AbstractContextManager[None]:
    """Let no second Ctrl-C cut the stopping short; every step of it has a deadline."""
    return _handled(signal.SIG_IGN, signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def _ended_by_signals() -> AbstractContextManager[None]:
    """Let the signals that ask a program to end do so by KeyboardInterrupt.

    SIGINT too: a shell starts what it puts into the background with it ignored.
    """
    return _handled(_interrupt, signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def _handled(
    handler: "signal.Handlers | Callable[[int, FrameType | None], None]",
    *numbers: signal.Signals,
) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield  # Signals, and what handles them, are the main thread's.
        return
    before = {number: signal.signal(number, handler) for number in numbers}
    try:
        yield
    finally:
        for number, earlier in before.items():
            signal.signal(number, earlier)


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
