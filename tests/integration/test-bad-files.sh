#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# Unit files with every kind of mistake: verify names file, line and remedy, the rest of the
# tree comes up all the same, and nothing comes up with --strict.
. "${top_srcdir:-.}/tests/integration/lib.sh"

sleeper="ExecStart=/bin/sleep 100000"

service good
printf '[Service]\n%s\nExecStrat=x\n' "$sleeper" | unit unknown.actor
printf '[Actor]\nRestart=sometimes\n[Service]\n%s\n' "$sleeper" | unit value.actor
printf '[Service]\nExecStart=/no/such/program\n' | unit program.actor
printf '[Actor]\nAfter=c2\n[Service]\n%s\n' "$sleeper" | unit c1.actor
printf '[Actor]\nAfter=c3\n[Service]\n%s\n' "$sleeper" | unit c2.actor
printf '[Actor]\nAfter=c1\n[Service]\n%s\n' "$sleeper" | unit c3.actor
printf '[Service]\n%s\n' "$sleeper" | unit twice.actor
printf '[Supervisor]\n' | unit twice.supervisor
printf '[Service]\n%s\n' "$sleeper" | unit writable.actor
chmod 666 "$T/units/writable.actor"
mkfifo "$T/units/fifo.actor"
truncate -s 1G "$T/units/huge.actor"
ln -s /no/such/file "$T/units/dangling.actor"
printf '[Service]\n%s\n\033[2J\n' "$sleeper" | unit garbage.actor
unreadable=
if [ "$(id -u)" != 0 ]; then
	printf '[Service]\n%s\n' "$sleeper" | unit unreadable.actor
	chmod 0 "$T/units/unreadable.actor"
	unreadable=yes
fi

verify() {
	timeout "$LIMIT" "$top_builddir/airssysctl" verify "$@"
}

# mistake NAME FILE WHERE CODE: verify finds it and exits with 1.
mistake() {
	local out status=0
	out=$(verify "$T/units/$2" 2>&1) || status=$?
	like "$out" "^$T/units/$2$3: error $4: .*\(.+\)\$" "verify tells $1"
	is "$status" 1 "and exits with 1"
}

exits 0 "verify accepts a sound file" verify "$T/units/good.actor"
out=$(verify "$T/units/unknown.actor")
like "$out" "unknown.actor:3: warning U014: .*\(.+\)" "verify tells an unknown key"
exits 1 "which --strict does not accept" verify --strict "$T/units/unknown.actor"
mistake "a wrong value" value.actor :2 U020
mistake "a program that is missing" program.actor :2 U022
mistake "a file that others may write" writable.actor "" U001
mistake "a FIFO" fifo.actor "" U001
mistake "a line of a gibibyte" huge.actor "" U001
mistake "a link that leads nowhere" dangling.actor "" U001
mistake "a line that means nothing" garbage.actor :3 U010
[ -z "$unreadable" ] || mistake "a file that cannot be read" unreadable.actor "" U001
out=$(verify "$T"/units/c?.actor)
like "$out" 'error U045: .*(c1.*c2.*c3|c2.*c3.*c1|c3.*c1.*c2|c1.*c3.*c2|c3.*c2.*c1|c2.*c1.*c3)' \
	"verify prints the path of a cycle"
out=$(verify "$T/units/twice.actor" "$T/units/twice.supervisor")
like "$out" 'error U005: ' "verify tells two units of one name"
out=$(verify "$T/units")
like "$out" '[0-9]+ units?: [0-9]+ errors?, 1 warning' "verify of a folder checks all of it"
unlike "$out" $'\033' "what is in the files is escaped"
if command -v jq >/dev/null; then
	is "$(verify --json "$T/units" | jq -r '.diagnostics | map(select(.code == "U020").line) | first')" 2 \
		"verify prints JSON"
fi

launch_daemon --strict
happens "with --strict nothing comes up" 'gone "$daemon"'
like "$(cat "$T/daemon.log")" 'value.actor:2: error U020: ' "and the mistakes are told"
is "$(leftovers)" "" "no service was started"
daemon=

start_daemon
happens "the sound ones come up" 'is_running good && is_running unknown'
happens "one whose program is missing fails" 'has_failed program'
like "$(ctl status program)" 'failed at: EXEC: No such file or directory \(/no/such/program\)' "at a step that is named"
for name in value c1 c2 c3 writable fifo huge dangling garbage; do
	exits 4 "$name is not in the tree" ctl status $name
done
for code in U001 U005 U010 U020 U045; do
	like "$(cat "$T/daemon.log")" "error $code: " "airssysd tells $code"
done
finish
