#!/bin/sh
# The secrets of a new installation, for docker-compose.yml: `ops/new-env.sh > .env`. Keep the file:
# without CARILLON_SECRETS_KEY the secrets of apps are lost, and with it anybody can read them.
set -eu

random() {
    head -c 32 /dev/urandom | base64 | tr '+/' '-_'
}

# Without padding: in URLs, and where people copy it.
password() {
    random | tr -d '=\n'
}

cat <<END
POSTGRES_PASSWORD=$(password)
POSTGRES_OWNER_PASSWORD=$(password)
POSTGRES_APP_PASSWORD=$(password)
VALKEY_PASSWORD=$(password)
CARILLON_JWT_SECRET=$(password)$(password)
CARILLON_SECRETS_KEY=$(random)
S3_ACCESS_KEY_ID=carillon
S3_SECRET_ACCESS_KEY=$(password)
CARILLON_CONSOLE_TOKEN=$(password)
RABBITMQ_PASSWORD=$(password)
GRAFANA_PASSWORD=$(password)
END
