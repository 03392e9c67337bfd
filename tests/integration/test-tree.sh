#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# A tree starts in order, is seen, and stops in reverse order.
. "${top_srcdir:-.}/tests/integration/lib.sh"

service a
service b
service c
service lone
unit inner.supervisor <<EOF
[Supervisor]
Strategy=one-for-all
Children=b c
EOF
unit outer.supervisor <<EOF
[Supervisor]
Strategy=rest-for-one
Children=a inner
EOF

start_daemon
like "$(cat "$T/daemon.log")" '^airssysd: ready: 6 units, tree is up$' "one line says that the tree is up"
happens "every service runs" 'is_running a && is_running b && is_running c && is_running lone'
happens "every service wrote its line" '[ "$(wc -l <"$T/trace")" = 4 ]'
is "$(grep -v lone "$T/trace" | tr '\n' ' ')" "start a start b start c " "services start in order"

tree=$(ctl tree)
like "$tree" 'outer +. running' "the tree shows a supervisor"
like "$tree" '[|`]-a +. running +[0-9]+' "the tree shows a service with its pid"
like "$(ctl tree | grep -n 'inner\|─c')" 'inner' "the tree shows nested supervisors"
exits 0 "status of a running service is 0" ctl status a
exits 4 "status of an unknown service is 4" ctl status nobody
exits 0 "stop succeeds" ctl stop lone
exits 3 "status of a stopped service is 3" ctl status lone
exits 0 "start succeeds" ctl start lone
exits 2 "wrong usage is 2" ctl --no-such-option

: >"$T/trace"
pids=$(pids_of a b c lone)
stop_daemon
is "$daemon_status" 0 "SIGTERM ends airssysd with status 0"
is "$(grep -v lone "$T/trace" | tr '\n' ' ')" "stop c stop b stop a " "services stop in reverse order"
is "$(for p in $pids; do gone "${p#*=}" || echo "$p"; done)" "" "no service is left"
is "$(leftovers)" "" "no process is left"
finish
