"""What tests of the broadcast lanes work with."""

from dataclasses import replace

import pytest

from workers.services import Services


@pytest.fixture
def small_chunks(services: Services) -> Services:
    """The services of a worker whose chunks are of ten people."""
    return replace(services, settings=replace(services.settings, chunk_size=10))
