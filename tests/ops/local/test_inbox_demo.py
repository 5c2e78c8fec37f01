"""Where `carillon up` lets the demo's people sign in without a password."""

import pytest

from ops.local.inbox_demo import choose_demo
from ops.local.stack import assume_environment, prepare_environment
from ops.settings_check import check_settings
from storage.model.errors import InvalidSettings

pytestmark = pytest.mark.quick

OBSTACLES = (
    {"CARILLON_HOST": "0.0.0.0"},
    {"CARILLON_HOST": "::"},
    {"CARILLON_HOST": "192.0.2.7"},
    {"CARILLON_HOST": "messages.example"},
    {"CARILLON_PUBLIC_URL": "https://messages.example"},
    {"CARILLON_TRUSTED_PROXIES": "10.0.0.1"},
    {"CARILLON_JWT_SECRET": "somebody else knows this secret, for they gave it to us"},
    {"CARILLON_JWT_ALGORITHMS": "RS256"},
    {"CARILLON_JWT_JWKS_FILE": "/keys/jwks.json"},
    {"CARILLON_JWT_PUBLIC_KEY_FILE": "/keys/key.pem"},
    {"CARILLON_INBOX": "off"},
)


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"CARILLON_HOST": "localhost"},
        {"CARILLON_HOST": "::1"},
        {"CARILLON_HOST": "[::1]"},
        {"CARILLON_HOST": "127.0.0.2"},
        {"CARILLON_PUBLIC_URL": "http://localhost:8000"},
        {"CARILLON_PUBLIC_URL": "http://[::1]:8000"},
    ],
)
def test_it_is_on_where_only_this_machine_reaches_the_stack(environ: dict[str, str]) -> None:
    """On a loopback address, with tokens of its own making, a stack has the demo's sign-in without being told."""
    assert choose_demo(environ) == "on"


@pytest.mark.parametrize("obstacle", OBSTACLES)
def test_it_is_off_wherever_somebody_could_be_hurt(obstacle: dict[str, str]) -> None:
    """One reason against it is enough, and to ask for it in spite of the reason is refused with the reason."""
    assert choose_demo(obstacle) == "off"
    assert choose_demo({**obstacle, "CARILLON_INBOX_DEMO": "off"}) == "off"
    [name] = obstacle
    for yes in ("on", "1", "YES"):
        with pytest.raises(InvalidSettings, match=f"not here, for .*{name[:12]}"):
            choose_demo({**obstacle, "CARILLON_INBOX_DEMO": yes})


def test_what_a_stack_would_choose_can_be_asked_for() -> None:
    """To ask for it where it would be on anyway is no mistake, by the check of all settings too."""
    environ = {"CARILLON_INBOX_DEMO": "on"}
    assert choose_demo(environ) == "on"
    check_settings(assume_environment(environ))


def test_it_can_be_switched_off() -> None:
    """What is set stays; what is malformed stays too, for the check of all settings to name."""
    for said in ("off", "no", "perhaps"):
        assert choose_demo({"CARILLON_INBOX_DEMO": said}) == said


def test_the_processes_of_a_stack_are_told(tmp_path_factory: pytest.TempPathFactory) -> None:
    """A stack on this machine has an inbox with the demo's sign-in; with a secret that was given to it, an inbox without."""
    own, given = (str(tmp_path_factory.mktemp(name)) for name in ("own", "given"))
    made = prepare_environment({"CARILLON_DATA_DIR": own})
    assert (made["CARILLON_INBOX"], made["CARILLON_INBOX_DEMO"]) == ("on", "on")
    made = prepare_environment({"CARILLON_DATA_DIR": given, "CARILLON_JWT_SECRET": "s" * 40})
    assert (made["CARILLON_INBOX"], made["CARILLON_INBOX_DEMO"]) == ("on", "off")
