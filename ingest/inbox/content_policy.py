"""What the page of the inbox may load, and from where: its Content-Security-Policy, made for this deployment."""

from urllib.parse import urlsplit

from storage.media.store import MediaStore, make_key

# `'self'` covers sockets of the page's own host and port too (CSP 3; Safari since 15.4). Text becomes HTML through Lit's
# own templates alone (Trusted Types).
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; "
    "img-src 'self' data: blob:{media}; media-src 'self' blob:{media}; connect-src 'self'{media}; "
    "base-uri 'self'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types lit-html"
)
_TYPE = "image/png"


def find_media_origins(store: MediaStore) -> list[str]:
    """The origins that uploads go to and pictures come from; empty if the store's URLs are relative to the API's.

    It signs a URL of each kind, so it may block. Raises TransientError when the store cannot sign.
    """
    key = make_key("user-0", "policy.png", content_type=_TYPE)
    urls = (store.url(key), store.upload(key, content_type=_TYPE, size=1).url)
    parts = [urlsplit(url) for url in urls]
    return sorted({f"{one.scheme}://{one.netloc}" for one in parts if one.netloc})


def build_policy(media_origins: list[str]) -> str:
    """The value of the header, for a deployment whose media is also at these origins.

    Pictures of other places, such as full URLs in older data (contract §4), are not loaded: their host would learn who reads
    the message, and when. The page shows their link.
    """
    return _POLICY.format(media="".join(f" {one}" for one in media_origins))
