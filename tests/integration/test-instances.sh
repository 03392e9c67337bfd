#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# Any number of instances side by side, privileged or not, each with its own folders; and what an instance says to the
# manager above it.
. "${top_srcdir:-.}/tests/integration/lib.sh"
needs python3

service a
mkdir -p "$T/other/units" "$T/other/run"
sed "s,$T $T a\$,$T $T/other a," "$T/units/a.actor" >"$T/other/units/a.actor"

# What comes to the notify socket, a message per line with its lines joined by blanks.
cat >"$T/listen.py" <<'END'
import os, socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
out = open(sys.argv[2], "w", buffering=1)
while True:
    out.write(s.recv(65536).decode().replace("\n", " ") + "\n")
END
python3 "$T/listen.py" "$T/notify" "$T/heard" &
listener=$!
await "$LIMIT" '[ -S "$T/notify" ] && [ -e "$T/heard" ]' || bail_out "nobody listens"
export NOTIFY_SOCKET=$T/notify
start_daemon
unset NOTIFY_SOCKET
happens "readiness is told on the notify socket" 'grep -q "\bREADY=1\b" "$T/heard"'
is "$(grep -c '^airssysd: ready:' "$T/daemon.log")" 1 "one line says that the tree is up"
ctl stop a >/dev/null
happens "and how many run, when that has changed" 'grep -q "^STATUS=0 actors running, 0 failed" "$T/heard"'
ctl start a >/dev/null

# Another one of everything, with the same unit.
other() {
	timeout "$LIMIT" "$top_builddir/airssysctl" --runtime-dir="$T/other/run" "$@"
}
"$top_builddir/airssysd" --foreground --runtime-dir="$T/other/run" --unit-path="$T/other/units:$T/none" \
	--policy-path="$top_srcdir/policies" --module-path="$top_builddir/.libs" --libexec-dir="$top_builddir" \
	>"$T/other/log" 2>&1 </dev/null &
second=$!
happens "a second instance comes up beside the first" 'grep -q "^airssysd: ready:" "$T/other/log"'
first_a=$(pid_of a)
second_a=$(other show a -p PID | cut -d= -f2)
isnt "$first_a" "$second_a" "each has its own service of the same name"
is "$(AIRSSYS_RUNTIME_DIR=$T/other/run "$top_builddir/airssysctl" show a -p PID)" "PID=$second_a" \
	"AIRSSYS_RUNTIME_DIR names the instance"
exits 0 "a service of one is stopped" other stop a
is "$(gone "$second_a" && pid_of a)" "$first_a" "and that of the other runs on"
exits 0 "it is started again" other start a

"$top_builddir/airssysd" --runtime-dir="$T/run" --unit-path="$T/units" --libexec-dir="$top_builddir" \
	>"$T/third.log" 2>&1 </dev/null
is "$?" 1 "a second keeper for one runtime folder is refused"
like "$(cat "$T/third.log")" "$T/run" "with the name of the folder"
is "$(pid_of a)" "$first_a" "and the first one is not troubled"

second_a=$(other show a -p PID | cut -d= -f2)
stop_daemon
is "$daemon_status" 0 "SIGTERM ends the first with status 0"
happens "which it tells the manager above" 'grep -q "\bSTOPPING=1\b" "$T/heard"'
succeeds "the second one's service runs on" kill -0 "$second_a"
kill -INT "$second"
wait "$second"
is "$?" 0 "SIGINT ends the second with status 0"
happens "and its service" "gone $second_a"
kill "$listener"
wait "$listener" 2>/dev/null

# Options.
for option in --no-such-option operand; do
	exits 2 "airssysd $option: exit status 2" "$top_builddir/airssysd" $option
done
like "$("$top_builddir/airssysd" --version)" '^airssys [0-9]+\.[0-9]+' "airssysd --version"
echo >"$T/file"
exits 1 "a runtime folder that is a file: exit status 1" \
	timeout "$LIMIT" "$top_builddir/airssysd" --runtime-dir="$T/file" --unit-path="$T/units" --libexec-dir="$top_builddir"

if is_root; then
	# Root's and an ordinary user's at the same time.
	needs setpriv
	mkdir -m 755 "$T/user"
	mkdir "$T/user/units" "$T/user/run"
	printf '[Service]\nExecStart=/bin/sh -c "while :; do sleep 0.1; done" %s\n' "$T/user" >"$T/user/units/a.actor"
	chown -R 65534:65534 "$T/user"
	as_user() {
		setpriv --reuid=65534 --regid=65534 --clear-groups "$@"
	}
	start_daemon
	setpriv --reuid=65534 --regid=65534 --clear-groups \
		"$top_builddir/airssysd" --user --runtime-dir="$T/user/run" --unit-path="$T/user/units" \
		--policy-path="$top_srcdir/policies" --module-path="$top_builddir/.libs" \
		--libexec-dir="$top_builddir" >"$T/user.log" 2>&1 </dev/null &
	users=$!
	if as_user test -x "$top_builddir/airssysd"; then
		happens "an ordinary user's instance comes up beside root's" 'grep -q "^airssysd: ready:" "$T/user.log"'
		pid=$(timeout "$LIMIT" "$top_builddir/airssysctl" --runtime-dir="$T/user/run" show a -p PID | cut -d= -f2)
		is "$(stat -c %u "/proc/$pid")" 65534 "its services are the user's"
		is "$(stat -c %u "/proc/$(pid_of a)")" 0 "and root's are root's"
		exits 1 "the user cannot stop root's" as_user "$top_builddir/airssysctl" --runtime-dir="$T/run" stop a
	else
		skip "an ordinary user's instance" "nobody may not read the build tree"
	fi
	kill -TERM "$users" 2>/dev/null
	wait "$users"
	stop_daemon
fi
is "$(leftovers)" "" "no process is left"
finish
