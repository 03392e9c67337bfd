# SPDX-License-Identifier: Apache-2.0 OR MIT
# shellcheck shell=bash
#
# A systemd-journald of the test's own: the script runs again in a private mount namespace, in which /run/systemd and
# /run/log are empty, so nothing of the machine's is touched. Source this before anything else; it sources lib.sh.
. "${top_srcdir:-.}/tests/integration/lib.sh"
for journald in /usr/lib/systemd/systemd-journald /lib/systemd/systemd-journald; do
	[ ! -x "$journald" ] || break
done
needs "$journald" journalctl
own_mounts "$@"

for folder in /run/systemd /run/log; do
	{ mkdir -p $folder && mount -t tmpfs none $folder; } || bail_out "tmpfs cannot be mounted"
done
[ ! -d /var/log/journal ] || mount -t tmpfs none /var/log/journal || bail_out "tmpfs cannot be mounted"
if [ ! -s /etc/machine-id ]; then
	echo 0123456789abcdef0123456789abcdef >"$T/machine-id"
	mount --bind "$T/machine-id" /etc/machine-id || skip_all "the machine has no id"
fi
mkdir -p /run/systemd/journald.conf.d
printf '%s\n' '[Journal]' Storage=volatile RateLimitIntervalSec=0 RateLimitBurst=0 ReadKMsg=no Audit=no \
	ForwardToWall=no >/run/systemd/journald.conf.d/test.conf

start_journald() {
	"$journald" </dev/null >"$T/journald.log" 2>&1 &
	journal_pid=$!
	await "$LIMIT" '[ -S /run/systemd/journal/socket ] && [ -S /run/systemd/journal/stdout ]' ||
		bail_out "journald does not start: $(cat "$T/journald.log")"
}

# It takes its sockets with it, as a machine without a journal has none.
stop_journald() {
	kill "$journal_pid"
	wait "$journal_pid" 2>/dev/null
	journal_pid=
	rm -f /run/systemd/journal/socket /run/systemd/journal/stdout
}

# journal ARGUMENT...: journalctl over what it holds by now.
journal() {
	journalctl --sync 2>/dev/null || true
	journalctl -D /run/log/journal --no-pager "$@" 2>/dev/null
}
