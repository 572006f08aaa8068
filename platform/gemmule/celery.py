"""The Celery application, and the one way to send a task.

A message is a nudge, never the truth: rows say what is to be done, and a periodic
task picks up those whose message was lost. So a broker that is down or emptied
costs time and nothing else.
"""

import logging
import os
from typing import Any

from celery import Celery, Task
from django.conf import settings
from kombu.exceptions import OperationalError
from kombu.transport import redis

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gemmule.settings")

logger = logging.getLogger(__name__)


class _Channel(redis.Channel):
    """A channel whose end is an error that the worker knows how to survive.

    kombu 5.7 raises AttributeError when a message is acknowledged, or given back,
    over a connection that is gone, and the worker ends with all of its builds.
    """

    # Rows say what is unfinished, so no message needs to be given back.
    do_restore = False

    def _connparams(self, asynchronous: bool = False) -> Any:
        if getattr(self.connection, "client", None) is None:
            raise ConnectionError("the connection of this channel was lost")
        # Not in the type stubs.
        return super()._connparams(asynchronous=asynchronous)  # type: ignore[misc]


redis.Transport.Channel = _Channel

app = Celery("gemmule")
app.conf.update(
    broker_url=settings.REDIS_URL,
    broker_connection_retry_on_startup=True,
    broker_transport_options={
        # Longer than the longest task, or a slow build would be delivered twice;
        # a lost worker is found by its lease instead (gemmule.releases).
        "visibility_timeout": 6 * 60 * 60,
        "socket_connect_timeout": 2,
        "socket_timeout": 5,
        "max_retries": 0,
    },
    task_serializer="json",
    result_serializer="json",
    accept_content=["json"],
    task_ignore_result=True,
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    task_track_started=False,
    worker_prefetch_multiplier=1,
    worker_hijack_root_logger=False,
    worker_cancel_long_running_tasks_on_connection_loss=False,
    beat_schedule={
        "releases.reap": {
            "task": "releases.reap",
            "schedule": 5.0,
            # While all workers are busy rounds would only pile up.
            "options": {"expires": 5.0},
        },
        "releases.compare": {
            "task": "releases.compare",
            "schedule": 60.0,
            "options": {"expires": 60.0},
        },
        "releases.copy_ledger": {
            "task": "releases.copy_ledger",
            "schedule": 10.0,
            "options": {"expires": 10.0},
        },
        "releases.tidy": {"task": "releases.tidy", "schedule": 600.0},
        "catalog.pick_up_files": {"task": "catalog.pick_up_files", "schedule": 10.0},
        "catalog.tidy_store": {"task": "catalog.tidy_store", "schedule": 3600.0},
        "api.forget_answers": {"task": "api.forget_answers", "schedule": 3600.0},
        "audit.verify_ledger": {
            "task": "audit.verify_ledger",
            "schedule": 60.0,
            "options": {"expires": 60.0},
        },
        "notices.mail_left_behind": {
            "task": "notices.mail_left_behind",
            "schedule": 300.0,
        },
    },
    enable_utc=True,
    timezone="UTC",
)
app.autodiscover_tasks(
    [
        "gemmule.notices",
        "gemmule.catalog",
        "gemmule.releases",
        "gemmule.audit",
        "gemmule.api",
    ]
)


def nudge(task: "Task[..., Any]", *args: str | int) -> None:
    """Send a task now, or leave its row to the reaper when the broker is away."""
    try:
        task.apply_async(args=args, retry=False)
    except (OperationalError, OSError) as error:
        logger.warning("broker away, %s is left to the reaper: %s", task.name, error)
