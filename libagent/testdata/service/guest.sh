#!/bin/bash
# Runs as root on a machine that is there for this test alone: installs a server and an agent as services, and does to the agent what
# operators and accidents do. The first failure ends it.
#
# usage: guest.sh DIR systemd|sysv     DIR has example-agent, agent-server and their config files
set -euo pipefail
work=$1 manager=$2
home=/opt/example-agent server=/opt/agent-server
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

say() { printf '== %3d s: %s\n' $SECONDS "$*"; }
fail() {
	printf 'FAIL: %s\n' "$*"
	cat "$home"/logs/*.log 2>/dev/null | tail -20 || true
	[ "$manager" != systemd ] || journalctl --no-pager -n 20 -u example-agent || true
	exit 1
}
agent() { "$home/bin/example-agent" "$@"; }
server() { "$server/bin/agent-server" "$@"; }
status() { agent status --conf "$home/conf/agent.conf"; }
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
# said COMMAND... PATTERN: without a pipe that ends before the command has said all
said() { grep -Eq -e "${*: -1}" <<<"$("${@:1:$#-1}")"; }
connected() { said status ' connected for'; }
connection() { status | sed -n 's/^server .* connection \([0-9]*\)$/\1/p'; }
ended() { [ -z "$(readlink "/proc/$1/exe")" ]; }
logged() { grep -q "$1" "$home"/logs/example-agent.log; }
pid_of() { status | sed -n 's/^agent .* pid \([0-9]*\),.*/\1/p'; }
# What is on the machine that an installation could leave something in: by name or by content, and accounts. The backups are those
# of useradd.
machine() {
	find /etc /usr/lib/systemd /var/spool /var/mail -xdev \( -name '*example-agent*' -o -name '*agent-server*' \) -printf '%p %l\n' 2>/dev/null | sort
	{ grep -rlsIE 'example-agent|agent-server' /etc --exclude='*-' || true; } | sort
	sort /etc/passwd /etc/group
}

mkdir -p {"$home","$server"}/{bin,conf}
install -m 755 "$work/agent-server" "$server/bin/"
sed 's/^log.target = .*/log.target = file/' "$work/server.conf" >"$server/conf/server.conf"
install -m 755 "$work/example-agent" "$home/bin/"
sed 's/^# basic.limit.cpu_quota = .*/basic.limit.cpu_quota = 50/' "$work/agent.conf" >"$home/conf/agent.conf"
chmod 600 "$home/conf/agent.conf"
machine >"$work/before"

say 'a server as a service'
rc=0; server uninstall >"$work/log" 2>&1 || rc=$?
[ "$rc" = 4 ] && grep -q 'not installed as a service' "$work/log" || fail "uninstall of what is not there: $rc, $(cat "$work/log")"
server install --conf "$server/conf/server.conf"
rc=0; server status --conf "$server/conf/server.conf" >/dev/null 2>&1 || rc=$?
[ "$rc" = 3 ] || fail "status of the server before its start: $rc"
server start
ready() { server status --conf "$server/conf/server.conf"; }
until_ok 'the server takes agents' ready
[ "$(stat -c %U:%a "$server/data/api.token")" = agent-server:600 ] || fail "the token: $(ls -l "$server/data")"
machine >"$work/with-server"

say 'a config that cannot work is refused before anything is changed'
echo 'basic.server =' >"$work/bad.conf"
! agent install --conf "$work/bad.conf" >/dev/null 2>&1 || fail 'installed with a bad config'
! agent install --conf "$home/conf/agent.conf" --user nobody-there >/dev/null 2>&1 || fail 'installed for a user that is not there'
! agent status --conf "$home/conf/agent.conf" >/dev/null 2>&1 || fail 'status of an agent that is not there'
machine | diff "$work/with-server" - || fail 'a refused installation left something'

say install
agent install --conf "$home/conf/agent.conf"
id example-agent >/dev/null || fail 'no user'
! agent install --conf "$home/conf/agent.conf" >/dev/null 2>&1 || fail 'installed twice'
if [ "$manager" = systemd ]; then
	[ "$(systemctl is-enabled example-agent)" = enabled ] || fail 'not enabled'
	systemd-analyze verify --man=no /etc/systemd/system/example-agent.service || fail 'unit'
fi
rc=0; status >/dev/null 2>&1 || rc=$?
[ "$rc" = 3 ] || fail "status before the start: $rc"

say start
agent start
until_ok 'the agent connects' connected
pid=$(pid_of)
[ "$(stat -c %U "/proc/$pid")" = example-agent ] || fail 'does not run as its user'
files=$(sed -n 's/^Max open files *\([0-9]*\).*/\1/p' "/proc/$pid/limits")
[ "$files" -ge 65536 ] || { [ "$manager" = sysv ] && [ "$files" -ge 4096 ]; } || fail "open files: $files" # a script cannot go beyond the host's limit
grep -Eq '^basic.id = agent-[0-9]{8}-[0-9a-f]{16}$' "$home/conf/agent.conf" || fail 'the assigned id is not in the config'
grep -q '^# Addresses of servers' "$home/conf/agent.conf" || fail 'the comments of the config are gone'
if [ "$manager" = systemd ]; then
	until_ok 'the limit holds' said status '^limit .*50% of a core: cgroup v2'
fi

say 'kill -9'
kill -9 "$pid"
until_ok 'the killed agent has ended' ended "$pid"
if [ "$manager" = systemd ]; then
	until_ok 'the agent comes back' connected
else
	rc=0; status >/dev/null 2>&1 || rc=$?
	[ "$rc" = 3 ] || fail "status of a dead agent: $rc"
	agent start
	until_ok 'the agent connects again' connected
fi

say 'reload'
before=$(connection)
[ -n "$before" ] || fail "the status does not tell which connection it is: $(status)"
echo '# a remark of the operator' >>"$home/conf/agent.conf"
sed -i 's/^# basic.log.level = .*/basic.log.level = debug/' "$home/conf/agent.conf"
if [ "$manager" = systemd ]; then systemctl reload example-agent; else /etc/init.d/example-agent reload; fi
until_ok 'the config is reloaded' logged 'config reloaded'
until_ok 'the agent is connected after the reload' connected
[ "$(connection)" = "$before" ] || fail 'the reload lost the connection'

say 'the log is moved away'
mv "$home/logs/example-agent.log" "$home/logs/moved"
if [ "$manager" = systemd ]; then systemctl reload example-agent; else /etc/init.d/example-agent reload; fi
until_ok 'the log is opened again' test -s "$home/logs/example-agent.log"

say restart
pid=$(pid_of)
agent restart
until_ok 'the agent connects after the restart' connected
[ "$(pid_of)" != "$pid" ] || fail 'the same process'

say 'SIGQUIT'
pid=$(pid_of)
kill -QUIT "$pid"
until_ok 'the stacks are in the log' logged 'stacks of all goroutines'
until_ok 'the agent has ended' ended "$pid"
[ "$manager" = systemd ] || agent start
until_ok 'the next run reports the crash' logged 'the last run crashed'
until_ok 'the agent connects after the crash' connected
until_ok 'the server knows of the crash' grep -q 'agent had crashed' "$server/logs/agent-server.log"

say stop
agent stop
rc=0; status >/dev/null 2>&1 || rc=$?
[ "$rc" = 3 ] || fail "status after the stop: $rc"
logged 'agent stopped' || fail 'the agent did not stop by itself'
[ ! -e "$home/run/agent.sock" ] || fail 'the socket stays behind'

say 'check, config, logs, version'
said agent check --connect --conf "$home/conf/agent.conf" 'handshake +ok' || fail check
said agent config --conf "$home/conf/agent.conf" '^basic.limit.cpu_quota *= 50 *# .*agent.conf:' || fail config
said agent logs --conf "$home/conf/agent.conf" -n 5 'agent stopped' || fail logs
said agent version --json '"version"' || fail version

say uninstall
agent start
until_ok 'the agent runs once more' connected
pid=$(pid_of)
agent uninstall
ended "$pid" || fail 'it still runs'
rc=0; agent uninstall >/dev/null 2>&1 || rc=$?
[ "$rc" = 4 ] || fail "removed twice: $rc"
! id example-agent >/dev/null 2>&1 || fail 'the user stays behind'
[ -z "$(find "$home" -nouser)" ] || fail "for who gets its number next: $(find "$home" -nouser)"
machine | diff "$work/with-server" - || fail 'something stays behind'
server restart
until_ok 'the server is back after its restart' ready
server uninstall
! ready >/dev/null 2>&1 || fail 'the server still runs'
grep -q 'server stopped' "$server/logs/agent-server.log" || fail 'the server did not stop by itself'
machine | diff "$work/before" - || fail 'something of the server stays behind'
no_group() { [ -z "$(find /sys/fs/cgroup -name '*example-agent*' 2>/dev/null)" ]; }
until_ok 'no control group stays behind' no_group
say "$manager: all good"
