#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# Completion in bash, as bash calls it: with the words of the line and the one at the cursor.
. "${top_srcdir:-.}/tests/integration/lib.sh"
. "$top_srcdir/contrib/completion/airssysctl.bash"

# complete_at WORD...: what is offered for the last word, in one line.
offered() {
	COMP_WORDS=("$top_builddir/airssysctl" "$@")
	COMP_CWORD=$#
	COMPREPLY=()
	_airssysctl 2>"$T/errors"
	cat "$T/errors"
	echo "${COMPREPLY[*]}"
}

service db
service "web@1"
unit once.actor <<EOF
[Actor]
Restart=temporary
[Service]
ExecStart=/bin/false
EOF
like "$(complete -p airssysctl)" '-F _airssysctl airssysctl' "it is registered"
is "$(offered st)" "status start stop" "commands"
is "$(offered --json tr)" "tree" "commands behind an option"
is "$(offered help dae)" "daemon-reload" "help takes commands"
is "$(offered logs --f)" "--follow" "options of the command"
is "$(offered list --f)" "" "and not those of others"
is "$(offered --ru)" "--runtime-dir=" "options of all commands"
is "$(offered --color = al)" "always" "values of options"
is "$(offered list --state = '')" "stopped starting running reloading stopping backoff failed exited" "an empty value"
is "$(offered list --state =)" "stopped starting running reloading stopping backoff failed exited" "right behind the sign"
is "$(offered kill db --whom m)" "main" "values that stand apart"
is "$(offered kill db -s K)" "KILL" "values of short options"
is "$(offered --runtime-dir = "$T/un")" "$T/units" "folders"
is "$(offered verify "$T/units/d")" "$T/units/db.actor" "files"
is "$(offered --runtime-dir = "$T/run" status '')" "" "without an instance no names"
start_daemon
happens "one has failed" 'has_failed once'
is "$(offered --runtime-dir = "$T/run" status '')" "db once web@1" "names of units"
is "$(offered status --runtime-dir "$T/run" db w)" "web@1" "wherever the instance is named"
is "$(offered --socket = "$T/run/control" logs -f d)" "db" "or by its socket"
is "$(offered --runtime-dir = "$T/run" start '')" "once" "start offers what does not run"
is "$(offered --runtime-dir = "$T/run" tree '')" "" "tree takes no names"
finish
