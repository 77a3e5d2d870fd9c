package unit

import "strings"

// OpenRC returns the script of a service for OpenRC, whose supervisor brings it back.
func OpenRC(s Service) string {
	commands, reload := "", ""
	if s.Reload {
		commands = "extra_started_commands=\"reload\"\n"
		reload = `
reload() {
	supervise-daemon "$RC_SVCNAME" --signal HUP
}
`
	}
	return `#!/sbin/openrc-run
supervisor=supervise-daemon
name=` + shellWord(s.Name) + `
description=` + shellWord(s.Description) + `
command=` + shellWord(s.Executable) + `
command_args=` + shellWord(shellWords(s.Args)) + `
command_user=` + shellWord(s.User) + `
directory=` + shellWord(s.Dir) + `
respawn_delay=2
respawn_max=0
retry="TERM/20/KILL/5"
rc_ulimit="-n ` + openFiles + `"
` + commands + `
depend() {
	need net
	after firewall
}
` + reload
}

// SysV returns the script of a service for System V. Nothing there brings a service back.
func SysV(s Service) string {
	actions, reload := "start|stop|restart|status", ""
	if s.Reload {
		actions = "start|stop|restart|reload|status"
		reload = `reload)
	is_running || { echo "Stopped" >&2; exit 7; }
	kill -HUP "$pid"
	;;
`
	}
	return strings.NewReplacer(
		"@actions@", actions, "@reload@\n", reload,
		"@name@", s.Name, "@description@", s.Description, "@exe@", shellWord(s.Executable),
		"@command@", shellWord(shellWords(append([]string{s.Executable}, s.Args...))),
		"@dir@", shellWord(s.Dir), "@user@", shellWord(s.User), "@files@", openFiles,
	).Replace(sysv)
}

const sysv = `#!/bin/sh
# chkconfig: 2345 99 01
# description: @description@
### BEGIN INIT INFO
# Provides:          @name@
# Required-Start:    $remote_fs $network
# Required-Stop:     $remote_fs $network
# Default-Start:     2 3 4 5
# Default-Stop:      0 1 6
# Short-Description: @description@
### END INIT INFO

exe=@exe@
command=@command@
user=@user@
pid_file=/var/run/@name@.pid
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

# A number alone says little: after a restart of the host it may be anybody's.
is_running() {
	pid=$(cat "$pid_file" 2>/dev/null) && [ -n "$pid" ] || return 1
	case $(readlink "/proc/$pid/exe") in
	"$exe" | "$exe (deleted)") return 0 ;;
	esac
	return 1
}

start() {
	if is_running; then
		echo "Running"
		return 0
	fi
	cd @dir@ || return 1
	ulimit -n @files@ 2>/dev/null || ulimit -n "$(ulimit -H -n)"
	# The shell becomes the program, so that the number is the program's.
	in_background="exec $command </dev/null >/dev/null 2>&1 & echo \$!"
	if command -v setsid >/dev/null; then
		in_background="exec setsid $command </dev/null >/dev/null 2>&1 & echo \$!"
	fi
	if [ "$user" = root ]; then
		pid=$(sh -c "$in_background")
	else
		pid=$(su -s /bin/sh -c "$in_background" "$user") || return 1
	fi
	echo "$pid" >"$pid_file"
	sleep 1 # what cannot work ends at once
	i=0
	while ! is_running && kill -0 "$pid" 2>/dev/null && [ "$i" -lt 30 ]; do
		sleep 1 # a busy host: the shell is not the program yet
		i=$((i + 1))
	done
	is_running && echo "Started" && return 0
	echo "Not started: see the log of @name@" >&2
	rm -f "$pid_file"
	return 1
}

stop() {
	if ! is_running; then
		rm -f "$pid_file"
		echo "Stopped"
		return 0
	fi
	kill -TERM "$pid"
	i=0
	while is_running && [ "$i" -lt 30 ]; do
		[ "$i" -lt 20 ] || kill -KILL "$pid"
		sleep 1
		i=$((i + 1))
	done
	is_running && { echo "Not stopped" >&2; return 1; }
	rm -f "$pid_file"
	echo "Stopped"
}

case "$1" in
start) start ;;
stop) stop ;;
restart | force-reload) stop && start ;;
@reload@
status)
	is_running && echo "Running" && exit 0
	echo "Stopped"
	exit 3
	;;
*)
	echo "Usage: $0 {@actions@}" >&2
	exit 2
	;;
esac
`
