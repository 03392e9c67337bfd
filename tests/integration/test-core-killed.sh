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

# Some end while there is no core that could see it.
kill_core() {
	kill -KILL "$core"
	await "$LIMIT" '[ -n "$(core_pid)" ] && [ "$(core_pid)" != '"$core"' ]'
}
mortal=$(pid_of mortal)
again=$(pid_of again)
a=$(pid_of a)
b=$(pid_of b)
c=$(pid_of c)
core=$(core_pid)
kill -STOP "$core"
echo 7 >"$T/mortal.status"
echo 9 >"$T/again.status"
kill -KILL "$b"
happens "one that is not restarted has ended, one that is, and one of a group" \
	"[ ! -d /proc/$mortal ] && [ ! -d /proc/$again ] && [ ! -d /proc/$b ]"
: >"$T/again.status"
kill_core
happens "the first is known not to run" '! is_running mortal'
like "$(ctl status mortal)" 'status 7' "its exit status is the right one"
happens "the second is restarted" "has_new_pid again $again"
like "$(ctl status again)" 'status 9' "its exit status is the right one"
happens "so is the one of the group" "has_new_pid b $b"
like "$(ctl status b)" 'SIGKILL' "the signal that ended it is the right one"
happens "and what follows it in rest-for-one" "has_new_pid c $c"
is "$(pid_of a)" "$a" "and nothing else"
is "$(property b Restarts) $(property c Restarts) $(property again Restarts)" "1 1 1" "each restart is one"

# Killed again and again; each start of a core that did not live long waits longer than the one before.
before=$(pids_of a b c again)
for _ in 1 2 3; do
	core=$(core_pid)
	kill_core
done
exits 0 "status is answered after three more" ctl status a
is "$(pids_of a b c again)" "$before" "all services keep their pids"

# A core that hangs is left alone as long as nobody above has set a watchdog: services run on, a request ends in time.
core=$(core_pid)
kill -STOP "$core"
exits 1 "with a core that hangs status fails in its time" ctl status a --timeout=200ms
is "$(for p in $before; do gone "${p#*=}" && echo "$p"; done)" "" "services run on"
is "$(core_pid)" "$core" "and the core is not touched"
kill -CONT "$core"
exits 0 "it answers when it goes on" ctl status a

pids=$(pids_of a b c again)
stop_daemon
is "$daemon_status" 0 "SIGTERM ends airssysd with status 0"
is "$(for p in $pids; do gone "${p#*=}" || echo "$p"; done)" "" "no service is left"
finish
