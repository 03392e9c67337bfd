#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# Actor modules that are not to be trusted or are of no use: each is refused with a reason, and the rest of the tree runs.
. "${top_srcdir:-.}/tests/integration/lib.sh"

built=$top_builddir/tests/unit/host/.libs
if [ ! -e "$built/mod-good.so" ]; then
	make -C "$top_builddir" tests/unit/host/mod-{good,abi,magic,constructor,undefined}.la >"$T/make.log" 2>&1 ||
		bail_out "the modules cannot be built: $(tail -3 "$T/make.log")"
fi
mkdir "$T/modules"
install -m 644 "$built"/mod-{good,abi,magic,constructor,undefined}.so "$T/modules/"
# The file with the module's end cut off.
cut_off() {
	head -c "$(($(stat -c %s "$built/mod-good.so") / 4))" "$built/mod-good.so" >"$T/modules/$1"
}
cut_off mod-cut.so
install -m 666 "$built/mod-good.so" "$T/modules/mod-writable.so"
install -m 644 "$built/mod-good.so" "$T/modules/mod-foreign.so"
install -m 644 "$built/mod-good.so" "$T/mod-outside.so"
mkfifo "$T/modules/mod-fifo.so"
ln -s "$T/mod-outside.so" "$T/modules/mod-link.so"
echo 'echo no module' >"$T/modules/mod-text.so"
chmod 644 "$T/modules/mod-text.so" "$T/modules/mod-cut.so"

native() {
	unit "$1.actor" <<-EOF
		[Actor]
		Restart=temporary
		[Native]
		Module=$2
		Arguments=do=stay
	EOF
}
for name in good abi magic constructor undefined cut writable fifo link text missing; do
	native $name mod-$name.so
done
native outside ../mod-outside.so
service neighbour

start_daemon --module-path="$T/modules"
core=$(core_pid)

# refused NAME REGEX: its status tells why.
refused() {
	happens "$1 is refused" 'has_failed '"$1"
	like "$(ctl status "$1")" "$2" "and its status tells why"
}
happens "a good module runs" 'is_running good'
refused abi 'it was built for another version of the module interface'
refused magic 'its airs_module is something else'
refused undefined 'undefined symbol: airs_no_such_function'
refused cut 'it is cut off'
refused text 'it is no ELF file'
refused missing 'mod-missing.so is in no folder of the module path'
refused writable "$T/modules/mod-writable.so: its group or others may write it"
refused fifo "$T/modules/mod-fifo.so: it is not a regular file"
refused link "$T/modules/mod-link.so"
if grep -q '^#define ENABLE_INSTRUMENTATION 0' "$top_builddir/config.h"; then
	refused constructor 'it has constructors'
fi
if [ "$(id -u)" = 0 ]; then
	chown 65534 "$T/modules/mod-foreign.so"
	native foreign mod-foreign.so
	ctl daemon-reload >/dev/null
	exits 1 "a module of somebody else does not start" ctl start foreign
	refused foreign "$T/modules/mod-foreign.so: it belongs neither to root nor to the user who runs this"
fi
happens "a path is no name of a module" '[ "$(property outside State)" != running ]'
unlike "$(cat "$T/daemon.log")" "outside is ready" "and nothing outside of the folder is loaded"
like "$(ctl verify "$T/units/outside.actor" 2>&1; ctl status outside 2>&1; cat "$T/daemon.log")" \
	"outside.*(Module|module|folder)" "which is told"

# The tree stays up.
is_running neighbour && ok "the neighbour runs" || not_ok "the neighbour runs"
is "$(core_pid)" "$core" "the core is the same"
install -m 644 "$built/mod-good.so" "$T/modules/mod-cut.so"
exits 0 "a module that was repaired starts" ctl start cut
finish
