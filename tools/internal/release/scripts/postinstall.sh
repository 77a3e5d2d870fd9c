#!/bin/sh
# After the files of the package have come. dpkg says "configure" and the version before, rpm says how many are installed.
set -e
case "$1" in
configure) [ -z "$2" ] && first=yes || first= ;;
1) first=yes ;;
[2-9]*) first= ;;
*) exit 0 ;;
esac
taken=

# The service makes folders of its own here. What belongs to root it can neither change nor replace, which the sticky bit sees
# to: its program, and a policy that says what it may do.
chown root:@name@ /opt/@name@
chmod 1775 /opt/@name@
# Where the service may write, a later installation touches nothing: it could be led elsewhere.
if [ -n "$first" ]; then
	for f in @confs@; do
		default=/opt/@name@/share/${f##*/} # of a deb, which has no config file of its own
		if [ -f "$default" ] && [ ! -e "$f" ] && [ ! -L "$f" ]; then
			mkdir -p "${f%/*}"
			cp "$default" "$f"
		fi
		if [ -f "$f" ] && [ ! -L "$f" ]; then
			chown @name@:@name@ "$f"
			chmod 0640 "$f"
		fi
	done
	# It writes what it is assigned into its config, which may hold secrets. No sticky bit here: Linux would keep root from
	# editing what is the service's (fs.protected_regular).
	chown -h @name@:@name@ /opt/@name@/conf
fi

command -v systemctl >/dev/null || exit 0
# A service that the command install has made here goes on as that of the package: see preinstall.
unit=/etc/systemd/system/@name@.service
if [ -n "$first" ] && [ -f "$unit" ] && getent passwd @name@ | grep -q ':made by install of '; then
	systemctl disable @name@.service >/dev/null 2>&1 || true
	rm -f "$unit"
	taken=yes
fi
if [ -n "$first" ] || [ -d /opt/@name@/.enabled ]; then
	systemctl enable @name@.service >/dev/null 2>&1 || true
fi
rmdir /opt/@name@/.enabled 2>/dev/null || true
[ -d /run/systemd/system ] || exit 0
systemctl daemon-reload
if [ -n "$first" ] && [ -z "$taken" ]; then
	echo "@name@: see /opt/@name@/conf, then: systemctl start @name@"
else
	systemctl try-restart @name@.service
fi
