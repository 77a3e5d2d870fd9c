#!/bin/sh
# After the files of the package have gone. What the service has written stays with the account that it belongs to, until dpkg
# purges the package; rpm knows no such step, and takes along all but the data and a config that was changed.
set -e
if [ -d /run/systemd/system ]; then
	systemctl daemon-reload
fi
case "$1" in
purge) rm -rf /opt/@name@ ;;
0)
	rm -rf /opt/@name@/logs /opt/@name@/run
	[ ! -d /opt/@name@ ] || find /opt/@name@ -depth -type d -empty -delete
	;;
*) exit 0 ;;
esac
if [ ! -e /opt/@name@ ] && getent passwd @name@ >/dev/null 2>&1; then
	userdel @name@ >/dev/null 2>&1 || true
fi
