"""What `carillon up` can be told from outside, besides what it passes on."""

from dataclasses import dataclass

from storage.settings import setting, whole


@dataclass(frozen=True, slots=True)
class UpSettings:
    """Where the one-machine stack listens."""

    host: str = setting(
        "CARILLON_HOST",
        "127.0.0.1",
        help="Address that REST and WebSocket listen on; 0.0.0.0 is every one of the machine.",
    )
    port: int = setting(
        "CARILLON_PORT",
        8000,
        parse=whole(1, 65535),
        help="Port that REST and WebSocket share.",
    )
    public_url: str = setting(
        "CARILLON_PUBLIC_URL",
        "",
        help="Where clients reach the API, as https://host. Not set: the address above.",
    )
    valkey_max_memory: str | None = setting(
        "CARILLON_VALKEY_MAX_MEMORY",
        None,
        help="`maxmemory` of the embedded Valkey, such as 512mb. Not set: no limit.",
    )

    @property
    def local_url(self) -> str:
        """Where this machine reaches the stack."""
        host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(self.host, self.host)
        return f"http://{host}:{self.port}"
