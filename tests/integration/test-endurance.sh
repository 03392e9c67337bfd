#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# Whatever happens to it again and again leaves nothing behind: descriptors, threads and memory of both processes come
# back to what they were. AIRSSYS_ROUNDS asks for a longer run.
. "${top_srcdir:-.}/tests/integration/lib.sh"

for name in a b c; do service "$name"; done
unit group.supervisor <<EOT
[Supervisor]
Strategy=one-for-all
Intensity=100000
Children=a b c
EOT
unit oneshot.actor <<EOT
[Actor]
Restart=temporary
[Service]
Type=oneshot
ExecStart=/bin/true $T/
EOT
unit broken.actor <<EOT
[Service]
ExecStrat=/bin/true
EOT

fds_of() {
	find "/proc/$1/fd" -mindepth 1 2>/dev/null | wc -l
}
threads_of() {
	find "/proc/$1/task" -mindepth 1 -maxdepth 1 | wc -l
}
kilobytes_of() {
	awk '/^RssAnon:/ { print $2 }' "/proc/$1/status"
}
# is_quiet CORE-FDS KEEPER-FDS
is_quiet() {
	[ "$(fds_of "$core")" = "$1" ] && [ "$(fds_of "$daemon")" = "$2" ]
}

# What clients do that mean no good, or nothing.
knock() {
	python3 - "$T/run/control" <<-'EOT'
		import os, socket, sys
		for what in (b"garbage\n", b"\0AUTH EXTERNAL 30\r\n", b"\0AUTH EXTERNAL 30\r\nBEGIN\r\nl\1\0\1\xff\xff\xff\x07",
		             os.urandom(4096), b""):
		    s = socket.socket(socket.AF_UNIX)
		    s.connect(sys.argv[1])
		    try:
		        s.send(what)
		    except OSError:
		        pass
		    s.close()
	EOT
}

round() {
	local pid
	pid=$(pid_of b)
	kill -KILL "$pid" 2>/dev/null
	ctl status a b c >/dev/null
	ctl restart a >/dev/null
	ctl start oneshot >/dev/null
	ctl stop group >/dev/null 2>&1 &
	ctl start c >/dev/null 2>&1 # One of the two is overruled by the other.
	wait $!
	ctl daemon-reload >/dev/null 2>&1
	ctl start group >/dev/null
	ctl list >/dev/null
	command -v python3 >/dev/null && knock
}

start_daemon
for _ in 1 2 3 4 5; do round; done
await "$LIMIT" 'is_running a && is_running b && is_running c'
core=$(core_pid)
sleep 0.5 # Nobody says when the last connection is closed.
core_fds=$(fds_of "$core")
daemon_fds=$(fds_of "$daemon")
core_threads=$(threads_of "$core")
core_before=$(kilobytes_of "$core")
daemon_before=$(kilobytes_of "$daemon")
ROUNDS=${AIRSSYS_ROUNDS:-12}
for ((i = 0; i < ROUNDS; i++)); do round; done
await "$LIMIT" 'is_running a && is_running b && is_running c'
is "$(core_pid)" "$core" "the core is the same after $ROUNDS rounds"
happens "descriptors are as many as before: $core_fds in the core, $daemon_fds in the keeper" \
	"is_quiet $core_fds $daemon_fds"
is "$(threads_of "$core")" "$core_threads" "so are the core's threads"
core_after=$(kilobytes_of "$core")
daemon_after=$(kilobytes_of "$daemon")
echo "# core: $core_before KiB before, $core_after KiB after; keeper: $daemon_before KiB, $daemon_after KiB"
# A page or two may be touched for the first time at any moment; what leaks does so with the rounds. Sanitizers keep
# freed memory for a while.
if ! grep -qaE '__(asan|tsan)_init' "$top_builddir/airssys-core"; then
	succeeds "the core has not grown" test "$core_after" -le $((core_before + 256 + ROUNDS))
	succeeds "the keeper has not grown" test "$daemon_after" -le $((daemon_before + 256 + ROUNDS))
fi

stop_daemon
is "$daemon_status" 0 "SIGTERM ends airssysd with status 0"
is "$(leftovers)" "" "nothing is left"
finish
