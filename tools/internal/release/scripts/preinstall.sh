#!/bin/sh
# Before the files of the package come: the account that the service runs as. dpkg says "install", and the version that it has
# removed before; rpm says how many will be installed.
set -e
case "$1${2:+ again}" in
install | 1)
	# The unit of a service that the command install has made elsewhere would hide the package's.
	unit=/etc/systemd/system/@name@.service
	if [ -f "$unit" ] && getent passwd @name@ | grep -q ':made by install of ' && ! grep -qx 'WorkingDirectory=/opt/@name@' "$unit"; then
		echo "@name@: there is a service of this name, as $unit says; remove it with its own command uninstall first" >&2
		exit 1
	fi
	;;
esac
if ! getent passwd @name@ >/dev/null 2>&1; then
	useradd --system --user-group --no-create-home --home-dir /opt/@name@ --shell /usr/sbin/nologin --comment "service @name@" @name@
fi
