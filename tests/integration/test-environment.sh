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
Nice=5
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

start_daemon
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
is "$(found full nice)" 5 "Nice="
is "$(found full files)" 1234 "LimitNOFILE="
is "$(found full core)" 0 "LimitCORE="
is "$(found full privileges)" 1 "NoNewPrivileges="
happens "StandardOutput=file:" 'grep -q "^to standard output$" "$T/full.stdout"'
happens "StandardError=append:" '[ "$(cat "$T/full.stderr")" = "a line from before
to standard error" ]'

is "$(ls "/proc/$(pid_of plain)/fd" | tr '\n' ' ')" "0 1 2 " "no descriptor of the daemon is inherited"
is "$(found bare ignored)" "0000000000000000 blocked 0000000000000000" "no signal is ignored or blocked"
unlike "$(cat "$T/bare.out")" '^env (AIRSSYS|NOTIFY_SOCKET|LISTEN|CK_|top_)' "nothing of the daemon's environment is inherited"
like "$(cat "$T/bare.out")" '^env INVOCATION_ID=[0-9a-f]{32}$' "it has an invocation id"
like "$(cat "$T/bare.out")" '^env PATH=/' "and a PATH"
is "$(found bare folder)" "$([ "$(id -u)" = 0 ] && echo / || echo "$HOME")" "its folder is the root folder"
happens "its output is in the log" '[ "$(ctl logs bare | grep -c "to standard")" = 2 ]'

is "$(found template argument | tr '\n' ' ')" '[first] [template] [template@first.actor] [template@first] ' \
	"a template knows its instance"

if [ "$(id -u)" = 0 ]; then
	mkdir -m 777 "$T/open"
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
fi
stop_daemon
is "$daemon_status" 0 "SIGTERM ends airssysd with status 0"
finish
