"""Real servers of a test's own, each on a free port and in a folder of its own: started, ended and killed at will."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Self

import psycopg

from tests.servers.editor import NAME, PASSWORD

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 60
POSTGRESQL = max(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name), default=None)


def program(name: str) -> str | None:
    """Debian keeps some where only root looks."""
    return shutil.which(name, path=f"{POSTGRESQL}:{os.environ['PATH']}:/usr/sbin")


def missing(*names: str) -> list[str]:
    return [name for name in names if program(name) is None]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@contextmanager
def listening() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0), backlog=512) as server:
        yield server


class Daemon:
    """A command in a group of processes of its own, so that `kill` leaves nobody behind. Its log is `<name>.log`."""

    def __init__(
        self, name: str, command: list[str], folder: Path, ready: Callable[[], bool], **environment: str
    ) -> None:
        self.command, self.log, self.ready, self.environment = command, folder / f"{name}.log", ready, environment
        self.process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_raised: object) -> None:
        self.kill()

    def start(self, pass_fds: tuple[int, ...] = ()) -> Self:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command,
                cwd=ROOT,
                env=os.environ | self.environment,
                stdout=log,
                stderr=log,
                pass_fds=pass_fds,
                start_new_session=True,
            )
        self.wait()
        return self

    def wait(self) -> None:
        """Until it answers."""
        assert self.process
        end = time.monotonic() + PATIENCE_S
        while not self.ready():
            if self.process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"{self.command[0]} does not answer:\n{self.said()[-3000:]}")
            time.sleep(0.02)

    def said(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")

    def tell(self, number: signal.Signals) -> None:
        assert self.process
        self.process.send_signal(number)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int | None:
        """By the signal that ends it gracefully; its exit status, or None where it did not run. Then nobody of its
        group is left, as when systemd ends a service: what it started in the background may go on otherwise."""
        if self.process is None:
            return None
        self.process.send_signal(number)
        process, self.process = self.process, None
        status = process.wait(PATIENCE_S)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        return status

    def kill(self) -> None:
        """-9, to all of it at once, as when a machine loses its power; one that hangs has children that see nothing."""
        if self.process is not None:
            for pid in _with_children(self.process.pid):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(PATIENCE_S)
            self.process = None

    def hang(self) -> None:
        """It and whatever it started hold still: connections stay open, new ones are taken by the system, none is
        answered. Its children may be in groups of their own, as PostgreSQL's are."""
        self._tell_all(signal.SIGSTOP)

    def go_on(self) -> None:
        self._tell_all(signal.SIGCONT)

    def _tell_all(self, number: signal.Signals) -> None:
        assert self.process
        for pid in _with_children(self.process.pid):
            with suppress(ProcessLookupError):  # it ended meanwhile
                os.kill(pid, number)


def _with_children(pid: int) -> list[int]:
    """Parents first, so that none starts another meanwhile."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    except OSError:  # it ended meanwhile
        return []
    return [pid, *(each for child in children for each in _with_children(int(child)))]


def listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
    except OSError:
        return False
    return True


def says_ok(port: int, path: str = "/healthz") -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=30) as here:
            here.sendall(f"GET {path} HTTP/1.1\r\nHost: watch\r\nConnection: close\r\n\r\n".encode())
            return here.recv(64).startswith(b"HTTP/1.1 200")
    except OSError:
        return False


class Redis(Daemon):
    def __init__(self, folder: Path) -> None:
        port = free_port()
        self.url = f"redis://127.0.0.1:{port}/0"
        command = [str(program("redis-server")), "--port", str(port), "--bind", "127.0.0.1", "--save", ""]
        super().__init__("redis", [*command, "--dir", str(folder)], folder, lambda: listens(port))


class PostgreSQL(Daemon):
    """A cluster without fsync. Its server refuses to be root, so there it runs as the user that Debian made for it."""

    def __init__(self, folder: Path) -> None:
        port, data = free_port(), folder / "postgresql"
        data.mkdir()
        as_other = []
        if os.geteuid() == 0:
            shutil.chown(data, "postgres", "postgres")
            folder.chmod(0o755)
            as_other = ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"]
        create = [*as_other, str(program("initdb")), "-D", str(data), "-U", "atlas", "-A", "trust", "-N", "-E", "UTF8"]
        subprocess.run(create, check=True, stdout=subprocess.DEVNULL, cwd=data)
        self.url = f"postgresql://atlas@127.0.0.1:{port}/atlas"
        options = f"-p {port} -h 127.0.0.1 -k {data} -c fsync=off".split()
        command = [*as_other, str(program("postgres")), "-D", str(data), *options]
        super().__init__("postgres", command, folder, self._answers)
        self._maintenance = f"postgresql://atlas@127.0.0.1:{port}/template1"

    def _answers(self) -> bool:
        try:
            with psycopg.connect(self._maintenance, autocommit=True, connect_timeout=5) as here:
                if not here.execute("SELECT 1 FROM pg_database WHERE datname = 'atlas'").fetchone():
                    here.execute("CREATE DATABASE atlas")
        except psycopg.OperationalError:
            return False
        return True

    def stop(self, number: signal.Signals = signal.SIGINT) -> int | None:  # "fast": open connections are closed
        return super().stop(number)


class Site(Daemon):
    """gunicorn with the product's own configuration. What it writes lies in `folder`."""

    def __init__(self, name: str, folder: Path, port: int | None = None, **environment: str) -> None:
        self.port = port or free_port()
        said = {
            "PORT": str(self.port),
            "SECRET_KEY": "x" * 40,
            "DATA_DIR": str(folder),
            "DJANGO_SETTINGS_MODULE": "tests.servers.settings",
            "API_RATE": "1000000/sec",
            "WORK_SECONDS": "0",
            "DJANGO_SUPERUSER_PASSWORD": PASSWORD,
        }
        command = [sys.executable, "-m", "gunicorn", "--max-requests", "0"]
        super().__init__(name, command, folder, lambda: says_ok(self.port), **said | environment)

    def load(self, data: Path | None = None) -> None:
        """Its database, from a few shipped models or those of a folder, and an editor."""
        from tests.catalog.shipped import copy_shipped

        self.manage("migrate", "-v", "0")
        self.manage("sync_catalog", str(data or copy_shipped(Path(self.environment["DATA_DIR"]) / "data")))
        self.manage("createsuperuser", "--no-input", "--username", NAME, "--email", "")

    def manage(self, *words: str) -> str:
        """What a command of the same site prints."""
        done = subprocess.run(
            [sys.executable, "manage.py", *words],
            cwd=ROOT,
            env=os.environ | self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"{' '.join(words)}: {done.returncode} {done.stdout[-1500:]}{done.stderr[-1500:]}")
        return done.stdout


class Inherited(Site):
    """A site on a socket that was opened for it, which outlives it, passed on as systemd does (sd_listen_fds(3))."""

    def __init__(self, server: socket.socket, folder: Path, **environment: str) -> None:
        super().__init__("site", folder, server.getsockname()[1], **environment)
        self.server = server
        exported = f"exec 3<&{server.fileno()}; LISTEN_PID=$$ LISTEN_FDS=1 exec {' '.join(self.command)}"
        self.command = ["bash", "-c", exported]

    def start(self, pass_fds: tuple[int, ...] = ()) -> Self:
        return super().start((self.server.fileno(), *pass_fds))
