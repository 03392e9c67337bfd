#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# With a real systemd-journald: records of what happened with their fields and message ids, the output
# of services under their names, and airssysctl reading both. The journal lives in a mount namespace
# of its own, so nothing of the machine's is touched.
journald=
for candidate in /usr/lib/systemd/systemd-journald /lib/systemd/systemd-journald; do
	[ ! -x "$candidate" ] || journald=$candidate
done
if [ -z "$journald" ] || ! command -v journalctl >/dev/null; then
	echo "1..0 # SKIP systemd-journald is not installed"
	exit 0
fi
if [ "${1:-}" != inside ]; then
	if ! unshare -m --propagation private true 2>/dev/null; then
		echo "1..0 # SKIP a mount namespace needs root"
		exit 0
	fi
	exec unshare -m --propagation private "$0" inside
fi
. "${top_srcdir:-.}/tests/integration/lib.sh"

mkdir -p /run/systemd /run/log
for folder in /run/systemd /run/log; do
	mount -t tmpfs none $folder || bail_out "tmpfs cannot be mounted"
done
if [ ! -s /etc/machine-id ]; then
	echo 0123456789abcdef0123456789abcdef >"$T/machine-id"
	mount --bind "$T/machine-id" /etc/machine-id || skip_all "the machine has no id"
fi
mkdir -p /run/systemd/journald.conf.d
cat >/run/systemd/journald.conf.d/test.conf <<EOF
[Journal]
Storage=volatile
RateLimitIntervalSec=0
RateLimitBurst=0
ReadKMsg=no
Audit=no
ForwardToWall=no
EOF
"$journald" </dev/null >"$T/journald.log" 2>&1 &
journal_pid=$!
await "$LIMIT" '[ -S /run/systemd/journal/socket ] && [ -S /run/systemd/journal/stdout ]' ||
	bail_out "journald does not start: $(cat "$T/journald.log")"

journal() {
	journalctl --sync 2>/dev/null || true
	journalctl -D /run/log/journal --no-pager "$@" 2>/dev/null
}

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
start_daemon
unlike "$(cat "$T/daemon.log")" 'there is no journal' "airssysd sees the journal"

# Output of services.
happens "output is in the journal under the unit's name" \
	'journal -t talker -o cat | grep -q "^this is $T/talker"'
happens "standard error too" 'journal -t talker -o cat | grep -q "^to standard error"'
happens "SyslogIdentifier= is obeyed" 'journal -t other-name -o cat | grep -q "^this is $T/named"'
is "$(journal -t talker -o json | grep -c "\"_PID\":\"$(pid_of talker)\"")" 2 "the entries carry the service's pid"

# Records of its life.
pid=$(pid_of talker)
ctl kill talker -s KILL --whom=main >/dev/null
happens "it is restarted" 'has_new_pid talker '"$pid"
happens "its end is recorded" 'journal AIRSSYS_UNIT=talker AIRSSYS_EVENT=service-failed -o cat | grep -q .'
record=$(journal AIRSSYS_UNIT=talker AIRSSYS_EVENT=service-failed -o json)
like "$record" '"MESSAGE_ID":"07fbad49f7b44e83b8525a4f512124e8"' "with a message id"
like "$record" '"AIRSSYS_REASON":"killed by SIGKILL' "with its reason"
like "$record" '"PRIORITY":"4"' "as a warning"
like "$record" '"SYSLOG_IDENTIFIER":"airssys"' "in the name of airssys"
happens "its restart is recorded" 'journal AIRSSYS_UNIT=talker -o json | grep -q AIRSSYS_DECISION'
happens "readiness is recorded for each run" \
	'[ "$(journal AIRSSYS_UNIT=talker MESSAGE_ID=7a8de2f15a2b405eac0c82acab4a414d -o cat | wc -l)" = 2 ]'
like "$(journal AIRSSYS_EVENT=tree-up -o json)" '"MESSAGE_ID":"26026922f9bb44b9841a725c6b27ae2f"' "the tree being up is recorded"

# The same with airssysctl.
logs=$(ctl logs talker --journal-directory=/run/log/journal)
like "$logs" "talker\[$pid\]: this is $T/talker" "logs shows the output with its pid"
like "$logs" 'airssys\[[0-9]+\]: talker has failed: killed by SIGKILL' "and what was recorded about it"
unlike "$logs" 'other-name' "and nothing of others"
like "$(ctl logs named --journal-directory=/run/log/journal)" "other-name\[[0-9]+\]: this is $T/named" \
	"logs follows SyslogIdentifier="
is "$(ctl logs talker)" "$logs" "the journal of the machine is found by itself"
is "$(ctl logs talker -n 1 | wc -l)" 1 "logs -n limits the lines"
like "$(ctl logs talker -n 3 --json)" '^\{"realtime_usec":[0-9]+,"identifier":"[a-z]+","pid":[0-9]+,"priority":[0-9],"message":' \
	"logs --json prints an object per line"
like "$(ctl status talker)" '^log \(journal\):' "status shows the last lines of the journal"
"$top_builddir/airssysctl" --runtime-dir="$T/run" logs talker -f >"$T/followed" &
follower=$!
await "$LIMIT" 'grep -q . "$T/followed"'
ctl kill talker -s HUP --whom=main >/dev/null
happens "logs -f shows what comes" 'grep -q "again" "$T/followed"'
kill "$follower"
wait "$follower" 2>/dev/null

# Without the journal everything goes on.
kill "$journal_pid"
wait "$journal_pid" 2>/dev/null
pid=$(pid_of talker)
ctl kill talker -s KILL --whom=main >/dev/null
happens "a journal that went away does not stop a restart" 'has_new_pid talker '"$pid"
finish
