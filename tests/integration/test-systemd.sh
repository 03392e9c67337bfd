#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
#
# airssysd as a service of a real systemd, which is process 1 of namespaces of its own.
#
# Outside, this script installs the build over a throw-away overlay of the machine's root file system, which is only
# read, and starts systemd in it with nothing but a journal and a bus. There the script runs once more, as a service with
# the argument "inside", and makes the checks; what it prints there is the result of the test.
#
# The only thing that is made on the machine beside $T is one cgroup folder, removed at the end.
. "${top_srcdir:-.}/tests/integration/lib.sh"

BOOT_LIMIT=240

# Makes the root file system of the inside in $1, from $T/installed and the machine's. Runs in namespaces of its own.
make_root() {
	local root=$1 p
	mkdir "$root" "$T/top"
	mount -t tmpfs -o mode=755 top "$T/top"
	cp -a "$T/installed" "$T/top/upper"
	mkdir "$T/top/work"
	mount -t overlay -o "lowerdir=/,upperdir=$T/top/upper,workdir=$T/top/work" root "$root"
	mount -t proc -o nosuid,nodev,noexec proc "$root/proc"
	# What lies there is the machine's, and systemd would set it as it sees fit.
	for p in sys sysrq-trigger irq bus fs; do
		[ -e "$root/proc/$p" ] || continue
		mount --bind "$root/proc/$p" "$root/proc/$p"
		mount -o remount,bind,ro "$root/proc/$p"
	done
	mount -t sysfs -o ro sysfs "$root/sys"
	mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
	mount -t tmpfs -o mode=755 run "$root/run"
	mount -t tmpfs -o mode=1777 tmp "$root/tmp"
	mount -t tmpfs -o mode=755 dev "$root/dev"
	for p in null zero full random urandom tty; do
		: >"$root/dev/$p"
		mount --bind "/dev/$p" "$root/dev/$p"
	done
	mkdir "$root/dev/shm" "$root/dev/pts"
	: >"$root/dev/console"
	ln -s /proc/self/fd "$root/dev/fd"
	# None of the machine's services.
	for p in /etc/systemd/system /etc/systemd/journald.conf.d /lib/systemd/system-generators \
		"$root"/lib/systemd/system/*.wants; do
		p=$root/${p#"$root"}
		mkdir -p "$p"
		mount -t tmpfs -o mode=755 empty "$p"
	done
	printf '[Journal]\nStorage=volatile\nAudit=no\nReadKMsg=no\nForwardToWall=no\n' \
		>"$root/etc/systemd/journald.conf.d/test.conf"
	mkdir "$root/run/result"
	mount --bind "$T/result" "$root/run/result"
	cat >"$root/etc/systemd/system/inside.service" <<-END
		[Unit]
		Requires=sysinit.target systemd-journald.service dbus.socket
		After=sysinit.target systemd-journald.service dbus.socket
		[Service]
		Environment=top_srcdir=/usr/lib/airssys-test AIRSSYS_TEST_LIMIT=$LIMIT
		ExecStart=/bin/bash /usr/lib/airssys-test/tests/integration/test-systemd.sh inside
		ExecStopPost=/bin/systemctl exit --force --force
		StandardOutput=append:/run/result/output
		StandardError=append:/run/result/output
	END
}

# Process 1 of the namespaces.
boot() {
	set -e
	trap - EXIT
	make_root "$T/root"
	cd "$T/root"
	mkdir old-root
	pivot_root . old-root
	umount -l /old-root
	exec env -i container=test PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd \
		--log-target=console --show-status=0 --unit=inside.service
}

own_cgroup() {
	local base
	for base in /sys/fs/cgroup/unified /sys/fs/cgroup; do
		[ -e "$base/cgroup.procs" ] && [ ! -e "$base/tasks" ] || continue
		cgroup=$base/airssys-test.$$
		mkdir "$cgroup" 2>/dev/null && return
	done
	cgroup=
	skip_all "no folder can be made in the cgroup v2 tree"
}

remove_cgroup() {
	[ -n "${cgroup:-}" ] || return
	echo 1 >"$cgroup/cgroup.kill" 2>/dev/null
	await 10 '! grep -q "populated 1" "$cgroup/cgroup.events"'
	find "$cgroup" -depth -type d -exec rmdir {} +
}

outside() {
	local program output why
	[ "$(id -u)" = 0 ] || skip_all "needs root"
	for program in /lib/systemd/systemd /lib/systemd/systemd-journald unshare systemctl journalctl dbus-daemon; do
		command -v "$program" >/dev/null || skip_all "$program is not installed"
	done
	why=$(unshare --fork --pid --mount --uts --ipc --net --cgroup --propagation private \
		mount -t tmpfs none "$T/run" 2>&1) || skip_all "private namespaces are refused: $why"
	mkdir "$T/installed" "$T/result"
	output=$(staged install "$T/installed") ||
		bail_out "make install: $(grep -m5 -B3 -i error <<<"$output")"
	[ -e "$T/installed/usr/sbin/airssysd" ] || skip_all "the build is not configured with --prefix=/usr"
	mkdir -p "$T/installed/usr/lib/airssys-test/tests/integration"
	cp "$top_srcdir/tests/integration/lib.sh" "$top_srcdir/tests/integration/test-systemd.sh" \
		"$T/installed/usr/lib/airssys-test/tests/integration/"
	own_cgroup
	trap 'remove_cgroup; cleanup' EXIT
	export T BOOT_LIMIT LIMIT
	export -f boot make_root
	(
		echo "$BASHPID" >"$cgroup/cgroup.procs"
		exec timeout -k 5 "$BOOT_LIMIT" unshare --fork --pid --kill-child --mount --uts --ipc --net \
			--cgroup --propagation private bash -c boot
	) >"$T/console" 2>&1 </dev/null
	if ! grep -qE '^(1\.\.[0-9]|Bail out)' "$T/result/output" 2>/dev/null; then
		cat "$T/result/output"
		sed 's/^/# /' "$T/console" | tail -40
		echo "Bail out! the checks did not come to their end"
		exit 99
	fi
	cat "$T/result/output"
	! grep -qE '^(not ok|Bail out)' "$T/result/output"
}

# What follows runs inside.

main_pid() {
	systemctl show -p MainPID --value airssysd
}

ctl() {
	timeout "$LIMIT" airssysctl "$@"
}

core_pid() {
	pgrep -P "$(main_pid)" -x airssys-core
}

is_active() {
	[ "$(systemctl is-active airssysd)" = active ]
}

# restarted OLD: another airssysd is ready.
restarted() {
	local pid
	pid=$(main_pid)
	[ "$pid" != 0 ] && [ "$pid" != "$1" ] && is_active && is_running a && is_running b
}

tree_files() {
	mkdir -p /run/airssys/units
	rm -rf "$T/units"
	ln -s /run/airssys/units "$T/units"
	service a
	service b
	unit group.supervisor <<-END
		[Supervisor]
		Strategy=rest-for-one
		Intensity=100
		Children=a b talker
	END
	unit talker.actor <<-END
		[Actor]
		Restart=transient
		[Service]
		Type=oneshot
		RemainAfterExit=yes
		ExecStart=/bin/sh -c 'echo said by the talker; echo a complaint >&2'
	END
}

# journal MATCH...: JSON lines.
journal() {
	journalctl --sync
	journalctl -o json --no-pager --all "$@"
}

# record EVENT UNIT: the last such record of the life of a unit.
record() {
	journal AIRSSYS_EVENT="$1" AIRSSYS_UNIT="$2" | tail -1
}

install_it() {
	local verified
	verified=$(systemd-analyze verify airssysd.service 2>&1)
	is "$verified" "" "systemd-analyze verify has nothing to say about airssysd.service"
	succeeds "sysusers reads its file" systemd-sysusers airssys.conf
	succeeds "sysusers makes the user airssys" getent passwd airssys
	succeeds "tmpfiles makes the folders" systemd-tmpfiles --create airssys.conf
	succeeds "/run/airssys/units is there" test -d /run/airssys/units
}

check_start() {
	succeeds "systemctl start airssysd succeeds" systemctl start airssysd
	is "$(systemctl show -p ActiveState,SubState --value airssysd | paste -sd' ')" "active running" \
		"it is active: readiness was told"
	like "$(systemctl show -p StatusText --value airssysd)" . "it tells its status in words"
	happens "the services of the tree run" 'is_running a && is_running b'
	happens "and the one-shot has done its work" '[ "$(property talker State)" = exited ]'
	is "$(ps -o user= -p "$(core_pid)")" airssys "the core runs as the user airssys"
	is "$(grep CapPrm "/proc/$(core_pid)/status" | cut -f2)" 0000000000000000 "with no capability"
	like "$(cat "/proc/$(pid_of a)/cgroup")" '^0::/system.slice/airssysd.service/.' \
		"services have cgroups below that of airssysd.service"
	isnt "$(grep ^0: "/proc/$(pid_of a)/cgroup")" "$(grep ^0: "/proc/$(pid_of b)/cgroup")" "each its own"
	# With controllers handed down, no systemd before 254 could start the next one here while services live.
	is "$(grep ^0: "/proc/$(systemctl show -p MainPID --value airssysd)/cgroup")" "0::/system.slice/airssysd.service" \
		"airssysd stays where systemd starts the next one"
}

check_journal() {
	local json pid
	happens "the readiness of a service is in the journal" '[ -n "$(record service-ready b)" ]'
	json=$(record service-ready a)
	like "$json" '"MESSAGE_ID":"[0-9a-f]{32}"' "a record of the life of a unit has a MESSAGE_ID"
	like "$json" "\"AIRSSYS_PID\":\"$(pid_of a)\"" "and the service's pid"
	like "$json" '"SYSLOG_IDENTIFIER":"airssys"' "and says who speaks"
	json=$(journal _TRANSPORT=stdout SYSLOG_IDENTIFIER=talker)
	like "$json" '"MESSAGE":"said by the talker"' "what a service prints is in the journal under its name"
	like "$json" '"MESSAGE":"a complaint"' "what it prints as errors, too"
	like "$(ctl logs talker)" 'said by the talker' "airssysctl logs reads the journal"
	like "$(ctl logs a)" 'a .*(ready|running|started)' "and finds the records about a unit"
	pid=$(pid_of b)
	kill -KILL "$pid"
	happens "a killed service is restarted" "has_new_pid b $pid"
	happens "its end is recorded" '[ -n "$(record service-failed b)" ]'
	like "$(record service-failed b)" 'SIGKILL' "with its reason"
}

check_crash() {
	local old before core status=0
	before=$(pids_of a b)
	old=$(main_pid)
	systemctl kill -s KILL --kill-who=main airssysd
	happens "airssysd is restarted when it was killed" "restarted $old"
	is "$(pids_of a b)" "$before" "the services keep their pids"
	happens "the journal says that they were taken over" '[ -n "$(record service-adopted a)" ]'
	for _ in 1 2 3 4 5 6 7; do
		old=$(main_pid)
		systemctl kill -s KILL --kill-who=main airssysd
		await "$LIMIT" "restarted $old" || status=1
	done
	is "$status" 0 "and is so however often it is killed in a short time"
	is "$(pids_of a b)" "$before" "the services keep their pids all the time"
	is "$(grep -c 'start a' "$T/trace")" 1 "nothing was started twice"

	old=$(main_pid)
	kill -STOP "$old"
	happens "the watchdog ends an airssysd that hangs, and systemd starts another" "restarted $old"
	is "$(systemctl show -p NRestarts --value airssysd)" 9 "each restart was one"
	is "$(pids_of a b)" "$before" "the services keep their pids when the watchdog acts"
	old=$(main_pid)
	core=$(core_pid)
	kill -STOP "$core"
	happens "the core is replaced when it hangs" 'gone "$core" && is_running a && is_running b'
	is "$(main_pid) $(pids_of a b)" "$old $before" "without a restart of airssysd or of a service"
}

check_reload() {
	service c
	sed -i 's/^Children=.*/Children=a b talker c/' /run/airssys/units/group.supervisor
	succeeds "systemctl reload succeeds" systemctl reload airssysd
	happens "it loads what is new" 'ctl show c >/dev/null 2>&1'
	happens "it is active again after the reload" is_active
}

check_stop() {
	: >"$T/trace"
	ctl start c >/dev/null 2>&1
	happens "c runs" 'is_running c'
	: >"$T/trace"
	succeeds "systemctl stop succeeds" systemctl stop airssysd
	is "$(systemctl show -p ActiveState,Result --value airssysd | sort | paste -sd' ')" "inactive success" \
		"it ended well"
	is "$(trace)" "stop c stop b stop a" "the tree was stopped in order"
	is "$(find /sys/fs/cgroup/system.slice/airssysd.service -type d 2>/dev/null)" "" "no cgroup is left"
}

# The exit status of a wrong command line is not tried again; any other end is.
check_prevented() {
	printf '[Service]\nExecStart=\nExecStart=/usr/sbin/airssysd --no-such-option\n' \
		>/etc/systemd/system/airssysd.service.d/wrong.conf
	systemctl daemon-reload
	exits 1 "with a wrong option it does not start" systemctl start airssysd
	is "$(systemctl show -p ActiveState,ExecMainStatus,NRestarts --value airssysd | sort | paste -sd' ')" "0 2 failed" \
		"with status 2, and is not started again"
	rm /etc/systemd/system/airssysd.service.d/wrong.conf
	systemctl daemon-reload
	systemctl reset-failed airssysd
}

inside() {
	install_it
	tree_files
	mkdir -p /etc/systemd/system/airssysd.service.d
	printf '[Service]\nWatchdogSec=3s\n' >/etc/systemd/system/airssysd.service.d/test.conf
	systemctl daemon-reload
	check_start
	check_journal
	check_crash
	check_reload
	check_stop
	check_prevented
	journalctl -u airssysd --no-pager -o cat >"$T/daemon.log" 2>&1
	finish
}

case ${1:-outside} in
inside) inside ;;
*) outside ;;
esac
