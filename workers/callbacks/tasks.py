"""The task of the callbacks worker: a ring makes its dispatcher look for endpoints that are due. Registered by `callbacks_app.py`."""

from collections.abc import Mapping
from functools import cache

from celery import Celery
from celery.signals import worker_process_shutdown

from storage.broker.queues import CALL
from workers.callbacks.dispatcher import Dispatcher
from workers.callbacks.services import open_callback_services
from workers.supervision.liveness import Liveness
from workers.supervision.task_runs import make_task


def register(celery: Celery, liveness: Liveness, environ: Mapping[str, str]) -> None:
    """Give `celery` the task; `environ` has the settings. The task ends while calls go on, in a thread of its process."""

    @cache
    def open_dispatcher() -> Dispatcher:
        """The dispatcher of this process, made by the first task, which is after the fork."""
        services = open_callback_services(environ)
        dispatcher = Dispatcher(services)
        dispatcher.start()

        def close(**_: object) -> None:
            dispatcher.close()
            services.close()

        worker_process_shutdown.connect(close, weak=False)
        return dispatcher

    celery.task(name=CALL)(make_task(CALL, lambda: open_dispatcher().take_due(), liveness))
