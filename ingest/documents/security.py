"""How callers say who they are, as OpenAPI has it (contract §1)."""

from ingest.documents.schemas import Shape
from ingest.http.endpoint import Endpoint

SECURITY: Shape = {
    "person": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "The person's token from the organisation's identity provider. In a trial: `carillon token USER_ID`.",
    },
    "appId": {
        "type": "apiKey",
        "in": "header",
        "name": "X-App-Id",
        "description": "The app's string id.",
    },
    "appTimestamp": {
        "type": "apiKey",
        "in": "header",
        "name": "X-Timestamp",
        "description": "The present time in Unix seconds; it may be up to 300 seconds off.",
    },
    "appSign": {
        "type": "apiKey",
        "in": "header",
        "name": "X-Sign",
        "description": "HMAC-SHA256, with the app's secret as the key, of `app_id=<X-App-Id>&timestamp=<X-Timestamp>`, "
        "as 64 hexadecimal digits in lower case. `carillon sign --app APP_ID` prints all three. With `X-Sign-Version: 2`, "
        "`X-Nonce` and `Content-Digest` it covers the whole request: docs/api/integrate-an-app.md.",
    },
}
_PERSON: Shape = {"person": []}
_APP: Shape = {"appId": [], "appTimestamp": [], "appSign": []}


def list_security(endpoint: Endpoint) -> list[Shape]:
    """The ways to say who is calling that this endpoint takes; empty if it asks nobody."""
    people = [_PERSON] if endpoint.callers.people else []
    return people + ([_APP] if endpoint.callers.apps else [])
