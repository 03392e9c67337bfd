/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "unit/instance.h"

#include <inttypes.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/text.h"

static void append_components(struct text *t, const char *path)
{
	size_t n;

	for (; *path; path += n) {
		path += strspn(path, "/");
		n = strcspn(path, "/");
		if (n == 0 || (n == 1 && path[0] == '.'))
			continue;
		text_append_char(t, '/');
		text_append_n(t, path, n);
	}
}

char *instance_name(const char *runtime_dir)
{
	auto_free char *here = NULL;
	auto_text name = { 0 };

	if (runtime_dir[0] != '/') {
		here = getcwd(NULL, 0);
		if (!here)
			return NULL;
		append_components(&name, here);
	}
	append_components(&name, runtime_dir);
	if (name.size == 0)
		text_append_char(&name, '/');
	return text_take(&name);
}

char *instance_log_identifier(const char *runtime_dir, const char *name)
{
	auto_free char *instance = instance_name(runtime_dir);
	uint32_t h = UINT32_C(2166136261);

	if (!instance)
		return NULL;
	if (strcmp(instance, INSTANCE_SYSTEM_DIR) == 0)
		return strdup(name);
	for (const char *p = instance; *p; p++)
		h = (h ^ (unsigned char)*p) * UINT32_C(16777619);
	return text_format("%s@%08" PRIx32, name, h);
}
