#!/bin/sh
# Writes Alertmanager's configuration from the variables ALERT_… and starts what it is given. Alertmanager itself reads no
# variables. Without any receiver alerts are seen at http://localhost:9093 and nobody is told.
set -eu

# A text of YAML, whatever is in it.
quote() {
    printf "'%s'" "$(printf %s "$1" | tr -d '\n\r' | sed "s/'/''/g")"
}

configuration=${ALERT_CONFIGURATION:-/tmp/alertmanager.yml}
umask 077
{
    cat <<END
route:
  receiver: operators
  group_by: [alertname]
  group_wait: 10s
  group_interval: 5m
  repeat_interval: 4h
# What follows from a server that is away is not told beside it.
inhibit_rules:
  - source_matchers: [alertname = NobodyAccepts]
    target_matchers: [alertname = ProcessDown]
receivers:
  - name: operators
END
    if [ -n "${ALERT_WEBHOOK_URL:-}" ]; then
        printf '    webhook_configs:\n      - url: %s\n' "$(quote "$ALERT_WEBHOOK_URL")"
        printf '        send_resolved: true\n'
    fi
    if [ -n "${ALERT_MAIL_TO:-}" ]; then
        if [ -z "${ALERT_SMTP_HOST:-}" ] || [ -z "${ALERT_MAIL_FROM:-}" ]; then
            echo "ALERT_MAIL_TO needs ALERT_SMTP_HOST (host:port) and ALERT_MAIL_FROM." >&2
            exit 1
        fi
        printf '    email_configs:\n      - to: %s\n' "$(quote "$ALERT_MAIL_TO")"
        printf '        from: %s\n' "$(quote "$ALERT_MAIL_FROM")"
        printf '        smarthost: %s\n' "$(quote "$ALERT_SMTP_HOST")"
        printf '        send_resolved: true\n'
        if [ -n "${ALERT_SMTP_USER:-}" ]; then
            printf '        auth_username: %s\n' "$(quote "$ALERT_SMTP_USER")"
            printf '        auth_password: %s\n' "$(quote "${ALERT_SMTP_PASSWORD:-}")"
        fi
    fi
} >"$configuration"
exec "$@"
