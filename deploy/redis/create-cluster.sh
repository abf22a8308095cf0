#!/bin/sh
# Makes a cluster of the nodes HOST:PORT ..., with one replica for each master, unless they
# are one already. It may be run any number of times.
set -eu
admin=${REDIS_ADMIN_PASSWORD:-}
if [ -z "$admin" ]; then admin=$(cat "$REDIS_ADMIN_PASSWORD_FILE"); fi
export REDISCLI_AUTH="$admin"
first=$1
for node in "$@"; do
  until redis-cli -h "${node%:*}" -p "${node#*:}" ping 2>/dev/null | grep -q PONG; do sleep 1; done
done
if redis-cli -h "${first%:*}" -p "${first#*:}" cluster info | grep -q '^cluster_slots_assigned:16384'; then
  echo "There is a cluster already."
  exit 0
fi
redis-cli --cluster create "$@" --cluster-replicas 1 --cluster-yes
