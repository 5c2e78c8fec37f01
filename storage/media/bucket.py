"""An S3 bucket through botocore: where its objects are, and URLs that are signed as of an instant of ours.

Called by `media_s3`. boto3 is imported when the tools are made: its time and memory are not for every process.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, Literal

Addressing = Literal["path", "virtual"]


@dataclass(frozen=True, slots=True)
class Bucket:
    """Where the bucket is and who may sign. `addressing`: `path` or `virtual` (as a host name).

    `endpoint_url` is the clients' way to it, `internal_url` our own if that is another.
    """

    name: str
    region: str
    endpoint_url: str | None
    access_key_id: str | None
    secret_access_key: str | None
    addressing: Addressing
    internal_url: str | None = None


class BucketTools:
    """botocore's client for the bucket, and its signature with an instant of ours.

    `client` signs what clients use; `inside` is the one that asks the bucket.
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
        self.client: Any = session.client("s3", endpoint_url=bucket.endpoint_url, config=config)
        self.inside: Any = self.client
        if bucket.internal_url:
            self.inside = session.client("s3", endpoint_url=bucket.internal_url, config=config)
        self._bucket = bucket.name

    @cached_property
    def objects_url(self) -> str:
        """Where objects are, before their key."""
        # Path or host name, region, dual stack: botocore knows, and says it in the URL that it would sign.
        url = self.client.generate_presigned_url(
            "get_object", Params={"Bucket": self._bucket, "Key": "k"}, ExpiresIn=60
        )
        return str(url).partition("?")[0].removesuffix("k")

    def credentials(self) -> Any:
        """What to sign with now; raises botocore's NoCredentialsError when there is nothing."""
        from botocore.exceptions import NoCredentialsError  # noqa: PLC0415

        if self._credentials is None:
            raise NoCredentialsError
        return self._credentials.get_frozen_credentials()

    def sign(self, url: str, *, since: int, lifetime: int) -> str:
        """`url`, presigned as of the instant `since`: botocore itself signs as of now only."""
        from botocore.auth import S3SigV4QueryAuth  # noqa: PLC0415
        from botocore.awsrequest import AWSRequest  # noqa: PLC0415

        instant = datetime.fromtimestamp(since, UTC).strftime("%Y%m%dT%H%M%SZ")

        class _Auth(S3SigV4QueryAuth):
            def _modify_request_before_signing(self, request: Any) -> None:
                # What the signature says and covers is taken from here, after botocore set it to now.
                request.context["timestamp"] = instant
                super()._modify_request_before_signing(request)  # type: ignore[misc]

        request = AWSRequest("GET", url)
        _Auth(self.credentials(), "s3", self._region, expires=lifetime).add_auth(request)
        return str(request.url)
