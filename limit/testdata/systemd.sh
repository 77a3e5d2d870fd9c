#!/bin/bash
# Run the tests of this package that need a systemd of their own: in user-mode-linux, with the host's systemd as process 1
# and control groups of version 2.
#
# usage: limit/testdata/systemd.sh
# needs: apt-get install user-mode-linux kmod systemd-sysv dbus; no root, nothing of the host is changed. The guest's root
# is a file system in its memory over the host's files.
set -euo pipefail
cd "$(dirname "$0")/.."
for c in linux.uml modprobe systemd-run dbus-daemon; do
	command -v $c >/dev/null || PATH=/usr/sbin:/sbin command -v $c >/dev/null || { echo "systemd.sh: $c is not installed" >&2; exit 2; }
done

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
CGO_ENABLED=0 go test -c -o "$work/limit.test" .
cat >"$work/run" <<EOF
cd "$PWD"
export LIMIT_TEST_SYSTEMD=1
"$work/limit.test" -test.v -test.run Systemd >"$work/output" 2>&1
echo \$? >"$work/status"
sync
echo o >/proc/sysrq-trigger
EOF
cat >"$work/init" <<EOF
#!/bin/bash
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
mount -t proc proc /proc
mount -t tmpfs overlay /run
mkdir -p /run/m/lib /run/upper /run/work /run/root
ln -s /usr/lib/uml/modules /run/m/lib/modules
modprobe -d /run/m overlay
mount -t overlay overlay -o lowerdir=/,upperdir=/run/upper,workdir=/run/work /run/root
cd /run/root
mount -t hostfs -o "$work" none "/run/root$work"
units=etc/systemd/system
echo uninitialized >etc/machine-id
: >etc/fstab
ln -sf /dev/null etc/tmpfiles.d/tmp.conf # it would empty /tmp
printf '[Unit]\nRequires=basic.target dbus.socket\nAfter=basic.target\nWants=test.service\nAllowIsolate=yes\n' >\$units/test.target
printf '[Unit]\nAfter=basic.target dbus.socket\n[Service]\nType=exec\nExecStart=/bin/bash "$work/run"\n' >\$units/test.service
for s in systemd-udevd systemd-udev-trigger systemd-timesyncd; do ln -sf /dev/null \$units/\$s.service; done
mkdir -p old
umount /proc
pivot_root . old
exec /lib/systemd/systemd systemd.unit=test.target systemd.unified_cgroup_hierarchy=1
EOF
chmod +x "$work/init"

TMPDIR=/dev/shm linux.uml mem=1G root=none rootfstype=hostfs rootflags=/ ro quiet init="$work/init" \
	con0=fd:0,fd:1 con=null </dev/null >"$work/console" 2>&1 || true
if [ ! -s "$work/status" ]; then
	echo "systemd.sh: the guest ended without an exit status" >&2
	tail -20 "$work/console" >&2
	exit 125
fi
cat "$work/output"
exit "$(cat "$work/status")"
