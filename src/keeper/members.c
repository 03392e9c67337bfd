/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "keeper/members.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/procid.h"
#include "keeper/keeper.h"
#include "keeper/reap.h"

#define ROUNDS_MAX  64
#define DEPTH_MAX   64
#define ENVIRON_MAX (64 * 1024)

/* One process of the machine at the moment of the look. */
struct sight {
	pid_t pid, parent, session;
	uint64_t start_time;
	struct charge *charge; /* whose it is; NULL: nobody's, or not known yet */
};

struct look {
	struct sight *sights;
	size_t count, capacity;
	struct map by_pid;
};

static void look_fini(struct look *look)
{
	free(look->sights);
	map_fini(&look->by_pid);
}

static int read_sight(pid_t pid, struct sight *ret)
{
	auto_free char *data = NULL;
	char path[64], *end, state;
	unsigned long long start;
	size_t size;
	int r;

	(void)snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	r = file_read(path, 4096, &data, &size);
	if (r < 0)
		return r;
	end = strrchr(data, ')');
	if (!end ||
			sscanf(end + 1,
					" %c %d %*d %d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d "
					"%*d %*d %*d %*d %*d %llu",
					&state, &ret->parent, &ret->session, &start) != 4)
		return -EBADMSG;
	if (state == 'Z' || state == 'X')
		return -ESRCH;
	ret->pid = pid;
	ret->start_time = start;
	ret->charge = NULL;
	return 0;
}

static int add_sight(struct look *look, const struct sight *sight)
{
	size_t capacity = look->capacity ? 2 * look->capacity : 256;
	struct sight *more;

	if (look->count == look->capacity) {
		more = realloc(look->sights, capacity * sizeof(*more));
		if (!more)
			return -ENOMEM;
		look->sights = more;
		look->capacity = capacity;
	}
	look->sights[look->count++] = *sight;
	return 0;
}

static int read_all(struct look *look)
{
	DIR *dir = opendir("/proc");
	struct dirent *entry;
	struct sight sight;
	pid_t pid;
	int r = 0;

	if (!dir)
		return -errno;
	while (r == 0 && (entry = readdir(dir)))
		if (parse_pid(entry->d_name, &pid) == 0 && read_sight(pid, &sight) == 0)
			r = add_sight(look, &sight);
	(void)closedir(dir);
	for (size_t i = 0; i < look->count && r == 0; i++)
		r = map_put_number(&look->by_pid, (uint64_t)look->sights[i].pid,
				&look->sights[i]);
	return r;
}

/* A process that the keeper knows: by number and start time. */
static struct charge *known_owner(struct keeper *keeper, const struct sight *sight)
{
	struct process *p =
			map_find_number(&keeper->charges.by_pid, (uint64_t)sight->pid);

	return p && p->start_time == sight->start_time ? p->charge : NULL;
}

/* A session is named by its leader, which the keeper started, even after its end: the
 * number stays taken as long as the session has a member. One that leads a session by
 * that number and was born later is a stranger. */
static struct charge *session_owner(
		struct keeper *keeper, const struct look *look, const struct sight *sight)
{
	const struct sight *leader =
			map_find_number(&look->by_pid, (uint64_t)sight->session);
	struct process *process;
	struct charge *charge;
	size_t cursor;

	if (sight->session <= 1)
		return NULL;
	map_foreach(&keeper->charges.by_name, cursor, charge) {
		if (!charge->is_occupied)
			continue;
		list_foreach(process, &charge->processes, link)
			if (process->pid == sight->session && !process->is_remnant &&
					sight->start_time >= process->start_time &&
					(!leader ||
							leader->start_time ==
									process->start_time))
				return charge;
	}
	return NULL;
}

static int invocation_text(const struct charge *charge, char *text, size_t size)
{
	int n = snprintf(text, size, "INVOCATION_ID=");

	for (size_t i = 0; i < INVOCATION_SIZE; i++)
		n += snprintf(text + n, size - (size_t)n, "%02x", charge->invocation[i]);
	return n;
}

static struct charge *environment_owner(struct keeper *keeper, const struct sight *sight)
{
	auto_free char *data = NULL;
	char path[64], wanted[64];
	struct charge *charge;
	size_t size, cursor;
	int n;

	(void)snprintf(path, sizeof(path), "/proc/%d/environ", sight->pid);
	if (file_read(path, ENVIRON_MAX, &data, &size) < 0 ||
			!memmem(data, size, "INVOCATION_ID=", 14))
		return NULL;
	map_foreach(&keeper->charges.by_name, cursor, charge) {
		n = charge->is_occupied ? invocation_text(charge, wanted, sizeof(wanted))
					: 0;
		if (n > 0 && memmem(data, size, wanted, (size_t)n))
			return charge;
	}
	return NULL;
}

/* The nearest ancestor that has an owner. */
static struct charge *ancestor_owner(const struct look *look, const struct sight *sight)
{
	const struct sight *at = sight;

	for (int depth = 0; at && depth < DEPTH_MAX; depth++) {
		if (at->charge)
			return at->charge;
		at = map_find_number(&look->by_pid, (uint64_t)at->parent);
	}
	return NULL;
}

/* Those who cannot be anybody's are not asked for their environment, which costs most. */
static bool may_be_orphan(struct keeper *keeper, const struct sight *sight)
{
	return (sight->parent == getpid() || sight->parent <= 1) &&
			sight->pid != keeper->core.pid && sight->pid != getpid() &&
			sight->pid > 1;
}

static int look_around(struct keeper *keeper, struct look *look)
{
	struct sight *sight;
	int r = read_all(look);

	if (r < 0)
		return r;
	for (size_t i = 0; i < look->count; i++) {
		sight = &look->sights[i];
		sight->charge = known_owner(keeper, sight);
		if (!sight->charge)
			sight->charge = session_owner(keeper, look, sight);
		if (!sight->charge && may_be_orphan(keeper, sight))
			sight->charge = environment_owner(keeper, sight);
	}
	for (size_t i = 0; i < look->count; i++)
		look->sights[i].charge = ancestor_owner(look, &look->sights[i]);
	return 0;
}

/* A number is pinned and compared before it is signalled. */
static bool signal_sight(const struct sight *sight, int signo)
{
	const struct procid id = { .pid = sight->pid, .start_time = sight->start_time };
	auto_close int pidfd = -1;

	return procid_open(&id, &pidfd) == 0 && pidfd_signal(pidfd, signo) == 0;
}

static int signal_new(struct keeper *keeper, const struct charge *charge, int signo,
		struct map *seen)
{
	struct look look = { 0 };
	int count = 0, r;

	r = look_around(keeper, &look);
	for (size_t i = 0; i < look.count && r == 0; i++) {
		const struct sight *sight = &look.sights[i];

		if (sight->charge != charge ||
				map_find_number(seen, (uint64_t)sight->pid))
			continue;
		r = map_put_number(seen, (uint64_t)sight->pid, seen);
		count += signal_sight(sight, signo);
	}
	look_fini(&look);
	return r < 0 ? r : count;
}

int members_signal(struct keeper *keeper, const struct charge *charge, int signo)
{
	struct map seen = { 0 };
	int total = 0, r = 1;

	if (!charge->is_occupied)
		return -ESRCH;
	for (int round = 0; round < ROUNDS_MAX && r > 0; round++) {
		r = signal_new(keeper, charge, signo, &seen);
		total += MAX_OF(r, 0);
	}
	map_fini(&seen);
	if (r < 0)
		return r;
	return total > 0 ? 0 : -ESRCH;
}

bool members_contain(struct keeper *keeper, const struct charge *charge, pid_t pid)
{
	struct look look = { 0 };
	const struct sight *sight;
	bool found = false;

	if (look_around(keeper, &look) == 0) {
		sight = map_find_number(&look.by_pid, (uint64_t)pid);
		found = sight && sight->charge == charge;
	}
	look_fini(&look);
	return found;
}

/* Follow a process that was left behind, so that its end is heard of. */
static void follow(struct keeper *keeper, const struct sight *sight)
{
	const struct procid id = { .pid = sight->pid, .start_time = sight->start_time };
	struct charges *charges = &keeper->charges;
	auto_close int pidfd = -1;
	struct process *process;

	if (known_owner(keeper, sight) || procid_open(&id, &pidfd) < 0)
		return;
	process = process_new(charges, sight->charge, charges->next_spawn_id++);
	if (!process)
		return;
	process->is_remnant = true;
	process->stage = PROCESS_LIVES;
	process->start_time = sight->start_time;
	process->keeper = keeper;
	if (process_attach(charges, process, sight->pid) < 0)
		goto fail;
	/* Our own child tells by SIGCHLD. */
	if (sight->parent == getpid())
		return;
	if (reap_watch_foreign(keeper, process, pidfd) < 0)
		goto fail;
	(void)take_fd(&pidfd);
	return;
fail:
	process_free(charges, process);
}

void members_look(struct keeper *keeper)
{
	struct look look = { 0 };
	struct charge *charge;
	size_t cursor;
	int r;

	keeper->members_are_due = false;
	r = look_around(keeper, &look);
	if (r < 0) {
		log_warning("cannot look for what services left behind: %s",
				strerror(-r));
		look_fini(&look);
		return;
	}
	for (size_t i = 0; i < look.count; i++)
		if (look.sights[i].charge && look.sights[i].charge->n_live == 0)
			follow(keeper, &look.sights[i]);
	look_fini(&look);
	map_foreach(&keeper->charges.by_name, cursor, charge)
		if (charge->is_occupied && charge->n_live == 0 && !charge->has_cgroup)
			reap_tell_empty(keeper, charge);
}
