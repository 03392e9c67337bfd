#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# Services that do all they can to escape, to flood or to lie, and clients that talk nonsense.
. "${top_srcdir:-.}/tests/integration/lib.sh"
needs python3

script() {
	cat >"$T/$1"
	chmod 755 "$T/$1"
}

# What still runs of a service, by the name of its script.
rest_of() {
	leftovers | while read -r p; do
		tr '\0' ' ' <"/proc/$p/cmdline" 2>/dev/null | grep -qF "$T/$1" && echo "$p"
	done
}

# Leaves its parent and its session, ignores SIGTERM, and so do its children.
script escape.sh <<-'END'
	#!/bin/bash
	trap '' TERM
	if [ "${1:-}" != child ]; then
		for _ in 1 2 3; do (setsid bash "$0" child &); done
	fi
	echo >>"$0.up"
	while :; do sleep 0.1; done
END
# Its child is another one all the time, each in a session of its own; there are never more than a few.
script breed.sh <<-'END'
	#!/bin/bash
	trap '' TERM
	sleep 0.05
	setsid bash "$0" next &
	[ "${1:-}" = next ] || sleep 100000
END
script flood.sh <<-'END'
	#!/bin/sh
	head -c 20000000 /dev/zero | tr '\0' 'x'
	sleep 100000
END
script liar.py <<-'END'
	import os, socket, sys, time
	s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
	s.connect(os.environ["NOTIFY_SOCKET"])
	for m in (b"", b"\0" * 100, b"\xff\xfe=1\n", b"=", b"MAINPID=", b"MAINPID=1", b"MAINPID=-1",
	          b"MAINPID=99999999999999999999", b"MAINPID=%d" % int(sys.argv[1]), b"READY=0", b"X" * 60000,
	          b"STATUS=" + b"\x1b[31m\xff" * 100, b"WATCHDOG=trigger\nWATCHDOG_USEC=x", b"FDSTORE=1"):
	    try:
	        s.send(m)
	    except OSError:
	        pass
	s.send(b"READY=1\nSTATUS=honest")
	time.sleep(100000)
END

unit escape.actor <<EOF
[Actor]
Restart=permanent
[Service]
ExecStart=$T/escape.sh
TimeoutStopSec=300ms
EOF
unit breed.actor <<EOF
[Actor]
Restart=temporary
[Service]
ExecStart=$T/breed.sh
TimeoutStopSec=300ms
EOF
unit flood.actor <<EOF
[Actor]
Restart=permanent
[Service]
ExecStart=$T/flood.sh
EOF
unit liar.actor <<EOF
[Actor]
Restart=permanent
[Service]
Type=notify
NotifyAccess=all
ExecStart=/usr/bin/python3 $T/liar.py $$
EOF
unit never.actor <<EOF
[Actor]
Restart=temporary
[Service]
Type=notify
TimeoutStartSec=300ms
ExecStart=/bin/sleep 10000
EOF
unit futile.supervisor <<EOF
[Supervisor]
Intensity=5
Period=60s
Children=instant
EOF
unit instant.actor <<EOF
[Actor]
Restart=permanent
[Service]
ExecStart=/bin/false
EOF
service good

start_daemon
good=$(pid_of good)
happens "the liar is ready in the end" 'is_running liar && [ "$(property liar StatusText)" = honest ]'
isnt "$(pid_of liar)" "$$" "it cannot claim somebody else's process"
succeeds "and that process lives" kill -0 $$
happens "what is never ready fails after its time" 'has_failed never'
happens "what ends at once is given up" 'has_failed futile'
# Five restarts in each of the six lives of its supervisor, which the root gave up in the same way; and it was restarted
# with its supervisor.
is "$(property instant Restarts) $(property futile Restarts)" "35 5" "after exactly as many restarts as it is allowed"

happens "the one that escapes is up with its children" '[ "$(wc -l <"$T/escape.sh.up")" -ge 4 ]'
exits 0 "stop of what ignores SIGTERM and has left its session succeeds" ctl stop escape
is "$(rest_of escape.sh)" "" "nothing of it is left"
exits 0 "stop of what forks all the time succeeds" ctl stop breed
is "$(rest_of breed.sh)" "" "nothing of it is left"
flood=$(pid_of flood)
exits 0 "who floods the log can be stopped" ctl stop flood
is "$(gone "$flood" && echo gone)" gone "and is gone"

# Clients that talk nonsense while others work.
python3 - "$T/run/control" <<'END' &
import os, random, socket, sys, time
random.seed(7)
held = []
for i in range(200):
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(2)
    try:
        s.connect(sys.argv[1])
        kind = i % 5
        if kind == 0:
            s.send(os.urandom(300))
        elif kind == 1:
            s.send(b"\0AUTH EXTERNAL\r\nNEGOTIATE_UNIX_FD\r\nBEGIN\r\n" + os.urandom(400))
        elif kind == 2:
            s.send(b"\0AUTH EXTERNAL 30\r\n")
            s.shutdown(socket.SHUT_WR)
        elif kind == 3:
            held.append(s)
            continue
        else:
            s.send(b"\0" + b"A" * 20000)
    except OSError:
        pass
    held.append(s) if i % 2 else s.close()
time.sleep(3)
END
noise=$!
bad=0
for _ in 1 2 3 4 5 6 7 8 9 10; do
	[ "$(pid_of good)" = "$good" ] || bad=$((bad + 1))
done
is "$bad" 0 "clients that talk nonsense do not keep others from being served"
kill "$noise" 2>/dev/null
wait "$noise" 2>/dev/null
is "$(pid_of good)" "$good" "the good one was never touched"

# A core that hangs does not keep airssysd from anything but the tree.
core=$(core_pid)
kill -STOP "$core"
kill -KILL "$core"
happens "a core that was stopped and killed is replaced" '[ -n "$(core_pid)" ] && [ "$(core_pid)" != "$core" ] && is_running good'
is "$(pid_of good)" "$good" "and its services live on"

ctl start escape breed >/dev/null 2>&1
happens "the wild ones run again" 'is_running escape'
stop_daemon
is "$daemon_status" 0 "all of it stops"
is "$(leftovers)" "" "no process is left"
finish
