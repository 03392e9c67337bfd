#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# Stopping: commands, signals, deadlines, and nothing left of a service however its processes hide.
. "${top_srcdir:-.}/tests/integration/lib.sh"

# A service with a family: a child, a grandchild in a session of its own, and an orphan. Deaf to SIGTERM when asked.
cat >"$T/family.sh" <<'EOF'
dir=$1 name=$2
[ "$3" = deaf ] && trap '' TERM
sh -c 'echo $$ >>"$1/$2.family"; while :; do sleep 1000; done' sh "$dir" "$name" "$dir/" &
setsid sh -c 'echo $$ >>"$1/$2.family"; while :; do sleep 1000; done' sh "$dir" "$name" "$dir/" &
(sh -c 'echo $$ >>"$1/$2.family"; while :; do sleep 1000; done' sh "$dir" "$name" "$dir/" &)
setsid sh -c 'sh -c "echo \$\$ >>\"\$1/\$2.family\"; while :; do sleep 1000; done" sh "$1" "$2" "$1/" &' sh "$dir" "$name" &
while :; do sleep 1000; done
EOF
family() {
	unit "$1.actor" <<-EOF
		[Actor]
		Restart=permanent
		[Service]
		ExecStart=/bin/sh $T/family.sh $T $1 ${2:-}
		$(cat)
	EOF
}
family obedient </dev/null
family deaf deaf <<<TimeoutStopSec=1s
family mixed deaf <<EOF
TimeoutStopSec=1s
KillMode=mixed
EOF
unit commands.actor <<EOF
[Service]
ExecStart=/bin/sleep 100000
ExecStop=/bin/sh -c "echo stop \$\$MAINPID >>$T/commands"
ExecStopPost=/bin/sh -c "echo post \$\$SERVICE_RESULT \$\$EXIT_CODE \$\$EXIT_STATUS >>$T/commands"
EOF
unit signal.actor <<EOF
[Service]
ExecStart=/bin/sh -c "trap 'echo quit >>$T/signal; exit 0' QUIT; echo ready >>$T/signal; while :; do sleep 0.05; done"
KillSignal=SIGQUIT
EOF
unit leaves.actor <<EOF
[Actor]
Restart=permanent
[Service]
ExecStart=/bin/sh -c "sleep 100002 & echo \$\$! >$T/leaves.child; wait"
KillMode=process
EOF

# What the others of a service hear: a child that writes the signals that it gets.
cat >"$T/hears.sh" <<'EOF'
for s in TERM HUP USR1 QUIT; do
	# shellcheck disable=SC2064
	trap "echo $s >>$1.heard; [ $s = ${2:-none} ] && exit 0" $s
done
: >"$1.up"
while :; do sleep 0.02; done
EOF
# hearing NAME LINES...: a main process that ends at SIGTERM (at once) and a child that hears and ends at the signal $ends.
hearing() {
	local name=$1 ends=$2
	shift 2
	{
		echo '[Service]'
		echo "ExecStart=/bin/bash -c \"trap 'exit 0' TERM; /bin/bash $T/hears.sh $T/$name $ends & while :; do sleep 0.02; done\" $T/"
		printf '%s\n' "$@"
	} | unit "$name.actor"
}
hearing all TERM KillMode=control-group
hearing mix TERM KillMode=mixed
hearing hup HUP SendSIGHUP=yes
hearing final USR1 FinalKillSignal=USR1 TimeoutStopSec=300ms
hearing none none KillMode=none
# Commands of a stop: one that fails with and without a dash; one that takes too long.
unit bad-stop.actor <<EOF
[Service]
ExecStart=/bin/sleep 100000
ExecStop=-/bin/false
ExecStop=/bin/sh -c "echo second >>$T/bad-stop"
ExecStopPost=/bin/false
ExecStopPost=-/no/such/program
EOF
unit slow-stop.actor <<EOF
[Service]
ExecStart=/bin/sleep 100000
ExecStop=/bin/sh -c "while :; do sleep 0.1; done" $T/slow-stop
TimeoutStopSec=300ms
EOF
# Supervisors, one within the other, over a service that stops when it is let go.
unit outer.supervisor <<<"[Supervisor]"
unit inner.supervisor <<EOF
[Supervisor]
Supervisor=outer
EOF
unit lingers.actor <<EOF
[Actor]
Supervisor=inner
[Service]
ExecStart=/bin/sleep 100000
ExecStop=/bin/sh -c "until [ -e $T/let-go ]; do sleep 0.02; done"
TimeoutStopSec=30s
EOF

family_size() {
	[ -f "$T/$1.family" ] && wc -l 2>/dev/null <"$T/$1.family"
}
family_left() {
	local p
	for p in $(cat "$T/$1.family"); do gone "$p" || echo "$p"; done
}

start_daemon
happens "all families are complete" \
	'[ "$(family_size obedient)" = 4 ] && [ "$(family_size deaf)" = 4 ] && [ "$(family_size mixed)" = 4 ]'

main=$(pid_of obedient)
exits 0 "an obedient service stops" ctl stop obedient
is "$(gone "$main" && family_left obedient)" "" "with its whole family"
exits 3 "it is not running" ctl status obedient

for name in deaf mixed; do
	main=$(pid_of $name)
	before=$(date +%s%3N)
	exits 0 "$name: a service that does not listen is stopped" ctl stop $name
	took=$(($(date +%s%3N) - before))
	succeeds "$name: after its time" test "$took" -ge 1000
	is "$(gone "$main" && family_left $name)" "" "$name: with its whole family"
	like "$(cat "$T/daemon.log")" "$name did not end in time; next is .*kill" "$name: which is told"
done

# Killed: its family must not live beside the next one's.
rm "$T/obedient.family"
exits 0 "it starts again" ctl start obedient
happens "with its family" '[ "$(family_size obedient)" = 4 ]'
main=$(pid_of obedient)
old=$(cat "$T/obedient.family")
kill -KILL "$main"
happens "killed, it is restarted" "has_new_pid obedient $main"
is "$(for p in $old; do gone "$p" || echo "$p"; done)" "" "nothing is left of the family it had before"

main=$(pid_of commands)
exits 0 "a service with ExecStop= stops" ctl stop commands
happens "ExecStop= and ExecStopPost= have run" '[ "$(wc -l <"$T/commands")" = 2 ]'
is "$(head -1 "$T/commands")" "stop $main" "ExecStop= knows the main process"
is "$(tail -1 "$T/commands")" "post success killed TERM" "ExecStopPost= knows how it ended"
happens "a service has set its trap" '[ -s "$T/signal" ]'
exits 0 "it stops" ctl stop signal
is "$(tail -1 "$T/signal")" "quit" "by the signal of KillSignal="

child=$(cat "$T/leaves.child")
main=$(pid_of leaves)
exits 0 "KillMode=process: it stops" ctl stop leaves
succeeds "its main process is gone" gone "$main"
succeeds "its child is left alone" kill -0 "$child"
kill -KILL "$child"

heard() {
	[ ! -e "$T/$1.heard" ] || xargs <"$T/$1.heard"
}
happens "those that hear are up" \
	'[ -e "$T/all.up" ] && [ -e "$T/mix.up" ] && [ -e "$T/hup.up" ] && [ -e "$T/final.up" ] && [ -e "$T/none.up" ]'
child=$(pgrep -P "$(pid_of none)" -f hears.sh)
none=$(pid_of none)
exits 0 "they stop" ctl stop all mix hup final
is "$(heard all)" TERM "KillMode=control-group: every process gets the signal"
is "$(heard mix)" "" "KillMode=mixed: the others are killed without one"
like "$(heard hup)" HUP "SendSIGHUP= sends another"
is "$(heard final)" "TERM USR1" "FinalKillSignal= comes in place of SIGKILL"
exits 0 "KillMode=none: a stop" ctl stop none
is "$(heard none)" "" "sends nothing"
succeeds "and leaves the main process" kill -0 "$none"
kill -KILL "$none" "$child"
exits 0 "a stop whose commands fail succeeds" ctl stop bad-stop
is "$(cat "$T/bad-stop")" second "ExecStop=- that fails does not keep the next from running"
before=$(date +%s%3N)
exits 0 "a stop whose command does not end succeeds" ctl stop slow-stop
succeeds "when its time is over" test $(($(date +%s%3N) - before)) -ge 300
is "$(pgrep -f "$T/slow-stop")" "" "and the command is gone"

ctl stop outer &
happens "a supervisor within one that is stopped is stopping" '[ "$(property inner State)" = stopping ]'
is "$(property outer State) $(property lingers State)" "stopping stopping" "as those above and below it are"
touch "$T/let-go"
wait $!
is "$(property outer State) $(property inner State) $(property lingers State)" "stopped stopped stopped" "until it has stopped"

exits 0 "restart of a running service succeeds" ctl restart obedient
exits 0 "kill sends a signal" ctl kill obedient -s USR1
happens "which ends one that does not expect it, and it is restarted" 'is_running obedient'
stop_daemon
is "$daemon_status" 0 "SIGTERM ends airssysd with status 0"
is "$(leftovers)" "" "no process is left"
finish
