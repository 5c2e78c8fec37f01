"""Whom and what `carillon demo --open` shows: the demo's three people, their colleagues, and the company's apps. Pure."""

from ingest.inbox.demo_people import DEMO_PEOPLE, MEI, DemoPerson
from storage.postgres.people.apps import NewApp

# Beside those of the demo's three people, with room between.
_FIRST_ID = MEI.id + 100


def _make_colleague(number: int, name: str, english_name: str, account: str) -> DemoPerson:
    return DemoPerson(_FIRST_ID + number, f"100000001{number:02}", name, english_name, account)


FANG = _make_colleague(1, "王芳", "Wang Fang", "wangfang")
WEI = _make_colleague(2, "陈伟", "Chen Wei", "chenwei")
JING = _make_colleague(3, "李静", "Li Jing", "lijing")
SARAH = _make_colleague(4, "Sarah Mitchell", "Sarah Mitchell", "sarah")
DAVID = _make_colleague(5, "David Okafor", "David Okafor", "david")
YANG = _make_colleague(6, "刘洋", "Liu Yang", "liuyang")
COLLEAGUES = (FANG, WEI, JING, SARAH, DAVID, YANG)
EVERYBODY = (*DEMO_PEOPLE, *COLLEAGUES)

APPROVALS, HELP_DESK, CALENDAR = "demo_approvals", "demo_help_desk", "demo_calendar"
_ABOUT = {
    APPROVALS: ("审批 Approvals", "Leave, expenses, purchases. Of `carillon demo --open`."),
    HELP_DESK: ("服务台 Help Desk", "Tickets and maintenance. Of `carillon demo --open`."),
    CALENDAR: ("日程 Calendar", "Meetings and rooms. Of `carillon demo --open`."),
}


def list_apps(address: str) -> list[NewApp]:
    """The apps, all of which are the demo app that runs at `address` (`http://127.0.0.1:port`)."""
    return [
        NewApp(app_id, name, f"{address}/callback/{app_id}", description=text)
        for app_id, (name, text) in _ABOUT.items()
    ]
