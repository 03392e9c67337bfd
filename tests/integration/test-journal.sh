#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# With a real systemd-journald: records of what happened with their fields and message ids, the output
# of services under their names, and airssysctl reading both. The journal lives in a mount namespace
# of its own, so nothing of the machine's is touched.
. "${top_srcdir:-.}/tests/integration/journal.sh"
start_journald

cat >"$T/talk.sh" <<'EOF'
trap 'echo again >&2' HUP
echo "this is $1"
echo "to standard error" >&2
sleep 100000 &
while :; do wait; done
EOF
unit talker.actor <<EOF
[Actor]
Restart=permanent
[Service]
ExecStart=/bin/sh $T/talk.sh $T/talker
KillMode=control-group
EOF
unit named.actor <<EOF
[Service]
ExecStart=/bin/sh $T/talk.sh $T/named
SyslogIdentifier=other-name
EOF
cat >"$T/other.sh" <<'EOF'
echo "this is $1"
(echo "from a child that is gone") &
wait
exec sleep 100000
EOF
chmod 755 "$T"
unit nobody.actor <<EOF
[Service]
User=nobody
ExecStart=/bin/sh $T/other.sh nobody
EOF
start_daemon
unlike "$(cat "$T/daemon.log")" 'there is no journal' "airssysd sees the journal"

# Output of services.
talker=$(property talker LogIdentifier)
like "$talker" '^talker@[0-9a-f]{8}$' "the identifier in the journal tells the instance"
happens "output is in the journal under that identifier" \
	'journal -t "$talker" -o cat | grep -q "^this is $T/talker"'
happens "standard error too" 'journal -t "$talker" -o cat | grep -q "^to standard error"'
happens "SyslogIdentifier= is obeyed" \
	'journal -t "$(property named LogIdentifier)" -o cat | grep -q "^this is $T/named"'
like "$(property named LogIdentifier)" '^other-name@' "with the instance as well"
is "$(journal -t "$talker" -o json | grep -c "\"_PID\":\"$(pid_of talker)\"")" 2 "the entries carry the service's pid"

# Records of its life.
pid=$(pid_of talker)
ctl kill talker -s KILL --whom=main >/dev/null
happens "it is restarted" 'has_new_pid talker '"$pid"
happens "its end is recorded" 'journal AIRSSYS_UNIT=talker AIRSSYS_EVENT=service-failed -o cat | grep -q .'
record=$(journal AIRSSYS_UNIT=talker AIRSSYS_EVENT=service-failed -o json)
like "$record" '"MESSAGE_ID":"07fbad49f7b44e83b8525a4f512124e8"' "with a message id"
like "$record" '"AIRSSYS_REASON":"killed by SIGKILL' "with its reason"
like "$record" "\"AIRSSYS_INSTANCE\":\"$T/run\"" "with its instance"
like "$record" '"PRIORITY":"4"' "as a warning"
like "$record" '"SYSLOG_IDENTIFIER":"airssys"' "in the name of airssys"
happens "its restart is recorded" 'journal AIRSSYS_UNIT=talker -o json | grep -q AIRSSYS_DECISION'
happens "readiness is recorded for each run" \
	'[ "$(journal AIRSSYS_UNIT=talker MESSAGE_ID=7a8de2f15a2b405eac0c82acab4a414d -o cat | wc -l)" = 2 ]'
like "$(journal AIRSSYS_EVENT=tree-up -o json)" '"MESSAGE_ID":"26026922f9bb44b9841a725c6b27ae2f"' "the tree being up is recorded"

# What the catalog says of them.
mkdir -p "$T/root/usr/lib/systemd/catalog" "$T/root/var/lib/systemd/catalog"
cp "$top_srcdir/contrib/catalog/airssys.catalog" "$T/root/usr/lib/systemd/catalog/"
succeeds "journalctl takes the catalog" journalctl --root="$T/root" --update-catalog
is "$(journalctl --root="$T/root" --list-catalog | wc -l)" "$(grep -c '^ACTIVITY(' "$top_srcdir/src/osl/activity.def")" \
	"and finds an entry for every kind of record"

# The same with airssysctl.
logs=$(ctl logs talker --journal-directory=/run/log/journal)
like "$logs" "talker\[$pid\]: this is $T/talker" "logs shows the output with its pid"
like "$logs" 'airssys\[[0-9]+\]: talker has failed: killed by SIGKILL' "and what was recorded about it"
unlike "$logs" 'other-name' "and nothing of others"
like "$(ctl logs named --journal-directory=/run/log/journal)" "other-name\[[0-9]+\]: this is $T/named" \
	"logs follows SyslogIdentifier="
is "$(ctl logs talker)" "$logs" "the journal of the machine is found by itself"
is "$(ctl logs talker -n 1 | wc -l)" 1 "logs -n limits the lines"
like "$(ctl logs talker -n 3 --json)" '^\{"realtime_usec":[0-9]+,"identifier":"[a-z]+","pid":[0-9]+,"priority":[0-9],"boot_id":"[0-9a-f]{32}","message":' \
	"logs --json prints an object per line"
like "$(ctl status talker)" '^log \(journal\):' "status shows the last lines of the journal"
"$top_builddir/airssysctl" --runtime-dir="$T/run" logs talker -f >"$T/followed" &
follower=$!
await "$LIMIT" 'grep -q . "$T/followed"'
ctl kill talker -s HUP --whom=main >/dev/null
happens "logs -f shows what comes" 'grep -q "again" "$T/followed"'
kill "$follower"
wait "$follower" 2>/dev/null

# Anybody may write entries, but not as a service or as airssys.
stranger() {
	setpriv --reuid="${uid:-12345}" --regid=65534 --clear-groups "$@"
}
forge() {
	printf '%s\n' "MESSAGE=$1" "SYSLOG_IDENTIFIER=airssys" AIRSSYS_UNIT=talker "AIRSSYS_INSTANCE=$T/run" |
		stranger logger --journald
}
forge "a forged record"
stranger systemd-cat -t "$talker" echo "a forged line"
is "$(journal -t "$talker" -t airssys -o cat | grep -c forged)" 2 "the journal takes what a stranger writes"
unlike "$(ctl logs talker)" 'forged' "logs does not show it as the service's"
unlike "$(ctl status talker -n all)" 'forged' "nor does status"
like "$(ctl logs talker -n 1000)" "this is $T/talker" "what is the service's is counted"
for _ in 1 2 3; do forge "a forged record"; done
unlike "$(ctl logs talker -n 1)" 'forged' "the last line is the service's own"
is "$(ctl logs talker -n 1 | wc -l)" 1 "and is found behind those that are forged"
logs=$(ctl logs nobody)
like "$logs" "nobody[[][0-9]+[]]: this is nobody" "a service of another user has its lines"
like "$logs" "nobody[[][0-9]+[]]: from a child that is gone" "its children too"
like "$logs" "airssys[[][0-9]+[]]: nobody is ready" "and its records"
uid=$(id -u nobody) stranger systemd-cat -t "$(property nobody LogIdentifier)" echo "a forged line"
is "$(journal -t "$(property nobody LogIdentifier)" -o cat | grep -c forged)" 1 "its user can write in its name elsewhere"
unlike "$(ctl logs nobody)" 'forged' "which is not shown"

# Without the journal everything goes on.
stop_journald
pid=$(pid_of talker)
ctl kill talker -s KILL --whom=main >/dev/null
happens "a journal that went away does not stop a restart" 'has_new_pid talker '"$pid"
finish
