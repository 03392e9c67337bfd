/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * airssys-core: the actor core. Started by airssysd, which is at the other end of the
 * link on descriptor 3; of no use without it. Ends when the link closes, and leaves the
 * services alone.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "airssys/system.h"
#include "base/fd.h"
#include "base/heap.h"
#include "base/log.h"
#include "manager/manager.h"

#define MODULE_WORKERS 1 /* of the default pool, where actors of modules live */

static void on_link_closed(void *data, const char *reason)
{
	log_info("The link to airssysd is closed: %s.", reason);
	airs_system_stop(data);
}

/* Everything that arrives here is meant for airssysd, which has the same terminal. */
static int block_signals(void)
{
	sigset_t all;

	if (sigfillset(&all) < 0)
		return -errno;
	/* What a fault raises is not blocked: the kernel would end the process without a
	 * word. */
	(void)sigdelset(&all, SIGSEGV);
	(void)sigdelset(&all, SIGBUS);
	(void)sigdelset(&all, SIGFPE);
	(void)sigdelset(&all, SIGILL);
	(void)sigdelset(&all, SIGABRT);
	(void)sigdelset(&all, SIGTRAP);
	return sigprocmask(SIG_SETMASK, &all, NULL) < 0 ? -errno : 0;
}

static int spawn_manager(
		struct airs_system *system, struct manager_home *home, airs_pid *ret_pid)
{
	struct airs_spawn_options options = {
		.size = sizeof(options),
		.args = &home,
		.args_size = sizeof(home),
		.pool = airs_system_main_pool(system),
	};

	return airs_system_spawn(system, &manager_behaviour, &options, ret_pid);
}

static int spawn_link(struct airs_system *system, airs_pid manager)
{
	struct link_args args = {
		.size = sizeof(args),
		.fd = PROTOCOL_LINK_FD,
		.manager = manager,
		.on_closed = on_link_closed,
		.data = system,
	};
	struct airs_spawn_options options = {
		.size = sizeof(options),
		.args = &args,
		.args_size = sizeof(args),
		.pool = airs_system_main_pool(system),
	};
	airs_pid pid;

	return airs_system_spawn(system, &link_behaviour, &options, &pid);
}

static int start(struct airs_system *system, struct manager_home *home)
{
	airs_pid manager;
	int r;

	home->main_pool = airs_system_main_pool(system);
	r = spawn_manager(system, home, &manager);
	if (r >= 0)
		r = spawn_link(system, manager);
	if (r >= 0)
		r = airs_system_start(system);
	return r;
}

static int check_link(void)
{
	int r;

	if (fcntl(PROTOCOL_LINK_FD, F_GETFD) < 0)
		return -errno;
	if (fcntl(PROTOCOL_LINK_FD, F_SETFD, FD_CLOEXEC) < 0)
		return -errno;
	r = fd_set_nonblocking(PROTOCOL_LINK_FD);
	return r;
}

int main(void)
{
	struct airs_system_options options = {
		.size = sizeof(options),
		.scheduler = AIRS_SCHEDULER_THREADS,
		.workers = MODULE_WORKERS,
	};
	struct airs_system *system = NULL;
	struct manager_home home;
	int r;

	heap_share();
	log_open("airssys-core", LOG_LEVEL_NOTICE);
	manager_home_init(&home);
	r = check_link();
	if (r < 0) {
		log_error("airssys-core is started by airssysd: there is no link on descriptor %d.",
				PROTOCOL_LINK_FD);
		return EXIT_FAILURE;
	}
	r = block_signals();
	if (r >= 0)
		r = airs_system_new(&options, &system);
	if (r >= 0)
		r = start(system, &home);
	if (r >= 0)
		r = airs_system_run(system, AIRS_INFINITY);
	if (r < 0)
		log_error("The actor core cannot start: %s.", strerrordesc_np(-r));
	airs_system_free(system);
	manager_home_fini(&home);
	return r < 0 ? EXIT_FAILURE : home.exit_status;
}
