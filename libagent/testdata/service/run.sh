#!/bin/bash
# An agent as a service, for real: under a systemd of its own (see .ci/guest), or with scripts of System V in a root of their own.
#
# usage: libagent/testdata/service/run.sh systemd|sysv
set -euo pipefail
cd "$(dirname "$0")/../../.."

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"
for p in ./examples/example-agent ./server/agent-server; do
	CGO_ENABLED=0 go build -trimpath -o "$work/" "$p"
done
cp examples/example-agent/conf/agent.conf server/agent-server/conf/server.conf libagent/testdata/service/guest.sh "$work"
case ${1:-} in
systemd)
	.ci/guest "$work" "$work/guest.sh" "$work" systemd
	;;
sysv)
	[ "$(id -u)" = 0 ] || { echo "SKIP: System V: needs root"; exit 0; }
	# Another mount and process namespace, with an overlay of / in memory: nothing of this machine is changed.
	unshare --mount --pid --net --fork --kill-child --mount-proc bash -euc '
		mount --make-rprivate /
		mkdir -p "$0/m" && mount -t tmpfs overlay "$0/m" && mkdir "$0"/m/{upper,work,root}
		mount -t overlay overlay -o "lowerdir=/,upperdir=$0/m/upper,workdir=$0/m/work" "$0/m/root"
		for d in proc dev; do mount --rbind /$d "$0/m/root/$d"; done
		mkdir -p "$0/m/root$0" && mount --bind "$0" "$0/m/root$0"
		ip link set lo up 2>/dev/null || ifconfig lo up
		chroot "$0/m/root" /bin/bash "$0/guest.sh" "$0" sysv' "$work"
	;;
*)
	echo "usage: $0 systemd|sysv" >&2
	exit 2
	;;
esac
