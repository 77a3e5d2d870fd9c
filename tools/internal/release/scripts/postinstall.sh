#!/bin/sh
# After the files of the package have come. dpkg says "configure" and the version before, rpm says how many are installed.
set -e
case "$1" in
configure) [ -z "$2" ] && first=yes || first= ;;
1) first=yes ;;
[2-9]*) first= ;;
*) exit 0 ;;
esac

# The service makes folders of its own here, and writes what it is assigned into its config, which may hold secrets. What belongs
# to root it can neither change nor replace, which the sticky bit sees to: its program, and a policy that says what it may do.
for d in /opt/@name@ /opt/@name@/conf; do
	chown root:@name@ $d
	chmod 1775 $d
done
for f in @confs@; do
	[ -f "$f" ] || continue
	chown @name@:@name@ "$f"
	[ -z "$first" ] || chmod 0640 "$f"
done

command -v systemctl >/dev/null || exit 0
if [ -n "$first" ]; then
	systemctl enable @name@.service >/dev/null 2>&1 || true
fi
[ -d /run/systemd/system ] || exit 0
systemctl daemon-reload
if [ -n "$first" ]; then
	echo "@name@: see /opt/@name@/conf, then: systemctl start @name@"
else
	systemctl try-restart @name@.service
fi
