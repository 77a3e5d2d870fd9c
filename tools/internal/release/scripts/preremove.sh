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
systemctl disable @name@.service >/dev/null 2>&1 || true
