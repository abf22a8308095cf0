#!/usr/bin/env bash
# Starts Gatefold for `make run`: on the music folder of MUSIC_DIR or, without
# one, on an invented demo library.
set -euo pipefail
cd "$(dirname "$0")/.."

if [ -z "${MUSIC_DIR:-}" ]; then
  ./bin/gatefold demo
  echo
fi
cat <<'TEXT'
Gatefold starts; the address is in the log below. In another terminal:
  bin/gatefold token create --scope admin     a token for everything that changes something
  curl http://localhost:8080/api/albums       what there is (with LISTEN_ADDR at its default)
Ctrl-C stops it.

TEXT
exec ./bin/gatefold serve
