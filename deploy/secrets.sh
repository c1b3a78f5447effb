#!/bin/sh
# Prints fresh secrets for docker-compose.yml: deploy/secrets.sh > .env
set -eu
secret() { printf '%s=s%s\n' "$1" "$(openssl rand -hex 24)"; }
secret JWT_KEY
secret MONGO_ROOT_PASSWORD
secret NATS_OPERATOR_PASSWORD
for service in AUTH TICKETS ORDERS EXPIRATION PAYMENTS; do
    secret "MONGO_${service}_PASSWORD"
    secret "NATS_${service}_PASSWORD"
done
