#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# Settings of the manual pages that no other test tries on a running instance.
. "${top_srcdir:-.}/tests/integration/lib.sh"
root=
[ "$(id -u)" = 0 ] && root=yes

cat >"$T/look.sh" <<'EOF'
out=$1
shift
{
	for argument; do echo "argument $argument"; done
	echo "zero $0"
	echo "folder $(pwd)"
	echo "user $(id -u) $(id -g) $(id -G)"
	echo "open files $(ulimit -Sn) $(ulimit -Hn)"
	env | sed 's/^/env /'
} >"$out.new" 2>&1
mv "$out.new" "$out"
echo "to standard output"
echo "to standard error" >&2
while :; do sleep 0.1; done
EOF
found() {
	sed -n "s/^$2 //p" "$T/$1.out"
}
has_looked() {
	for name; do [ -s "$T/$name.out" ] || return 1; done
}

specifiers='%n %N %p %P %i %I %j %J %f %y %Y %t %S %C %L %E %T %V %u %U %g %G %h %s %H %l %m %b %v %a %%'
unit spec-one@.actor <<EOF
[Service]
ExecStart=/bin/sh $T/look.sh $T/spec.out $specifiers
EOF
unit specs.supervisor <<'EOF'
[Supervisor]
Children=spec-one@a\x2db-c
EOF
unit foreign.actor <<EOF
[Unit]
Description=A file of systemd
Documentation=man:foreign(8) https://example.org/
After=network.target
[Service]
ExecStart=/bin/sh \\
# a comment between joined lines
	$T/look.sh $T/foreign.out
PassEnvironment=PASSED NOT_THERE
Environment="BOTH=plain" "HERE=%N"
EnvironmentFile=$T/both.env
Environment=
Environment="BOTH=plain" "HERE=%N"
WorkingDirectory=-/no/such/folder
RuntimeDirectory=things things/inside
LimitNOFILE=100:200
StandardOutput=truncate:$T/foreign.log
StandardError=null
X-Ours=anything
[X-Section]
Key=value
[Install]
WantedBy=multi-user.target
EOF
echo 'BOTH=from the file' >"$T/both.env"
echo 'of before' >"$T/foreign.log"
unit prefixes.actor <<EOF
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=-/bin/false
ExecStart=@/bin/sh another-name -c "echo zero \$\$0 >$T/prefix-at"
Environment=WORD=replaced
ExecStart=:/bin/sh -c "echo \\"\$\$0\\" >$T/prefix-colon" \$WORD
ExecStart=/bin/sh -c "echo \\"\$\$0\\" >$T/prefix-none" \$WORD
ExecStart=/bin/sh -c "echo one >$T/prefix-two" ; /bin/sh -c "echo two >>$T/prefix-two"
EOF
unit template@.actor <<EOF
[Service]
ExecStart=/bin/sh $T/look.sh $T/template-%i.out
EOF
mkdir "$T/units/template@.actor.d" "$T/units/template@two.actor.d"
printf '[Service]\nEnvironment=ALL=yes\n' | unit template@.actor.d/10-all.conf
printf '[Service]\nEnvironment=OWN=yes\n' | unit template@two.actor.d/10-own.conf
unit templates.supervisor <<EOF
[Supervisor]
Children=template@one template@two masked
EOF
service covered
ln -s /dev/null "$T/units/masked.actor"
for status in 3 4; do
	unit ends-$status.actor <<-EOF
		[Actor]
		Restart=permanent
		[Service]
		RestartPreventExitStatus=3 SIGQUIT
		ExecStart=/bin/sh -c "echo run >>$T/ends-$status; [ \$\$(wc -l <$T/ends-$status) -gt 2 ] && exec sleep 100000; exit $status"
	EOF
done
unit forced.actor <<EOF
[Actor]
Restart=temporary
[Service]
RestartForceExitStatus=SIGUSR1
ExecStart=/bin/sh -c "echo run >>$T/forced; [ \$\$(wc -l <$T/forced) -gt 1 ] && exec tail -f $T/forced; kill -USR1 \$\$\$\$"
EOF
unit stubborn.actor <<EOF
[Actor]
Shutdown=500ms
[Service]
ExecStart=/bin/sh -c "trap '' TERM; while :; do sleep 0.1; done" $T/
EOF
unit once.supervisor <<EOF
[Supervisor]
Restart=temporary
Intensity=0
Children=once-child once-other
EOF
printf '[Service]\nExecStart=/bin/false\n' | unit once-child.actor
service once-other

# What a native actor cannot have.
native=$'[Native]\nModule=tcp-probe.so\n'
printf '%s[Limits]\nLimitNOFILE=5\n' "$native" | unit native-limits.actor
printf '%s[Security]\nPolicy=system-service\n' "$native" | unit native-policy.actor
printf '%s[Service]\nUser=nobody\n' "$native" | unit native-service.actor
printf '[Actor]\nUser=nobody\n%s' "$native" | unit native-user.actor
# Confinement that would not be enforced.
printf '[Service]\nExecStart=/bin/true\n[Security]\nProtectSystem=yes\n' | unit protect.actor
printf '[Service]\nExecStart=/bin/true\n[Security]\nPolicy=absent\n' | unit no-policy.actor

PASSED='as it was' start_daemon
happens "all have looked around" 'has_looked spec foreign template-one template-two'

# Both processes expand specifiers alike: the core tells what the keeper executes.
shown=$(ctl show 'spec-one@a\x2db-c' -p ExecStart | sed "s|^ExecStart=/bin/sh $T/look.sh $T/spec.out ||")
is "$(found spec argument | wc -l)" "$(wc -w <<<"$specifiers")" "each specifier is an argument"
is "$(tr '\n' ' ' <<<"$(found spec argument)")" "$(sed 's/%%/%/g; s/"//g; s/\\\\/\\/g' <<<"$shown") " \
	"the core shows what the keeper executes"
set -- $(found spec argument)
is "$1 $2 $3 $5 $6" 'spec-one@a\x2db-c.actor spec-one@a\x2db-c spec-one a\x2db-c a-b/c' "names and their parts"
is "$7 $9" "one /a-b/c" "the last part of a prefix, and a path"
is "${10} ${11}" "$T/units/spec-one@.actor $T/units" "the file and its folder"
is "${12}" "$T/run/run" "%t of a private instance"
is "${19} ${20} ${22}" "$(id -un) $(id -u) $(id -g)" "%u, %U and %G are those of airssysd, not of its core"

is "$(found foreign folder)" "$(own_folder)" "a missing folder with - before it is passed over"
is "$(found foreign 'open files')" "100 200" "LimitNOFILE= soft and hard"
like "$(cat "$T/foreign.out")" '^env PASSED=as it was$' "PassEnvironment="
unlike "$(cat "$T/foreign.out")" '^env NOT_THERE' "of a variable that is not there gives none"
like "$(cat "$T/foreign.out")" '^env BOTH=from the file$' "EnvironmentFile= wins over Environment="
like "$(cat "$T/foreign.out")" '^env HERE=foreign$' "specifiers are expanded in Environment="
is "$(ls -d "$T"/run/run/things/inside)" "$T/run/run/things/inside" "RuntimeDirectory= is made below %t"
like "$(cat "$T/foreign.out")" "^env RUNTIME_DIRECTORY=$T/run/run/things:$T/run/run/things/inside$" "and named in the environment"
happens "truncate: empties the file first" '[ "$(cat "$T/foreign.log")" = "to standard output" ]'
like "$(ctl status foreign)" 'docs: man:foreign\(8\)' "status names the documentation"
unlike "$(cat "$T/daemon.log")" 'foreign.actor' "a file of systemd is taken without a word"

happens "a oneshot with all prefixes is done" '[ "$(property prefixes State)" = exited ]'
is "$(cat "$T/prefix-at")" "zero another-name" "@ gives another name"
is "$(cat "$T/prefix-none")" replaced "a variable is replaced"
like "$(cat "$T/prefix-colon")" '^[0-9]+0$' "but not behind :, where \$\$ is what the shell makes of it"
is "$(tr '\n' ' ' <"$T/prefix-two")" "one two " "a lone semicolon separates two commands"

like "$(cat "$T/template-one.out")" '^env ALL=yes$' "drop-ins of a template apply"
unlike "$(cat "$T/template-one.out")" '^env OWN' "those of an instance not to others"
is "$(grep -cE '^env (ALL|OWN)=yes$' "$T/template-two.out")" 2 "but to it, beside the template's"
like "$(cat "$T/daemon.log")" 'templates.supervisor:2: warning U047: .*masked' "a masked child is told"
exits 4 "and is not in the tree" ctl status masked

happens "an end of RestartPreventExitStatus= is the last" 'has_failed ends-3'
happens "any other is not" 'is_running ends-4'
is "$(wc -l <"$T/ends-3") $(wc -l <"$T/ends-4")" "1 3" "the service ran as often as that"
happens "RestartForceExitStatus= restarts what is temporary" 'is_running forced'
happens "a supervisor that is temporary stays down when it has given up" \
	'ctl status once | grep -q "intensity exceeded" && ! is_running once'
is "$(property once-other PID) $(property once Restarts)" " 0" "with its children"

happens "a stubborn service runs" 'is_running stubborn'
pid=$(pid_of stubborn)
before=$EPOCHSECONDS
ctl stop stubborn >/dev/null
[ $((EPOCHSECONDS - before)) -lt 20 ] && ok "Shutdown= ends a stop early" || not_ok "Shutdown= ends a stop early"
happens "and nothing of it is left" "gone $pid"

log=$(cat "$T/daemon.log")
like "$log" 'native-limits.actor:4: error U018: ' "a native actor has no [Limits]"
like "$log" 'native-policy.actor:4: error U018: ' "nor [Security]"
like "$log" 'native-service.actor:4: error U030: ' "nor [Service]"
like "$log" 'native-user.actor:2: error U018: .*only services' "nor a user"
like "$log" 'protect.actor:4: error U017: ' "confinement that is not supported refuses its unit"
like "$log" 'no-policy.actor:4: error U025: The policy absent' "nor a policy that is not there"
like "$(ctl status no-policy 2>&1)" 'The policy absent is not there' "which status tells"
if [ "$root" ]; then
	unit other.actor <<-EOF
		[Service]
		Group=65534
		SupplementaryGroups=1 2
		ExecStart=/bin/sh $T/look.sh $T/other.out
	EOF
	mkdir -m 777 "$T/open"
	unit home.actor <<-EOF
		[Service]
		User=daemon
		ExecStartPre=!/bin/sh -c "id -u >$T/open/bang"
		ExecStartPre=/bin/sh -c "id -u >$T/open/plain"
		WorkingDirectory=~
		ExecStart=/bin/sh -c "pwd >$T/open/pwd; exec tail -f $T/open/pwd"
	EOF
	ctl daemon-reload >/dev/null
	happens "Group= and SupplementaryGroups= are given without a user" 'has_looked other'
	is "$(found other user)" "0 65534 65534 1 2" "as they are written"
	happens "WorkingDirectory=~ is the home of the user" '[ "$(cat "$T/open/pwd")" = "$(getent passwd daemon | cut -d: -f6)" ]'
	is "$(cat "$T/open/bang") $(cat "$T/open/plain")" "0 $(id -u daemon)" "! runs without User="
fi
stop_daemon
is "$daemon_status" 0 "SIGTERM ends airssysd with status 0"
is "$(leftovers)" "" "no process is left"
finish
