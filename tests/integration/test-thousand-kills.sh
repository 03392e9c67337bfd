#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# A service killed a thousand times is there a thousand and one times.
. "${top_srcdir:-.}/tests/integration/lib.sh"

kills=${KILLS:-1000}
# Each incarnation writes its pid, then waits.
cat >"$T/pids.sh" <<'EOF'
echo $$ >>"$1/pids"
exec sleep 100000
EOF
unit victim.actor <<EOF
[Actor]
Restart=permanent
Supervisor=patient
[Service]
ExecStart=/bin/sh $T/pids.sh $T
EOF
service bystander
unit patient.supervisor <<EOF
[Supervisor]
Intensity=1000000
Period=1h
EOF

start_daemon
bystander=$(pid_of bystander)
exec 3<"$T/pids" 2>/dev/null || { await 10 '[ -s "$T/pids" ]' && exec 3<"$T/pids"; }
done=0
end=$((SECONDS + 120))
while [ "$done" -lt "$kills" ] && [ "$SECONDS" -lt "$end" ]; do
	if read -r pid <&3; then
		kill -KILL "$pid" && done=$((done + 1))
	else
		read -r -t 0.002 <> <(:)
	fi
done
is "$done" "$kills" "it was there to be killed $kills times"
happens "it was started once more than it was killed" '[ "$(wc -l <"$T/pids")" = '$((kills + 1))' ]'
happens "it runs" 'is_running victim'
is "$(pid_of victim)" "$(tail -1 "$T/pids")" "the last one is the one that is shown"
is "$(property victim Restarts)" "$kills" "every restart is counted"
is "$(pid_of bystander)" "$bystander" "a bystander is not touched"
is "$(pgrep -cf "$T/pids.sh")" 0 "none is left behind"
stop_daemon
is "$daemon_status" 0 "SIGTERM ends airssysd with status 0"
finish
