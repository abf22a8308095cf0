#!/bin/sh
# Invents the secrets of docker-compose.yml that are not there yet: make-secrets.sh [FOLDER].
# The folder is for its owner alone; the files in it are readable, because each container
# sees its own and reads them as nobody in particular.
set -eu
folder=${1:-secrets}
mkdir -p "$folder"
chmod 700 "$folder"
for name in postgres_password redis_password redis_admin_password auth_secret grafana_password; do
  [ -s "$folder/$name" ] && continue
  od -An -N32 -tx1 /dev/urandom | tr -d ' \n' >"$folder/$name"
  chmod 644 "$folder/$name"
done
