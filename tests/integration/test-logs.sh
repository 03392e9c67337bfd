#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# airssysctl logs with a real journal that comes and goes, with two instances that have units of one name, and without an
# instance.
. "${top_srcdir:-.}/tests/integration/journal.sh"

cat >"$T/talk.sh" <<'EOF'
n=0
trap 'n=$((n + 1)); echo "$1 says $n"' HUP
echo "$1 begins"
sleep 100000 &
while :; do wait; done
EOF
unit talker.actor <<EOF
[Actor]
Restart=permanent
[Service]
ExecStart=/bin/sh $T/talk.sh $T/first
KillMode=control-group
EOF
mkdir "$T/run2" "$T/units2"
sed "s,$T/first,$T/second," "$T/units/talker.actor" >"$T/units2/talker.actor"

ctl2() {
	timeout "$LIMIT" "$top_builddir/airssysctl" --runtime-dir="$T/run2" "$@"
}

# Makes the first instance's service write a line.
say() {
	ctl kill talker -s HUP --whom=main >/dev/null
}

# follow FILE OPTION...: a follower that writes to it.
follow() {
	local out=$1
	shift
	: >"$out"
	"$top_builddir/airssysctl" --runtime-dir="$T/run" logs talker -f "$@" >"$out" 2>"$out.err" &
	followers="${followers:-} $!"
}

stop_following() {
	# shellcheck disable=SC2086
	kill $followers
	# shellcheck disable=SC2086
	wait $followers 2>/dev/null
	followers=
}

# Without a journal: the file.
start_daemon
happens "without a journal the output is in the file" 'ctl logs talker | grep -q "first begins"'
like "$(ctl status talker)" "^log \($T/run/log/talker.log\):" "status names the file"
follow "$T/followed"
happens "a follower sees the file" 'grep -q "first begins" "$T/followed"'

# The journal comes.
start_journald
ctl restart talker >/dev/null
happens "the follower goes on with a journal that came" 'grep -q "talker\[[0-9]*\]: $T/first begins" "$T/followed"'
# The core looks for the journal again once in a second.
happens "and has what was recorded" 'say; grep -q "airssys\[[0-9]*\]: Kill talker" "$T/followed"'
logs=$(ctl logs talker)
is "$(head -1 <<<"$logs")" "$T/first begins" "logs begins with the file, which is older"
like "$(tail -n +2 <<<"$logs")" "talker\[[0-9]+\]: $T/first begins" "and goes on with the journal"
like "$(ctl status talker -n all)" "^log \(journal and $T/run/log/talker.log\):" "status names both"
is "$(ctl logs talker -n 1 | wc -l)" 1 "-n counts both together"
is "$(ctl logs talker -n 1000 | head -1)" "$T/first begins" "and reaches the older one"

# Two instances.
"$top_builddir/airssysd" --foreground --runtime-dir="$T/run2" --unit-path="$T/units2" \
	--policy-path="$top_srcdir/policies" --libexec-dir="$top_builddir" >"$T/daemon2.log" 2>&1 </dev/null &
second=$!
happens "a second instance has a unit of this name" 'ctl2 logs talker 2>/dev/null | grep -q "second begins"'
unlike "$(ctl2 logs talker)" "first" "its log has nothing of the first instance"
unlike "$(ctl logs talker)" "second" "and the first one's nothing of it"
unlike "$(ctl status talker -n all)" "second" "nor has its status"
ctl2 kill talker -s KILL --whom=main >/dev/null
happens "a failure of the second is recorded" 'ctl2 logs talker | grep -q "talker has failed"'
unlike "$(ctl logs talker)" "talker has failed" "and not shown by the first"
unlike "$(ctl status talker -n all)" "talker has failed" "nor by its status"

# The journal goes.
follow "$T/followed2" -n 0
follow "$T/followed3" --since=now
# They have the journal open, and wait for more.
waits_for_journal() {
	ls -l "/proc/$1/fd" | grep -q inotify && grep -q poll "/proc/$1/wchan"
} 2>/dev/null
# shellcheck disable=SC2086
await "$LIMIT" 'waits_for_journal ${followers% *} && waits_for_journal ${followers##* }'
say
happens "a follower sees the journal" 'grep -q "first says" "$T/followed2"'
happens "one since now as well" 'grep -q "first says" "$T/followed3"'
unlike "$(cat "$T/followed3")" "begins" "which shows nothing older"
stop_journald
before=$(pid_of talker)
ctl kill talker -s KILL --whom=main >/dev/null
happens "without its journal the service is restarted" 'has_new_pid talker '"$before"
happens "the follower goes on with the file" 'grep -q "^$T/first begins" "$T/followed2"'
say
happens "and with what is added to it" 'grep -q "^$T/first says 1" "$T/followed2"'
is "$(ctl logs talker -n 1)" "$T/first says 1" "logs ends with the file, which is younger"
is "$(ctl logs talker -n 2 | tail -1)" "$T/first says 1" "with more lines too"

# And comes again.
start_journald
ctl restart talker >/dev/null
say
happens "the follower goes on with a journal that came again" \
	'grep -q "talker\[$(pid_of talker)\]: $T/first says 1" "$T/followed2"'
stop_following
await "$LIMIT" 'say; ctl logs talker -n 1 | grep -q "Kill talker"'

# Without an instance.
kill -TERM "$second"
await "$LIMIT" 'gone "$second"'
wait "$second" 2>/dev/null
stop_daemon
journal >/dev/null
logs=$(ctl logs talker)
like "$logs" "talker\[[0-9]+\]: $T/first says 1" "logs without an instance shows the journal"
like "$logs" "airssys\[[0-9]+\]: talker was stopped" "and what was recorded"
like "$logs" "^$T/first begins" "and the file"
unlike "$logs" "second" "of this instance alone"
like "$(ctl2 logs talker)" "second begins" "as for the other one"
like "$(cd "$T" && "$(realpath "$top_builddir")/airssysctl" --runtime-dir=./run/ logs talker 2>&1)" \
	"talker\[[0-9]+\]: $T/first says 1" "whatever way the folder is named"
exits 1 "a name that nothing is known of is 1" ctl logs nobody
like "$(ctl logs nobody 2>&1)" "no instance is running at $T/run/control: .*no log of nobody can be read" "and why is told"

# Times.
exits 1 "nothing is logged since tomorrow" ctl2 logs talker --since=tomorrow
first=$(ctl2 logs talker -n all --json | head -1 | sed 's/.*"realtime_usec":\([0-9]*\).*/\1/')
like "$(ctl2 logs talker --until="@$((first / 1000000 + 1))")" "talker" "until shows what was before"
is "$(ctl2 logs talker --until="@$((first / 1000000 - 1))" 2>/dev/null)" "" "and nothing that was later"
is "$(ctl2 logs talker --since=-1h)" "$(ctl2 logs talker)" "since an hour ago is everything here"
is "$(ctl2 logs talker --since='1h ago' -n | wc -l)" "$(ctl2 logs talker -n 10 | wc -l)" "-n without a number is 10"
is "$(ctl2 logs -n 1 talker)" "$(ctl2 logs talker | tail -1)" "-n 1 is the last line, wherever it stands"
exits 2 "a time that is none is 2" ctl2 logs talker --since=whenever
exits 2 "so is an end for a follower" ctl2 logs talker -f --until=now

# Another boot.
unlike "$(ctl logs talker)" "^-- Boot" "one boot needs no separator"
stop_journald
echo 01234567-89ab-cdef-0123-456789abcdef >"$T/boot"
mount --bind "$T/boot" /proc/sys/kernel/random/boot_id || bail_out "no other boot can be made up"
start_journald
start_daemon
separator='^-- Boot 0123456789abcdef0123456789abcdef --$'
happens "a line tells where another boot begins" 'ctl logs talker | grep -q "$separator"'
is "$(ctl logs talker | grep -c "^-- Boot")" 1 "once"
like "$(ctl logs talker | sed "1,/$separator/d")" "talker\[$(pid_of talker)\]: $T/first begins" "behind it is what that boot has"
unlike "$(ctl logs talker --json)" "^--" "it is not in JSON"
like "$(ctl logs talker --json -n 1)" '"boot_id":"0123456789abcdef0123456789abcdef"' "where each entry tells its boot"
umount /proc/sys/kernel/random/boot_id
finish
