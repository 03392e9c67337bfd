#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# Awkward moments: what is asked while something else is under way.
. "${top_srcdir:-.}/tests/integration/lib.sh"

cat >"$T/slow.sh" <<'EOF'
trap 'sleep 1; exit 0' TERM
while :; do sleep 0.1; done
EOF
unit slow.actor <<EOF
[Actor]
Restart=permanent
Supervisor=group
[Service]
ExecStart=/bin/sh $T/slow.sh $T/
EOF
unit late.actor <<EOF
[Actor]
Restart=permanent
[Service]
Type=notify
TimeoutStartSec=1h
ExecStart=/bin/sh -c "while :; do sleep 0.1; done" $T/
EOF
unit failing.actor <<EOF
[Actor]
Restart=permanent
[Service]
RestartSec=1h
ExecStart=/bin/false
EOF
unit paced.actor <<EOF
[Actor]
Restart=permanent
Supervisor=pacers
[Service]
RestartSec=200ms
RestartSteps=2
RestartMaxDelaySec=800ms
ExecStart=/bin/sh -c "date +%%s%%3N >>$T/paced; exit 1"
EOF
unit pacers.supervisor <<EOF
[Supervisor]
Intensity=1000
Period=1h
EOF
service quick Supervisor=group
unit group.supervisor <<EOF
[Supervisor]
Strategy=one-for-all
Intensity=100
EOF

launch_daemon
happens "the others run although one is not ready" 'is_running quick && is_running slow'
is "$(property late State)" starting "the late one is still starting"
happens "one waits for its backoff of an hour" '[ "$(property failing State)" = backoff ]'
before=$SECONDS
exits 0 "one that waits for its backoff is stopped at once" ctl stop failing
exits 0 "one that is starting is stopped at once" ctl stop late
succeeds "neither took long" test $((SECONDS - before)) -lt 5
happens "then the tree is up" is_ready

# The delays of a service that fails for ever: 200, 400, 800, 800 ms.
happens "a failing service was started five times" '[ "$(wc -l <"$T/paced")" -ge 5 ]'
delays=$(awk 'NR > 1 { print $1 - last } { last = $1 }' "$T/paced" | head -4 | tr '\n' ' ')
read -r d1 d2 d3 d4 <<<"$delays"
# Not early; how late is the machine's matter.
ok_delay() { [ "$1" -ge "$2" ] && [ "$1" -lt $(($2 + 5000)) ]; }
succeeds "its first delay is 200 ms ($d1)" ok_delay "$d1" 200
succeeds "its second delay is 400 ms ($d2)" ok_delay "$d2" 400
succeeds "its third delay is 800 ms ($d3)" ok_delay "$d3" 800
succeeds "and stays ($d4)" ok_delay "$d4" 800
exits 0 "it is stopped at any moment" ctl stop paced

# Start and stop of one service from several sides at once.
for _ in 1 2 3 4 5; do
	ctl restart quick >/dev/null 2>&1 &
	ctl stop quick >/dev/null 2>&1 &
	ctl start quick >/dev/null 2>&1 &
done
wait $(jobs -p | grep -v "^$daemon$")
exits 0 "after requests from all sides a start succeeds" ctl start quick
is "$(pgrep -fc "tracer.sh $T quick")" 1 "and there is one process of it"

# A group that restarts while one of it is slow to end; stopped meanwhile.
quick=$(pid_of quick)
kill -KILL "$quick"
ctl stop slow >/dev/null &
happens "its sibling is restarted" "has_new_pid quick $quick"
wait $!
happens "the one that was stopped meanwhile stays down" '[ "$(property slow State)" = stopped ]'
exits 0 "it can be started again" ctl start slow

# The core is killed while a service stops, and while one starts.
ctl stop slow >/dev/null 2>&1 &
await "$LIMIT" '[ "$(property slow State)" = stopping ]'
kill -KILL "$(core_pid)"
wait $!
happens "a stop that the core did not survive has an end" \
	'ctl list slow | grep -qE "stopped|running"'
ctl start late >/dev/null 2>&1 &
starter=$!
happens "a service is starting" '[ "$(property late State)" = starting ]'
late=$(pid_of late)
kill -KILL "$(core_pid)"
wait "$starter"
happens "the new core finds it starting" '[ "$(property late State)" = starting ]'
is "$(pid_of late)" "$late" "with the same pid"

# The end comes while services start, stop and wait.
slow=$(pid_of slow)
ctl restart slow >/dev/null 2>&1 &
ctl start failing >/dev/null 2>&1 &
await "$LIMIT" '[ "$(property slow State)" = stopping ] || has_new_pid slow "$slow"'
stop_daemon
is "$daemon_status" 0 "SIGTERM in the middle of it ends airssysd with status 0"
is "$(leftovers)" "" "no process is left"

# And before the tree is up.
launch_daemon
happens "a service runs" 'is_running quick'
is_ready && not_ok "the tree is not up yet"
stop_daemon
is "$daemon_status" 0 "SIGTERM before the tree is up ends airssysd with status 0"
is "$(leftovers)" "" "no process is left"
finish
