"""What the pieces promise one another, read off the pieces themselves."""

import ast
import importlib
import pkgutil
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import is_dataclass
from pathlib import Path

import pytest

from ingest.http.endpoint import ANYONE, APPS, PEOPLE, PEOPLE_AND_APPS
from ingest.routes import ALL
from ingest.services import SETTINGS as OF_INGEST
from ops.cli import COMMANDS
from ops.known_settings import SETTINGS_CLASSES, list_settings
from ops.local.stack import prepare_environment, prepare_programs
from ops.settings_page import SECTIONS, render_settings_page
from push_gateway.settings import SETTINGS as OF_GATEWAY
from storage.broker.queues import TASK_OF_QUEUE, QueueSettings, make_celery
from storage.process.logs import LogSettings
from storage.settings import list_fields
from tests.architecture.sources import PACKAGES, ROOT
from workers.callbacks import tasks as callback_tasks
from workers.callbacks.services import SETTINGS as OF_CALLBACKS
from workers.services import SETTINGS as OF_WORKERS
from workers.supervision.liveness import Liveness
from workers.tasks import register

pytestmark = pytest.mark.quick


def modules() -> Iterator[str]:
    """Every module of ours, but those that act when imported, as Celery and Alembic want it."""
    for package in PACKAGES:
        folder = importlib.import_module(package).__path__
        for found in pkgutil.walk_packages(folder, f"{package}."):
            if "migrations" not in found.name and found.name not in {
                "workers.celery_app",
                "workers.callbacks_app",
                "workers.beat_app",
            }:
                yield found.name


def test_every_queue_has_a_consumer_and_every_ring_a_task(tmp_path: Path) -> None:
    """A queue nobody consumes would be a bell nobody hears."""
    environ = prepare_environment({"CARILLON_DATA_DIR": str(tmp_path)})
    consumed = {
        queue
        for program in prepare_programs(environ)
        for flag, queue in zip(program.command, program.command[1:], strict=False)
        if flag == "-Q"
    }
    assert consumed == set(TASK_OF_QUEUE)
    celery = make_celery(QueueSettings(broker_url="memory://"))
    register(celery, Liveness(limit_seconds=60))
    callback_tasks.register(celery, Liveness(limit_seconds=60), environ)
    assert set(TASK_OF_QUEUE.values()) <= set(celery.tasks)
    scheduled = celery.conf.beat_schedule.values()
    assert all(entry["options"]["queue"] in consumed for entry in scheduled)
    assert all(entry["task"] in celery.tasks for entry in scheduled)


def test_every_route_says_who_may_call_it() -> None:
    """Only what operators and browsers need is open to anyone."""
    kinds = {id(kind) for kind in (ANYONE, APPS, PEOPLE, PEOPLE_AND_APPS)}
    assert all(id(endpoint.callers) in kinds for endpoint in ALL)
    open_to_anyone = {endpoint.path for endpoint in ALL if endpoint.callers is ANYONE}
    assert {path for path in open_to_anyone if not path.startswith("/api/")} == open_to_anyone - {
        path for path in open_to_anyone if "/media/objects/" in path
    }


def test_every_setting_is_known_and_documented() -> None:
    """Every settings class is listed for the check before a start and for `docs/settings.md`."""
    classes = {
        thing
        for name in modules()
        for thing in vars(importlib.import_module(name)).values()
        if isinstance(thing, type) and is_dataclass(thing) and list_fields(thing)
    }
    assert classes == set(SETTINGS_CLASSES)
    assert classes == {kind for section in SECTIONS for kind in section.kinds}
    assert all(setting.text.endswith(".") for setting in list_settings())


def test_the_page_of_settings_is_what_the_code_says() -> None:
    """`docs/settings.md` is exactly what `make docs` would write now."""
    assert (ROOT / "docs/settings.md").read_text() == render_settings_page(), "run: make docs"


def test_the_page_of_settings_names_who_reads_them() -> None:
    """A class that ingest, the gateway or the workers load stands in a section that names them."""
    readers = {kind: section.readers for section in SECTIONS for kind in section.kinds}
    loaded = {
        "ingest": OF_INGEST,
        "push gateway": OF_GATEWAY,
        "workers": OF_WORKERS,
        "callbacks": OF_CALLBACKS,
    }
    for name, kinds in loaded.items():
        named = {kind for kind, text in readers.items() if name in text or "every process" in text}
        assert named - {LogSettings} == set(kinds), name


def test_nothing_happens_at_import() -> None:
    """Importing any module of ours opens no connection and starts no thread or process."""
    code = "import sys, threading, importlib\n" + "".join(
        f"importlib.import_module({name!r})\n" for name in modules()
    )
    code += "assert threading.active_count() == 1, threading.enumerate()\n"
    code += "import psutil\np = psutil.Process()\n"
    code += "assert not p.net_connections() and not p.children()\n"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_a_worker_starts_without_what_only_an_upgrade_needs() -> None:
    """A worker imports no Alembic, which would cost it time at its start, and memory for good."""
    code = "import sys, workers.tasks, workers.services\nassert 'alembic' not in sys.modules"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_no_room_for_what_belongs_nowhere() -> None:
    """There is no `utils`, `common` or the like, and no other top-level package."""
    vague = re.compile(r"(^|[._])(utils?|common|helpers?|core|shared|base|misc)([._]|$)")
    assert [name for name in modules() if vague.search(name)] == []
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    assert packages - {"tests"} == set(PACKAGES)


def reads_environment(code: str) -> bool:
    """Whether `os.environ` stands in the code, not in its prose. (That of another process is asked of psutil.)"""
    return any(
        isinstance(node, ast.Attribute)
        and node.attr == "environ"
        and ast.unparse(node.value) != "process"
        for node in ast.walk(ast.parse(code))
    )


def test_only_the_settings_say_what_the_environment_holds() -> None:
    """`os.environ` is read where a process begins, and nowhere else."""
    readers = {
        str(path.relative_to(ROOT))
        for package in PACKAGES
        for path in (ROOT / package).rglob("*.py")
        if reads_environment(path.read_text())
    }
    assert (
        readers
        <= {
            "ingest/app.py",
            "push_gateway/app.py",
            "workers/services.py",
            "workers/celery_app.py",
            "workers/callbacks_app.py",
            "workers/beat_app.py",
            "storage/process/metrics_export.py",  # prometheus_client's own variable, which it reads itself
            "ops/local/single_port.py",
            "ops/local/child.py",
            "ops/local/embedded/server.py",
            "ops/cli/__init__.py",
            "ops/cli/up.py",
        }
        | {name for name in readers if name.startswith("ops/bench/")}
    )


def test_the_readme_is_short() -> None:
    """README is what one reads at one sitting: at most 150 lines."""
    assert len((ROOT / "README.md").read_text().splitlines()) <= 150


def test_every_command_is_on_its_page() -> None:
    """`docs/operations/command.md` names every command of `carillon`, and none that does not exist."""
    page = (ROOT / "docs/operations/command.md").read_text()
    named = set(re.findall(r"`carillon ([a-z]+)", page))
    assert named == set(COMMANDS)
