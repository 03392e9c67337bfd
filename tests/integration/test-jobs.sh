#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# Requests that meet each other: the last one counts, every one is answered, and nothing is left of any.
. "${top_srcdir:-.}/tests/integration/lib.sh"

cat >"$T/slow.sh" <<'EOT'
trap 'echo "stop $2" >>"$1/trace"; while [ -e "$1/$2.slow" ]; do sleep 0.05; done; exit 0' TERM
echo "start $2" >>"$1/trace"
while :; do sleep 0.2; done
EOT
for name in slow member; do
	unit "$name.actor" <<-EOT
		[Actor]
		Restart=permanent
		[Service]
		ExecStart=/bin/sh $T/slow.sh $T $name
	EOT
done
unit never.actor <<EOT
[Actor]
Restart=permanent
[Service]
Type=notify
ExecStart=/bin/sh $T/slow.sh $T never
EOT
mv "$T/units/never.actor" "$T/never.actor" # Comes later: the tree would wait for it.
service first
service last
service lone
unit group.supervisor <<EOT
[Supervisor]
Strategy=rest-for-one
Intensity=1000
Children=first member last
EOT

# asks NAME VERB UNIT: in the background; its status goes to $T/NAME.status, what it says to $T/NAME.out.
asks() {
	local name=$1
	shift
	rm -f "$T/$name.status"
	{
		ctl "$@" >"$T/$name.out" 2>&1
		echo $? >"$T/$name.status"
	} &
}
# answered NAME STATUS WHAT
answered() {
	happens "$3: it is answered" "[ -s '$T/$1.status' ]"
	is "$(cat "$T/$1.status") $(cat "$T/$1.out")" "$2" "$3"
}
is_stopping() {
	grep -q "stop $1\$" "$T/trace"
}

# under_way UNIT JOBS
under_way() {
	[ "$(property "$1" Job)" = "$2" ]
}

start_daemon
happens "all run" 'is_running last && is_running lone && is_running slow'

asks one restart lone
asks two restart lone
answered one "0 lone restarted" "two restart a unit at once: the first"
answered two "0 lone restarted" "two restart a unit at once: the second"
is "$(property lone State)" running "and it runs"

: >"$T/slow.slow"
asks one stop slow
happens "a stop takes long" 'is_stopping slow'
asks two start slow
asks three start slow
happens "two starts wait" 'under_way slow "stop start start"'
rm "$T/slow.slow"
answered one "0 slow stopped" "a stop while starts wait"
happens "all are answered" '[ -s "$T/two.status" ] && [ -s "$T/three.status" ]'
is "$(cat "$T/two.status" "$T/three.status" | tr '\n' ' ')" "0 0 " "as done"
is "$(property slow State)" running "it runs, as was asked for last"

: >"$T/member.slow"
asks one stop group
happens "the stop of a group takes long" 'is_stopping member'
is "$(property group State)" stopping "it is shown as what it is"
asks two start last
happens "a unit of it is to be started meanwhile" 'under_way last start'
rm "$T/member.slow"
answered one "0 group stopped" "the stop of a group"
answered two "0 last started" "the start of a unit of it that was asked for meanwhile"
is "$(property group State) $(property last State)" "running running" "which brings the group up again"

mv "$T/never.actor" "$T/units"
asks load daemon-reload
happens "a unit that is never ready comes" '[ "$(property never State)" = starting ]'
asks one start never
happens "it is to be started" 'under_way never "add start"'
asks two stop never
answered two "0 never stopped" "the stop of a unit that starts"
answered one "1 airssysctl: never: It was stopped while it was starting." "its start"
is "$(property never State)" stopped "and it is stopped"
asks one start never
happens "it starts again" '[ "$(property never State)" = starting ] && under_way never start'
rm "$T/units/never.actor"
exits 0 "it is removed meanwhile" ctl daemon-reload
happens "its start is answered" '[ -s "$T/one.status" ]'
is "$(cat "$T/one.status")" 4 "as gone"
exits 4 "it is gone" ctl status never

# A client that goes away in between changes nothing.
: >"$T/trace"
: >"$T/slow.slow"
ctl stop slow >/dev/null 2>&1 &
client=$!
happens "a stop takes long" 'is_stopping slow'
kill -KILL "$client" "$(pgrep -P "$client" airssysctl)" 2>/dev/null
rm "$T/slow.slow"
happens "the stop goes on without its client" '[ "$(property slow State)" = stopped ]'
succeeds "and it can be started" ctl start slow

exits 0 "a supervisor is stopped" ctl stop group
exits 0 "a unit of it is started" ctl start first
is "$(property group State) $(property last State)" "running running" "with its supervisor, and that with all its children"

stop_daemon
is "$daemon_status" 0 "SIGTERM ends airssysd with status 0"
is "$(leftovers)" "" "nothing is left"
finish
