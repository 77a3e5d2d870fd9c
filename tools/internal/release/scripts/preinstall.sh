#!/bin/sh
# Before the files of the package come: the account that the service runs as.
set -e
if ! getent passwd @name@ >/dev/null 2>&1; then
	useradd --system --user-group --no-create-home --home-dir /opt/@name@ --shell /usr/sbin/nologin --comment "service @name@" @name@
fi
