#!/usr/bin/env bash
# Runs every fuzz target a number of times: FUZZTIME, such as 20000x (the default)
# or 10m. What a target finds is kept beside it, in testdata/fuzz.
set -euo pipefail
cd "$(dirname "$0")/.."

grep -rlE --include='*_test.go' '^func Fuzz' . | sort | while read -r file; do
  for target in $(sed -nE 's/^func (Fuzz[A-Za-z0-9_]*)\(.*/\1/p' "$file"); do
    echo "$target"
    "${GO:-go}" test -run '^$' -fuzz "^$target\$" -fuzztime "${FUZZTIME:-20000x}" -fuzzminimizetime 2s "./$(dirname "$file")" </dev/null
  done
done
