#!/bin/bash
# Run the tests of this package, those of process that are about whole trees, and that of libagent which sets the clock, on a kernel
# of their own that has control groups of version 2: user-mode-linux, as root of the guest, with all four controllers and a blank
# disk. Nothing may be skipped there for want of them.
#
# usage: limit/testdata/uml.sh [FLAG...]     flags are those of a test binary, as in -test.run 'Group', for all packages
# needs: apt-get install user-mode-linux; no root, no module, nothing of the host is changed. The guest sees the host's
# files read-only; its exit status is that of the tests.
set -euo pipefail
cd "$(dirname "$0")/.."
command -v linux.uml >/dev/null || { echo "uml.sh: user-mode-linux is not installed" >&2; exit 2; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export CGO_ENABLED=0
go test -c -o "$work/limit.test" .
go test -c -o "$work/process.test" ../process
go test -c -o "$work/libagent.test" ../libagent
truncate -s 16M "$work/disk"
trees='KillsTheWholeTree|ForkBomb|Grace|Background|LateOutput|MemoryBound'
{
	printf '%q ' "$work/limit.test" -test.v "$@"
	printf '&& cd ../process && '
	printf '%q ' "$work/process.test" -test.v -test.run "$trees" "$@"
	printf '&& cd ../libagent && LIBAGENT_TEST_CLOCK=1 '
	printf '%q ' "$work/libagent.test" -test.v -test.run ClockJumps "$@"
} >"$work/command"

cat >"$work/init" <<EOF
#!/bin/bash
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mount -t devtmpfs dev /dev 2>/dev/null
mkdir -p /dev/pts
mount -t devpts -o ptmxmode=666 pts /dev/pts
[ -e /dev/ptmx ] || ln -s pts/ptmx /dev/ptmx
mount -t tmpfs run /run
mkdir /run/tmp
mount -t hostfs -o "$work" none "$work"
cd "$PWD"
export PATH=/usr/sbin:/usr/bin:/sbin:/bin TMPDIR=/run/tmp HOME=/run/tmp LIMIT_TEST_ALL=1 LIMIT_TEST_DISK=/dev/ubda
for c in cpu memory pids io; do
	grep -qw \$c /sys/fs/cgroup/cgroup.controllers || { echo "uml.sh: the guest has no \$c controller" >&2; c=; break; }
done
[ -n "\$c" ] && [ -b /dev/ubda ] && /bin/bash "$work/command" </dev/null
echo \$? >"$work/status"
sync
echo o >/proc/sysrq-trigger
sleep 60
EOF
chmod +x "$work/init"

# The guest's memory is a file; where it is must have room for it and let it be executed.
TMPDIR=/dev/shm linux.uml mem=1G root=none rootfstype=hostfs rootflags=/ ro quiet init="$work/init" \
	con0=fd:0,fd:1 con=null ubda="$work/disk" </dev/null 2>"$work/kernel.log" || true
if [ ! -s "$work/status" ]; then
	echo "uml.sh: the guest ended without an exit status" >&2
	tail -20 "$work/kernel.log" >&2
	exit 125
fi
exit "$(cat "$work/status")"
