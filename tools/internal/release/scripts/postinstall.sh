#!/bin/sh
# After the files of the package have come. dpkg says "configure" and the version before, rpm says how many are installed.
set -e
case "$1" in
configure) [ -z "$2" ] && first=yes || first= ;;
1) first=yes ;;
[2-9]*) first= ;;
*) exit 0 ;;
esac

# The service writes into its folders, and what it is assigned into its config, which may hold secrets.
for d in logs run data; do
	[ -d /opt/@name@/$d ] || install -d -m 0750 -o @name@ -g @name@ /opt/@name@/$d
done
chown @name@:@name@ /opt/@name@/conf
for f in /opt/@name@/conf/*.conf; do
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
