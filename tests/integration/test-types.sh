#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# When a service counts as started, by its type, and what its end means, by its restart condition.
. "${top_srcdir:-.}/tests/integration/lib.sh"
needs python3

# Sends to its notification socket: notify.py TEXT...
cat >"$T/notify.py" <<'EOF'
import os, socket, sys, time
path = os.environ["NOTIFY_SOCKET"]
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.connect("\0" + path[1:] if path[0] == "@" else path)
for text in sys.argv[2:]:
    while text.startswith("wait:") and not os.path.exists(text[5:]):
        time.sleep(0.02)
    if not text.startswith("wait:"):
        s.send(text.encode())
time.sleep(100000)
EOF
notify="/usr/bin/env python3 $T/notify.py $T"

unit notify.actor <<EOF
[Service]
Type=notify
ExecStart=$notify wait:$T/go "READY=1\\nSTATUS=serving 7 things" wait:$T/more "STATUS=serving 8 things"
EOF
unit after-notify.actor <<EOF
[Service]
Type=exec
ExecStart=/bin/sleep 100000
EOF
unit ordered.supervisor <<EOF
[Supervisor]
Strategy=rest-for-one
Children=notify after-notify
EOF
unit mute.actor <<EOF
[Actor]
Restart=temporary
[Service]
Type=notify
TimeoutStartSec=500ms
ExecStart=/bin/sh -c "while :; do sleep 0.1; done" $T/mute
EOF
unit forking.actor <<EOF
[Service]
Type=forking
PIDFile=$T/forking.pid
ExecStart=/bin/sh -c "sleep 100004 & echo \$\$! >$T/forking.pid"
EOF
touch "$T/tailed"
unit guessed.actor <<EOF
[Service]
Type=forking
ExecStart=/bin/sh -c "tail -f $T/tailed & echo \$\$! >$T/guessed.pid"
EOF
unit two.actor <<EOF
[Service]
Type=forking
ExecStart=/bin/sh -c "tail -f $T/tailed & tail -f $T/tailed &"
EOF
unit unguessed.actor <<EOF
[Service]
Type=forking
GuessMainPID=no
ExecStart=/bin/sh -c "tail -f $T/tailed &"
EOF
cat >"$T/signals.sh" <<'EOF'
for signal in TERM QUIT HUP; do
	trap "echo $signal >>$1; exit 0" $signal
done
touch "$2"
while :; do sleep 0.02; done
EOF
unit signals.actor <<EOF
[Service]
RestartKillSignal=SIGQUIT
ExecStart=/bin/sh $T/signals.sh $T/signals $T/trapped
EOF
unit oneshot.actor <<EOF
[Actor]
Restart=transient
[Service]
Type=oneshot
ExecStartPre=/bin/sh -c "echo pre >>$T/oneshot"
ExecStart=/bin/sh -c "echo one >>$T/oneshot"
ExecStart=/bin/sh -c "echo two >>$T/oneshot"
ExecStartPost=/bin/sh -c "echo post >>$T/oneshot"
EOF
unit remain.actor <<EOF
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/true
EOF
# One that is there when the files are read, and not when it is needed.
cp /bin/true "$T/no-such-program"
unit missing.actor <<EOF
[Actor]
Restart=temporary
[Service]
Type=exec
ExecStartPre=/bin/rm $T/no-such-program
ExecStart=$T/no-such-program
EOF
unit pre-fails.actor <<EOF
[Actor]
Restart=temporary
[Service]
ExecStartPre=/bin/false
ExecStart=/bin/sh -c "while :; do sleep 0.1; done" $T/pre-fails
EOF
unit pre-ignored.actor <<EOF
[Service]
ExecStartPre=-/bin/false
ExecStart=/bin/sleep 100006
EOF
unit fails-once.actor <<EOF
[Actor]
Restart=transient
[Service]
ExecStart=/bin/sh -c "echo run >>$T/fails-once; [ \$\$(wc -l <$T/fails-once) -gt 1 ]"
EOF
unit clean-exit.actor <<EOF
[Actor]
Restart=transient
[Service]
ExecStart=/bin/sh -c "echo run >>$T/clean-exit"
EOF
unit own-success.actor <<EOF
[Actor]
Restart=transient
[Service]
SuccessExitStatus=7
ExecStart=/bin/sh -c "echo run >>$T/own-success; exit 7"
EOF
# Restart= in systemd's words, each with the ends that it is restarted after: exit status 0, exit status 1, a signal.
for condition in always on-success on-failure on-abnormal on-abort no; do
	for how in "exit 0" "exit 1" "kill -ABRT \$\$\$\$"; do
		name=$condition-$(tr -cd '01AB' <<<"$how")
		cat >"$T/units/$name.actor" <<-EOF
			[Service]
			Restart=$condition
			RestartSec=1ms
			LimitCORE=0
			ExecStart=/bin/sh -c "echo >>$T/$name.runs; [ \$\$(wc -l <$T/$name.runs) -gt 1 ] && exec sleep 100000; $how" $T/
		EOF
	done
done
cat >"$T/expected" <<EOF
always 0 1 AB
on-success 0
on-failure 1 AB
on-abnormal AB
on-abort AB
no
EOF
unit prevented.actor <<EOF
[Service]
Restart=always
RestartPreventExitStatus=3 SIGUSR1
ExecStart=/bin/sh -c "echo >>$T/prevented.runs; exit 3"
EOF
unit forced.actor <<EOF
[Service]
Restart=no
RestartForceExitStatus=4
ExecStart=/bin/sh -c "echo >>$T/forced.runs; [ \$\$(wc -l <$T/forced.runs) -gt 1 ] && exec sleep 100000; exit 4" $T/
EOF
unit post-fails.actor <<EOF
[Actor]
Restart=temporary
[Service]
ExecStart=/bin/sh -c "while :; do sleep 0.1; done" $T/post-fails
ExecStartPost=/bin/false
EOF
unit slow-pre.actor <<EOF
[Actor]
Restart=temporary
[Service]
TimeoutStartSec=300ms
ExecStartPre=/bin/sh -c "while :; do sleep 0.1; done" $T/slow-pre
ExecStart=/bin/sleep 100000
EOF
unit forking-alone.actor <<EOF
[Service]
Type=forking
ExecStart=/bin/sh -c "sleep 100000 & :"
EOF
# Reports to its watchdog until it is told not to.
cat >"$T/watched.py" <<'EOF'
import os, socket, sys, time
path = os.environ["NOTIFY_SOCKET"]
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.connect("\0" + path[1:] if path[0] == "@" else path)
s.send(b"READY=1")
while True:
    if not os.path.exists(sys.argv[1]):
        s.send(b"WATCHDOG=1")
    time.sleep(0.05)
EOF
unit watched.actor <<EOF
[Actor]
Restart=permanent
[Service]
Type=notify
WatchdogSec=1s
ExecStart=/usr/bin/env python3 $T/watched.py $T/hang
EOF

launch_daemon
happens "the notify service starts" '[ "$(property notify State)" = starting ]'
is "$(property after-notify State)" stopped "what comes after it waits"
touch "$T/go"
await "$LIMIT" 'is_ready || gone "$daemon"'
happens "it is ready when it says so" 'is_running notify'
happens "and what comes after it starts" 'is_running after-notify'
is "$(property notify StatusText)" "serving 7 things" "its status text is shown"
touch "$T/more"
happens "a new status text is shown" '[ "$(property notify StatusText)" = "serving 8 things" ]'

happens "one that never says so is not ready in time" 'has_failed mute || [ "$(property mute State)" = stopped ]'
like "$(ctl status mute)" 'tim(e|ed) ?out|in time' "status says why"
is "$(pgrep -f "$T/mute")" "" "and it is gone"

is "$(pid_of forking)" "$(cat "$T/forking.pid")" "forking: the main process is the one in PIDFile="
pid=$(pid_of forking)
kill -KILL "$pid"
happens "forking: its end is noticed, and it is restarted" "has_new_pid forking $pid"
is "$(pid_of forking)" "$(cat "$T/forking.pid")" "forking: with the process that is in the file now"

is "$(pid_of guessed)" "$(cat "$T/guessed.pid")" "forking: without PIDFile= the one process that is left is the main process"
pid=$(pid_of guessed)
kill -KILL "$pid"
happens "forking: the end of a guessed one is noticed" "has_new_pid guessed $pid"
succeeds "forking: of two none is guessed, and they are the service" is_running two
is "$(pid_of two)" "" "forking: it has no main process"
succeeds "forking: with GuessMainPID=no the rest runs as well" is_running unguessed
is "$(pid_of unguessed)" "" "forking: and none is guessed"

happens "a service that tells its signals runs" '[ -e "$T/trapped" ]'
rm "$T/trapped"
ctl restart signals
is "$(cat "$T/signals")" QUIT "a restart sends RestartKillSignal="
happens "and starts it again" '[ -e "$T/trapped" ]'
ctl stop signals
is "$(tail -1 "$T/signals")" TERM "a stop sends KillSignal="

happens "oneshot: it is done" '[ "$(property oneshot State)" = stopped ]'
is "$(tr '\n' ' ' <"$T/oneshot")" "pre one two post " "oneshot: all commands ran once, in order"
is "$(property remain State)" exited "oneshot: RemainAfterExit= keeps it up"

happens "a program that does not exist any more: failed" 'has_failed missing'
like "$(ctl status missing)" 'No such file' "status says what is missing"
happens "a failing ExecStartPre=: failed" 'has_failed pre-fails'
is "$(pgrep -f "$T/pre-fails")" "" "and the service was not started"
succeeds "a failing ExecStartPre=- is ignored" is_running pre-ignored

happens "transient: one that fails is restarted" '[ "$(wc -l <"$T/fails-once")" = 2 ]'
is "$(wc -l <"$T/clean-exit")" 1 "transient: one that ends well is not"
is "$(wc -l <"$T/own-success")" 1 "transient: nor one with a status of SuccessExitStatus="

runs_of() {
	wc -l <"$T/$1.runs"
}
while read -r condition ends; do
	for how in 0 1 AB; do
		name=$condition-$how
		case " $ends " in
		*" $how "*) happens "Restart=$condition: restarted after an end with $how" '[ "$(runs_of "$name")" = 2 ] && is_running "$name"' ;;
		*) happens "Restart=$condition: not restarted after an end with $how" '[ "$(runs_of "$name")" = 1 ] && ! is_running "$name"' ;;
		esac
	done
done <"$T/expected"
is "$(runs_of prevented)" 1 "RestartPreventExitStatus="
happens "RestartForceExitStatus=" '[ "$(runs_of forced)" = 2 ] && is_running forced'
happens "a failing ExecStartPost=: failed" 'has_failed post-fails'
is "$(pgrep -f "$T/post-fails")" "" "and the service was ended"
happens "an ExecStartPre= that does not end: failed in its time" 'has_failed slow-pre'
is "$(pgrep -f "$T/slow-pre")" "" "and it is gone"
happens "forking without PIDFile=: it runs" 'is_running forking-alone'

happens "a watched service runs" 'is_running watched'
pid=$(pid_of watched)
touch "$T/hang"
happens "a service that misses its watchdog is restarted" "has_new_pid watched $pid"
rm "$T/hang"
like "$(ctl status watched)" '[Ww]atchdog' "status says that it was the watchdog"
stop_daemon
is "$daemon_status" 0 "SIGTERM ends airssysd with status 0"
is "$(leftovers)" "" "no process is left"
finish
