#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# What an administrator sees and does with airssysctl in a running instance.
. "${top_srcdir:-.}/tests/integration/lib.sh"

needs python3 busctl

# The output is one JSON document.
is_json() {
	python3 -c 'import json, sys; json.load(sys.stdin)'
}

json_of() {
	local name=$1
	shift
	if ctl "$@" --json | is_json; then ok "$name"; else not_ok "$name" "$(ctl "$@" --json)"; fi
}

cat >"$T/talk.sh" <<'EOF'
trap 'echo "reloaded"' HUP
trap 'kill $!; exit 0' TERM
printf 'hello from %s\n' "$1"
printf 'a line with \033[31mcolor\n'
sleep 100000 &
while :; do wait; done
EOF
unit shop.supervisor <<EOF
[Supervisor]
Description=A shop
Strategy=one-for-one
Intensity=20
Period=30s
Children=db web
EOF
for name in db web; do
	unit $name.actor <<-EOF
		[Actor]
		Description=The $name
		[Service]
		ExecStart=/bin/sh $T/talk.sh $T/$name
		ExecReload=/bin/kill -HUP \$MAINPID
		TimeoutStopSec=10s
	EOF
done
unit once.actor <<EOF
[Actor]
Restart=temporary
[Service]
ExecStart=/bin/sh -c 'exit 42'
EOF

unit quiet.actor <<EOF
[Service]
ExecStart=/bin/sh -c 'echo lost; echo kept >&2; exec sleep 100000'
StandardOutput=null
StandardError=file:$T/quiet.log
EOF

exits 1 "without an instance the exit status is 1" ctl tree
start_daemon
happens "the temporary one has failed" 'has_failed once'

# Looking.
like "$(ctl tree)" '[|`]-db +\* running +[0-9]+' "tree shows the services"
like "$(LC_ALL=C.UTF-8 ctl tree)" '├─db +● running' "tree draws in UTF-8 where it can"
like "$(ctl list db)" '^db +service +running .* The db$' "list shows the description"
is "$(ctl list --names --state=failed)" once "list finds what failed"
like "$(ctl status)" '5 units: 1 failed, 4 running' "status without a name counts"
like "$(ctl status once)" 'last end: exited with status 42' "status tells how a service ended"
exits 3 "status of what is not running is 3" ctl status db once
exits 0 "status of what runs is 0" ctl status db web shop
like "$(ctl status shop)" 'strategy: one-for-one, restarts at most 20 within 30s' "status tells a supervisor's limits"
like "$(ctl status shop)" '\* web running, PID [0-9]+' "status of a supervisor shows its children"
like "$(ctl cat web)" "^ExecStart=/bin/sh $T/talk.sh $T/web" "cat shows the file"
is "$(ctl show web -p Description,TimeoutStopSec | sort -u)" "Description=The web
TimeoutStopSec=10s" "show prints the keys that are asked for"
for command in tree list status "status db once shop" "show db shop" "cat db" version help; do
	# shellcheck disable=SC2086
	json_of "$command prints JSON" $command
done

# Why it died.
pid=$(pid_of db)
exits 0 "kill succeeds" ctl kill db -s KILL --whom=main
happens "it runs again" 'has_new_pid db '"$pid"
status=$(ctl status db)
like "$status" 'last end: killed by SIGKILL' "status tells the signal by name"
like "$status" 'restarted \(one-for-one\)' "status tells which strategy acted"
like "$status" 'restarts: 1; within the last 30s 1 of 20 allowed' "status counts restarts within the window"
is "$(ctl show db -p Restarts)" "Restarts=1" "show has the number of restarts"
pid=$(pid_of db)
exits 0 "kill of all its processes succeeds" ctl kill db -s KILL
happens "it runs again, and once more only" 'has_new_pid db '"$pid"
like "$(ctl status db)" 'restarts: 2; within' "it was not killed again at its birth"

# Logs from the file.
happens "its lines are in the log" 'ctl logs db | grep -q "hello from"'
like "$(ctl logs db)" 'a line with \\x1b\[31mcolor' "control characters in the log are escaped"
is "$(ctl logs db -n 1)" 'a line with \x1b[31mcolor' "logs -n 1 prints the last line"
like "$(ctl status db)" "^  hello from $T/db" "status shows the last lines"
"$top_builddir/airssysctl" --runtime-dir="$T/run" logs db -f >"$T/followed" &
follower=$!
await "$LIMIT" 'grep -q hello "$T/followed"'
exits 0 "reload succeeds" ctl reload db
happens "logs -f shows what comes" 'grep -q "^reloaded" "$T/followed"'
kill "$follower"
wait "$follower" 2>/dev/null

happens "logs finds a file that only standard error goes to" '[ "$(ctl logs quiet)" = kept ]'

# Acting.
is "$(ctl stop db)" "db stopped" "stop"
is "$(ctl stop db)" "db was not running" "stop again"
exits 3 "reload of what is not running is 3" ctl reload db
is "$(ctl start db)" "db started" "start"
is "$(ctl start db)" "db was already running" "start again"
before=$(pids_of db web)
is "$(ctl restart db web | sort)" "db restarted
web restarted" "restart of several"
isnt "$(pids_of db web)" "$before" "they have other pids"
exits 3 "kill of what is not running is 3" ctl kill once
exits 4 "an unknown unit is 4" ctl restart nobody
exits 1 "two kinds of failure are 1" ctl kill nobody once
exits 2 "a wrong option is 2" ctl stop --follow db
is "$(ctl stop --all | sort)" "once was not running
quiet stopped
shop stopped" "stop --all stops the children of the root"
exits 3 "and with them all others" ctl status web
exits 0 "a supervisor starts its children" ctl start shop
exits 0 "they run again" ctl status db web
exits 0 "so does another child of the root" ctl start quiet

# Every command has a JSON form, whatever comes out of it.
for command in "start db" "restart db web" "reload db" "kill db -s HUP" "stop db" "start --all" "list --names" \
	"list --state=failed" "verify $T/units/db.actor" "start nobody" "reload once" "status nobody" "cat nobody" \
	"verify $T/nowhere" "logs nobody" fly stop "tree --state=x"; do
	# shellcheck disable=SC2086
	json_of "$command prints JSON" $command
done
like "$(ctl start nobody --json 2>/dev/null)" '"nobody"' "and names what it failed for"
exits 2 "a state that is none is 2" ctl list --state=bogus

# Somebody else.
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
	as_nobody() {
		setpriv --reuid=65534 --regid=65534 --clear-groups "$top_builddir/airssysctl" --runtime-dir="$T/run" "$@"
	}
	exits 1 "others are refused" as_nobody tree
	like "$(as_nobody stop db 2>&1)" "you may not use $T/run/control: " "and told why"
	exits 1 "they see no logs either" as_nobody logs db
	exits 0 "but the version" as_nobody version
fi

# A narrow terminal.
if command -v script >/dev/null; then
	narrow=$(script -qec "stty cols 44; NO_COLOR=1 $top_builddir/airssysctl --runtime-dir=$T/run list" /dev/null)
	is "$(awk '{ sub(/\r$/, ""); if (length($0) > 44) print }' <<<"$narrow")" "" "tables fit into a narrow terminal"
	unlike "$narrow" $'\033' "without colors if they are not wanted"
fi

# Files that change.
pid=$(pid_of web)
sed -i 's/^Description=.*/Description=Another/; $a Unknown=1' "$T/units/web.actor"
like "$(ctl status web)" 'web.actor \(changed on disk' "status sees that a file changed"
like "$(ctl daemon-reload)" 'web.actor:[0-9]+: warning U014: ' "daemon-reload prints what is wrong"
unlike "$(ctl status web)" 'changed on disk' "after that the file is as loaded"
like "$(ctl list web)" 'Another' "and its description is the new one"
is "$(pid_of web)" "$pid" "what runs is not touched"
echo 'Restart=sometimes' >>"$T/units/db.actor"
exits 1 "daemon-reload of a mistake is 1" ctl daemon-reload
json_of "daemon-reload prints JSON" daemon-reload
sed -i '$d' "$T/units/db.actor"
exits 0 "daemon-reload without one is 0" ctl daemon-reload

# An instance that does not answer.
kill -STOP "$(core_pid)"
exits 1 "a stopped core times out" ctl tree --timeout=200ms
like "$(ctl status --timeout=200ms 2>&1)" 'did not answer in time' "and this is said"
kill -CONT "$(core_pid)"
exits 0 "it answers again" ctl tree

# Others on the same socket.
like "$(busctl --address=unix:path="$T/run/control" introspect org.airssys /org/airssys)" \
	'\.ListUnits +method +- +a\(ssssssuttss\)' "busctl can introspect"
exits 0 "shutdown succeeds" ctl shutdown
happens "airssysd has ended" 'gone "$daemon"'
exits 1 "then there is no instance" ctl tree
is "$(leftovers)" "" "nothing is left"
finish
