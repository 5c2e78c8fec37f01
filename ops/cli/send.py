"""`carillon send`: one message to one person, over the HTTP API."""

from contextlib import AbstractContextManager
from typing import Any

import click

from carillon_client import AppClient, PersonClient
from ops.cli.identity.callers import as_app, as_user
from ops.cli.terminal.printing import say, say_json
from storage.model.message import MAX_ID, ContentType, MessageType

USER_ID = click.IntRange(1, MAX_ID)


@click.command()
@click.option("--app", "app_id", metavar="APP_ID", help="Send as this app.")
@click.option("--as", "user_id", metavar="USER_ID", type=USER_ID, help="Send as this person.")
@click.option("--to", "receiver", metavar="USER_ID", type=USER_ID, help="To this person ...")
@click.option(
    "--to-account", metavar="ACCOUNT", help="... or to the person whom the app calls that."
)
@click.option("--title", required=True)
@click.option("--content", required=True)
@click.option("--content-type", type=click.Choice(list(ContentType)), default=ContentType.TEXT)
@click.option(
    "--type",
    "kind",
    type=click.Choice(list(MessageType)),
    help="NOTIFICATION for an app if not given, MESSAGE for a person.",
)
@click.option("--target-url", help="A button that signs on to the app and leads there.")
@click.option("--action-text", help="What the button says.")
@click.option("--secret", help="The app's; if not given, it is read from the database.")
@click.option("--url", help="Where the API is; the running stack if not given.")
@click.option("--json", "as_json", is_flag=True, help="Print the whole answer.")
def send(**options: Any) -> None:
    """Send a message as a person, or a notification as an app."""
    app_id, user_id = options["app_id"], options["user_id"]
    if (app_id is None) == (user_id is None):
        raise click.UsageError("Say who sends: --app APP_ID or --as USER_ID.")
    if (options["receiver"] is None) == (options["to_account"] is None):
        raise click.UsageError("Say who receives: --to USER_ID or --to-account ACCOUNT.")
    if options["to_account"] is not None and app_id is None:
        raise click.UsageError("--to-account goes with --app.")
    with _open_client(options) as api:
        message = api.send(**_make_fields(options))
    if options["as_json"]:
        say_json(message.raw)
    else:
        say(f"Message {message.id} to user {message.receiver_id} is accepted.")


def _open_client(
    options: dict[str, Any],
) -> AbstractContextManager[AppClient] | AbstractContextManager[PersonClient]:
    if options["app_id"] is None:
        return as_user(options["user_id"], url=options["url"])
    return as_app(options["app_id"], secret=options["secret"], url=options["url"])


def _make_fields(options: dict[str, Any]) -> dict[str, Any]:
    own = MessageType.MESSAGE if options["app_id"] is None else MessageType.NOTIFICATION
    fields = {
        "type": options["kind"] or own,
        "title": options["title"],
        "content": options["content"],
        "content_type": options["content_type"],
        "receiver_id": options["receiver"],
        "app_id": options["app_id"],
        "app_user_id": options["to_account"],
        "target_url": options["target_url"],
        "auto_sso": True if options["target_url"] else None,
        "action_text": options["action_text"],
    }
    return {name: value for name, value in fields.items() if value is not None}
