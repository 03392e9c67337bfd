#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# What an administrator has asked for is done, even if airssys-core is lost before it is; and it stays done.
. "${top_srcdir:-.}/tests/integration/lib.sh"

# Says what it does, and takes its time to end: as long as $T/NAME.slow exists.
cat >"$T/slow.sh" <<'EOT'
trap 'echo "stop $2" >>"$1/trace"; while [ -e "$1/$2.slow" ]; do sleep 0.05; done; exit 0' TERM
echo "start $2" >>"$1/trace"
while :; do sleep 0.2; done
EOT
slow() {
	: >"$T/$1.slow"
	unit "$1.actor" <<-EOT
		[Actor]
		Restart=permanent
		[Service]
		TimeoutStopSec=60
		ExecStart=/bin/sh $T/slow.sh $T $1
	EOT
}
slow lone
slow again
slow member
service first
service last
unit group.supervisor <<EOT
[Supervisor]
Strategy=rest-for-one
Intensity=1
Period=60
Children=first member last
EOT

# Kills the core and waits for the next one.
lose_core() {
	local core
	core=$(core_pid)
	kill -KILL "$core"
	await "$LIMIT" '[ -n "$(core_pid)" ] && [ "$(core_pid)" != '"$core"' ]'
	ctl status lone >/dev/null
}
has_stopped() {
	[ "$(property "$1" State)" = stopped ]
}
starts_of() {
	grep -c "start $1\$" "$T/trace"
}
asks() {
	ctl "$@" >/dev/null 2>&1 &
}

start_daemon
happens "all run" 'is_running lone && is_running again && is_running last'

asks stop lone
happens "a stop is under way" 'grep -q "stop lone" "$T/trace"'
pid=$(pid_of lone)
lose_core
is "$(property lone State)" stopping "the next core goes on with it"
is "$(pid_of lone)" "$pid" "with the same process"
rm "$T/lone.slow"
happens "it comes to its end" 'has_stopped lone'
like "$(ctl status lone)" 'by the administrator' "status says who wanted it"
lose_core
is "$(property lone State)" stopped "it stays stopped when the core is lost once more"
is "$(starts_of lone)" 1 "and was never started again"
exits 3 "status says that it does not run" ctl status lone

asks restart again
happens "a restart is under way" 'grep -q "stop again" "$T/trace"'
lose_core
rm "$T/again.slow"
happens "it is carried out" 'is_running again && [ "$(starts_of again)" = 2 ]'
lose_core
is "$(starts_of again)" 2 "once"

asks stop group
happens "the stop of a group is under way" 'grep -q "stop member" "$T/trace"'
lose_core
is "$(starts_of last)" 1 "what was down already is not started again"
rm "$T/member.slow"
happens "the group comes to its end" 'has_stopped group && has_stopped first'
is "$(grep -E "stop (first|member|last)" "$T/trace" | uniq | tr '\n' ' ')" "stop last stop member stop first " \
	"in the reverse order of its start"
is "$(for u in first member last; do starts_of "$u"; done | tr '\n' ' ')" "1 1 1 " "nothing was started again"
lose_core
is "$(property group State) $(property first State)" "stopped stopped" "and stays so"
succeeds "it can be started" ctl start group
is "$(property first State) $(property member State) $(property last State)" "running running running" "as a whole"

# One that was stopped by name, and its supervisor starts again by itself.
succeeds "one of them is stopped" ctl stop last
before=$(starts_of last)
for _ in 1 2; do
	pid=$(pid_of first)
	kill -KILL "$pid"
	happens "first is killed and comes back" "has_new_pid first $pid"
done
happens "the supervisor has been restarted" '[ "$(property group Restarts)" = 1 ] && is_running member'
is "$(property last State) $(starts_of last)" "stopped $before" "what was stopped by name stays stopped"
lose_core
pid=$(pid_of first)
kill -KILL "$pid"
happens "also with the next core" "has_new_pid first $pid && is_running member"
is "$(property last State)" stopped "it stays stopped"
succeeds "the supervisor is restarted by name" ctl restart group
is "$(property last State)" running "now it runs: the last request counts"

# A core that was lost while units rested knows that they may run.
succeeds "one of them is stopped" ctl stop last
lose_core
succeeds "and started" ctl start last
for _ in 1 2; do
	pid=$(pid_of first)
	kill -KILL "$pid"
	happens "first is killed and comes back" "has_new_pid first $pid"
done
happens "what was started by name comes back with its supervisor" 'is_running last'

# The same when airssysd itself is lost.
: >"$T/trace"
: >"$T/again.slow"
asks stop again
happens "a stop is under way" 'grep -q "stop again" "$T/trace"'
kill -KILL "$daemon"
wait "$daemon" 2>/dev/null
start_daemon
is "$(property again State)" stopping "the next keeper's core goes on with it"
rm "$T/again.slow"
happens "it comes to its end" 'has_stopped again'
is "$(property lone State) $(starts_of again)" "stopped 0" "and nothing that was stopped is started"

stop_daemon
is "$daemon_status" 0 "SIGTERM ends airssysd with status 0"
is "$(leftovers)" "" "nothing is left"
finish
