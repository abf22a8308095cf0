#!/usr/bin/env bash
# Installs what the tests start and this machine lacks: redis-server (7.0 or
# later), PostgreSQL's server programs, Prometheus and nginx, and beside the module an S3 server,
# versitygw, at the version the tests are written for. For the tests of the renderer
# with libvips, its headers and a C compiler. Does nothing if they are there. With the
# argument "chromium", that browser too; with "vipsthumbnail", libvips' own program;
# with "bench", what serving is measured with: wrk.
set -euo pipefail
cd "$(dirname "$0")/.."

versitygw=github.com/versity/versitygw
versitygw_version=v1.8.0
tools="$PWD/.tools/bin"
installed=$("${GO:-go}" version -m "$tools/versitygw" 2>/dev/null || true)
if [[ "$installed" != *$'\tmod\t'"$versitygw"$'\t'"$versitygw_version"$'\t'* ]]; then
  echo "Installing versitygw $versitygw_version; this takes a minute" >&2
  GOFLAGS='' GOBIN="$tools" "${GO:-go}" install -trimpath -ldflags '-s -w' "$versitygw/cmd/versitygw@$versitygw_version"
fi

# wants reports whether an argument asks for it.
asked=" $* "
wants() { [[ "$asked" == *" $1 "* ]]; }

missing=()
command -v redis-server >/dev/null || missing+=(redis-server)
if ! command -v postgres >/dev/null && ! compgen -G '/usr/lib/postgresql/*/bin/postgres' >/dev/null; then
  missing+=(postgresql)
fi
command -v promtool >/dev/null || missing+=(prometheus)
command -v nginx >/dev/null || [ -x /usr/sbin/nginx ] || missing+=(nginx)
command -v "${CC:-cc}" >/dev/null || missing+=(gcc libc6-dev)
command -v pkg-config >/dev/null || missing+=(pkg-config)
pkg-config --exists 'vips >= 8.13' 2>/dev/null || missing+=(libvips-dev)
if wants vipsthumbnail && ! command -v vipsthumbnail >/dev/null; then
  missing+=(libvips-tools)
fi
if wants chromium && [ ! -x "${CHROMIUM:-/usr/bin/chromium}" ]; then
  missing+=(chromium)
fi
if wants bench; then
  command -v wrk >/dev/null || missing+=(wrk)
fi
[ ${#missing[@]} -eq 0 ] && exit 0

if ! command -v apt-get >/dev/null; then
  echo "The tests need ${missing[*]}. This script installs Debian packages only: install them with your package manager." >&2
  exit 1
fi
if [ "$(id -u)" -ne 0 ]; then
  echo "The tests need ${missing[*]}. Install them as root: apt-get install ${missing[*]}" >&2
  exit 1
fi

echo "Installing ${missing[*]}" >&2
export DEBIAN_FRONTEND=noninteractive
# The tests start private servers; the packages must not start theirs.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod +x "$policy"
  trap 'rm -f "$policy"' EXIT
fi
apt-get update -qq
apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
