"""The settings of calls to apps' endpoints."""

from dataclasses import dataclass
from datetime import timedelta

from storage.model.networks import parse_network
from storage.setting_parsers import comma_separated, duration, whole_number
from storage.settings import setting


def _parse_networks(text: str) -> tuple[str, ...]:
    return tuple(parse_network(one) for one in comma_separated(text))


@dataclass(frozen=True, slots=True)
class CallbackSettings:
    """Which endpoints may be called, how many at once, and for how long."""

    allowed: tuple[str, ...] = setting(
        "CARILLON_CALLBACK_ALLOWED",
        (),
        parse=_parse_networks,
        help="Networks (CIDR, comma-separated) that apps' endpoints may be in beside the public Internet, "
        "such as 10.1.0.0/16; there, http is allowed too. An app's URL can make the callbacks worker send "
        "a POST to any address in them.",
    )
    calls: int = setting(
        "CARILLON_CALLBACK_CALLS",
        128,
        parse=whole_number(1, 1000),
        help="Endpoints that one callbacks worker calls at once. Those that failed or were slow last get half of them at most.",
    )
    answer: timedelta = setting(
        "CARILLON_CALLBACK_SECONDS",
        timedelta(seconds=10),
        parse=duration(0.1, 20),
        help="How long an endpoint may take to answer, with everything from the look-up of its name.",
    )
