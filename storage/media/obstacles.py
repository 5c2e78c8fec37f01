"""What keeps us from the bucket of media: a wrong key is not a bucket that is missing. For `carillon doctor`.

An object that nobody has is asked for: that changes nothing, and a key that may only put and get objects may do it.
"""

from urllib.parse import urlsplit

from storage.media.bucket import BucketClient
from storage.media.store import MediaSettings, describe_bucket
from storage.reachability import Cause, Obstacle, probe_address

_NOBODYS = "carillon-doctor/there-is-no-such-object"
# What S3 answers when all is well: 403 if the key may not list the bucket, and the object is not there.
_WELL = frozenset({"NoSuchKey", "404", "AccessDenied", "403"})
_CODES = {
    "InvalidAccessKeyId": Cause.UNKNOWN_ROLE,
    "SignatureDoesNotMatch": Cause.WRONG_PASSWORD,
    "NoSuchBucket": Cause.UNKNOWN_DATABASE,
    "RequestTimeTooSkewed": Cause.CLOCK,
}


def find_obstacle(settings: MediaSettings, *, seconds: float) -> Obstacle | None:
    """What keeps us from the bucket; None if it answers as it should. Blocks for about three times `seconds` at most."""
    from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError  # noqa: PLC0415 (slow to import)

    url = settings.internal_url or settings.endpoint_url
    where = f"{url}/{settings.bucket}" if url else settings.bucket
    if found := _probe_endpoint(url, seconds=seconds):
        return found
    client = BucketClient(describe_bucket(settings), ask_seconds=2 * seconds, connections=1)
    try:
        client.find_credentials()
        client.asking_client.get_object(Bucket=settings.bucket, Key=_NOBODYS)
    except ClientError as error:
        code = str(error.response.get("Error", {}).get("Code", ""))
        said = str(error.response.get("Error", {}).get("Message", code))
        return None if code in _WELL else Obstacle(_CODES.get(code, Cause.REFUSED), where, said)
    except NoCredentialsError:
        return Obstacle(Cause.NO_PASSWORD, where)
    except BotoCoreError as error:
        cause = Cause.BAD_CERTIFICATE if "CERTIFICATE" in str(error) else Cause.SILENT
        return Obstacle(cause, where, type(error).__name__)
    return None


def _probe_endpoint(url: str, *, seconds: float) -> Obstacle | None:
    """What keeps us from the address of `url`; nothing is known of Amazon's own, which has no URL here."""
    parts = urlsplit(url)
    if not parts.hostname:
        return None
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return probe_address(parts.hostname, port, seconds=seconds)
