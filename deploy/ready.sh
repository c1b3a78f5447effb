#!/bin/bash
# Succeeds if the service on this port says that it is ready. The image has no curl.
set -euo pipefail
exec 3<>"/dev/tcp/127.0.0.1/$1"
printf 'GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' >&3
read -r status <&3
[[ $status == "HTTP/1.1 200"* ]]
