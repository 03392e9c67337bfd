/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "keeper/users.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"

struct known_group {
	char *name;
	gid_t gid;
	int error;
};

static void user_free(struct user *user)
{
	if (!user)
		return;
	free(user->asked);
	free(user->name);
	free(user->home);
	free(user->shell);
	free(user->groups);
	free(user);
}

static void known_group_free(struct known_group *group)
{
	if (!group)
		return;
	free(group->name);
	free(group);
}

DEFINE_AUTO(user, user_free);
DEFINE_AUTO(known_group, known_group_free);

static int add_group(struct user *user, gid_t gid)
{
	gid_t *more;

	for (uint32_t i = 0; i < user->n_groups; i++)
		if (user->groups[i] == gid)
			return 0;
	more = realloc(user->groups, (user->n_groups + 1) * sizeof(*more));
	if (!more)
		return -ENOMEM;
	more[user->n_groups++] = gid;
	user->groups = more;
	return 0;
}

static bool is_member(const struct group *group, const char *name)
{
	for (char **member = group->gr_mem; *member; member++)
		if (strcmp(*member, name) == 0)
			return true;
	return false;
}

/* 0 with NULL when it is not there: then nobody is in it. Any other failure says nothing
 * about who is. */
static int open_list(const char *path, FILE **ret_file)
{
	*ret_file = fopen(path, "re");
	return *ret_file || errno == ENOENT ? 0 : -errno;
}

static int read_memberships(struct user *user)
{
	struct group *group;
	FILE *file;
	int r = open_list("/etc/group", &file);

	if (r == 0)
		r = add_group(user, user->gid);
	if (!file)
		return r;
	while (r == 0 && user->name && (group = fgetgrent(file)))
		if (is_member(group, user->name))
			r = add_group(user, group->gr_gid);
	(void)fclose(file);
	return r;
}

static int take_entry(struct user *user, const struct passwd *entry)
{
	user->uid = entry->pw_uid;
	user->gid = entry->pw_gid;
	user->name = strdup(entry->pw_name);
	user->home = strdup(*entry->pw_dir ? entry->pw_dir : "/");
	user->shell = strdup(*entry->pw_shell ? entry->pw_shell : "/bin/sh");
	if (!user->name || !user->home || !user->shell)
		return -ENOMEM;
	user->error = 0;
	return read_memberships(user);
}

static int search(struct user *user)
{
	unsigned int number = 0;
	bool by_number = parse_uint(user->asked, &number) == 0 && number != UINT32_MAX;
	struct passwd *entry;
	FILE *file;
	int r = open_list("/etc/passwd", &file);

	user->error = -ESRCH;
	user->uid = (uid_t)-1;
	user->gid = (gid_t)-1;
	if (by_number)
		user->uid = number;
	if (!file)
		return r;
	while ((entry = fgetpwent(file))) {
		if (by_number ? entry->pw_uid != number
			      : strcmp(entry->pw_name, user->asked) != 0)
			continue;
		r = take_entry(user, entry);
		break;
	}
	(void)fclose(file);
	return r;
}

int users_find(struct users *users, const char *name, const struct user **ret_user)
{
	auto_(user) user = NULL;
	struct user *known = map_find(&users->by_name, name);
	int r;

	if (!known) {
		user = calloc(1, sizeof(*user));
		if (!user)
			return -ENOMEM;
		user->asked = strdup(name);
		if (!user->asked)
			return -ENOMEM;
		r = search(user);
		if (r < 0)
			return r;
		r = map_put(&users->by_name, user->asked, user);
		if (r < 0)
			return r;
		known = TAKE_PTR(user);
	}
	if (known->error < 0)
		return known->error;
	*ret_user = known;
	return 0;
}

int users_find_uid(struct users *users, uid_t uid, const struct user **ret_user)
{
	char number[16];

	(void)snprintf(number, sizeof(number), "%u", (unsigned int)uid);
	return users_find(users, number, ret_user);
}

static int search_group(struct known_group *known)
{
	struct group *group;
	FILE *file;
	int r = open_list("/etc/group", &file);

	known->error = -ESRCH;
	if (!file)
		return r;
	while ((group = fgetgrent(file))) {
		if (strcmp(group->gr_name, known->name) != 0)
			continue;
		known->gid = group->gr_gid;
		known->error = 0;
		break;
	}
	(void)fclose(file);
	return 0;
}

int users_find_group(struct users *users, const char *name, gid_t *ret_gid)
{
	auto_(known_group) fresh = NULL;
	struct known_group *known = map_find(&users->groups_by_name, name);
	unsigned int number;
	int r;

	if (parse_uint(name, &number) == 0 && number != UINT32_MAX) {
		*ret_gid = number;
		return 0;
	}
	if (!known) {
		fresh = calloc(1, sizeof(*fresh));
		if (!fresh)
			return -ENOMEM;
		fresh->name = strdup(name);
		if (!fresh->name)
			return -ENOMEM;
		r = search_group(fresh);
		if (r == 0)
			r = map_put(&users->groups_by_name, fresh->name, fresh);
		if (r < 0)
			return r;
		known = TAKE_PTR(fresh);
	}
	if (known->error < 0)
		return known->error;
	*ret_gid = known->gid;
	return 0;
}

void users_forget(struct users *users)
{
	struct known_group *group;
	struct user *user;
	size_t cursor;

	map_foreach(&users->by_name, cursor, user)
		user_free(user);
	map_foreach(&users->groups_by_name, cursor, group)
		known_group_free(group);
	map_fini(&users->by_name);
	map_fini(&users->groups_by_name);
}
