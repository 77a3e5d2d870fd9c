#!/bin/bash
# Run the tests of this package that need a systemd of their own, with control groups of version 2: see .ci/guest.
#
# usage: limit/testdata/systemd.sh
set -euo pipefail
cd "$(dirname "$0")/.."

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
CGO_ENABLED=0 go test -c -o "$work/limit.test" .
printf 'LIMIT_TEST_SYSTEMD=1 exec %q -test.v -test.run Systemd\n' "$work/limit.test" >"$work/script"
../.ci/guest "$work" "$work/script"
