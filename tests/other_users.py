"""Other users of this machine, for tests that root runs as somebody else."""

import subprocess
import sys

import pytest


def need_interpreter(user_id: int) -> None:
    """Skip the test if this user cannot run our interpreter: root's may lie in root's home."""
    try:
        subprocess.run([sys.executable, "-c", ""], user=user_id, extra_groups=[], check=True)
    except (PermissionError, subprocess.CalledProcessError):
        pytest.skip(f"user {user_id} cannot run {sys.executable}")
