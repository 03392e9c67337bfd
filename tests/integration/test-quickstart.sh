#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# The README's first command, from a clone whose path has a space and that its group may write. The build is this one.
. "${top_srcdir:-.}/tests/integration/lib.sh"

needs nginx redis-server python3 setsid
top_srcdir=$(cd "$top_srcdir" && pwd)
top_builddir=$(cd "$top_builddir" && pwd)
clone="$T/a clone"
umask 002
mkdir -p "$clone/build/.libs" "$clone/contrib" "$clone/bin" "$T/tmp"
chmod 1777 "$T/tmp"
cp -r "$top_srcdir/units" "$clone"
cp "$top_srcdir/contrib/quickstart" "$clone/contrib"
printf 'BUILD_PACKAGES= DEMO_PACKAGES=\ninstall_packages() { :; }\n' >"$clone/contrib/packages.sh"
printf 'all:\n' >"$clone/build/Makefile"
printf '#!/bin/sh\n' >"$clone/configure"
chmod -R u+w "$clone"
chmod +x "$clone/configure" "$clone/contrib/quickstart"
for program in airssysd airssys-core airssys-exec airssysctl .libs/tcp-probe.so; do
	cp "$top_builddir/$program" "$clone/build/$program"
done
chmod -R g+w "$clone"

# launch: the quickstart in the background, in a session of its own, its output in $T/out.
launch() {
	: >"$T/out"
	TMPDIR="$T/tmp" setsid "$clone/contrib/quickstart" >"$T/out" 2>&1 </dev/null &
	quick=$!
}

# ends STATUS NAME: it ends with this status and leaves nothing.
ends() {
	await "$LIMIT" 'gone "$quick"' || kill -KILL "$quick"
	wait "$quick" 2>/dev/null
	is $? "$1" "$2"
	is "$(ls -A "$T/tmp")" "" "it leaves no files"
	is "$(leftovers)" "" "it leaves no processes"
}

shown() {
	grep -qE -- "$1" "$T/out"
}

launch
happens "the shop runs" 'shown "^Running at" || gone "$quick"'
address=$(sed -n 's/^Running at \(http[^ ]*\)\. .*/\1/p' "$T/out")
is "$(timeout 5 python3 -c 'import sys, urllib.request
print(urllib.request.urlopen(sys.argv[1], timeout=5).read().decode().strip())' "$address")" "The shop is open." "the web server is where it says"
like "$(cat "$T/out")" '^ +last end: killed by SIGKILL.* restarted \(rest-for-one\)' "it shows why nginx was restarted"
unlike "$(cat "$T/out")" $'\033|\r' "a log gets no colours and no progress"
eval "$(grep '^  export ' "$T/out")"
is "$(timeout 10 airssysctl show redis -p State)" State=running "what it tells to type works"
kill -TERM "$quick"
ends 0 "SIGTERM ends it with status 0"

launch
happens "it runs again" 'shown "^Running at" || gone "$quick"'
kill -HUP "$quick"
ends 0 "a terminal that is closed ends it"

launch
await "$LIMIT" 'shown "^3\. Start" || gone "$quick"'
kill -TERM "$quick"
ends 0 "SIGTERM while it starts ends it with status 0"

printf '#!/bin/sh\necho "airssysd: nothing works"\nexit 1\n' >"$clone/build/airssysd"
chmod +x "$clone/build/airssysd"
launch
ends 1 "a shop that does not come up is a failure"
like "$(cat "$T/out")" 'nothing works' "the daemon's own words are shown"

finish
