"""How gunicorn serves the site. Everything can be set from the environment."""

import os
import subprocess
import sys
import tempfile
import time
from threading import Thread, Timer
from typing import Any

from config import environment, first_page, server_errors
from config.places import IN_CHECKOUT

WARM_UP_AFTER_S = 5  # not while the first visitors wait
WARM_UP = [sys.executable, "-m", "django", "warm_up"]  # with the settings of `config.wsgi`
LOOK_EVERY_S = 300  # for ranks that are owed and that nobody computes
HOST, PORT = os.environ.get("HOST", "127.0.0.1"), os.environ.get("PORT", "8000")

server_errors.install()

_warming: list[subprocess.Popen[bytes]] = []  # of this worker

wsgi_app = "config.wsgi"
bind = f"[{HOST}]:{PORT}" if ":" in HOST else f"{HOST}:{PORT}"
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
threads = int(os.environ.get("WEB_THREADS", "4"))
worker_class = "gthread"  # keeps connections open, which the sync worker does not
preload_app = True  # load the catalogue's code once, share it between workers
graceful_timeout = 20
limit_request_line = (
    8190  # the most that gunicorn allows: a draft head's config.json goes with an address; nginx reads 8k
)
max_requests = 20_000
max_requests_jitter = 2_000
# What a proxy says of a visitor is Django's to believe, with BEHIND_PROXY alone. gunicorn would believe whoever asks
# from this machine, and a proxy that leaves underscores in names (Caddy) passes a visitor's SCRIPT_NAME on: status 500.
secure_scheme_headers: dict[str, str] = {}
forwarder_headers = ""
if os.environ.get("LOG_FORMAT") == "json":
    logger_class = "config.server_log.JsonLogger"
control_socket_disable = True  # signals do all that is needed here
worker_tmp_dir = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108 (heartbeats, kept off slow disks)

if environment.flag("METRICS"):  # before the application is loaded; counting begins anew
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = tempfile.mkdtemp(prefix="model-atlas-metrics-")


def post_worker_init(worker: Any) -> None:
    """Have worked out before somebody asks what all workers need, once for each state of the code, and ranks that are
    owed: by processes of their own, so that no worker grows by what that takes."""
    first_page.prepare(worker.wsgi, worker.tpool, worker.cfg.threads)
    first = worker.age == 1
    Thread(target=_look_after_ranks, args=(WARM_UP_AFTER_S if first else LOOK_EVERY_S,), daemon=True).start()
    if first:
        start = Timer(WARM_UP_AFTER_S, _warm_up)
        start.daemon = True  # nothing waits for it at the end
        start.start()


def _warm_up() -> None:
    with subprocess.Popen(WARM_UP) as process:  # noqa: S603 (a command of its own)
        _warming.append(process)


def worker_exit(_server: Any, _worker: Any) -> None:
    """A server that is gone needs nothing; the one that comes after it would share the processor with what is left."""
    for process in _warming:
        process.terminate()  # does nothing to one that has ended


def _look_after_ranks(first_s: float) -> None:
    """In every worker, as any may be replaced."""
    from catalog import standings  # here: gunicorn reads this file before there are settings

    wait_s = first_s
    while True:
        time.sleep(wait_s)
        standings.look_after()
        wait_s = LOOK_EVERY_S


def when_ready(server: Any) -> None:
    """For who looks on; a program that reads objects would stumble over it."""
    if os.environ.get("LOG_FORMAT") == "json":
        return
    shown = "127.0.0.1" if HOST in ("0.0.0.0", "::") else HOST  # noqa: S104 (compared, not bound)
    account = "make admin" if IN_CHECKOUT else "model-atlas createsuperuser"
    print(  # noqa: T201
        f"\n  Model Atlas is at  http://{shown}:{PORT}/\n"
        f"  The admin is at    http://{shown}:{PORT}/{os.environ.get('ADMIN_PATH', 'admin/')}"
        f"   (make an account: {account})\n"
        "  Other machines reach it only by the names in ALLOWED_HOSTS. Stop it with Ctrl-C.\n",
        flush=True,
    )
