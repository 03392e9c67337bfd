#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# daemon-reload: the tree becomes what the files say, and what they still say keeps running.
. "${top_srcdir:-.}/tests/integration/lib.sh"

service a Supervisor=group
service b Supervisor=group
service c
unit group.supervisor <<EOF
[Supervisor]
Strategy=rest-for-one
Intensity=5
EOF
start_daemon
happens "everything runs" 'is_running a && is_running b && is_running c'
before=$(pids_of a b c)

exits 0 "a reload without a change succeeds" ctl daemon-reload
is "$(pids_of a b c)" "$before" "and changes nothing"

service new Supervisor=group
exits 0 "a reload with a new unit succeeds" ctl daemon-reload
happens "the new one is started" 'is_running new'
is "$(pids_of a b c)" "$before" "the others run on"
like "$(ctl status new)" 'supervisor: group' "it is where its file says"
new=$(pid_of new)

rm "$T/units/new.actor"
exits 0 "a reload without that unit succeeds" ctl daemon-reload
happens "it is stopped" "gone $new"
exits 4 "and unknown" ctl status new
is "$(pids_of a b c)" "$before" "the others run on"

unit group.supervisor <<EOF
[Supervisor]
Strategy=one-for-one
Intensity=50
EOF
exits 0 "a reload with another strategy succeeds" ctl daemon-reload
is "$(pids_of a b c)" "$before" "everything runs on"
like "$(ctl status group)" 'one-for-one' "the strategy is the new one"

unit more.supervisor <<EOF
[Supervisor]
Strategy=one-for-all
Children=d e
EOF
service d
service e
exits 0 "a reload with a new subtree succeeds" ctl daemon-reload
happens "it is started" 'is_running d && is_running e'
d=$(pid_of d)
kill -KILL "$(pid_of e)"
happens "and supervised" "has_new_pid d $d"

unit c.actor <<EOF
[Actor]
Restart=permanent
[Service]
ExecStart=$(tracer changed)
EOF
exits 0 "a reload with another command succeeds" ctl daemon-reload
is "$(pids_of a b c)" "$before" "what runs is not touched"
exits 0 "a restart succeeds" ctl restart c
happens "and runs the new command" 'grep -q "^start changed" "$T/trace"'

echo 'Nonsense' >>"$T/units/a.actor"
exits 1 "a reload with a mistake is 1" ctl daemon-reload
is "$(pid_of b)" "$(sed 's/.*b=\([0-9]*\).*/\1/' <<<"$before")" "the others run on"
kill -KILL "$(core_pid)"
exits 0 "the core that follows answers" ctl status b
is "$(pid_of b)" "$(sed 's/.*b=\([0-9]*\).*/\1/' <<<"$before")" "and knows the tree"
stop_daemon
is "$daemon_status" 0 "SIGTERM ends airssysd with status 0"
is "$(leftovers)" "" "no process is left"
finish
