#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# Unit files, policies and modules are used only where nobody else can write: file, folder, and every folder above.
. "${top_srcdir:-.}/tests/integration/lib.sh"
[ -f "$top_builddir/.libs/tcp-probe.so" ] || skip_all "no module"

# Below $T each case has a tree of its own: CASE/above/units, CASE/above/policies, CASE/above/modules.
plant() {
	local d=$T/$1/above
	mkdir -p "$d/units" "$d/policies" "$d/modules"
	chmod 755 "$T/$1" "$d" "$d"/*
	printf '[Actor]\nRestart=temporary\n[Service]\nExecStart=/bin/sleep 100000 %s\n' "" >"$d/units/unit.actor"
	printf '[Policy]\nNoNewPrivileges=yes\n' >"$d/policies/own.policy"
	cp "$top_builddir/.libs/tcp-probe.so" "$d/modules/own.so"
	chmod 644 "$d"/*/*
}

# What keeps an instance busy besides: a unit that is always trusted, one with the policy, and one with the module.
printf '[Actor]\nRestart=temporary\n[Service]\nExecStart=/bin/sleep 100000\n' | unit good.actor
printf '[Actor]\nRestart=temporary\n[Service]\nExecStart=/bin/sleep 100000\n[Security]\nPolicy=own\n' | unit policy.actor
printf '[Actor]\nRestart=temporary\n[Native]\nModule=own.so\nArguments=target=good port=1\n' | unit module.actor

daemon_of() {
	: >"$T/daemon.log"
	"$top_builddir/airssysd" --foreground --runtime-dir="$T/run" --unit-path="$T/$1/above/units:$T/units" \
		--policy-path="$T/$1/above/policies" --module-path="$T/$1/above/modules" \
		--libexec-dir="$top_builddir" >>"$T/daemon.log" 2>&1 </dev/null &
	daemon=$!
	await "$LIMIT" 'is_ready || gone "$daemon"'
	is_ready || bail_out "airssysd is not ready"
}

# refuses CASE WHAT-RUNS WORDS: units that run, and a regex for the log or status of the one that does not.
check() {
	local name=$1 runs=$2 unit=$3 words=$4
	daemon_of "$name"
	happens "$name: the others run" "all_run $runs"
	isnt "$(property "$unit" State)" running "$name: $unit does not"
	like "$(cat "$T/daemon.log"; ctl status "$unit" 2>&1)" "$words" "$name: it is said why"
	stop_daemon
}
all_run() {
	local name
	for name; do is_running "$name" || return 1; done
}

plant sound
daemon_of sound
happens "what is sound is used" 'all_run unit good policy module'
stop_daemon

writable='(group|others).* may write'
for mode in 664 646; do
	plant "file-$mode"
	chmod "$mode" "$T/file-$mode/above/units/unit.actor"
	check "file-$mode" 'good policy module' unit "units/unit.actor: error U001: .*$writable.*chmod go-w"
	chmod 644 "$T/file-$mode/above/units/unit.actor"
	chmod "$mode" "$T/file-$mode/above/policies/own.policy"
	check "file-$mode" 'unit good module' policy "policies/own.policy: error O003: .*$writable.*chmod go-w"
	chmod 644 "$T/file-$mode/above/policies/own.policy"
	chmod "$mode" "$T/file-$mode/above/modules/own.so"
	check "file-$mode" 'unit good policy' module "own.so.*$writable"
done
for mode in 775 757; do
	plant "folder-$mode"
	chmod "$mode" "$T/folder-$mode/above/units"
	check "folder-$mode" 'good policy module' unit "above/units: error U002: .*$writable"
	chmod 755 "$T/folder-$mode/above/units"
	chmod "$mode" "$T/folder-$mode/above/policies"
	check "folder-$mode" 'unit good module' policy "above/policies: error O004: .*$writable"
	chmod 755 "$T/folder-$mode/above/policies"
	chmod "$mode" "$T/folder-$mode/above/modules"
	check "folder-$mode" 'unit good policy' module "above/modules.*$writable"
done
plant above
chmod 777 "$T/above/above"
check above good unit 'above/units: error U002: .*folder above it may be written by its group or others'
check above good policy 'above/policies: error O004: .*folder above it may be written by its group or others.*namei'
check above good module 'above/modules.*folder above it may be written by its group or others'

if [ "$(id -u)" = 0 ]; then
	plant foreign
	for what in units/unit.actor policies/own.policy modules/own.so; do chown 65534 "$T/foreign/above/$what"; done
	check foreign good unit 'units/unit.actor: error U001: .*belongs neither to root.*chown root'
	check foreign good policy 'policies/own.policy: error O003: .*belongs neither'
	check foreign good module 'own.so.*belongs neither'
	plant foreign-folder
	for what in units policies modules; do chown 65534 "$T/foreign-folder/above/$what"; done
	check foreign-folder good unit 'above/units: error U002: .*belongs neither'
	check foreign-folder good policy 'above/policies: error O004: .*belongs neither'
	check foreign-folder good module 'above/modules.*belongs neither'
	plant foreign-above
	chown 65534 "$T/foreign-above/above"
	check foreign-above good unit 'above/units: error U002: .*folder above it belongs neither'
	check foreign-above good policy 'above/policies: error O004: .*folder above it belongs neither'
	check foreign-above good module 'above/modules.*folder above it belongs neither'
fi
finish
