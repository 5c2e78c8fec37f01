"""Apps, their secrets at rest, and the accounts that people have in them."""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import Connection, Engine, insert, select

from ops.local.polling import wait_until
from storage.model.caller import App
from storage.model.errors import InConflict, InvalidSettings, PermanentError
from storage.postgres.people import apps
from storage.postgres.people.app_secrets import list_live
from storage.postgres.people.apps import NewApp, Vault, VaultSettings
from storage.postgres.tables import app_secrets, mappings
from storage.settings import load

pytestmark = pytest.mark.quick

OLD, NEW = (Fernet.generate_key().decode() for _ in range(2))
OA = NewApp("oa_system", "OA系统", "https://oa.example.com/cb", ("*.a.cn", "b.cn"), "办公", "协同")


def vault(*keys: str) -> Vault:
    """A vault with these keys, newest first."""
    return Vault(load(VaultSettings, {"CARILLON_SECRETS_KEY": ",".join(keys)}))


def add(connection: Connection, new: NewApp = OA) -> App:
    """The app, stored."""
    return apps.add(connection, new, vault=vault(OLD))[0]


def account(connection: Connection, app: App, name: str, user_id: int) -> None:
    """An account of this person in the app."""
    row = {"app_id": app.id, "app_user_id": name, "user_id": user_id, "email": f"{name}@a.cn"}
    connection.execute(insert(mappings).values(row))


def test_an_app_is_found_by_both_its_ids(engine: Engine) -> None:
    """What was added is found whole by string id and by integer id, and by no other."""
    with engine.begin() as connection:
        app = add(connection)
        assert apps.find(connection, "oa_system") == app == apps.find_by_id(connection, app.id)
        assert (app.redirect_hosts, app.category_name) == (("*.a.cn", "b.cn"), "协同")
        assert apps.find(connection, "OA_SYSTEM") is None
        assert apps.find_by_id(connection, app.id + 1) is None


def test_a_string_id_is_taken_once(engine: Engine) -> None:
    """A second app of the same string id is a conflict; categories are shared by name."""
    with engine.begin() as connection:
        first = add(connection)
        with pytest.raises(InConflict, match="oa_system"):
            add(connection)
        other = add(connection, NewApp("hr", "HR", "https://hr.cn/cb", category="协同"))
        assert other.category_id == first.category_id


def test_the_newest_two_secrets_are_live(engine: Engine) -> None:
    """After a rotation the new secret and the one before it are valid, and older ones are gone."""
    with engine.begin() as connection:
        app, first = apps.add(connection, OA, vault=vault(OLD))
        second = apps.rotate_secret(connection, app.id, vault=vault(OLD))
        live = apps.find_secrets(connection, app.id, vault=vault(OLD))
        assert live == (second.encode(), first.encode())
        third = apps.rotate_secret(connection, app.id, vault=vault(OLD))
        live = apps.find_secrets(connection, app.id, vault=vault(OLD))
        assert live == (third.encode(), second.encode())
        assert apps.find_secrets(connection, 999, vault=vault(OLD)) == ()


def find_live(connection: Connection, app: App) -> list[str]:
    """The valid secrets of the app, newest first."""
    return [one.decode() for one in apps.find_secrets(connection, app.id, vault=vault(OLD))]


def test_a_secret_ends_when_its_time_is_over(engine: Engine) -> None:
    """The one before is valid until the end that was said, and a rotation never lengthens it."""
    soon = datetime.now(UTC) + timedelta(seconds=1.5)
    with engine.begin() as connection:
        app, first = apps.add(connection, OA, vault=vault(OLD))
        second = apps.rotate_secret(connection, app.id, vault=vault(OLD), old_ends_at=soon)
        [new, old] = list_live(connection)[app.id]
        assert (new.ends_at, old.ends_at) == (None, soon)
        if find_live(connection, app) != [second, first]:
            assert datetime.now(UTC) >= soon, "it ended too early"
    with engine.connect() as connection:
        assert wait_until(lambda: find_live(connection, app) == [second], seconds=20)
        assert [one.ends_at for one in list_live(connection)[app.id]] == [None]
        later = datetime.now(UTC) + timedelta(days=9)
        third = apps.rotate_secret(connection, app.id, vault=vault(OLD), old_ends_at=later)
        fourth = apps.rotate_secret(
            connection, app.id, vault=vault(OLD), old_ends_at=later + timedelta(days=9)
        )
        assert find_live(connection, app) == [fourth, third]
        ends = [one.ends_at for one in list_live(connection)[app.id]]
        assert ends == [None, later + timedelta(days=9)]
        rows = connection.execute(select(app_secrets.c.id)).all()
        assert len(rows) == 2, "what has ended is deleted"


def test_a_rotation_can_end_all_older_secrets_at_once(engine: Engine) -> None:
    """With `is_only` the new secret is the only one."""
    with engine.begin() as connection:
        app, _ = apps.add(connection, OA, vault=vault(OLD))
        apps.rotate_secret(connection, app.id, vault=vault(OLD))
        third = apps.rotate_secret(connection, app.id, vault=vault(OLD), is_only=True)
        assert find_live(connection, app) == [third]


def test_a_secret_is_never_stored_in_the_clear(engine: Engine) -> None:
    """What is in the table opens with the key only."""
    with engine.begin() as connection:
        app, secret = apps.add(connection, OA, vault=vault(OLD))
        sealed = connection.execute(select(app_secrets.c.sealed)).scalar_one()
        assert secret.encode() not in sealed
        with pytest.raises(PermanentError, match="CARILLON_SECRETS_KEY"):
            apps.find_secrets(connection, app.id, vault=vault(NEW))


def test_a_key_is_replaced_without_an_outage(engine: Engine) -> None:
    """With both keys everything opens; after a rotation the old key can go."""
    with engine.begin() as connection:
        app, first = apps.add(connection, OA, vault=vault(OLD))
        second = apps.rotate_secret(connection, app.id, vault=vault(NEW, OLD))
        both = apps.find_secrets(connection, app.id, vault=vault(NEW, OLD))
        assert both == (second.encode(), first.encode())
        assert apps.find_secrets(connection, app.id, vault=vault(NEW)) == (second.encode(),)


@pytest.mark.parametrize(
    "text", ["short", f"{OLD},short", ","], ids=["short", "one of two", "none"]
)
def test_a_bad_key_is_refused_at_the_start(text: str) -> None:
    """A key that is none is named as CARILLON_SECRETS_KEY when settings are read."""
    with pytest.raises(InvalidSettings, match="CARILLON_SECRETS_KEY"):
        load(VaultSettings, {"CARILLON_SECRETS_KEY": text})


def test_settings_do_not_show_their_keys() -> None:
    """A settings object in a log or a traceback gives no key away."""
    assert OLD not in repr(load(VaultSettings, {"CARILLON_SECRETS_KEY": OLD}))


def test_accounts_are_resolved_within_their_app(engine: Engine) -> None:
    """An account name leads to its person in its own app; unknown names are left out."""
    with engine.begin() as connection:
        oa, hr = add(connection), add(connection, NewApp("hr", "HR", "https://hr.cn/cb"))
        account(connection, oa, "zs", 1)
        account(connection, hr, "zs", 2)
        assert apps.resolve(connection, oa.id, app_user_id="zs") == 1
        assert apps.resolve(connection, oa.id, app_user_id="ZS") is None
        many = apps.resolve_many(connection, hr.id, app_user_ids=["zs", "ls"])
        assert many == {"zs": 2}


def test_of_several_accounts_the_first_by_name_counts(engine: Engine) -> None:
    """A person with two accounts in an app is shown once, with the first."""
    with engine.begin() as connection:
        app = add(connection)
        account(connection, app, "b", 1)
        account(connection, app, "a", 1)
        found = apps.find_mapping(connection, app.id, user_id=1)
        assert found is not None
        assert (found.app_user_id, found.email) == ("a", "a@a.cn")
        assert apps.list_mapped(connection, 1, search="", skip=0, limit=9) == (1, [(app, found)])
        assert apps.find_mapping(connection, app.id, user_id=2) is None


def test_the_launchpad_has_active_apps_that_know_the_person(engine: Engine) -> None:
    """`list_mapped` has those with an account, `list_with_accounts` all that are active, both by integer id."""
    with engine.begin() as connection:
        oa, hr = add(connection), add(connection, NewApp("hr", "HR_1", "https://hr.cn/cb"))
        gone = add(connection, NewApp("gone", "Gone", "https://gone.cn/cb"))
        for app in (oa, gone):
            account(connection, app, "zs", 1)
        assert apps.set_active(connection, gone.id, is_active=False) is not None
        mapped = apps.list_mapped(connection, 1, search="", skip=0, limit=9)
        assert [app.app_id for app, _ in mapped[1]] == ["oa_system"]
        total, listed = apps.list_with_accounts(connection, 1, search="", skip=1, limit=9)
        assert (total, listed) == (2, [(hr, None)])
        assert [app.app_id for app in apps.list_all(connection)] == ["gone", "hr", "oa_system"]
        assert apps.set_active(connection, 999, is_active=True) is None


@pytest.mark.parametrize(("search", "count"), [("oa系", 1), ("SYSTEM", 1), ("_", 2), ("%", 0)])
def test_apps_are_searched_by_name_and_string_id(engine: Engine, search: str, count: int) -> None:
    """A search is a substring of name or string id, in any letter case, wildcards being literal."""
    with engine.begin() as connection:
        add(connection)
        add(connection, NewApp("hr", "HR_1", "https://hr.cn/cb"))
        assert apps.list_with_accounts(connection, 1, search=search, skip=0, limit=9)[0] == count
