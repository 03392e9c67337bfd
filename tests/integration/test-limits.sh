#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# Every key of the section Limits, as the kernel tells it for a running process.
. "${top_srcdir:-.}/tests/integration/lib.sh"

# KEY VALUE, the words of /proc/PID/limits, and what stands there. None is above what an ordinary user has.
cat >"$T/table" <<'EOF'
LimitCPU	1h		Max cpu time		3600 3600
LimitFSIZE	3M		Max file size		3145728 3145728
LimitDATA	512M:1G		Max data size		536870912 1073741824
LimitSTACK	4M		Max stack size		4194304 4194304
LimitCORE	0		Max core file size	0 0
LimitRSS	1G		Max resident set	1073741824 1073741824
LimitNOFILE	100:200		Max open files		100 200
LimitAS		2G		Max address space	2147483648 2147483648
LimitNPROC	1000		Max processes		1000 1000
LimitMEMLOCK	64K		Max locked memory	65536 65536
LimitLOCKS	99		Max file locks		99 99
LimitSIGPENDING	77		Max pending signals	77 77
LimitMSGQUEUE	4K		Max msgqueue size	4096 4096
LimitRTTIME	2s		Max realtime timeout	2000000 2000000
EOF
sed -i 's/\t\t*/\t/g' "$T/table"
{
	printf '[Service]\nExecStart=/bin/sleep 100000\n[Limits]\n'
	awk -F'\t' '{ print $1 "=" $2 }' "$T/table"
} | unit limited.actor
# The same keys among those of the service, as systemd's files have them.
unit service.actor <<EOF
[Service]
ExecStart=/bin/sleep 100000
LimitNOFILE=123
LimitCORE=0
EOF
unit none.actor <<EOF
[Service]
ExecStart=/bin/sleep 100000
EOF
# limit_of SERVICE WORDS: soft and hard.
limit_of() {
	sed -n "s/^$2  *//p" "/proc/$(pid_of "$1")/limits" | awk '{ print $1, $2 }'
}

start_daemon
happens "all run" 'is_running limited && is_running service && is_running none'
while IFS=$'\t' read -r key value words expected; do
	is "$(limit_of limited "$words")" "$expected" "$key=$value"
done <"$T/table"
is "$(limit_of service 'Max open files') $(limit_of service 'Max core file size')" "123 123 0 0" \
	"limits may stand in the section Service"
for words in 'Max open files' 'Max processes' 'Max stack size' 'Max core file size'; do
	is "$(limit_of none "$words")" "$(sed -n "s/^$words  *//p" "/proc/$daemon/limits" | awk '{ print $1, $2 }')" \
		"without a key: $words is that of airssysd"
done

# What the kernel does not let one have: the service does not start without the limit that its file asks for.
for pair in "LimitNICE 5 nice.priority" "LimitRTPRIO 7 realtime.priority"; do
	read -r key value words <<<"$pair"
	printf '[Actor]\nRestart=temporary\n[Service]\nExecStart=/bin/sleep 100000\n%s=%s\n' "$key" "$value" | unit high.actor
	ctl daemon-reload >/dev/null
	ctl start high >/dev/null 2>&1
	if is_running high; then
		is "$(limit_of high "Max $words")" "$value $value" "$key=$value"
	else
		like "$(ctl status high)" 'failed at: LIMITS: Operation not permitted' "$key=$value: refused at a step that is named"
	fi
	ctl stop high >/dev/null 2>&1
done
# A limit is in force: a file does not grow above it.
unit writer.actor <<EOF
[Actor]
Restart=temporary
[Service]
ExecStart=/bin/sh -c 'head -c 100000 /dev/zero >$T/big'
LimitFSIZE=4K
EOF
exits 0 "a unit is added" ctl daemon-reload
happens "it ends" 'has_failed writer'
is "$(stat -c %s "$T/big")" 4096 "and has written no more than its limit"
stop_daemon
is "$daemon_status" 0 "SIGTERM ends airssysd with status 0"
is "$(leftovers)" "" "no process is left"
finish
