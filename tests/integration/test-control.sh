#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# Clients of the control socket that send garbage, stall, or leave half way: nothing changes, nobody else waits.
. "${top_srcdir:-.}/tests/integration/lib.sh"
needs python3

service a
start_daemon
pid=$(pid_of a)
core=$(core_pid)
cat >"$T/client.py" <<'EOF'
import os, random, socket, struct, sys, time
path, what = sys.argv[1], sys.argv[2]

def connect():
    s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    s.settimeout(10)
    s.connect(path)
    return s

def authenticated():
    s = connect()
    s.send(b"\0AUTH EXTERNAL %s\r\nNEGOTIATE_UNIX_FD\r\nBEGIN\r\n" % str(os.getuid()).encode().hex().encode())
    s.recv(4096)
    return s

def until_closed(s):
    try:
        while s.recv(65536):
            pass
    except OSError:
        pass

random.seed(7)
if what == "garbage":
    for _ in range(200):
        s = connect()
        try:
            s.send(random.randbytes(random.randrange(1, 4000)))
        except OSError:
            pass
        s.close()
elif what == "garbage-after-greeting":
    for _ in range(100):
        s = authenticated()
        try:
            s.send(random.randbytes(random.randrange(1, 4000)))
        except OSError:
            pass
        s.close()
elif what == "huge":
    s = authenticated()
    # A method call that announces 120 MiB, and never sends them.
    s.send(struct.pack("<BBBBIII", ord("l"), 1, 0, 1, 120 << 20, 1, 64) + b"\0" * 100)
    open(sys.argv[3], "w").close()
    time.sleep(1000)
elif what == "stall":
    kept = [connect() for _ in range(60)]
    half = authenticated()
    half.send(b"l\1\0")
    open(sys.argv[3], "w").close()
    time.sleep(1000)
elif what == "leave":
    for i in range(200):
        s = authenticated()
        s.send(b"l\1\0\1" + b"\0" * (i % 12))
        s.close()
EOF
client() {
	timeout "$LIMIT" python3 "$T/client.py" "$T/run/control" "$@"
}
# answers NAME: airssysctl is served, soon, and nothing has happened to the service.
answers() {
	local before=$SECONDS
	exits 0 "$1: status is answered" ctl status a
	succeeds "$1: soon" test $((SECONDS - before)) -lt 5
	is "$(pid_of a)" "$pid" "$1: the service is not touched"
	is "$(core_pid)" "$core" "$1: nor the core"
}

client garbage
answers "garbage"
client garbage-after-greeting
answers "garbage behind the greeting"
client leave
answers "clients that leave half way"
client stall "$T/stalls" &
stalling=$!
happens "sixty clients stall" '[ -e "$T/stalls" ]'
answers "clients that stall"
client huge "$T/huge" &
huge=$!
happens "one announces far more than it sends" '[ -e "$T/huge" ]'
answers "a message that never ends"
kill "$stalling" "$huge"
wait "$stalling" "$huge" 2>/dev/null

# Nobody else's.
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
	other() {
		setpriv --reuid=65534 --regid=65534 --clear-groups \
			timeout "$LIMIT" "$top_builddir/airssysctl" --runtime-dir="$T/run" "$@"
	}
	chmod 777 "$T/run/control"
	before=$(pid_of a)
	exits 1 "a stranger may not stop a service" other stop a
	exits 1 "nor end the instance" other shutdown
	is "$(pid_of a)" "$before" "and nothing has happened"
fi
stop_daemon
is "$daemon_status" 0 "SIGTERM ends airssysd with status 0"
finish
