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
if command -v python3 >/dev/null; then
	is "$(verify --json "$T/units" | python3 -c 'import json, sys
print([d["line"] for d in json.load(sys.stdin)["diagnostics"] if d["code"] == "U020"][0])')" 2 "verify prints JSON"
else
	skip "verify prints JSON" "python3 is not installed"
fi

launch_daemon --strict
happens "with --strict nothing comes up" 'gone "$daemon"'
like "$(cat "$T/daemon.log")" 'value.actor:2: error U020: ' "and the mistakes are told"
is "$(leftovers)" "" "no service was started"
daemon=

# A mistake that comes later leaves everything as it was.
mkdir "$T/aside"
mv "$T/units/"* "$T/aside"
service strict
start_daemon --strict
happens "with --strict right files come up" 'is_running strict'
printf '[Service]\nExecStart=/bin/true\nNice=much\n' | unit wrong.actor
service other
exits 1 "a reload finds a mistake" ctl daemon-reload
like "$(ctl daemon-reload)" 'note U006: ' "which leaves all as it was under --strict"
unlike "$(ctl list --all)" 'other' "a right file beside it, too"
is_running strict && ok "what runs runs on" || not_ok "what runs runs on"
rm "$T/units/wrong.actor"
succeeds "without the mistake" ctl daemon-reload
happens "the right file counts" 'is_running other'
stop_daemon
rm -r "$T/units"
mv "$T/aside" "$T/units"

printf '[Supervisor]\nChildren=sound program absent value\n' | unit group.supervisor
service sound
printf '[Service]\nExecStartPre=-/no/such/helper\n%s\n' "$sleeper" | unit helper.actor
printf '[Service]\nExecStart=%s/plain --x\n' "$T" | unit plain.actor
echo text >"$T/plain"
mkdir "$T/units/open.actor.d"
service open
printf '[Service]\nNice=5\n' >"$T/units/open.actor.d/x.conf"
chmod 666 "$T/units/open.actor.d/x.conf"

start_daemon
happens "the sound ones come up" 'is_running good && is_running unknown'
happens "a supervisor comes up without its children that have mistakes" 'is_running group && is_running sound'
log=$(cat "$T/daemon.log")
like "$log" "group.supervisor:2: error U046: .*absent" "an absent child is told"
like "$log" "group.supervisor:2: warning U050: program .*" "and one that is left out"
happens "a helper that is missing and may fail does not matter" 'is_running helper'
like "$log" "helper.actor:2: warning U022: .*/no/such/helper" "but is told"
like "$log" "program.actor:2: error U022: .*/no/such/program.*\(Install" "a missing program is told with its remedy"
like "$log" "plain.actor:2: error U022: .*$T/plain.*Permission denied\. \(Make it executable" "as is one that may not be executed"
for name in value c1 c2 c3 writable fifo huge dangling garbage program plain open; do
	exits 4 "$name is not in the tree" ctl status $name
	like "$(ctl status $name 2>&1)" 'left out because of a mistake: .* error U0[0-9]+: .*\(.+\)' "and status says why"
done
for name in c1 c2 c3; do
	like "$(ctl status $name 2>&1)" 'U045: .*c[123] -> c[123] -> c[123] -> c[123]' "each of a circle tells all of it: $name"
done
like "$(ctl status open 2>&1)" "open.actor.d/x.conf: error U001: " "a drop-in that others may write refuses its unit"
exits 4 "one that is refused cannot be started" ctl start program
like "$(ctl list)" "^program +refused .*U022" "the list has it with its mistake"
like "$(ctl tree)" "program +. refused " "the tree as well"
like "$(ctl status)" "refused" "and what needs attention"
for code in U001 U005 U010 U020 U045; do
	like "$log" "error $code: " "airssysd tells $code"
done

# A file that is spoiled while its unit runs.
good=$(pid_of good)
printf '[Service]\nExecStart=/no/such/program\n' | unit good.actor
cp /bin/sleep "$T/plain" && chmod 755 "$T/plain"
printf '[Service]\nExecStart=%s/plain 100000\n' "$T" | unit plain.actor
exits 1 "daemon-reload tells the mistakes" ctl daemon-reload
is "$(pid_of good)" "$good" "a running unit is not touched by the mistake"
like "$(ctl status good)" "refused: .*good.actor:2: error U022" "its status says that the file was not taken"
core=$(pgrep -P "$daemon" airssys-core)
kill -KILL "$core"
happens "another core knows it too" '[ "$(pid_of good)" = "$good" ] && is_running good'
like "$(ctl status good)" "refused: .*good.actor:2: error U022" "and why its file was not taken"
happens "one whose program is there now comes up" 'is_running plain'
exits 0 "the settings of before stay in force" ctl restart good
happens "and it runs again" 'is_running good'
isnt "$(pid_of good)" "$good" "as another process"
finish
