/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "ctl/log-trust.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/journal.h"
#include "unit/instance.h"

#define CORE_USER "airssys"
/* Uids that systemd and the keeper give away for the life of a program. */
#define DYNAMIC_FIRST 61184
#define DYNAMIC_LAST  65519
/* Of the record that a core writes when it starts (osl/activity.def). */
#define CORE_STARTED "MESSAGE_ID=e6e84cb4f3804c2681cc44df3b44e5c7"

/* Where the cgroup v2 tree may be; the longer one first. */
static const char *const mounts[] = { "/sys/fs/cgroup/unified", "/sys/fs/cgroup" };

/* systemd-sysusers made it, so the file has it: no name service is asked. */
static uid_t find_core_user(uid_t otherwise)
{
	FILE *f = fopen("/etc/passwd", "re");
	uid_t uid = otherwise;
	struct passwd *p;

	if (!f)
		return otherwise;
	while (uid == otherwise && (p = fgetpwent(f)))
		if (strcmp(p->pw_name, CORE_USER) == 0)
			uid = p->pw_uid;
	(void)fclose(f);
	return uid;
}

static uid_t find_owner(const char *instance)
{
	struct stat st;

	if (strcmp(instance, INSTANCE_SYSTEM_DIR) == 0)
		return 0;
	/* Without its folder it can only have been the reader's. */
	return stat(instance, &st) < 0 ? geteuid() : st.st_uid;
}

void log_trust_init(struct log_trust *trust, const struct log_request *request)
{
	uid_t owner = find_owner(request->instance);

	*trust = (struct log_trust){
		.request = request,
		.owner = owner,
		.core = owner == 0 ? find_core_user(owner) : owner,
	};
}

void log_trust_fini(struct log_trust *trust)
{
	strv_fini(&trust->folders);
	strv_fini(&trust->homes);
}

void log_trust_renew(struct log_trust *trust)
{
	trust->looked = false;
}

static bool is_core(const struct log_trust *trust, uid_t uid)
{
	if (uid == trust->owner || uid == trust->core)
		return true;
	return trust->owner == 0 && uid >= DYNAMIC_FIRST && uid <= DYNAMIC_LAST;
}

/* The value of a field; NULL when the entry has none, or no memory is left. */
static char *copy_value(sd_journal *j, const char *field)
{
	size_t skip = strlen(field) + 1, size;
	const void *data;

	if (sd_journal_get_data(j, field, &data, &size) < 0 || size < skip)
		return NULL;
	return strndup((const char *)data + skip, size - skip);
}

static bool has_value(sd_journal *j, const char *field, const char *wanted)
{
	auto_free char *value = copy_value(j, field);

	return text_equals(value, wanted);
}

/* Kernel's own messages have no uid, and are nobody's here. */
static bool get_uid(sd_journal *j, uid_t *ret_uid)
{
	auto_free char *value = copy_value(j, "_UID");
	unsigned int uid;

	if (!value || parse_uint(value, &uid) < 0)
		return false;
	*ret_uid = uid;
	return true;
}

static int add_once(struct strv *v, const char *s)
{
	return strv_contains(v, s) ? 0 : strv_append(v, s);
}

/* The path as the journal has it, which knows no mounts. */
static const char *skip_mount(const char *path)
{
	for (size_t i = 0; i < ARRAY_SIZE(mounts); i++)
		if (has_prefix(path, mounts[i]))
			return path + strlen(mounts[i]);
	return path;
}

/* The record of a core that has started. */
static int note_core(struct log_trust *trust, sd_journal *j)
{
	auto_free char *cgroup = NULL, *folder = NULL;
	uid_t uid;

	if (!get_uid(j, &uid) || !is_core(trust, uid))
		return 0;
	folder = copy_value(j, "AIRSSYS_CGROUP");
	if (folder)
		return add_once(&trust->folders, skip_mount(folder));
	cgroup = copy_value(j, "_SYSTEMD_CGROUP");
	return cgroup ? add_once(&trust->homes, cgroup) : 0;
}

static int match_cores(sd_journal *j, const struct log_request *request)
{
	auto_free char *instance = text_format("AIRSSYS_INSTANCE=%s", request->instance);
	int r = instance ? sd_journal_add_match(j, instance, 0) : -ENOMEM;

	return r < 0 ? r : sd_journal_add_match(j, CORE_STARTED, 0);
}

static int find_cores(struct log_trust *trust)
{
	sd_journal *j;
	int r;

	log_trust_fini(trust);
	trust->looked = true;
	r = log_journal_open_files(trust->request, &j);
	if (r < 0)
		return r;
	r = match_cores(j, trust->request);
	if (r >= 0)
		r = sd_journal_seek_tail(j);
	while (r >= 0 &&
			trust->folders.count + trust->homes.count < LOG_TRUST_HOMES_MAX &&
			(r = sd_journal_previous(j)) > 0)
		r = note_core(trust, j);
	sd_journal_close(j);
	return r < 0 ? r : 0;
}

bool log_trust_is_of_unit(const char *folder, const char *cgroup, const char *unit)
{
	auto_free char *leaf = text_format("%s/%s%s", folder, unit, INSTANCE_LEAF_SUFFIX);
	size_t n = leaf ? strlen(leaf) : 0;

	if (!leaf || strncmp(cgroup, leaf, n) != 0)
		return false;
	return cgroup[n] == '\0' || cgroup[n] == '/';
}

/* A stream that root opened for this unit, of a process that is in no cgroup, or gone. */
static int check_stream_unit(const struct log_trust *trust, sd_journal *j)
{
	auto_free char *unit = text_format(JOURNAL_UNIT_PREFIX "%s" JOURNAL_UNIT_SUFFIX,
			trust->request->identifier);

	if (!unit)
		return -ENOMEM;
	return trust->owner == 0 && has_value(j, "_SYSTEMD_UNIT", unit);
}

static int check_output(struct log_trust *trust, sd_journal *j)
{
	auto_free char *cgroup = copy_value(j, "_SYSTEMD_CGROUP");
	int r;

	if (!cgroup)
		return check_stream_unit(trust, j);
	r = trust->looked ? 0 : find_cores(trust);
	if (r < 0 || strv_contains(&trust->homes, cgroup))
		return r < 0 ? r : 1;
	for (size_t i = 0; i < trust->folders.count; i++)
		if (log_trust_is_of_unit(trust->folders.items[i], cgroup,
				    trust->request->unit))
			return 1;
	return 0;
}

int log_trust_check(struct log_trust *trust, sd_journal *j)
{
	uid_t uid;

	if (!get_uid(j, &uid))
		return 0;
	if (uid == trust->owner || uid == 0)
		return 1;
	return has_value(j, "_TRANSPORT", "stdout") ? check_output(trust, j)
						    : is_core(trust, uid);
}
