"""An S3 bucket through botocore: where its objects are, and URLs that are signed as of an instant that we choose.

Used by `s3.py`. boto3 is imported when a `BucketClient` is made, because it is slow to import and large, and most
processes never need it (docs/decisions/0028-media-stores.md).
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, Literal

Addressing = Literal["path", "virtual"]


@dataclass(frozen=True, slots=True)
class Bucket:
    """Where the bucket is, and the credentials that sign.

    Clients reach it at `endpoint_url`, our own processes at `internal_url` if that is set. `addressing` is `path` or
    `virtual` (the bucket in the host name).
    """

    name: str
    region: str
    endpoint_url: str | None
    access_key_id: str | None
    secret_access_key: str | None
    addressing: Addressing
    internal_url: str | None = None


class BucketClient:
    """botocore's clients for a bucket, and its signature as of an instant that we choose.

    `signing_client` makes what clients use; `asking_client` is the one that asks the bucket.
    """

    def __init__(self, bucket: Bucket, *, ask_seconds: float, connections: int) -> None:
        import boto3  # noqa: PLC0415 (slow to import)
        from botocore.config import Config  # noqa: PLC0415

        # A session of our own: boto3's default one is shared and not safe to make clients with in threads.
        session = boto3.session.Session(
            aws_access_key_id=bucket.access_key_id,
            aws_secret_access_key=bucket.secret_access_key,
            region_name=bucket.region,
        )
        config = Config(
            signature_version="s3v4",
            s3={"addressing_style": bucket.addressing},
            connect_timeout=ask_seconds / 2,
            read_timeout=ask_seconds / 2,
            retries={"total_max_attempts": 1},
            max_pool_connections=connections,
        )
        self._region = bucket.region
        self._credentials = session.get_credentials()
        self.signing_client: Any = session.client(
            "s3", endpoint_url=bucket.endpoint_url, config=config
        )
        self.asking_client: Any = self.signing_client
        if bucket.internal_url:
            self.asking_client = session.client(
                "s3", endpoint_url=bucket.internal_url, config=config
            )
        self._bucket = bucket.name

    @cached_property
    def objects_url(self) -> str:
        """The URL of an object without its key."""
        # Path or host name, region, dual stack: botocore knows all of it, and shows it in a URL that it signs.
        url = self.signing_client.generate_presigned_url(
            "get_object", Params={"Bucket": self._bucket, "Key": "k"}, ExpiresIn=60
        )
        return str(url).partition("?")[0].removesuffix("k")

    def find_credentials(self) -> Any:
        """The credentials to sign with now. Raises botocore's NoCredentialsError when there are none."""
        from botocore.exceptions import NoCredentialsError  # noqa: PLC0415

        if self._credentials is None:
            raise NoCredentialsError
        return self._credentials.get_frozen_credentials()

    def sign(self, url: str, *, since: int, lifetime: int) -> str:
        """Presign `url` as of the instant `since`, for `lifetime` seconds. botocore itself only signs as of now."""
        from botocore.auth import S3SigV4QueryAuth  # noqa: PLC0415
        from botocore.awsrequest import AWSRequest  # noqa: PLC0415

        instant = datetime.fromtimestamp(since, UTC).strftime("%Y%m%dT%H%M%SZ")

        class _Auth(S3SigV4QueryAuth):
            def _modify_request_before_signing(self, request: Any) -> None:
                # The signature takes its time from here; botocore has set it to now.
                request.context["timestamp"] = instant
                super()._modify_request_before_signing(request)  # type: ignore[misc]

        request = AWSRequest("GET", url)
        _Auth(self.find_credentials(), "s3", self._region, expires=lifetime).add_auth(request)
        return str(request.url)
