/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "unit/specifier.h"

#include <errno.h>
#include <string.h>
#include <sys/utsname.h>

#include "unit/name.h"

static int append(struct text *t, const char *s)
{
	if (!s)
		return -EINVAL;
	text_append(t, s);
	return 0;
}

/* %p and %j: what stands before the @, and its part behind the last hyphen. */
static const char *prefix_of(
		const struct specifier_scope *scope, char c, size_t *ret_size)
{
	const char *s = scope->name;
	size_t n = strcspn(s, "@");

	if (c == 'j' || c == 'J')
		for (size_t i = n; i > 0; i--)
			if (s[i - 1] == '-') {
				*ret_size = n - i;
				return s + i;
			}
	*ret_size = n;
	return s;
}

static int append_name_part(const struct specifier_scope *scope, char c, struct text *t)
{
	const char *instance = name_instance(scope->name), *prefix;
	size_t n;

	prefix = prefix_of(scope, c, &n);
	switch (c) {
	case 'n':
		text_append(t, scope->name);
		return append(t, scope->suffix);
	case 'N':
		return append(t, scope->name);
	case 'p':
	case 'j':
		text_append_n(t, prefix, n);
		return 0;
	case 'P':
	case 'J':
		return name_unescape(prefix, n, t);
	case 'i':
		return append(t, instance ? instance : "");
	case 'I':
		return instance ? name_unescape(instance, strlen(instance), t) : 0;
	case 'f':
		text_append_char(t, '/');
		return instance ? name_unescape(instance, strlen(instance), t)
				: name_unescape(prefix, n, t);
	default:
		return -EINVAL;
	}
}

static int append_file_part(const struct specifier_scope *scope, char c, struct text *t)
{
	const char *slash = strrchr(scope->path, '/');

	if (c == 'y')
		return append(t, scope->path);
	if (!slash)
		return append(t, ".");
	text_append_n(t, scope->path,
			slash == scope->path ? 1 : (size_t)(slash - scope->path));
	return 0;
}

static int append_system_part(const struct unit_context *context, char c, struct text *t)
{
	struct utsname name;

	switch (c) {
	case 'v':
	case 'a':
		if (uname(&name) < 0)
			return -EINVAL;
		return append(t, c == 'v' ? name.release : name.machine);
	case 'm':
		return append(t, context->machine_id);
	case 'b':
		return append(t, context->boot_id);
	case 'H':
		return append(t, context->host_name);
	case 'l':
		if (!context->host_name)
			return -EINVAL;
		text_append_n(t, context->host_name, strcspn(context->host_name, "."));
		return 0;
	default:
		return -EINVAL;
	}
}

static int append_user_part(const struct unit_context *context, char c, struct text *t)
{
	switch (c) {
	case 'u':
	case 'g':
		return append(t, c == 'u' ? context->user : context->group);
	case 'U':
		text_printf(t, "%u", (unsigned int)context->uid);
		return 0;
	case 'G':
		text_printf(t, "%u", (unsigned int)context->gid);
		return 0;
	case 'h':
		return append(t, context->home);
	case 's':
		return append(t, context->shell);
	default:
		return -EINVAL;
	}
}

static int append_folder(const struct unit_context *context, char c, struct text *t)
{
	switch (c) {
	case 't':
		return append(t, context->runtime_dir);
	case 'S':
		return append(t, context->state_dir);
	case 'C':
		return append(t, context->cache_dir);
	case 'L':
		return append(t, context->logs_dir);
	case 'E':
		return append(t, context->config_dir);
	case 'T':
		return append(t, "/tmp");
	case 'V':
		return append(t, "/var/tmp");
	default:
		return -EINVAL;
	}
}

static int append_specifier(const struct specifier_scope *scope, char c, struct text *t)
{
	if (c == '%')
		return append(t, "%");
	if (c && strchr("nNpPiIjJf", c))
		return append_name_part(scope, c, t);
	if (c && strchr("yY", c))
		return append_file_part(scope, c, t);
	if (c && strchr("vamlbH", c))
		return append_system_part(scope->context, c, t);
	if (c && strchr("uUgGhs", c))
		return append_user_part(scope->context, c, t);
	return append_folder(scope->context, c, t);
}

int specifier_expand(const struct specifier_scope *scope, const char *value,
		struct text *t, char *ret_specifier)
{
	int r;

	for (;;) {
		size_t n = strcspn(value, "%");

		text_append_n(t, value, n);
		value += n;
		if (!*value)
			return t->failed ? -ENOMEM : 0;
		r = append_specifier(scope, value[1], t);
		if (r < 0) {
			if (r == -EINVAL)
				*ret_specifier = value[1];
			return r;
		}
		value += 2;
	}
}
