#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# What a service's process finds around it: environment, folders, identity, limits, output, and its command line.
. "${top_srcdir:-.}/tests/integration/lib.sh"

# Prints its surroundings to $T/NAME.out, then waits.
cat >"$T/look.sh" <<'EOF'
out=$1
shift
{
	for argument; do echo "argument [$argument]"; done
	echo "folder $(pwd)"
	echo "umask $(umask)"
	echo "files $(ulimit -n)"
	echo "core $(ulimit -c)"
	echo "nice $(cut -d' ' -f19 /proc/$$/stat)"
	echo "user $(id -u) $(id -g) $(id -G)"
	echo "privileges $(sed -n 's/^NoNewPrivs:\t//p' /proc/$$/status)"
	echo "ignored $(sed -n 's/^SigIgn:\t//p' /proc/$$/status) blocked $(sed -n 's/^SigBlk:\t//p' /proc/$$/status)"
	env | sort | sed 's/^/env /'
} >"$out.new" 2>&1
mv "$out.new" "$out"
echo "to standard output"
echo "to standard error" >&2
while :; do sleep 1; done
EOF
cat >"$T/more.env" <<'EOF'
# A comment
FROM_FILE=one
QUOTED="two words"
EOF
mkdir "$T/folder"

unit full.actor <<EOF
[Service]
ExecStart=/bin/sh $T/look.sh $T/full.out one "two words" 'three "quoted"' \$WORDS \${WORDS} a\\x20b %n 100%% \$\$HOME
Environment=PLAIN=1 "SPACED=a b" WORDS="x y"
EnvironmentFile=$T/more.env
EnvironmentFile=-$T/no-such.env
WorkingDirectory=$T/folder
UMask=0027
Nice=19
LimitNOFILE=1234
LimitCORE=0
NoNewPrivileges=yes
StandardOutput=file:$T/full.stdout
StandardError=append:$T/full.stderr
EOF
echo "a line from before" >"$T/full.stderr"
unit bare.actor <<EOF
[Service]
ExecStart=/bin/sh $T/look.sh $T/bare.out
EOF
# Where output goes: each unit prints a line to each of the two.
talk="/bin/sh -c \"echo out; echo err >&2; exec sleep 100000\" $T/"
for pair in "null null" "inherit inherit" "truncate:$T/truncated append:$T/truncated" "append:$T/both inherit" "journal null"; do
	read -r out err <<<"$pair"
	name=${out%%:*}
	printf '[Service]\nExecStart=%s\nStandardOutput=%s\nStandardError=%s\n' "$talk" "$out" "$err" | unit "to-$name.actor"
done
echo "much that was there before" >"$T/truncated"
echo before >"$T/both"
# Prefixes of command lines, and folders.
unit prefix.actor <<EOF
[Service]
Environment=WHAT=replaced
PassEnvironment=AIRSSYS_PASSED NOT_THERE
WorkingDirectory=-/no/such/folder
RuntimeDirectory=one one/two
ExecStartPre=-/bin/false
ExecStartPre=-/no/such/program
ExecStartPre=:/bin/sh -c 'echo "\$1" "\$2" >$T/colon' sh \$WHAT \${WHAT}
ExecStart=@/bin/sh the-name $T/look.sh $T/prefix.out \$WHAT
ExecStartPost=/bin/sh -c 'echo \$MAINPID >$T/post'
ExecStartPost=-/bin/false
EOF
unit home.actor <<EOF
[Service]
ExecStart=/bin/sh $T/look.sh $T/home.out
WorkingDirectory=~
EOF
unit plain.actor <<EOF
[Service]
ExecStart=/bin/sleep 100000
EOF
unit template@.actor <<EOF
[Service]
ExecStart=/bin/sh $T/look.sh $T/template.out %i %p %n %N
EOF
unit instances.supervisor <<EOF
[Supervisor]
Children=template@first
EOF

found() {
	sed -n "s/^$2 //p" "$T/$1.out"
}

export AIRSSYS_PASSED=passed
start_daemon
unset AIRSSYS_PASSED
happens "all have looked around" '[ -s "$T/full.out" ] && [ -s "$T/bare.out" ] && [ -s "$T/template.out" ]'
is "$(grep -c . <<<"$(found full argument)")" 10 "the command line is split into ten words"
is "$(found full argument | tr '\n' ' ')" \
	'[one] [two words] [three "quoted"] [x] [y] [x y] [a b] [full.actor] [100%] [$HOME] ' "as it is written"
is "$(found full 'env PLAIN=1' | wc -l)$(grep -c '^env PLAIN=1$' "$T/full.out")" 01 "Environment= is there"
like "$(cat "$T/full.out")" '^env SPACED=a b$' "with spaces"
like "$(cat "$T/full.out")" '^env FROM_FILE=one$' "EnvironmentFile= is there"
like "$(cat "$T/full.out")" '^env QUOTED=two words$' "with its quotes understood"
is "$(found full folder)" "$T/folder" "WorkingDirectory="
is "$(found full umask)" 0027 "UMask="
is "$(found full nice)" 19 "Nice="
is "$(found full files)" 1234 "LimitNOFILE="
is "$(found full core)" 0 "LimitCORE="
is "$(found full privileges)" 1 "NoNewPrivileges="
happens "StandardOutput=file:" 'grep -q "^to standard output$" "$T/full.stdout"'
happens "StandardError=append:" '[ "$(cat "$T/full.stderr")" = "a line from before
to standard error" ]'

# inherit as output is airssysd's own, as error that of the output.
happens "StandardOutput=inherit" 'grep -qx out "$T/daemon.log"'
happens "StandardError=inherit" '[ "$(cat "$T/both")" = "before
out
err" ]'
is "$(readlink "/proc/$(pid_of to-null)/fd/1") $(readlink "/proc/$(pid_of to-null)/fd/2")" "/dev/null /dev/null" "null"
is "$(readlink "/proc/$(pid_of plain)/fd/0")" /dev/null "standard input is empty"
happens "truncate: empties the file first" '[ "$(cat "$T/truncated")" = "out
err" ]'
happens "journal, where there is none: its log" '[ "$(cat "$T/run/log/to-journal.log")" = out ]'

happens "a service with prefixes runs" '[ -s "$T/prefix.out" ] && [ -s "$T/post" ]'
is "$(cat "$T/colon")" '$WHAT ${WHAT}' ": leaves variables alone"
is "$(tr '\0' ' ' <"/proc/$(pid_of prefix)/cmdline" | cut -d' ' -f1)" the-name "@ names the program"
is "$(found prefix argument)" "[replaced]" "without : they are replaced"
like "$(cat "$T/prefix.out")" '^env AIRSSYS_PASSED=passed$' "PassEnvironment="
unlike "$(cat "$T/prefix.out")" '^env NOT_THERE' "what is not there is not passed"
is "$(found prefix folder)" "$(found bare folder)" "a WorkingDirectory=- that is missing is none"
is "$(cat "$T/post")" "$(pid_of prefix)" "ExecStartPost= knows the main process"
succeeds "a failing ExecStartPost=- is ignored" is_running prefix
is "$(stat -c '%a %F' "$T/run/run/one/two")" "755 directory" "RuntimeDirectory= is made"
like "$(cat "$T/prefix.out")" "^env RUNTIME_DIRECTORY=$T/run/run/one:$T/run/run/one/two\$" "and named"
home=$(getent passwd "$(id -u)" | cut -d: -f6)
if [ -d "$home" ]; then
	happens "WorkingDirectory=~" '[ -e "$T/home.out" ] && [ "$(found home folder)" = "$home" ]'
else
	happens "WorkingDirectory=~ that is missing: failed" 'has_failed home'
	like "$(ctl status home)" "failed at: CHDIR: No such file or directory \\($home\\)" "at a step that is named"
fi

is "$(ls "/proc/$(pid_of plain)/fd" | tr '\n' ' ')" "0 1 2 " "no descriptor of the daemon is inherited"
is "$(found bare ignored)" "0000000000001000 blocked 0000000000000000" "no signal but SIGPIPE is ignored, and none blocked"
unlike "$(cat "$T/bare.out")" '^env (AIRSSYS|NOTIFY_SOCKET|LISTEN|CK_|top_)' "nothing of the daemon's environment is inherited"
like "$(cat "$T/bare.out")" '^env INVOCATION_ID=[0-9a-f]{32}$' "it has an invocation id"
like "$(cat "$T/bare.out")" '^env PATH=/' "and a PATH"
is "$(found bare folder)" "$(own_folder)" "its folder is the root folder, or its user's"
happens "its output is in the log" '[ "$(ctl logs bare | grep -c "to standard")" = 2 ]'

is "$(found template argument | tr '\n' ' ')" '[first] [template] [template@first.actor] [template@first] ' \
	"a template knows its instance"

if is_root; then
	mkdir -m 777 "$T/open"
	# By name, with groups, and what does not take the user.
	unit named.actor <<-EOF
		[Service]
		ExecStart=/bin/sh $T/look.sh $T/open/named.out
		ExecStartPre=!/bin/sh -c "id -u >$T/open/exclamation"
		ExecStartPre=/bin/sh -c "id -u >$T/open/plain"
		User=nobody
		SupplementaryGroups=daemon bin
		Nice=-5
		UMask=077
		StateDirectory=airssys-test-$$
	EOF
	unit group.actor <<-EOF
		[Service]
		ExecStart=/bin/sh $T/look.sh $T/open/group.out
		Group=daemon
	EOF
	unit nobody-knows.actor <<-EOF
		[Actor]
		Restart=temporary
		[Service]
		ExecStart=/bin/sleep 100000
		User=no-such-user
	EOF
	unit other.actor <<-EOF
		[Service]
		ExecStart=/bin/sh $T/look.sh $T/open/other.out
		ExecStartPre=+/bin/sh -c "id -u >$T/open/pre"
		User=65534
		Group=65534
		WorkingDirectory=$T/open
	EOF
	exits 0 "a unit is added" ctl daemon-reload
	happens "it runs as another user" '[ -s "$T/open/other.out" ]'
	is "$(sed -n 's/^user //p' "$T/open/other.out")" "65534 65534 65534" "with no group of root's"
	is "$(cat "$T/open/pre")" 0 "a command with + runs as root"
	like "$(sed -n 's/^env USER=//p' "$T/open/other.out")" . "USER is set"
	happens "others run, too" '[ -s "$T/open/named.out" ] && [ -s "$T/open/group.out" ]'
	group=$(id -g nobody)
	is "$(sed -n 's/^user //p' "$T/open/named.out" | xargs -n1 | sort -n | xargs)" \
		"$(printf '%s\n' "$(id -u nobody)" "$group" "$group" "$(getent group daemon | cut -d: -f3)" \
			"$(getent group bin | cut -d: -f3)" | sort -n | xargs)" "User= by name with SupplementaryGroups="
	is "$(sed -n 's/^env USER=//p; s/^env LOGNAME=//p; s/^env HOME=//p' "$T/open/named.out" | sort | xargs)" \
		"$(echo nobody nobody "$(getent passwd nobody | cut -d: -f6)" | xargs -n1 | sort | xargs)" \
		"with name and home of the user"
	is "$(cat "$T/open/plain" "$T/open/exclamation" | xargs)" "$(id -u nobody) 0" "a command with ! runs without User="
	is "$(sed -n 's/^umask //p; s/^nice //p' "$T/open/named.out" | xargs)" "0077 -5" "root may give a better Nice="
	is "$(stat -c '%U %a' "/var/lib/airssys-test-$$")" "nobody 755" "StateDirectory= belongs to the user"
	rmdir "/var/lib/airssys-test-$$"
	is "$(sed -n 's/^user //p' "$T/open/group.out" | cut -d' ' -f1,2)" "0 $(getent group daemon | cut -d: -f3)" "Group= alone"
	happens "an unknown user: failed" 'has_failed nobody-knows'
	like "$(ctl status nobody-knows)" 'failed at: USER: .*no-such-user' "at a step that is named"
else
	skip "User=, Group=, and a better Nice=" "needs root"
fi
stop_daemon
is "$daemon_status" 0 "SIGTERM ends airssysd with status 0"
finish
