/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/procid.h"
#include "unit/snapshot.h"
#include "unit/unit.h"

/* Unused numbers that systemd sets aside for transient users. */
#define TRANSIENT_FIRST 61184
#define TRANSIENT_LAST  65519

/*
 * The values are those of the process and do not change while it runs; they are kept once
 * for all contexts. Only the main thread of a program asks for them, at its start.
 */

static struct {
	char runtime_dir[PATH_MAX], state_dir[PATH_MAX], cache_dir[PATH_MAX];
	char logs_dir[PATH_MAX], config_dir[PATH_MAX], home[PATH_MAX], shell[PATH_MAX];
	char user[64], group[64], machine_id[64], boot_id[BOOT_ID_SIZE], host_name[256];
} values;

/* A folder of a user: from the environment, else beneath the home. */
static void set_user_folder(char *to, const char *variable, const char *below)
{
	const char *value = getenv(variable);

	if (value && *value == '/')
		(void)snprintf(to, PATH_MAX, "%s", value);
	else
		(void)snprintf(to, PATH_MAX, "%.4000s%s", values.home, below);
}

static const struct passwd *find_local_user(uid_t uid)
{
	FILE *file = fopen("/etc/passwd", "re");
	const struct passwd *pw = NULL;

	while (file && (pw = fgetpwent(file)) && pw->pw_uid != uid)
		;
	if (file)
		(void)fclose(file);
	return pw;
}

static const struct group *find_local_group(gid_t gid)
{
	FILE *file = fopen("/etc/group", "re");
	const struct group *gr = NULL;

	while (file && (gr = fgetgrent(file)) && gr->gr_gid != gid)
		;
	if (file)
		(void)fclose(file);
	return gr;
}

static bool is_transient(unsigned int id)
{
	return id >= TRANSIENT_FIRST && id <= TRANSIENT_LAST;
}

/* The files first: asking the name service loads libraries that stay loaded. A transient
 * number has no account anywhere. */
static void set_account(void)
{
	const struct passwd *pw = find_local_user(geteuid());
	const struct group *gr = find_local_group(getegid());
	const char *home = getenv("HOME");

	if (!pw && !is_transient(geteuid()))
		pw = getpwuid(geteuid());
	if (!gr && !is_transient(getegid()))
		gr = getgrgid(getegid());
	(void)snprintf(values.user, sizeof(values.user), "%u", (unsigned int)geteuid());
	(void)snprintf(values.group, sizeof(values.group), "%u", (unsigned int)getegid());
	if (pw)
		(void)snprintf(values.user, sizeof(values.user), "%s", pw->pw_name);
	if (gr)
		(void)snprintf(values.group, sizeof(values.group), "%s", gr->gr_name);
	if (!home || *home != '/')
		home = pw ? pw->pw_dir : "/";
	(void)snprintf(values.home, sizeof(values.home), "%s", home);
	(void)snprintf(values.shell, sizeof(values.shell), "%s",
			pw && *pw->pw_shell ? pw->pw_shell : "/bin/sh");
}

static void set_folders(const char *runtime_dir)
{
	if (geteuid() == 0) {
		(void)snprintf(values.runtime_dir, PATH_MAX, "/run");
		(void)snprintf(values.state_dir, PATH_MAX, "/var/lib");
		(void)snprintf(values.cache_dir, PATH_MAX, "/var/cache");
		(void)snprintf(values.logs_dir, PATH_MAX, "/var/log");
		(void)snprintf(values.config_dir, PATH_MAX, "/etc");
	} else {
		set_user_folder(values.state_dir, "XDG_STATE_HOME", "/.local/state");
		set_user_folder(values.cache_dir, "XDG_CACHE_HOME", "/.cache");
		(void)snprintf(values.logs_dir, PATH_MAX, "%.4000s/log",
				values.state_dir);
		set_user_folder(values.config_dir, "XDG_CONFIG_HOME", "/.config");
		(void)snprintf(values.runtime_dir, PATH_MAX, "/run/user/%u",
				(unsigned int)geteuid());
		if (getenv("XDG_RUNTIME_DIR"))
			set_user_folder(values.runtime_dir, "XDG_RUNTIME_DIR", "");
	}
	if (runtime_dir)
		(void)snprintf(values.runtime_dir, PATH_MAX, "%s", runtime_dir);
}

/* systemd shows the boot id as 32 digits. */
static void remove_hyphens(char *s)
{
	char *to = s;

	for (; *s; s++)
		if (*s != '-')
			*to++ = *s;
	*to = '\0';
}

static void set_machine(void)
{
	auto_free char *id = NULL;
	size_t size;

	if (file_read("/etc/machine-id", sizeof(values.machine_id) - 1, &id, &size) == 0)
		(void)snprintf(values.machine_id, sizeof(values.machine_id), "%.*s",
				(int)strcspn(id, "\n"), id);
	if (boot_id_get(values.boot_id) < 0)
		values.boot_id[0] = '\0';
	remove_hyphens(values.boot_id);
	if (gethostname(values.host_name, sizeof(values.host_name) - 1) < 0)
		values.host_name[0] = '\0';
}

static const char *or_null(const char *s)
{
	return *s ? s : NULL;
}

int unit_context_init(struct unit_context *context, const char *runtime_dir)
{
	if (runtime_dir && (*runtime_dir != '/' || strlen(runtime_dir) >= PATH_MAX))
		return -EINVAL;
	set_account();
	set_folders(runtime_dir);
	set_machine();
	*context = (struct unit_context){
		.runtime_dir = values.runtime_dir,
		.state_dir = values.state_dir,
		.cache_dir = values.cache_dir,
		.logs_dir = values.logs_dir,
		.config_dir = values.config_dir,
		.home = values.home,
		.user = values.user,
		.group = values.group,
		.shell = values.shell,
		.uid = geteuid(),
		.gid = getegid(),
		.machine_id = or_null(values.machine_id),
		.boot_id = or_null(values.boot_id),
		.host_name = or_null(values.host_name),
	};
	return 0;
}

/* In the order in which they are packed. */
static const size_t texts[] = {
	offsetof(struct unit_context, runtime_dir),
	offsetof(struct unit_context, state_dir),
	offsetof(struct unit_context, cache_dir),
	offsetof(struct unit_context, logs_dir),
	offsetof(struct unit_context, config_dir),
	offsetof(struct unit_context, home),
	offsetof(struct unit_context, user),
	offsetof(struct unit_context, group),
	offsetof(struct unit_context, shell),
	offsetof(struct unit_context, machine_id),
	offsetof(struct unit_context, boot_id),
	offsetof(struct unit_context, host_name),
};

const char **unit_context_text(struct unit_context *context, size_t i)
{
	return i < ARRAY_SIZE(texts) ? (const char **)((char *)context + texts[i]) : NULL;
}

int unit_context_copy(const struct unit_context *from, struct unit_context *ret_context,
		char **ret_texts)
{
	struct unit_context copy = *from;
	size_t size = 1, n;
	const char **text;
	char *at;

	for (size_t i = 0; (text = unit_context_text(&copy, i)); i++)
		size += *text ? strlen(*text) + 1 : 0;
	at = malloc(size);
	if (!at)
		return -ENOMEM;
	*ret_texts = at;
	for (size_t i = 0; (text = unit_context_text(&copy, i)); i++) {
		if (!*text)
			continue;
		n = strlen(*text) + 1;
		*text = memcpy(at, *text, n);
		at += n;
	}
	*ret_context = copy;
	return 0;
}
