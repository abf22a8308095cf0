#!/bin/sh
# Starts one of the processes of a Redis deployment, by the files beside it:
#
#   start.sh server                     one server alone
#   start.sh master                     at first the master of replicas
#   start.sh replica HOST PORT          at first a replica of that one
#   start.sh sentinel HOST PORT         at first it watches that master
#   start.sh node                       of a cluster
#
# Further arguments are for redis-server. REDIS_PASSWORD is that of the user gatefold and of
# the Sentinels; REDIS_ADMIN_PASSWORD that of the others in users.acl. Either may be in a
# file that REDIS_PASSWORD_FILE or REDIS_ADMIN_PASSWORD_FILE names. What has to outlive a
# restart is in REDIS_DATA (default /data): who is the master, for one, which Redis and
# Sentinel note in their configuration. All the rest of that is written anew by each start.
set -eu
umask 077
here=$(cd "$(dirname "$0")" && pwd)
data=${REDIS_DATA:-/data}
role=$1
shift

# secret prints the variable, or the file that NAME_FILE names.
secret() {
  eval "value=\${$1:-} file=\${$1_FILE:-}"
  if [ -z "$value" ] && [ -n "$file" ]; then value=$(cat "$file"); fi
  if [ -z "$value" ]; then
    echo "start.sh: $1 is not set" >&2
    exit 1
  fi
  printf %s "$value"
}
# line prints a line as it is: some shells' echo reads backslashes.
line() { printf '%s\n' "$*"; }
hash() { printf %s "$1" | sha256sum | cut -d ' ' -f 1; }
quoted() { printf '"%s"' "$(printf %s "$1" | sed 's/[\\"]/\\&/g')"; }

password=$(secret REDIS_PASSWORD)
admin=$(secret REDIS_ADMIN_PASSWORD)
master=
case $role in replica | sentinel)
  master="$1 $2"
  shift 2
  ;;
esac
mkdir -p "$data"

if [ "$role" = sentinel ]; then
  # Sentinels keep all that they know in this file.
  if [ ! -e "$data/sentinel.conf" ]; then
    {
      sed "s/MASTER/$master/" "$here/sentinel.conf"
      line "dir $(quoted "$data")"
      line "requirepass $(quoted "$password")"
      line "sentinel sentinel-pass $(quoted "$password")"
      line "sentinel auth-user gatefold sentinel"
      line "sentinel auth-pass gatefold $(quoted "$admin")"
    } >"$data/sentinel.conf.new"
    mv "$data/sentinel.conf.new" "$data/sentinel.conf"
  fi
  exec redis-server "$data/sentinel.conf" --sentinel "$@"
fi

# Once it has been started, what the Sentinels had it follow counts, or that it follows nobody.
case $role in master | replica)
  if [ -e "$data/redis.conf" ]; then
    master=$(sed -n 's/^replicaof //p' "$data/redis.conf")
  fi
  ;;
esac
sed -e '/^#/d' -e '/^$/d' -e "s/#ADMIN/#$(hash "$admin")/" -e "s/#GATEFOLD/#$(hash "$password")/" "$here/users.acl" >"$data/users.acl"
{
  line "include $(quoted "$here/redis.conf")"
  case $role in
  node) line "include $(quoted "$here/cluster.conf")" ;;
  # One that is cut off from all replicas takes no more writes: an apply there is refused
  # instead of being lost with it.
  master | replica) line "min-replicas-to-write 1" ;;
  esac
  line "dir $(quoted "$data")"
  line "aclfile $(quoted "$data/users.acl")"
  line "masteruser replica"
  line "masterauth $(quoted "$admin")"
  if [ -n "$master" ]; then line "replicaof $master"; fi
} >"$data/redis.conf.new"
mv "$data/redis.conf.new" "$data/redis.conf"
exec redis-server "$data/redis.conf" "$@"
