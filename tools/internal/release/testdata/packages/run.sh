#!/bin/bash
# The packages of example-agent and agent-server, built in two versions, installed, upgraded and removed, under a systemd of its
# own: see .ci/guest.
#
# usage: tools/internal/release/testdata/packages/run.sh
set -euo pipefail
cd "$(dirname "$0")/../../../../.."

command -v rpm >/dev/null || { echo "packages: rpm is not installed" >&2; exit 2; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"
for version in 1.0.0-rc.1 1.0.0; do
	go run ./tools/release -version "$version" -targets linux/amd64 -programs example-agent,agent-server -out "$work/$version"
	(cd "$work/$version" && sha256sum --check --quiet SHA256SUMS)
done
# The newer packages have another default config than the older ones.
for deb in "$work"/1.0.0/*_amd64.deb; do
	dpkg-deb -R "$deb" "$work/deb"
	for f in "$work"/deb/opt/*/share/*.conf; do echo '# a new default' >>"$f"; done
	dpkg-deb --root-owner-group -Zgzip -b "$work/deb" "$deb" >/dev/null
	rm -r "$work/deb"
done
cp tools/internal/release/testdata/packages/guest.sh "$work"
.ci/guest "$work" "$work/guest.sh" "$work"
