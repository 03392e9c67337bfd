/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "keeper/look.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "base/text.h"
#include "keeper/keeper.h"

#define DEPTH_MAX    64
#define ENVIRON_MAX  (64 * 1024)
#define CHILDREN_MAX (1024 * 1024)

void look_fini(struct look *look)
{
	free(look->sights);
	map_fini(&look->by_pid);
	*look = (struct look){ 0 };
}

void orphans_fini(struct orphans *orphans)
{
	free(orphans->pids);
	*orphans = (struct orphans){ 0 };
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
	size_t capacity = look->capacity ? 2 * look->capacity : 16;
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

/* A process that went while we looked is not seen; one that cannot be looked at is not
 * taken for gone. */
static int add_pid(struct look *look, pid_t pid, struct charge *charge)
{
	struct sight sight;
	int r = read_sight(pid, &sight);

	if (r < 0)
		return fd_is_shortage(r) ? r : 0;
	sight.charge = charge;
	return add_sight(look, &sight);
}

/* A process that the keeper knows: by number and start time. */
static struct charge *known_owner(struct keeper *keeper, const struct sight *sight)
{
	struct process *p = process_find_pid(&keeper->charges, sight->pid);

	return p && p->start_time == sight->start_time ? p->charge : NULL;
}

/* A leader with this number that was born later is a stranger. */
static bool is_led_by(const struct sight *sight, const struct process *process)
{
	struct sight leader;

	return process->pid == sight->session && !process->is_remnant &&
			sight->start_time >= process->start_time &&
			(read_sight(sight->session, &leader) < 0 ||
					leader.start_time == process->start_time);
}

/* A session is named by its leader, which the keeper started, even after its end: the
 * number stays taken as long as the session has a member. */
static struct charge *session_owner(struct keeper *keeper, const struct sight *sight)
{
	struct process *process;
	struct charge *charge;
	size_t cursor;

	if (sight->session <= 1)
		return NULL;
	charges_foreach(&keeper->charges, cursor, charge) {
		if (!charge->is_occupied)
			continue;
		list_foreach(process, &charge->processes, link)
			if (is_led_by(sight, process))
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
	charges_foreach(&keeper->charges, cursor, charge) {
		n = charge->is_occupied ? invocation_text(charge, wanted, sizeof(wanted))
					: 0;
		if (n > 0 && memmem(data, size, wanted, (size_t)n))
			return charge;
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

static struct charge *find_owner(struct keeper *keeper, const struct sight *sight)
{
	struct charge *charge = known_owner(keeper, sight);

	if (!charge)
		charge = session_owner(keeper, sight);
	if (!charge && may_be_orphan(keeper, sight))
		charge = environment_owner(keeper, sight);
	return charge;
}

/* The far look. */

static int read_all(struct look *look)
{
	DIR *dir = opendir("/proc");
	struct dirent *entry;
	pid_t pid;
	int r = 0;

	if (!dir)
		return -errno;
	while (r == 0 && (entry = readdir(dir)))
		if (parse_pid(entry->d_name, &pid) == 0)
			r = add_pid(look, pid, NULL);
	(void)closedir(dir);
	for (size_t i = 0; i < look->count && r == 0; i++)
		r = map_put_number(&look->by_pid, (uint64_t)look->sights[i].pid,
				&look->sights[i]);
	return r;
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

int look_far(struct keeper *keeper, struct look *look)
{
	int r = read_all(look);

	if (r < 0)
		return r;
	for (size_t i = 0; i < look->count; i++)
		look->sights[i].charge = find_owner(keeper, &look->sights[i]);
	for (size_t i = 0; i < look->count; i++)
		look->sights[i].charge = ancestor_owner(look, &look->sights[i]);
	return 0;
}

/* The near look. */

typedef int child_fn(void *data, pid_t pid);

static int read_children(const char *path, child_fn *on_child, void *data)
{
	auto_free char *text = NULL;
	char *rest, *word;
	size_t size;
	pid_t pid;
	int r;

	r = file_read(path, CHILDREN_MAX, &text, &size);
	rest = text;
	while (r == 0 && (word = strsep(&rest, " \n")))
		if (parse_pid(word, &pid) == 0)
			r = on_child(data, pid);
	return r;
}

struct orphan_search {
	struct keeper *keeper;
	size_t capacity;
};

static int on_own_child(void *data, pid_t pid)
{
	struct orphan_search *search = data;
	struct orphans *orphans = &search->keeper->orphans;
	size_t capacity = search->capacity ? 2 * search->capacity : 16;
	pid_t *more;

	if (pid == search->keeper->core.pid ||
			process_find_pid(&search->keeper->charges, pid))
		return 0;
	if (orphans->count == search->capacity) {
		more = realloc(orphans->pids, capacity * sizeof(*more));
		if (!more)
			return -ENOMEM;
		orphans->pids = more;
		search->capacity = capacity;
	}
	orphans->pids[orphans->count++] = pid;
	return 0;
}

int look_orphans(struct keeper *keeper)
{
	struct orphan_search search = { .keeper = keeper };
	struct orphans *orphans = &keeper->orphans;

	if (orphans->turn != keeper->turns) {
		orphans_fini(orphans);
		orphans->turn = keeper->turns;
		orphans->error = read_children(
				"/proc/thread-self/children", on_own_child, &search);
	}
	return orphans->error < 0 ? orphans->error : (int)orphans->count;
}

struct descent {
	struct look *look;
	struct charge *charge;
};

static int on_descendant(void *data, pid_t pid)
{
	struct descent *descent = data;

	return add_pid(descent->look, pid, descent->charge);
}

/* The children of each of its threads. */
static int add_children(struct look *look, pid_t parent, struct charge *charge)
{
	struct descent descent = { .look = look, .charge = charge };
	struct dirent *entry;
	char path[128];
	DIR *dir;
	pid_t tid;
	int r = 0;

	(void)snprintf(path, sizeof(path), "/proc/%d/task", parent);
	dir = opendir(path);
	if (!dir) /* else it has just ended, and its children are orphans */
		return fd_is_shortage(-errno) ? -errno : 0;
	while (r == 0 && (entry = readdir(dir))) {
		if (parse_pid(entry->d_name, &tid) < 0)
			continue;
		(void)snprintf(path, sizeof(path), "/proc/%d/task/%d/children", parent,
				tid);
		r = read_children(path, on_descendant, &descent);
		if (r == -ENOENT || r == -ESRCH)
			r = 0;
	}
	(void)closedir(dir);
	return r;
}

/* Everything below the sights from first on; the list grows while it is walked. */
static int add_descendants(struct look *look, size_t first)
{
	int r = 0;

	for (size_t i = first; i < look->count && r == 0; i++)
		r = add_children(look, look->sights[i].pid, look->sights[i].charge);
	return r;
}

static int add_known(struct look *look, struct charge *charge)
{
	const struct process *process;
	int r = 0;

	list_foreach(process, &charge->processes, link) {
		const struct sight sight = { .pid = process->pid,
			.parent = process->is_foreign ? 0 : getpid(),
			.start_time = process->start_time,
			.charge = charge };

		if (process_is_live(process) && r == 0)
			r = add_sight(look, &sight);
	}
	return r;
}

static int add_orphans(struct keeper *keeper, struct look *look)
{
	size_t first;
	int r = 0;

	for (size_t i = 0; i < keeper->orphans.count && r == 0; i++) {
		first = look->count;
		r = add_pid(look, keeper->orphans.pids[i], NULL);
		if (r == 0 && look->count > first)
			look->sights[first].charge =
					find_owner(keeper, &look->sights[first]);
	}
	return r;
}

int look_near(struct keeper *keeper, struct charge *charge, struct look *look)
{
	int r = look_orphans(keeper);

	if (r < 0)
		return r;
	r = charge ? add_known(look, charge) : 0;
	if (r == 0)
		r = add_orphans(keeper, look);
	return r == 0 ? add_descendants(look, 0) : r;
}
