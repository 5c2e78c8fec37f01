"""The one table of error codes: what `code` may be in an error, its HTTP status, what it means and what to do.

A code is for programs and never changes its meaning (contract §0, Errors). Errors carry one (`errors.py`), both HTTP
edges and `ops/http` write it, and `docs/api/errors.md` is made from here. A test sees to it that every code is in use.
"""

from enum import Enum

_LATER = "Wait as long as `Retry-After` says, then send the same request again; a send with the same `Idempotency-Key`."
_MEND = "Do not repeat it; change the request."
_STAY = "Do not repeat it."


class ErrorCode(Enum):
    """One code; its `name` is what an error carries. `meaning` and `advice` are sentences for the caller."""

    def __init__(self, status: int, meaning: str, advice: str) -> None:
        self.status = status
        self.meaning = meaning
        self.advice = advice

    BAD_REQUEST = (
        400,
        "This is not an HTTP/1.1 request that can be read.",
        "Look at the program or the proxy that wrote the request.",
    )

    NOT_SIGNED_IN = (
        401,
        "Not signed in, or the token or signature is invalid or expired.",
        "Get a new token; an app: check its id, secret and signed text. The operator's log has the reason, by the request id.",
    )
    TOKEN_EXPIRED = (
        401,
        "The token's signature is good, but its time is over.",
        "Get a new token, then repeat the request.",
    )
    CLOCK_SKEW = (
        401,
        "X-Timestamp differs too much from the server's clock, which stands beside it as `server_time`.",
        "Set the clock, or sign with Unix seconds where milliseconds were taken.",
    )
    HEADER_MISSING = (
        401,
        "A header that says who is calling is missing; the sentence names it.",
        "Send it. A proxy on the way may have removed it.",
    )
    HEADER_MALFORMED = (
        401,
        "A header that says who is calling has the wrong form; the sentence says which form it must have.",
        "Send it in that form.",
    )
    SIGNATURE_VERSION = (
        401,
        "The signature is good, but this app has to sign in a newer version.",
        "Sign in version 2 (`X-Sign-Version: 2`). The operator asked for it: `carillon app require-signature`.",
    )
    BODY_NOT_SIGNED = (
        401,
        "`Content-Digest`, which the signature covers, is not that of the body that came.",
        "Make the digest of the bytes that are sent, and send them as they are. A proxy on the way may have changed them.",
    )
    NONCE_USED = (
        401,
        "A request with this `X-Nonce` came before.",
        "Sign every attempt anew, with a nonce of its own; a send keeps its `Idempotency-Key`.",
    )
    TICKET_NOT_VALID = (
        401,
        "The ticket that was to open a socket is unknown, too old, or was used.",
        "Get a new one for every connection: `POST /ws/tickets`.",
    )

    NOT_ALLOWED = (403, "The caller may not do this.", _STAY)
    FOR_PEOPLE_ONLY = (
        403,
        "This call is for signed-in people, not for apps.",
        "Call with a person's token, and without X-App-Id.",
    )
    FOR_APPS_ONLY = (
        403,
        "This call is for apps, not for people.",
        "Have the app's server make it.",
    )
    OTHER_APP = (
        403,
        "`app_id` in the body is not the calling app's.",
        "Leave it out, or write the id of X-App-Id.",
    )
    NOT_THE_SENDER = (403, "Only its sender may take a message back.", _STAY)
    RECALL_TOO_LATE = (
        403,
        "The message is too old for its sender to take it back.",
        "Do not repeat it. An app may take back what it sent at any time.",
    )
    NOT_YOUR_UPLOAD = (
        403,
        "`content` is not an object that the caller uploaded.",
        "Upload it first (`POST /media/uploads`), as the same caller, and send the key from that answer.",
    )
    ADDRESS_NOT_ALLOWED = (
        403,
        "The app's calls may not come from this address.",
        "Call from one of the app's own networks. The operator lists them: `carillon app update --allow-from`.",
    )
    NO_ACCOUNT = (
        403,
        "The person has no account in this app.",
        "Do not repeat it. The operator adds accounts: `carillon mapping import`.",
    )
    LINK_NOT_VALID = (
        403,
        "The URL of a media object was not made here, or was changed.",
        "Use the URL as it came; read the message again for a new one.",
    )
    LINK_EXPIRED = (
        403,
        "The time of this media URL is over.",
        "Read the message again, or announce the upload again, for a new one.",
    )
    ORIGIN_NOT_ALLOWED = (
        403,
        "Pages of this origin may not open sockets.",
        "The operator lists the origin in CARILLON_ORIGINS.",
    )
    ROLE_TOO_LOW = (
        403,
        "The operator's role does not allow this.",
        "Ask an operator who may; the attempt is in the audit.",
    )
    TOKEN_IS_A_SETTING = (
        403,
        "Who signed in with the operator's token has no password to change.",
        "Change CARILLON_CONSOLE_TOKEN, or add a named operator.",
    )
    CONSOLE_HEADER_MISSING = (
        403,
        "The request lacks the header that the console's own page sends.",
        "Use the console, or the command `carillon`.",
    )
    DEMO_IS_LOCAL = (
        403,
        "The demo's people sign in on the inbox's own page only, opened on the machine that Carillon runs on.",
        "Open `/inbox` on that machine, or sign in with a token.",
    )

    NOT_FOUND = (404, "There is no such thing, or the caller may not see it.", "Look it up again.")
    UNKNOWN_PATH = (
        404,
        "There is nothing at this path.",
        "Compare the path with `/openapi.json`; the API's begin with `/api/v1`.",
    )
    UNKNOWN_RECEIVER = (
        404,
        "The receiver does not exist, or is not active.",
        "Do not repeat it; look the person up again.",
    )
    NO_MAPPING = (
        404,
        "The app has no mapping for this `app_user_id`.",
        "Check the account's name. The operator adds accounts: `carillon mapping import`.",
    )
    UNKNOWN_SENDER = (
        404,
        "The app has no mapping for this `sender_app_user_id`.",
        "Check the account's name. The operator adds accounts: `carillon mapping import`.",
    )
    UNKNOWN_APP = (
        404,
        "There is no such app, or it is not active.",
        "Check the string id of the app.",
    )
    UNKNOWN_PERSON = (404, "There is no such person.", "Look the person up again.")
    UNKNOWN_MESSAGE = (
        404,
        "There is no such message, it is not this caller's, or it was taken back.",
        "Take it off the screen.",
    )
    UNKNOWN_BROADCAST = (
        404,
        "There is no such broadcast, or another app sent it.",
        "Check the id: it is that of the message which the send answered.",
    )
    UNKNOWN_TICKET = (
        404,
        "The ticket is unknown, of another app, too old, or was used.",
        "Do not sign the person in; let them press the button again.",
    )
    UNKNOWN_OBJECT = (404, "There is no such media object.", "Read the message again.")
    UNKNOWN_OPERATOR = (404, "There is no operator of this name.", "Check the name.")
    UNKNOWN_QUEUE = (
        404,
        "There is no such queue, or it cannot be paused.",
        "Name one of the list.",
    )
    UNKNOWN_REF = (
        404,
        "The app has sent no message with this `ref`, or all of them were recalled.",
        "Do not repeat it. The name is the one that was given at send.",
    )
    UNKNOWN_FAILED_SEND = (
        404,
        "There is no such failed send; it may have been replayed or dropped.",
        "Load the list again.",
    )

    METHOD_NOT_ALLOWED = (
        405,
        "This path does not take this method.",
        "Use one of those in the header `Allow`.",
    )
    REQUEST_TIMEOUT = (
        408,
        "The request did not arrive in time, or not whole.",
        "Send it again; a send with the same `Idempotency-Key`.",
    )
    IN_CONFLICT = (
        409,
        "The thing is in a state that does not allow this.",
        "Look at it again, then decide.",
    )
    VERSION_CHANGED = (
        409,
        "The message has another version than `expected_version`: it was changed meanwhile.",
        "Read it again, and decide whether the change still fits.",
    )
    MESSAGE_IS_RECALLED = (409, "The message was recalled: nobody has it any more.", _STAY)
    PERSON_ERASED = (
        409,
        "The person was erased, and nothing brings them back.",
        "Leave the id out.",
    )
    ALREADY_UPLOADED = (
        409,
        "The object was uploaded before, and no object is written twice.",
        "Send the message with its key, or announce a new upload.",
    )
    APP_EXISTS = (409, "There already is an app of this string id.", "Choose another id.")
    OPERATOR_EXISTS = (409, "There already is an operator of this name.", "Choose another name.")
    LAST_ADMIN = (
        409,
        "Nobody could administer the console any more.",
        "Make another operator an admin first, or set CARILLON_CONSOLE_TOKEN.",
    )
    BODY_TOO_LARGE = (413, "The body is longer than this call takes.", _MEND)
    CONTENT_TOO_LARGE = (
        413,
        "`content` is longer than a message may be.",
        "Shorten it, or upload it as a file.",
    )
    UPLOAD_TOO_LARGE = (
        413,
        "The upload is larger than allowed, or than was announced.",
        "Announce the true size; a larger file cannot be taken.",
    )
    RANGE_NOT_SATISFIABLE = (
        416,
        "The object has no such part.",
        "Ask without `Range`, or for a part that is within `Content-Range`.",
    )

    VALIDATION = (
        422,
        "Something in the body, path, query or headers is wrong; `detail` lists each with its place.",
        _MEND,
    )
    BODY_NOT_JSON = (422, "The body is not a JSON object that can be read.", _MEND)
    IGNORED_FIELD = (
        422,
        "With `Prefer: handling=strict`: something is unknown, or would have no effect; `detail` lists each.",
        "Correct its name, leave it out, or send without the preference.",
    )
    KEY_REUSED = (
        422,
        "This `Idempotency-Key` was used before, with another body.",
        "Make a new key for every new send; keep it only to repeat the very same one.",
    )
    HOST_NOT_ALLOWED = (
        422,
        "The app allows no button to this host.",
        "An operator adds hosts: `carillon app update APP_ID --add-host HOST`.",
    )
    NOT_UPLOADED = (
        422,
        "The object was announced and not uploaded yet.",
        "Finish the upload, then send the message.",
    )
    UPLOAD_INCOMPLETE = (
        422,
        "Fewer bytes came than the upload was announced with.",
        "Upload it again, whole, with the same URL.",
    )
    SEND_AT_PAST = (
        422,
        "`send_at` is more than a minute in the past.",
        "Leave it out to send at once; check the offset of the time.",
    )
    NO_BUTTON = (
        422,
        "The message has no button that signs on.",
        "Open its `action_url`, if it has one, as it is.",
    )

    UPGRADE_REQUIRED = (
        426,
        "This path is a WebSocket.",
        "Connect with a WebSocket client. A proxy on the way may have removed `Upgrade`.",
    )
    RATE_LIMITED = (429, "The caller asks more often than it may.", _LATER)
    QUOTA_USED_UP = (
        429,
        "The app has sent as many messages as it may in a day.",
        "Go on after midnight UTC (`Retry-After`), or ask the operator for more.",
    )
    TOO_MANY_AT_ONCE = (
        429,
        "The caller has too many requests in hand.",
        "Wait for their answers; send fewer at once.",
    )
    TOO_MANY_SOCKETS = (
        429,
        "The person has as many sockets open as they may.",
        "Close one, or wait as long as `Retry-After` says.",
    )
    TOO_MANY_SIGN_INS = (
        429,
        "Signing in to the console was tried too often.",
        "Wait as long as `Retry-After` says.",
    )
    HEADERS_TOO_LARGE = (
        431,
        "The head of the request is too large.",
        "Send fewer and shorter headers; cookies are the usual cause.",
    )

    INTERNAL = (
        500,
        "Something went wrong here.",
        "Repeat it once, a send with the same `Idempotency-Key`; then give the operator the request id.",
    )
    UNAVAILABLE = (503, "The request cannot be taken now.", _LATER)
    DATABASE_AWAY = (503, "The database cannot be reached, or is too busy.", _LATER)
    BUS_AWAY = (503, "The message bus cannot be reached.", _LATER)
    MEDIA_STORE_AWAY = (
        503,
        "The media store cannot be asked, or its URLs cannot be signed.",
        _LATER,
    )
    QUEUE_FULL = (503, "Too much is waiting to be delivered.", _LATER)
    NOT_CONFIRMED = (
        503,
        "The send was not stored in time; it may have been accepted all the same.",
        "Repeat it with the same `Idempotency-Key`; without a key it may be sent twice.",
    )
    NOT_READY = (
        503,
        "The process cannot take work: what it needs is away or not up to date.",
        "For probes: send nobody here until it answers 200.",
    )
    TOO_MANY_CONNECTIONS = (
        503,
        "The server has no room for more connections.",
        "Wait as long as `Retry-After` says; keep connections open and use them again.",
    )
