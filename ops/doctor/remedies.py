"""What to say of an obstacle, and what to do about it: a sentence and a remedy for each cause, by server."""

from dataclasses import dataclass

from ops.doctor.findings import Blocked
from storage.reachability import Cause, Obstacle


@dataclass(frozen=True, slots=True)
class Server:
    """A server as sentences name it. `variable` says where it is; `own` has remedies that hold for this server only."""

    name: str
    variable: str
    tls: str
    own: dict[Cause, str]


POSTGRES = Server(
    "PostgreSQL",
    "CARILLON_DATABASE_URL",
    "add sslmode=require to it, or verify-full with sslrootcert",
    {
        Cause.WRONG_PASSWORD: "Correct the user and the password in CARILLON_DATABASE_URL (with @, / and : percent-encoded), or give the "
        "role that password: ALTER ROLE … PASSWORD …",
        Cause.UNKNOWN_ROLE: "Correct the user in CARILLON_DATABASE_URL, or make the roles: carillon db roles",
        Cause.UNKNOWN_DATABASE: "Correct the name at the end of CARILLON_DATABASE_URL, or CREATE DATABASE, then carillon db upgrade",
        Cause.NOT_ALLOWED: "Let this machine and this role in, in PostgreSQL's pg_hba.conf, and reload it.",
        Cause.FULL: "Raise max_connections, or lower CARILLON_DATABASE_POOL_SIZE.",
        Cause.REFUSED: "PostgreSQL's log says more. Behind PgBouncer: docs/operations/deploy.md, A PostgreSQL of your own.",
    },
)
VALKEY = Server(
    "Valkey",
    "CARILLON_VALKEY_URL",
    "begin it with rediss://",
    {
        Cause.WRONG_PASSWORD: "Put the password of its `requirepass` (or of the ACL user) into CARILLON_VALKEY_URL: redis://:PASSWORD@host:port/0",
        Cause.NO_PASSWORD: "Put its password into CARILLON_VALKEY_URL: redis://:PASSWORD@host:port/0",
        Cause.UNKNOWN_DATABASE: "The number at the end of CARILLON_VALKEY_URL is the database: 0 to 15 by default.",
        Cause.NOT_ALLOWED: "Give the ACL user all commands on all keys: ACL SETUSER … +@all ~* &*",
        Cause.FULL: "Raise its maxclients.",
    },
)
BROKER = Server(
    "The broker",
    "CARILLON_BROKER_URL",
    "begin it with rediss:// or amqps://",
    {
        Cause.WRONG_PASSWORD: "Correct the user and the password in CARILLON_BROKER_URL.",
        Cause.UNKNOWN_DATABASE: "Correct the virtual host (RabbitMQ) or the number (Valkey) at the end of CARILLON_BROKER_URL, "
        "or let the user into it: rabbitmqctl set_permissions",
    },
)
S3 = Server(
    "The S3 server",
    "CARILLON_S3_INTERNAL_URL (or CARILLON_S3_ENDPOINT_URL)",
    "begin it with https://",
    {
        Cause.UNKNOWN_ROLE: "Correct CARILLON_S3_ACCESS_KEY_ID, or make that key.",
        Cause.WRONG_PASSWORD: "Correct CARILLON_S3_SECRET_ACCESS_KEY; it does not belong to CARILLON_S3_ACCESS_KEY_ID.",
        Cause.NO_PASSWORD: "Set CARILLON_S3_ACCESS_KEY_ID and CARILLON_S3_SECRET_ACCESS_KEY.",
        Cause.UNKNOWN_DATABASE: "Make the bucket, or correct CARILLON_S3_BUCKET.",
        Cause.CLOCK: "Synchronize the clocks of both by NTP: a signature is good for minutes.",
        Cause.REFUSED: "The key needs s3:PutObject and s3:GetObject on the bucket's objects; the server's log says more.",
    },
)
GATEWAY = Server("The gateway", "--gateway", "begin it with https://", {})

_SAYS = {
    Cause.MALFORMED: "{variable} is malformed.",
    Cause.UNKNOWN_HOST: "{server}: there is no host of that name ({where}).",
    Cause.NO_NAME_SERVER: "{server}: the name server does not answer, so {where} cannot be found.",
    Cause.NOBODY_LISTENS: "{server}: nobody listens at {where}.",
    Cause.NO_ANSWER: "{server}: {where} does not answer at all.",
    Cause.SILENT: "{server}: {where} takes connections and says nothing.",
    Cause.WRONG_SERVER: "At {where} is something else than {server}.",
    Cause.TLS_WANTED: "{server} at {where} wants TLS.",
    Cause.NO_TLS: "{server} at {where} offers no TLS, and {variable} wants it.",
    Cause.BAD_CERTIFICATE: "{server} at {where} shows a certificate that is not trusted here.",
    Cause.WRONG_PASSWORD: "{server} at {where} is up and does not take our password.",
    Cause.NO_PASSWORD: "{server} at {where} is up and wants a password; none is set.",
    Cause.UNKNOWN_ROLE: "{server} at {where} is up and does not know our user.",
    Cause.UNKNOWN_DATABASE: "{server} at {where} is up and has no such database.",
    Cause.NOT_ALLOWED: "{server} at {where} is up and does not let us in.",
    Cause.CLOCK: "{server} at {where} takes no signature of ours: our clocks differ.",
    Cause.FULL: "{server} at {where} takes no more connections.",
    Cause.STARTING: "{server} at {where} is starting or stopping.",
    Cause.REFUSED: "{server} at {where} refuses us.",
}
_MENDS = {
    Cause.MALFORMED: "Correct {variable}; its form is in docs/settings.md.",
    Cause.UNKNOWN_HOST: "Correct the host in {variable}, or the name in DNS.",
    Cause.NO_NAME_SERVER: "Mend the name service of this machine (/etc/resolv.conf).",
    Cause.NOBODY_LISTENS: "Start it, or correct host and port in {variable}.",
    Cause.NO_ANSWER: "Is the machine up, and does a firewall let us through? Else correct host and port in {variable}.",
    Cause.SILENT: "It hangs (restart it), or it is no such server: then correct host and port in {variable}.",
    Cause.WRONG_SERVER: "Correct host and port in {variable}.",
    Cause.TLS_WANTED: "Ask for TLS in {variable}: {tls}.",
    Cause.NO_TLS: "Give the server a certificate, or take TLS out of {variable}.",
    Cause.BAD_CERTIFICATE: "Name its certificate authority in {variable}, or give it a certificate for that host name.",
    Cause.WRONG_PASSWORD: "Correct the password in {variable}.",
    Cause.NO_PASSWORD: "Put the password into {variable}.",
    Cause.UNKNOWN_ROLE: "Correct the user in {variable}.",
    Cause.UNKNOWN_DATABASE: "Correct the name at the end of {variable}.",
    Cause.NOT_ALLOWED: "Give our user the right, or correct it in {variable}.",
    Cause.CLOCK: "Synchronize the clocks of both by NTP.",
    Cause.FULL: "Raise its limit of connections.",
    Cause.STARTING: "Wait for it. If it stays so, its log says why.",
    Cause.REFUSED: "Its log says more.",
}


def block(server: Server, obstacle: Obstacle, *, because: tuple[str, ...] = ()) -> Blocked:
    """What a check raises that an obstacle keeps from `server`."""
    words = {
        "server": server.name,
        "where": obstacle.where,
        "variable": server.variable,
        "tls": server.tls,
    }
    says = _SAYS[obstacle.cause].format(**words)
    said = f" It says: {obstacle.text}" if obstacle.text else ""
    mend = server.own.get(obstacle.cause, _MENDS[obstacle.cause]).format(**words)
    return Blocked(says + said, mend, because=because)
