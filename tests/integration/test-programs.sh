#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# nginx and redis as they are packaged, under each strategy: what is killed, what is restarted with it, when their
# supervisor gives up, and the order of start and stop.
. "${top_srcdir:-.}/tests/integration/lib.sh"
needs nginx redis-server redis-cli python3

# Ports that nobody has now.
read -r redis_port nginx_port rest <<<"$(python3 -c 'import socket
s = [socket.socket() for _ in range(8)]
for x in s: x.bind(("127.0.0.1", 0))
print(*[x.getsockname()[1] for x in s])')"
# shellcheck disable=SC2206
ports=($redis_port $nginx_port $rest)
# programs STRATEGY PORT PORT: a store, a web server and a worker of a shell; each writes when it starts and has ended.
programs() {
	local s=$1
	sed "s/18080/$3/" "$top_srcdir/units/shop/nginx.conf" >"$T/units/$s.conf"
	mkdir -p "$T/$s"
	unit "redis-$s.actor" <<-END
		[Service]
		Type=notify
		ExecStartPre=/bin/sh -c "echo start redis >>$T/$s/trace"
		ExecStart=redis-server --bind 127.0.0.1 --port $2 --daemonize no --supervised systemd --dir $T/$s --save "" --appendonly no
		ExecStopPost=/bin/sh -c "echo stop redis >>$T/$s/trace"
	END
	unit "nginx-$s.actor" <<-END
		[Service]
		Type=exec
		ExecStartPre=/bin/sh -c "echo start nginx >>$T/$s/trace"
		ExecStart=nginx -e stderr -p $T/$s -c $T/units/$s.conf -g "daemon off;"
		ExecStopPost=/bin/sh -c "echo stop nginx >>$T/$s/trace"
	END
	unit "worker-$s.actor" <<-END
		[Service]
		ExecStartPre=/bin/sh -c "echo start worker >>$T/$s/trace"
		ExecStart=/bin/sh -c "while :; do redis-cli -p $2 incr n; sleep 0.2; done" $T/
		ExecStopPost=/bin/sh -c "echo stop worker >>$T/$s/trace"
		StandardOutput=null
	END
	unit "$s.supervisor" <<-END
		[Supervisor]
		Strategy=$s
		Order=ordered
		Intensity=${4:-100}
		Period=1h
		Children=redis-$s nginx-$s worker-$s
	END
}
strategies="one-for-one one-for-all rest-for-one"
programs one-for-one "${ports[0]}" "${ports[1]}"
programs one-for-all "${ports[2]}" "${ports[3]}"
programs rest-for-one "${ports[4]}" "${ports[5]}"

leaves="redis nginx worker"
expected() {
	case $1 in
	one-for-one) echo "$2" ;;
	one-for-all) echo "$leaves" ;;
	rest-for-one) sed "s/.*$2/$2/" <<<"$leaves" ;;
	esac
}

start_daemon
i=0
for s in $strategies; do
	is "$(paste -sd' ' "$T/$s/trace")" "start redis start nginx start worker" "$s: they start in order"
	is "$(redis-cli -p "${ports[i]}" ping)" PONG "$s: redis answers"
	happens "$s: nginx serves" "http ${ports[i + 1]} /price"
	i=$((i + 2))
done
for s in $strategies; do
	for leaf in $leaves; do
		declare -A before=()
		for l in $leaves; do before[$l]=$(pid_of "$l-$s"); done
		kill -KILL "${before[$leaf]}"
		changed=$(expected "$s" "$leaf")
		last=${changed##* }
		happens "$s: $leaf killed, $last has another pid" 'has_new_pid "$last-$s" "${before[$last]}"'
		now=
		for l in $leaves; do
			[ "$(pid_of "$l-$s")" = "${before[$l]}" ] || now="$now $l"
		done
		is "${now# }" "$changed" "$s: $leaf killed, exactly the right ones are restarted"
	done
done

# The core killed, and the keeper killed: no pid changes.
names=$(for s in $strategies; do for l in $leaves; do echo "$l-$s"; done; done)
# shellcheck disable=SC2086
before=$(pids_of $names)
core=$(core_pid)
kill -KILL "$core"
exits 0 "the core killed: status is answered right afterwards" ctl status nginx-one-for-all
# shellcheck disable=SC2086
is "$(pids_of $names)" "$before" "no service has another pid"
core=$(core_pid)
kill -KILL "$daemon"
wait "$daemon" 2>/dev/null
daemon=
happens "the keeper killed: the core ends" "gone $core"
start_daemon
# shellcheck disable=SC2086
is "$(pids_of $names)" "$before" "the next one takes over every service"
for i in 0 2 4; do
	is "$(redis-cli -p "${ports[i]}" ping)" PONG "redis answers"
	succeeds "nginx serves" http "${ports[i + 1]}" /price
done

for s in $strategies; do : >"$T/$s/trace"; done
stop_daemon
is "$daemon_status" 0 "SIGTERM ends airssysd with status 0"
for s in $strategies; do
	is "$(paste -sd' ' "$T/$s/trace")" "stop worker stop nginx stop redis" "$s: they stop in reverse order"
done
is "$(leftovers)" "" "no process is left"

# Too many ends: the supervisor gives up, and its own acts.
rm "$T"/units/*
programs rest-for-one "${ports[6]}" "${ports[7]}" 2
unit outer.supervisor <<EOF
[Supervisor]
Intensity=1
Period=1h
Children=rest-for-one beside
EOF
service beside
start_daemon
beside=$(pid_of beside)
redis=$(pid_of redis-rest-for-one)
for n in 1 2 3; do
	nginx=$(pid_of nginx-rest-for-one)
	kill -KILL "$nginx"
	happens "nginx killed ($n)" "has_new_pid nginx-rest-for-one $nginx"
	[ $n = 3 ] || is "$(pid_of redis-rest-for-one)" "$redis" "redis runs on"
done
happens "the third end is one too many: all of them are restarted by the supervisor above" \
	"has_new_pid redis-rest-for-one $redis && is_running worker-rest-for-one"
is "$(property rest-for-one Restarts)" 1 "which counts as one restart of their supervisor"
is "$(pid_of beside)" "$beside" "what stands beside it is not touched"
stop_daemon
is "$daemon_status" 0 "SIGTERM ends airssysd with status 0"
is "$(leftovers)" "" "no process is left"
finish
