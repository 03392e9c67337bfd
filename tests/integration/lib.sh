# SPDX-License-Identifier: Apache-2.0 OR MIT
# shellcheck shell=bash
#
# What integration tests share: a private instance of airssysd from the build tree, and TAP.
#
#	. "$top_srcdir/tests/integration/lib.sh"
#	unit a.actor <<-EOF ... EOF
#	start_daemon
#	is "$(pid_of a)" "$before" "a was not restarted"
#	finish
#
# Everything a test makes lies under $T, whose name is unique. The test runs below a guard, which ends and tells what it
# leaves behind. Services are started with a path below $T among their arguments, so that "leftovers" finds them.
set -u
export LC_ALL=C
: "${top_srcdir:=$PWD}" "${top_builddir:=$PWD/build}"
guard=$top_builddir/tests/support/guarded
if [ -x "$guard" ] && [ -z "${AIRSSYS_TEST_GUARDED:-}" ]; then
	export AIRSSYS_TEST_GUARDED=yes
	exec "$guard" "$0" "$@"
fi
T=$(mktemp -d "${TMPDIR:-/tmp}/airssys-it.XXXXXX") || exit 99
chmod 755 "$T"
mkdir "$T/units" "$T/run" "$T/policies"
LIMIT=${AIRSSYS_TEST_LIMIT:-30} # seconds to wait for anything
tests=0
failed=0
daemon=

cleanup() {
	local status=$?
	trap - EXIT
	if [ -n "$daemon" ] && kill -0 "$daemon" 2>/dev/null; then
		kill -CONT "$daemon" 2>/dev/null
		kill -TERM "$daemon" 2>/dev/null
		await 10 'gone '"$daemon" || kill -KILL "$daemon" 2>/dev/null
	fi
	[ -z "${journal_pid:-}" ] || kill "$journal_pid" 2>/dev/null
	kill_leftovers
	# What is mounted below $T, in a namespace of our own.
	awk -v t="$T/" 'index($5, t) == 1 { print $5 }' /proc/self/mountinfo | xargs -r umount -l
	rm -rf "$T"
	exit "$status"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

# The processes whose command line names this test's folder.
leftovers() {
	# The name comes by standard input: grep is not to find itself.
	grep -alFf - /proc/[0-9]*/cmdline 2>/dev/null <<<"$T/" | sed 's,/proc/,,; s,/cmdline,,' | grep -vx "$$"
}

kill_leftovers() {
	local p children
	for p in $(leftovers); do
		children=$(cat /proc/"$p"/task/*/children 2>/dev/null)
		# shellcheck disable=SC2086
		kill -KILL "$p" $children 2>/dev/null
	done
}

# TAP.

ok() {
	tests=$((tests + 1))
	echo "ok $tests - $1"
}

not_ok() {
	tests=$((tests + 1))
	failed=$((failed + 1))
	echo "not ok $tests - $1"
	shift
	[ $# -eq 0 ] || printf '%s\n' "$@" | sed 's/^/# /'
}

# is GOT EXPECTED NAME
is() {
	if [ "$1" = "$2" ]; then ok "$3"; else not_ok "$3" "got:      $1" "expected: $2"; fi
}

# isnt GOT OTHER NAME
isnt() {
	if [ "$1" != "$2" ]; then ok "$3"; else not_ok "$3" "got: $1"; fi
}

# like GOT REGEX NAME
like() {
	if grep -qE -- "$2" <<<"$1"; then ok "$3"; else not_ok "$3" "got:    $1" "wanted: $2"; fi
}

unlike() {
	if grep -qE -- "$2" <<<"$1"; then not_ok "$3" "got:      $1" "unwanted: $2"; else ok "$3"; fi
}

# succeeds NAME COMMAND...
succeeds() {
	local name=$1 out
	shift
	if out=$("$@" 2>&1); then ok "$name"; else not_ok "$name" "$* ended with $?" "$out"; fi
}

# exits STATUS NAME COMMAND...
exits() {
	local wanted=$1 name=$2 out got=0
	shift 2
	out=$("$@" 2>&1) || got=$?
	if [ "$got" = "$wanted" ]; then ok "$name"; else not_ok "$name" "status $got, not $wanted" "$out"; fi
}

# happens NAME CONDITION: waits for it.
happens() {
	if await "$LIMIT" "$2"; then
		ok "$1"
	else
		not_ok "$1" "not within $LIMIT s: $2" "$(ctl tree 2>&1)" "$(tail -20 "$T/daemon.log" 2>/dev/null)"
	fi
}

skip_all() {
	echo "1..0 # SKIP $1"
	exit 0
}

# skip NAME REASON: one check that cannot be made here.
skip() {
	tests=$((tests + 1))
	echo "ok $tests - $1 # SKIP $2"
}

# needs PROGRAM...: without one of them the test is skipped, or fails where all that the suite needs is said to be there.
needs() {
	local program
	for program; do
		command -v "$program" >/dev/null && continue
		[ -z "${AIRSSYS_TEST_COMPLETE:-}" ] || bail_out "$program is not installed"
		skip_all "$program is not installed"
	done
}

# own_mounts "$@": runs the script again in a mount namespace of its own, with the argument "inside".
own_mounts() {
	[ "${1:-}" = inside ] && return
	unshare -m --propagation private true 2>/dev/null || skip_all "a mount namespace needs root"
	rm -rf "$T"
	exec unshare -m --propagation private "$0" inside
}

is_root() {
	[ "$(id -u)" = 0 ]
}

# Where a service without WorkingDirectory= is: a user's own instance begins in his home, if that is there.
own_folder() {
	local home
	home=$(getent passwd "$(id -u)" | cut -d: -f6)
	if ! is_root && [ -d "$home" ]; then
		echo "$home"
	else
		echo /
	fi
}

bail_out() {
	echo "Bail out! $1"
	sed 's/^/# /' "$T/daemon.log" 2>/dev/null
	exit 99
}

# Complaints that no test asks for.
complaints() {
	cat "$T"/daemon.log* 2>/dev/null | grep -E 'Sanitizer|runtime error:|assertion failed'
}

finish() {
	[ -z "$(complaints)" ] || not_ok "no program complains about itself" "$(complaints)"
	echo "1..$tests"
	[ "$failed" -eq 0 ] || sed 's/^/# /' "$T/daemon.log" 2>/dev/null | tail -60
	[ "$failed" -eq 0 ]
	exit
}

# await SECONDS CONDITION: evaluates the condition until it holds.
await() {
	local end=$((SECONDS + $1 + 1))
	until eval "$2"; do
		[ "$SECONDS" -lt "$end" ] || return 1
		sleep 0.02
	done
}

# The instance.

# staged GOAL FOLDER: make install or uninstall, one at a time, since it links in the folder of the build; and by itself:
# the job server of the make that runs the tests is not ours.
staged() {
	MAKEFLAGS='' MFLAGS='' flock "$top_builddir/tests" make -C "$top_builddir" "$1" DESTDIR="$2" 2>&1
}

# unit NAME < CONTENT
unit() {
	# Moved to its place, so that nobody reads half of it.
	cat >"$T/unit.new"
	mv "$T/unit.new" "$T/units/$1"
}

ctl() {
	timeout "$LIMIT" "$top_builddir/airssysctl" --runtime-dir="$T/run" "$@"
}

# Starts airssysd and waits until it says that the tree is up.
start_daemon() {
	launch_daemon "$@"
	await "$LIMIT" 'is_ready || gone "$daemon"'
	is_ready || bail_out "airssysd is not ready"
}

launch_daemon() {
	# Each start has a log of its own; the older ones are kept for diagnosis.
	[ ! -f "$T/daemon.log" ] || cat "$T/daemon.log" >>"$T/daemon.log.old"
	: >"$T/daemon.log" # Here and not by the child, so that nobody takes the old one for the new one.
	"$top_builddir/airssysd" --foreground --runtime-dir="$T/run" --unit-path="$T/units" \
		--policy-path="$T/policies:$top_srcdir/policies" --module-path="$top_builddir/.libs" \
		--libexec-dir="$top_builddir" "$@" >>"$T/daemon.log" 2>&1 </dev/null &
	daemon=$!
}

is_ready() {
	grep -q '^airssysd: ready:' "$T/daemon.log"
}

# Sends SIGTERM, waits, and leaves airssysd's exit status in $daemon_status.
stop_daemon() {
	kill -TERM "$daemon"
	await "$LIMIT" 'gone "$daemon"' || bail_out "airssysd does not stop"
	wait "$daemon" 2>/dev/null
	daemon_status=$?
	daemon=
}

# gone PID: it does not exist, or is a zombie of ours.
gone() {
	local state
	state=$(sed 's/.*) //; s/ .*//' "/proc/$1/stat" 2>/dev/null) || return 0
	[ -z "$state" ] || [ "$state" = Z ]
}

property() {
	ctl show "$1" -p "$2" 2>/dev/null | sed "s/^$2=//"
}

pid_of() {
	property "$1" PID
}

pids_of() {
	local name pids=
	for name; do pids="$pids $name=$(pid_of "$name")"; done
	echo "${pids# }"
}

core_pid() {
	pgrep -P "$daemon" -x airssys-core
}

is_running() {
	[ "$(property "$1" State)" = running ]
}

has_failed() {
	[ "$(property "$1" State)" = failed ]
}

# has_new_pid NAME OLD: it runs with another pid.
has_new_pid() {
	local pid
	pid=$(pid_of "$1")
	[ -n "$pid" ] && [ "$pid" != 0 ] && [ "$pid" != "$2" ] && is_running "$1"
}

# http PORT PATH: a web server on this machine answers well.
http() {
	timeout 5 bash -c 'exec 3<>"/dev/tcp/127.0.0.1/$1" && printf "GET %s HTTP/1.0\r\n\r\n" "$2" >&3 && grep -qa "^HTTP/1.[01] 200" <&3' \
		http "$1" "$2" 2>/dev/null
}

# A service that writes "start NAME" and "stop NAME" to $T/trace. It is up once it has written: it
# starts before what comes after it, and is not stopped before it can write.
tracer() {
	# Short sleeps: one that is born while the signal arrives may miss it, and would be waited for. Put in place whole:
	# another service may be reading it just now.
	cat >"$T/tracer.sh.new" <<-'EOF'
		trap 'echo "stop $2" >>"$1/trace"; exit 0' TERM
		echo "start $2" >>"$1/trace"
		: >"$1/traced.$$"
		while :; do sleep 1; done
	EOF
	mv "$T/tracer.sh.new" "$T/tracer.sh"
	echo "/bin/sh $T/tracer.sh $T $1"
}

# service NAME [LINE...]: an actor file for a tracer; lines are added to [Actor].
service() {
	local name=$1
	shift
	{
		echo '[Actor]'
		printf '%s\n' "Restart=permanent" "$@"
		echo '[Service]'
		echo "ExecStart=$(tracer "$name")"
		echo "ExecStartPost=/bin/sh -c 'until [ -e $T/traced.\$\$MAINPID ]; do sleep 0.01; done'"
	} | unit "$name.actor"
}

trace() {
	tr '\n' ' ' <"$T/trace" | sed 's/ $//'
}
