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

# Many at once, and by signal: each is answered, and the tree is what the files said last.
before=$(pids_of a b)
asked=
for n in 1 2 3 4 5 6 7 8; do
	service "storm$n" Supervisor=group
	(
		ctl daemon-reload
		echo $? >"$T/reload.$n"
	) >/dev/null 2>&1 &
	asked="$asked $!"
	kill -HUP "$daemon"
done
# shellcheck disable=SC2086
wait $asked
is "$(cat "$T"/reload.* | xargs)" "0 0 0 0 0 0 0 0" "eight reloads at once, with as many SIGHUP, succeed"
kill -HUP "$daemon"
happens "the last state of the files is loaded" \
	'is_running storm1 && is_running storm2 && is_running storm3 && is_running storm4 && is_running storm5 && is_running storm6 && is_running storm7 && is_running storm8'
is "$(pids_of a b)" "$before" "and what ran before was not touched"
rm "$T"/units/storm*.actor
kill -HUP "$daemon"
happens "SIGHUP alone loads what has changed" '[ -z "$(ctl list --names | grep storm)" ]'
is "$(pids_of a b)" "$before" "and leaves the rest"
# While the core dies.
service lasting Supervisor=group
(ctl daemon-reload >/dev/null 2>&1) &
asked=$!
kill -KILL "$(core_pid)"
# Either it is done or the one who asked is told that it is not.
wait "$asked" || ctl daemon-reload >/dev/null 2>&1
happens "a reload that the core did not survive is done, or said not to be" 'is_running lasting'
is "$(pids_of a b)" "$before" "without a restart"

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
