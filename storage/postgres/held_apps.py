"""What is held: scheduled sends and broadcasts of a disabled app wait until it is enabled (contract §2)."""


def build_held_condition(app_id: str) -> str:
    """The SQL condition that the app in the column `app_id` is disabled. Primary key of `apps`.

    It is false for NULL and for an app that does not exist: what has no app is not held.
    """
    return f"EXISTS (SELECT FROM apps held WHERE held.id = {app_id} AND NOT held.is_active)"
