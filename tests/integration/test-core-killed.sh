#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# airssys-core killed: no service notices, and no exit status is lost.
. "${top_srcdir:-.}/tests/integration/lib.sh"

service a
service b Restart=transient
service c
unit group.supervisor <<EOF
[Supervisor]
Strategy=rest-for-one
Intensity=1000
Children=a b c
EOF
# Ends with the status in its file, when that exists.
cat >"$T/wait.sh" <<'EOF'
while [ ! -s "$1" ]; do sleep 0.05; done
exit "$(cat "$1")"
EOF
unit mortal.actor <<EOF
[Actor]
Restart=temporary
[Service]
ExecStart=/bin/sh $T/wait.sh $T/mortal.status
EOF
unit again.actor <<EOF
[Actor]
Restart=permanent
[Service]
ExecStart=/bin/sh $T/wait.sh $T/again.status
EOF
unit oneshot.actor <<EOF
[Actor]
Restart=transient
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh -c "echo once >>$T/oneshot.log"
EOF

start_daemon
happens "everything runs" 'is_running c && is_running mortal && is_running again'
before=$(pids_of a b c mortal again)
killed=$(date +%s%6N)
core=$(core_pid)
kill -KILL "$core"
exits 0 "status is answered right after the end of the core" ctl status a
happens "there is another core" '[ -n "$(core_pid)" ] && [ "$(core_pid)" != '"$core"' ]'
is "$(pids_of a b c mortal again)" "$before" "all services keep their pids"
succeeds "and have been running since before that" test "$(property a Since)" -lt "$killed"
is "$(grep -c start "$T/trace")" 3 "none was started again"
is "$(wc -l <"$T/oneshot.log")" 1 "what has done its work does not do it again"
succeeds "the tree is shown as before" is_running group

# Killed again and again.
for _ in 1 2 3 4 5; do
	core=$(core_pid)
	kill -KILL "$core"
	await "$LIMIT" '[ -n "$(core_pid)" ] && [ "$(core_pid)" != '"$core"' ]'
done
exits 0 "status is answered after five more" ctl status a
is "$(pids_of a b c mortal again)" "$before" "all services keep their pids"

# One ends while there is no core that could see it.
stop_core() {
	core=$(core_pid)
	kill -STOP "$core"
}
kill_core() {
	kill -KILL "$core"
	await "$LIMIT" '[ -n "$(core_pid)" ] && [ "$(core_pid)" != '"$core"' ]'
}
mortal=$(pid_of mortal)
stop_core
echo 7 >"$T/mortal.status"
happens "mortal has ended" "[ ! -d /proc/$mortal ]"
kill_core
happens "it is known not to run" '! is_running mortal'
like "$(ctl status mortal)" 'status 7' "its exit status is the right one"

again=$(pid_of again)
stop_core
echo 9 >"$T/again.status"
happens "another one has ended" "[ ! -d /proc/$again ]"
: >"$T/again.status"
kill_core
happens "it is restarted" "has_new_pid again $again"
like "$(ctl status again)" 'status 9' "its exit status is the right one"

b=$(pid_of b)
a=$(pid_of a)
c=$(pid_of c)
stop_core
kill -KILL "$b"
happens "one of a group has been killed" "[ ! -d /proc/$b ]"
kill_core
happens "it is restarted" "has_new_pid b $b"
happens "and what follows it in rest-for-one" "has_new_pid c $c"
is "$(pid_of a)" "$a" "and nothing else"

# A core that crashes at once again and again does not stop services either.
pids=$(pids_of a b c again)
stop_daemon
is "$daemon_status" 0 "SIGTERM ends airssysd with status 0"
is "$(for p in $pids; do gone "${p#*=}" || echo "$p"; done)" "" "no service is left"
finish
