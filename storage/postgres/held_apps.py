"""What is held: scheduled sends and broadcasts of a disabled app wait until it is enabled (contract §2)."""


def held_condition(app_id: str) -> str:
    """SQL that is true while the app of the column `app_id` is disabled (the primary key of `apps`).

    Whoever has no app, or one that is not there, is not held.
    """
    return f"EXISTS (SELECT FROM apps held WHERE held.id = {app_id} AND NOT held.is_active)"
