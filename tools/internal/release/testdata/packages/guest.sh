#!/bin/bash
# Runs as root on a machine that is there for this test alone: what an operator does with packages. The first failure ends it.
#
# usage: guest.sh DIR     DIR has two releases, 1.0.0-rc.1 and 1.0.0
set -euo pipefail
work=$1
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export DEBIAN_FRONTEND=noninteractive

say() { printf '== %3d s: %s\n' $SECONDS "$*"; }
fail() {
	printf 'FAIL: %s\n' "$*"
	journalctl --no-pager -n 20 -u example-agent -u agent-server || true
	exit 1
}
# until_ok WHAT COMMAND...: so late that only what never happens is a failure, whatever else the machine does
until_ok() {
	local what=$1 end=$((SECONDS + 300))
	shift
	while [ $SECONDS -lt $end ]; do
		"$@" >/dev/null 2>&1 && return 0
		sleep 0.1
	done
	fail "$what: not within 300 s"
}
# What a package could leave: by name or by content, and accounts. The backups are those of useradd.
machine() {
	find /opt /etc /usr/lib/systemd -xdev \( -name '*example-agent*' -o -name '*agent-server*' \) -printf '%p %l\n' | sort
	{ grep -rlsIE 'example-agent|agent-server' /etc --exclude='*-' || true; } | sort
	sort /etc/passwd /etc/group
}
connected() { [[ $(/opt/example-agent/bin/example-agent status --conf /opt/example-agent/conf/agent.conf) == *'connected for'* ]]; }
active() { [ "$(systemctl is-active "$1")" = active ]; }
version() { [[ $("/opt/$1/bin/$1" version) == *" $2"* ]]; }
main_pid() { systemctl show -p MainPID --value "$1"; }

# Rpm of this machine has no database of what dpkg has installed: what a package needs is looked at below.
rpm_() { rpm --dbpath "$work/rpmdb" --nodeps "$@"; }
install_() {
	case $1 in
	deb) dpkg -i "$work/$2/"*_amd64.deb </dev/null ;;
	rpm) rpm_ -U --oldpackage "$work/$2/"*.x86_64.rpm ;;
	esac >"$work/log" 2>&1 || { cat "$work/log"; fail "$1: install $2"; }
}
remove_() {
	case $1 in
	deb) dpkg -r example-agent agent-server ;;
	rpm) rpm_ -e example-agent agent-server ;;
	esac >"$work/log" 2>&1 || { cat "$work/log"; fail "$1: remove"; }
}

# one VERSION PROGRAM installs one package.
one() {
	case $kind in
	deb) dpkg -i "$work/$1/$2"_*_amd64.deb </dev/null ;;
	rpm) rpm_ -U "$work/$1/$2"-*.x86_64.rpm ;;
	esac >"$work/log" 2>&1
}
# away KIND PROGRAM... removes all of packages, their data too.
away() {
	local p
	case $1 in
	deb) dpkg -P "${@:2}" ;;
	rpm)
		! rpm --dbpath "$work/rpmdb" -q "${@:2}" || rpm_ -e "${@:2}"
		for p in "${@:2}"; do
			rm -rf "/opt/$p"
			! id "$p" || userdel "$p"
		done
		;;
	esac >"$work/log" 2>&1 || { cat "$work/log"; fail "$1: remove all"; }
}

machine >"$work/before"
for kind in deb rpm; do
	say "$kind: in place of a service that was made of an archive"
	home=/opt/example-agent unit=/etc/systemd/system/example-agent.service
	mkdir $home
	tar -xzf "$work"/1.0.0-rc.1/example-agent_*_linux_amd64.tar.gz -C $home --strip-components=1
	echo '# a word of the operator' >>$home/conf/agent.conf
	(cd $home && bin/example-agent install && bin/example-agent start) >"$work/log" 2>&1 || fail "install of the archive: $(cat "$work/log")"
	until_ok 'the agent of the archive runs' test -s $home/logs/example-agent.log
	sed -i s,WorkingDirectory=.*,WorkingDirectory=/srv, $unit
	machine >"$work/archive"
	! one 1.0.0 example-agent || fail 'a service elsewhere is hidden'
	grep -q 'remove it with its own command uninstall first' "$work/log" || fail "refused with: $(cat "$work/log")"
	machine | diff "$work/archive" - || fail 'refused, and changed something'
	sed -i s,WorkingDirectory=.*,WorkingDirectory=$home, $unit
	agent=$(main_pid example-agent)
	one 1.0.0 example-agent || fail "not taken over: $(cat "$work/log")"
	[ ! -e $unit ] && [ "$(systemctl is-enabled example-agent)" = enabled ] || fail 'the unit of the archive is still there'
	active example-agent && [ "$(main_pid example-agent)" != "$agent" ] && version example-agent 1.0.0 || fail 'the agent of the package does not run'
	grep -q '^# a word of the operator' $home/conf/agent.conf || fail 'the config of the archive was not kept'
	[ -z "$(find $home/logs ! -user example-agent)" ] || fail 'the log is somebody else'"'"'s'
	away $kind example-agent
	machine | diff "$work/before" - || fail 'something stays behind of what was taken over'

	say "$kind: install"
	install_ $kind 1.0.0-rc.1
	for p in example-agent agent-server; do
		version $p 1.0.0-rc.1 || fail "version: $(/opt/$p/bin/$p version)"
		[ "$(systemctl is-enabled $p)" = enabled ] || fail "$p is not enabled"
		case $kind in
		deb) [[ -s /usr/share/doc/$p/copyright && $(dpkg-query -W -f '${Depends}' $p) == passwd ]] || fail "$p: copyright, dependencies" ;;
		rpm) [[ $(rpm --dbpath "$work/rpmdb" -q --qf '%{LICENSE}' $p) == Apache-2.0 && $(rpm --dbpath "$work/rpmdb" -q --requires $p) == */usr/sbin/useradd* ]] || fail "$p: licence, dependencies" ;;
		esac
		! active $p || fail "$p runs before anybody has configured it"
		[ "$(stat -c %U:%a /opt/$p/conf/*.conf)" = "$p:640" ] || fail "config: $(ls -l /opt/$p/conf)"
		[ "$(stat -c %U:%G:%a /opt/$p)" = "root:$p:1775" ] || fail "folder: $(ls -ld /opt/$p)"
		[ "$(stat -c %U:%a /opt/$p/bin/$p)" = root:755 ] || fail "binary: $(ls -l /opt/$p/bin)"
		systemd-analyze verify --man=no /usr/lib/systemd/system/$p.service || fail "unit of $p"
	done

	say "$kind: start"
	systemctl start agent-server example-agent
	until_ok 'the agent connects' connected
	[ "$(ps -o user:20= -p "$(main_pid example-agent)" | tr -d ' ')" = example-agent ] || fail 'the agent runs as somebody else'

	say "$kind: the commands of the program leave a package alone"
	for c in install uninstall; do
		! (cd /opt/example-agent && bin/example-agent $c) >"$work/log" 2>&1 && grep -q 'a package has installed it' "$work/log" || fail "$c: $(cat "$work/log")"
	done
	active example-agent || fail 'it does not run any more'

	say "$kind: what belongs to root stays as it is, whatever the service does"
	echo 'policy' >/opt/example-agent/policy.conf
	for what in "echo x >policy.conf" "mv conf/agent.conf policy.conf" "rm -f policy.conf" "mv bin x" "echo x >bin/example-agent" "rm -f bin/example-agent"; do
		! su -s /bin/sh -c "cd /opt/example-agent && $what" example-agent >/dev/null 2>&1 || fail "the service can: $what"
	done
	echo 'more' >>/opt/example-agent/policy.conf || fail 'root cannot write what is his'
	grep -q '^basic.id = agent-' /opt/example-agent/conf/agent.conf || fail 'the assigned id is not in the config'
	[ -s /opt/example-agent/logs/example-agent.log ] || fail 'no log'
	rm /opt/example-agent/policy.conf

	say "$kind: upgrade"
	echo 'greeting = a word of the operator' >>/opt/example-agent/conf/agent.conf
	sed -i '/^greeting = hello/d' /opt/example-agent/conf/agent.conf
	cp /opt/example-agent/conf/agent.conf "$work/conf"
	agent=$(main_pid example-agent) server=$(main_pid agent-server)
	install_ $kind 1.0.0
	version example-agent 1.0.0 || fail "version: $(/opt/example-agent/bin/example-agent version)"
	cmp "$work/conf" /opt/example-agent/conf/agent.conf || fail 'the config was changed'
	[ "$(stat -c %U:%a /opt/example-agent/conf/agent.conf)" = example-agent:640 ] || fail "config: $(ls -l /opt/example-agent/conf)"
	[ "$(main_pid example-agent)" != "$agent" ] && [ "$(main_pid agent-server)" != "$server" ] || fail 'not restarted'
	until_ok 'the new agent connects' connected
	active agent-server || fail 'the server does not run'

	say "$kind: back to the version before, the agent stopped"
	systemctl stop example-agent
	server=$(main_pid agent-server)
	if [ $kind = rpm ]; then
		! rpm_ -U "$work"/1.0.0-rc.1/*.x86_64.rpm >"$work/log" 2>&1 && grep -q 'which is newer' "$work/log" || fail "rpm goes back unasked: $(cat "$work/log")"
		version example-agent 1.0.0 || fail 'refused, and replaced'
	fi
	install_ $kind 1.0.0-rc.1
	version example-agent 1.0.0-rc.1 || fail "version: $(/opt/example-agent/bin/example-agent version)"
	cmp "$work/conf" /opt/example-agent/conf/agent.conf || fail 'the config was changed'
	! active example-agent || fail 'started, though the operator has stopped it'
	active agent-server && [ "$(main_pid agent-server)" != "$server" ] || fail 'the server was not restarted'
	systemctl start example-agent
	until_ok 'the agent connects again' connected

	if [ $kind = deb ]; then
		say "$kind: remove and install again"
		again() { dpkg "$@" </dev/null >"$work/log" 2>&1 || { cat "$work/log"; fail "dpkg $1"; }; }
		again -r example-agent
		again -i "$work"/1.0.0/example-agent_*_amd64.deb
		[ "$(systemctl is-enabled example-agent)" = enabled ] || fail 'not enabled as before'
		cmp "$work/conf" /opt/example-agent/conf/agent.conf || fail 'the config was changed'
		systemctl disable --quiet example-agent
		again -i "$work"/1.0.0/example-agent_*_amd64.deb
		[ "$(systemctl is-enabled example-agent || true)" = disabled ] || fail 'enabled, though the operator has disabled it'
		systemctl start example-agent
		until_ok 'the agent connects once more' connected
	fi

	say "$kind: remove"
	remove_ $kind
	for p in example-agent agent-server; do
		! active $p || fail "$p still runs"
		[ ! -e /opt/$p/bin ] && [ ! -e /usr/lib/systemd/system/$p.service ] || fail "$p: files stay"
		[ -z "$(find /etc/systemd -name $p.service)" ] || fail "$p: still enabled"
	done
	case $kind in
	deb) cmp "$work/conf" /opt/example-agent/conf/agent.conf || fail 'removing took the config' ;;
	rpm) cmp "$work/conf" /opt/example-agent/conf/agent.conf.rpmsave || fail 'removing took the config' ;;
	esac
	[ -d /opt/agent-server/data ] || fail 'removing took the data'
	away $kind example-agent agent-server
	machine | diff "$work/before" - || fail 'something stays behind'
done
say 'all good'
