#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# The shipped tree of real programs: redis, nginx, a worker and a probe under rest-for-one.
. "${top_srcdir:-.}/tests/integration/lib.sh"

needs nginx redis-server redis-cli python3
# The sample's own addresses may be taken on this machine: a pair of ports of our own, below those that the kernel
# gives to whoever connects.
base=$((20000 + $$ % 6000 * 2))
is_taken() {
	(: </dev/tcp/127.0.0.1/"$1") 2>/dev/null
}
while is_taken $base || is_taken $((base + 1)); do base=$((base + 2)); done
cp "$top_srcdir"/units/shop/* "$T/units"
sed -i "s/18080/$base/g; s/16379/$((base + 1))/g; s/interval=1s failures=3/interval=200ms failures=3 grace=1s/" "$T"/units/*

price() {
	http $base /price
}
orders() {
	redis-cli -p $((base + 1)) --raw "$@" 2>/dev/null
}

start_daemon
happens "redis, nginx, worker and probe run" \
	'is_running redis && is_running nginx && is_running worker && is_running probe'
happens "nginx serves" 'price >/dev/null'
is "$(orders ping)" PONG "redis answers"
like "$(ctl status redis)" 'PID: [0-9]+' "status shows the pid"
like "$(property worker StatusText)" '.' "the worker's status text arrives"

declare -A pid
note_pids() {
	local name
	for name in redis nginx worker; do pid[$name]=$(pid_of "$name"); done
}

note_pids
kill -KILL "${pid[worker]}"
happens "the worker is killed and restarted" 'has_new_pid worker ${pid[worker]}'
is "$(pid_of redis) $(pid_of nginx)" "${pid[redis]} ${pid[nginx]}" "redis and nginx stay"

note_pids
children=$(pgrep -P "${pid[nginx]}")
kill -KILL "${pid[nginx]}"
happens "nginx is killed and restarted" 'has_new_pid nginx ${pid[nginx]}'
happens "the worker is restarted with it" 'has_new_pid worker ${pid[worker]}'
is "$(pid_of redis)" "${pid[redis]}" "redis stays"
is "$(for p in $children; do gone "$p" || echo "$p"; done)" "" "nginx's own children are gone"
happens "nginx serves again" 'price >/dev/null'

note_pids
kill -KILL "${pid[redis]}"
happens "redis is killed and restarted" 'has_new_pid redis ${pid[redis]}'
happens "nginx is restarted with it" 'has_new_pid nginx ${pid[nginx]}'
happens "the worker is restarted with it" 'has_new_pid worker ${pid[worker]}'
happens "nginx serves again" 'price >/dev/null'

# A web server that runs and does not listen where it should: the probe has it restarted.
note_pids
cp "$T/units/nginx.conf" "$T/nginx.conf"
sed -i "s|127.0.0.1:$base|unix:$T/elsewhere|" "$T/units/nginx.conf"
exits 0 "nginx is made to listen elsewhere" ctl reload nginx
happens "nobody listens where the probe looks" '! price >/dev/null'
is "$(pid_of nginx)" "${pid[nginx]}" "nginx runs on"
cp "$T/nginx.conf" "$T/units/nginx.conf"
happens "nginx is restarted for its probe" 'has_new_pid nginx ${pid[nginx]}'
happens "nginx serves again" 'price >/dev/null'
like "$(ctl status nginx)" 'probe' "status says that it was the probe"
is "$(pid_of redis)" "${pid[redis]}" "redis stays"

# The core killed: nothing happens to them.
happens "all of them run" 'is_running nginx && is_running worker && is_running redis'
note_pids
kill -KILL "$(core_pid)"
exits 0 "status is answered right after the end of the core" ctl status nginx
is "$(pids_of redis nginx worker)" \
	"redis=${pid[redis]} nginx=${pid[nginx]} worker=${pid[worker]}" "all keep their pids"
happens "nginx serves" 'price >/dev/null'

# The keeper killed: the same.
core=$(core_pid)
kill -KILL "$daemon"
wait "$daemon" 2>/dev/null
happens "the core ends with its keeper" "gone $core"
succeeds "nginx serves without a keeper" price
start_daemon
is "$(pids_of redis nginx worker)" \
	"redis=${pid[redis]} nginx=${pid[nginx]} worker=${pid[worker]}" "all are taken over with their pids"

exits 0 "nginx is reloaded" ctl reload nginx
is "$(pid_of nginx)" "${pid[nginx]}" "and keeps its pid"
succeeds "nginx serves" price

pids=$(pids_of redis nginx worker)
stop_daemon
is "$daemon_status" 0 "SIGTERM ends airssysd with status 0"
is "$(for p in $pids; do gone "${p#*=}" || echo "$p"; done)" "" "no service is left"
is "$(leftovers)" "" "no process is left"
finish
