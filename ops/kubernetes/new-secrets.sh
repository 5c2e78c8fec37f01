#!/bin/sh
# The secrets of a new installation, as manifests: each process is given those that it reads and no others.
#
#     export DATABASE_URL=postgresql://carillon_app:…@host/carillon VALKEY_URL=rediss://:…@host:6379/0
#     export S3_ACCESS_KEY_ID=… S3_SECRET_ACCESS_KEY=…
#     ops/kubernetes/new-secrets.sh > secrets.yaml && kubectl apply -f secrets.yaml
#
# Also taken: OWNER_URL (the role that owns the tables: carillon db upgrade), BROKER_URL (RabbitMQ; VALKEY_URL by default), JWT_SECRET
# (your identity provider's; else a new one). Keep the file: without CARILLON_SECRETS_KEY the secrets of apps are lost.
set -eu

random() {
    head -c 32 /dev/urandom | base64 | tr '+/' '-_'
}

password() {
    random | tr -d '=\n'
}

# A text of YAML, whatever is in it.
quote() {
    printf "'%s'" "$(printf %s "$1" | tr -d '\n\r' | sed "s/'/''/g")"
}

# One secret: its name, then names and values.
secret() {
    printf -- '---\napiVersion: v1\nkind: Secret\nmetadata: {name: %s, namespace: carillon}\nstringData:\n' "$1"
    shift
    while [ $# -gt 0 ]; do
        printf '  %s: %s\n' "$1" "$(quote "$2")"
        shift 2
    done
}

database=${DATABASE_URL:?postgresql://user:password@host/database, of the role that the processes are}
valkey=${VALKEY_URL:?redis://:password@host:6379/0, or rediss:// with TLS}
key=${S3_ACCESS_KEY_ID:?the access key of the bucket}
key_secret=${S3_SECRET_ACCESS_KEY:?the secret of that key}

secret carillon-database CARILLON_DATABASE_URL "$database"
if [ -n "${OWNER_URL:-}" ]; then
    secret carillon-owner CARILLON_DATABASE_OWNER_URL "$OWNER_URL"
fi
secret carillon-valkey CARILLON_VALKEY_URL "$valkey"
secret carillon-broker CARILLON_BROKER_URL "${BROKER_URL:-$valkey}"
secret carillon-tokens CARILLON_JWT_SECRET "${JWT_SECRET:-$(password)$(password)}"
secret carillon-apps CARILLON_SECRETS_KEY "$(random)" CARILLON_CONSOLE_TOKEN "$(password)"
secret carillon-media CARILLON_S3_ACCESS_KEY_ID "$key" CARILLON_S3_SECRET_ACCESS_KEY "$key_secret"
