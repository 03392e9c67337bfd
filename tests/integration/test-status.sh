#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# status tells the truth, and the whole of it, in every state of a service's life.
. "${top_srcdir:-.}/tests/integration/lib.sh"

# left NAME KEY=VALUE...: a service that is not started again, with these lines and a path of ours among its arguments.
left() {
	local name=$1
	shift
	{
		printf '[Actor]\nRestart=temporary\n[Service]\n'
		printf '%s\n' "$@"
	} | unit "$name.actor"
}
LONG="/bin/sleep 1000"
left pre-fails 'ExecStartPre=/bin/sh -c "exit 3"' "ExecStart=$LONG"
left start-late Type=notify TimeoutStartSec=1 "ExecStart=$LONG"
left stop-late TimeoutStopSec=1 \
	"ExecStart=/bin/sh -c \"trap '' TERM; while :; do /bin/sleep 0.2; done\" $T/"
left dumps LimitCORE=0 'ExecStart=/bin/sh -c "kill -SEGV $$$$"'
left done Type=oneshot ExecStart=/bin/true
left remains Type=oneshot RemainAfterExit=yes ExecStart=/bin/true
left forks Type=forking "PIDFile=$T/forks.pid" \
	"ExecStart=/bin/sh -c \"/bin/sleep 1000 & echo \$\$! >$T/forks.pid\""
# A process that is not its child any more, nor there any longer, has used a tenth of a second.
cat >"$T/burn.sh" <<'EOT'
(sh -c 'i=0; while [ $i -lt 300000 ]; do i=$((i + 1)); done; : >"$1/burnt"' sh "$1" &)
exec sleep 1000
EOT
left burns "ExecStart=/bin/sh $T/burn.sh $T"
cp /bin/true "$T/vanishes" # It is there when the files are read, and not when it is needed.
left nobody User=no-such-user "ExecStart=$LONG"
left alone "EnvironmentFile=$T/environment" "ExecStart=$LONG"
left missing "ExecStartPre=/bin/rm $T/vanishes" "ExecStart=$T/vanishes"
left reloads "ExecStart=$LONG" 'ExecReload=/bin/sh -c "exit 4"'
left barks Type=notify NotifyAccess=all WatchdogSec=1 \
	"ExecStart=/bin/sh -c \"systemd-notify --ready --status='I am here'; exec $LONG\""
unit waits.actor <<EOT
[Actor]
Restart=permanent
RestartSec=3600
[Service]
ExecStart=/bin/sh -c "exit 7"
EOT
unit loops.actor <<EOT
[Actor]
Restart=permanent
[Service]
ExecStart=/bin/sh -c "exit 9"
EOT
unit lost.actor <<EOT
[Actor]
Restart=permanent
[Service]
WorkingDirectory=$T/nowhere
ExecStart=$LONG
EOT
service a
service b
unit grp.supervisor <<EOT
[Supervisor]
Strategy=rest-for-one
Intensity=1
Period=60
Children=a b
EOT

# says NAME REGEX WHAT: a line of its status.
says() {
	like "$(ctl status "$1" 2>&1)" "$2" "$3"
}
state_is() {
	[ "$(property "$1" State)" = "$2" ]
}

start_daemon
happens "what is late is given up" 'state_is start-late failed'
says pre-fails 'failed at: ExecStartPre\[0\]: exited with status 3' "a command before the start is named with its end"
says start-late 'last end: start timed out, killed by SIGTERM' "a late start, and how it was ended"
says dumps 'last end: killed by SIG(SEGV|SEGV, core dumped)' "a crash"
says missing "failed at: EXEC: No such file or directory \\($T/vanishes\\)" "a program that is not there"
if grep -q -s . /sys/fs/cgroup/cgroup.procs /sys/fs/cgroup/unified/cgroup.procs && is_root; then
	happens "a child's child ends" '[ -e "$T/burnt" ]'
	happens "what it used counts" '[ "$(property burns CPUUSec)" -ge 30000 ]'
fi
says alone "failed at: ENVIRONMENT: No such file or directory \\($T/environment\\). Write the file, or correct Env" "a missing file of variables, and what to do"
says alone 'last end: ENVIRONMENT: No such file or directory' "which is how it ended"
if is_root; then
	says nobody 'failed at: USER: there is no such user or group \(no-such-user\). Create it' "an unknown user"
	like "$(ctl start nobody 2>&1)" 'nobody: failed at step USER: there is no such user' "a start tells the same"
fi
happens "what never starts is given up" 'state_is lost failed'
ctl start lost >/dev/null 2>&1
says lost 'last end: CHDIR: No such file or directory, .*; started by the administrator, not tried again' \
	"a start that fails says who wanted it"
printf 'A=1\nnonsense\n' >"$T/environment"
succeeds "with the file it starts" ctl start alone
like "$(cat "$T/daemon.log")" "$T/environment:2: warning" "a wrong line of it is told"
is "$(property done State) $(property done LastEnd)" "stopped exited with status 0" "a oneshot that is done"
is "$(property remains State)" exited "one that remains"
is "$(property forks PID)" "$(cat "$T/forks.pid")" "the process that forked, by its file"
says waits 'to be restarted \(one-for-one\)' "one that waits has not been restarted yet"
says waits 'restart: in 59min .*attempt 1' "and says until when it waits"
says loops 'failed \(given-up\)' "one that came back too often"
says loops 'given up after more than 5 restarts within 10s' "is given up, and says by what measure"
if command -v systemd-notify >/dev/null; then
	happens "the watchdog barks" 'state_is barks failed'
	says barks 'last end: watchdog timed out, killed by SIGABRT' "which is told with how it was ended"
	says barks 'I am here' "and what it said last"
fi
like "$(ctl reload reloads 2>&1)" 'ExecReload\[0\]: exited with status 4' "a reload that fails is told with its reason"
is "$(property reloads State)" running "and the service goes on"

succeeds "one that does not listen is stopped" ctl stop stop-late
says stop-late 'last end: stop timed out, killed by SIGKILL.*by the administrator' "with what that took, and who wanted it"
succeeds "stopping what has failed" ctl stop dumps
is "$(property dumps State)" stopped "is to have seen it"

kill -KILL "$(pid_of a)"
happens "b is restarted for a's sake" '[ "$(property b Restarts)" = 1 ] && is_running b'
says b 'restarted with its group after a ended \(rest-for-one\)' "and says so"
says b 'within the last 1min 1 of 1 allowed' "the restarts that count are those of its supervisor"
kill -KILL "$(pid_of a)"
happens "the supervisor comes back after one too many" '[ "$(property grp Restarts)" = 1 ] && is_running b'
says a 'one restart too many: grp was ended' "the culprit says so"
says b 'stopped with grp, which had too many restarts' "and its sibling"
is "$(property b Restarts)" 2 "a restart of the supervisor is one of its children"
is "$(property grp RestartsInWindow)" 1 "the supervisor's own restart counts above it"
is "$(property b RestartsInWindow)" 0 "and its children begin with a clean sheet"

stop_daemon
is "$daemon_status" 0 "SIGTERM ends airssysd with status 0"
finish
