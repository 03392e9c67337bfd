#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# A full disk, no journal, no cgroup: each is said once, and services are supervised all the same. The full disks are
# small file systems in a mount namespace of the test's own.
. "${top_srcdir:-.}/tests/integration/lib.sh"
own_mounts "$@"

# said REGEX: how many lines of airssysd and its core say it.
said() {
	grep -cE "$1" "$T/daemon.log"
}

# killed_and_restarted NAME
killed_and_restarted() {
	local pid
	pid=$(pid_of "$1")
	kill -KILL "$pid"
	happens "$1, killed, is restarted" "has_new_pid $1 $pid"
}

# fill FOLDER: until there is no room.
fill() {
	head -c 64M /dev/zero >"$1/filler" 2>/dev/null
	[ "$(stat -f -c %a "$1")" = 0 ] || not_ok "$1 is full"
}

service a
service b
unit group.supervisor <<EOF
[Supervisor]
Strategy=rest-for-one
Intensity=1000
Children=a b
EOF
# Writes to its output, fills what it is given, and goes on.
cat >"$T/chatty.sh" <<'EOF'
n=0
trap 'n=$((n + 1)); for i in 1 2 3 4 5 6 7 8; do printf "%4096s\n" "$n"; done 2>/dev/null; echo "$n" >"$1"' HUP
: >"$1"
while :; do sleep 0.05; done
EOF
unit chatty.actor <<EOF
[Actor]
Restart=permanent
[Service]
ExecStart=/bin/bash $T/chatty.sh $T/chatty.n
StandardOutput=append:$T/small/chatty.log
EOF

# No journal, no cgroup. Neither hierarchy is to be seen, and no socket of a journal.
mount -t tmpfs -o size=64k none /sys/fs/cgroup || bail_out "cannot hide the cgroups"
export AIRSSYS_JOURNAL_DIR=$T/no-journal
mkdir "$T/small"
mount -t tmpfs -o size=256k,mode=755 none "$T/run" || bail_out "tmpfs cannot be mounted"
mount -t tmpfs -o size=64k,mode=755 none "$T/small" || bail_out "tmpfs cannot be mounted"
start_daemon
happens "the tree comes up without journal and cgroup" 'is_running a && is_running b && is_running chatty'
for _ in 1 2 3; do killed_and_restarted b; done
exits 0 "a reload" ctl daemon-reload
core=$(core_pid)
kill -KILL "$core"
happens "another core is there" '[ -n "$(core_pid)" ] && [ "$(core_pid)" != "$core" ] && is_running b'
is "$(said 'no journal')" 1 "the absent journal is said once"
is "$(said 'no cgroup')" 1 "the missing cgroup is said once"
is "$(grep -c "without cgroup\|no cgroup" "$T/daemon.log")" 1 "in one line"

# A service whose log file is on a full disk.
fill "$T/small"
ctl kill chatty -s HUP --whom=main >/dev/null
happens "a service whose output has no room runs on" '[ "$(cat "$T/chatty.n")" = 1 ]'
killed_and_restarted chatty
rm "$T/small/filler"
happens "it has started" '[ -e "$T/chatty.n" ] && [ ! -s "$T/chatty.n" ]'
before=$(stat -c %s "$T/small/chatty.log")
ctl kill chatty -s HUP --whom=main >/dev/null
happens "and writes when there is room again" '[ "$(stat -c %s "$T/small/chatty.log")" -gt '"$before"' ]'

# The runtime folder without room: the state file cannot grow.
fill "$T/run"
: >"$T/trace"
for _ in $(seq 12); do
	pid=$(pid_of b)
	kill -KILL "$pid"
	await "$LIMIT" "has_new_pid b $pid" || not_ok "b, killed, is restarted"
done
happens "a service is restarted twelve times with a full runtime folder" '[ "$(grep -c "start b" "$T/trace")" = 12 ]'
is "$(said 'cannot write the state file')" 1 "which is said once"
exits 0 "stop" ctl stop a
exits 0 "start" ctl start a
killed_and_restarted a
before=$(pids_of a b chatty)
kill -KILL "$(core_pid)"
exits 0 "a core that is killed is replaced" ctl status b
is "$(pids_of a b chatty)" "$before" "and nothing happens to the services"
is "$(said 'cannot write the state file')" 1 "nothing more is said"
rm "$T/run/filler"
killed_and_restarted b
happens "that it is written again is said, too" '[ "$(said "state file is written again")" = 1 ]'

# What was written is whole: the next keeper takes over.
before=$(pids_of a b chatty)
core=$(core_pid)
kill -KILL "$daemon"
wait "$daemon" 2>/dev/null
daemon=
await "$LIMIT" "gone $core"
start_daemon
is "$(pids_of a b chatty)" "$before" "the next keeper takes over every service"
is "$(said 'damaged')" 0 "from a sound state file"

# The whole tree is stopped, and another started, while there is no room at all.
fill "$T/run"
stop_daemon
is "$daemon_status" 0 "SIGTERM ends airssysd with status 0 with a full disk"
is "$(leftovers)" "" "no process is left"
launch_daemon
await "$LIMIT" 'is_ready || gone "$daemon"'
if is_ready; then
	happens "a keeper that starts with a full disk supervises" 'is_running b'
	killed_and_restarted b
	# A page that the last one left may have been enough.
	succeeds "and says no more than once that it is full" test "$(said 'cannot write the state file')" -le 1
	stop_daemon
	is "$daemon_status" 0 "SIGTERM ends airssysd with status 0"
else
	like "$(cat "$T/daemon.log")" 'No space left' "a keeper that cannot start with a full disk says why"
fi
finish
