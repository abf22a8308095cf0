#!/usr/bin/env bash
# Starts Gatefold for `make run`: on the music folder of MUSIC_DIR or, without
# one, on an invented demo library with invented providers of pictures.
set -euo pipefail
cd "$(dirname "$0")/.."

# What other commands need to find this instance.
settings=
[ -n "${DATA_DIR:-}" ] && settings="DATA_DIR=$DATA_DIR "

serve=(./bin/gatefold serve)
if [ -z "${MUSIC_DIR:-}" ]; then
  ./bin/gatefold demo
  echo
  # Invented artists are known to nobody: invented providers find pictures of them.
  [ "${DEMO_PROVIDERS:-on}" = off ] || serve=(./bin/demo-providers "${serve[@]}")
fi
cat <<TEXT
Gatefold starts; the log below says at which address. In another terminal:
  ${settings}bin/gatefold token create --scope admin
prints a token for everything that changes something. Ctrl-C stops the server.

TEXT
exec "${serve[@]}"
