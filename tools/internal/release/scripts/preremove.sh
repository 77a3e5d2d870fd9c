#!/bin/sh
# Before the files of the package go: not when another version takes their place. dpkg says "remove", rpm says that none is left.
set -e
case "$1" in
remove | 0) ;;
*) exit 0 ;;
esac
command -v systemctl >/dev/null || exit 0
if [ -d /run/systemd/system ]; then
	systemctl stop @name@.service
fi
# What dpkg has removed and not purged comes back as it was. A folder says so: nobody can have made a link of it to lead root elsewhere.
if [ "$1" = remove ] && systemctl is-enabled --quiet @name@.service 2>/dev/null; then
	mkdir /opt/@name@/.enabled 2>/dev/null || true
fi
systemctl disable @name@.service >/dev/null 2>&1 || true
