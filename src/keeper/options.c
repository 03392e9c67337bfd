/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "keeper/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "osl/policy.h"

static const char help[] =
		"Usage: airssysd [OPTION]...\n"
		"\n"
		"Starts the supervision tree that the unit files describe and keeps it.\n"
		"\n"
		"  --runtime-dir=DIR       where sockets and state are kept\n"
		"  --unit-path=DIR[:DIR]   where unit files are looked for, first wins\n"
		"  --policy-path=DIR[:DIR] where policies are looked for\n"
		"  --module-path=DIR[:DIR] where actor modules are looked for\n"
		"  --libexec-dir=DIR       where airssys-core and airssys-exec are\n"
		"  --core-user=NAME        user of airssys-core, a name or a number\n"
		"  --user                  serve the user who calls\n"
		"  --system                serve the machine (the default for root)\n"
		"  --foreground            stay attached to the terminal (always so)\n"
		"  --strict                end when a unit file has a mistake\n"
		"  --help                  print this text\n"
		"  --version               print the version\n";

enum option_code {
	OPTION_RUNTIME_DIR = 256,
	OPTION_UNIT_PATH,
	OPTION_POLICY_PATH,
	OPTION_MODULE_PATH,
	OPTION_LIBEXEC_DIR,
	OPTION_CORE_USER,
	OPTION_USER,
	OPTION_SYSTEM,
	OPTION_FOREGROUND,
	OPTION_STRICT,
	OPTION_HELP,
	OPTION_VERSION,
};

static const struct option long_options[] = {
	{ "runtime-dir", required_argument, NULL, OPTION_RUNTIME_DIR },
	{ "unit-path", required_argument, NULL, OPTION_UNIT_PATH },
	{ "policy-path", required_argument, NULL, OPTION_POLICY_PATH },
	{ "module-path", required_argument, NULL, OPTION_MODULE_PATH },
	{ "libexec-dir", required_argument, NULL, OPTION_LIBEXEC_DIR },
	{ "core-user", required_argument, NULL, OPTION_CORE_USER },
	{ "user", no_argument, NULL, OPTION_USER },
	{ "system", no_argument, NULL, OPTION_SYSTEM },
	{ "foreground", no_argument, NULL, OPTION_FOREGROUND },
	{ "strict", no_argument, NULL, OPTION_STRICT },
	{ "help", no_argument, NULL, OPTION_HELP },
	{ "version", no_argument, NULL, OPTION_VERSION },
	{ 0 },
};

/* Absolute, so that it means the same after the keeper has left the folder. */
static char *make_absolute(const char *path)
{
	auto_free char *here = NULL;

	if (*path == '/')
		return strdup(path);
	here = getcwd(NULL, 0);
	return here ? text_format("%s/%s", here, path) : NULL;
}

static int set_path(char **field, const char *value)
{
	free(*field);
	*field = *value ? make_absolute(value) : NULL;
	return *field ? 0 : -EINVAL;
}

static int set_path_list(struct strv *list, const char *value)
{
	auto_free char *copy = strdup(value);
	char *rest = copy, *item;
	int r;

	strv_fini(list);
	while (rest && (item = strsep(&rest, ":"))) {
		if (!*item)
			continue;
		r = strv_append_take(list, make_absolute(item));
		if (r < 0)
			return r;
	}
	return list->count > 0 ? 0 : -EINVAL;
}

static int set_text(char **field, const char *value)
{
	free(*field);
	*field = *value ? strdup(value) : NULL;
	return *field ? 0 : -EINVAL;
}

static int apply(struct options *options, int code, const char *value)
{
	switch (code) {
	case OPTION_RUNTIME_DIR:
		return set_path(&options->runtime_dir, value);
	case OPTION_UNIT_PATH:
		return set_path_list(&options->unit_path, value);
	case OPTION_POLICY_PATH:
		return set_path_list(&options->policy_path, value);
	case OPTION_MODULE_PATH:
		return set_path_list(&options->module_path, value);
	case OPTION_LIBEXEC_DIR:
		return set_path(&options->libexec_dir, value);
	case OPTION_CORE_USER:
		return set_text(&options->core_user, value);
	case OPTION_USER:
		options->is_user = true;
		return 0;
	case OPTION_SYSTEM:
		options->is_user = false;
		return 0;
	case OPTION_STRICT:
		options->is_strict = true;
		return 0;
	default: /* --foreground */
		return 0;
	}
}

static enum options_outcome read_command_line(
		int argc, char **argv, struct options *options)
{
	int code, index = 0, r;

	while ((code = getopt_long(argc, argv, "", long_options, &index)) >= 0) {
		if (code == '?')
			return OPTIONS_WRONG;
		if (code == OPTION_HELP || code == OPTION_VERSION) {
			(void)fputs(code == OPTION_HELP ? help : PACKAGE_STRING "\n",
					stdout);
			return OPTIONS_DONE;
		}
		r = apply(options, code, optarg);
		if (r < 0) {
			fprintf(stderr, "airssysd: '%s' is no value for --%s\n", optarg,
					long_options[index].name);
			return OPTIONS_WRONG;
		}
	}
	if (optind == argc)
		return OPTIONS_RUN;
	fprintf(stderr, "airssysd: unexpected argument \"%s\"\n", argv[optind]);
	return OPTIONS_WRONG;
}

/* The folder of a user's instance: XDG_RUNTIME_DIR as pam_systemd makes it. */
static char *find_user_base(void)
{
	const char *dir = getenv("XDG_RUNTIME_DIR");

	if (dir && *dir == '/')
		return strdup(dir);
	return text_format("/run/user/%u", (unsigned int)getuid());
}

/*
 * %t is where RuntimeDirectory= is made. An instance that was moved has its own, so that
 * two instances of one tree do not meet in /run.
 */
static int set_runtime_defaults(struct options *options)
{
	auto_free char *base = options->is_user ? find_user_base() : strdup("/run");
	const char *moved = getenv("AIRSSYS_RUNTIME_DIR");
	int r;

	if (!base)
		return -ENOMEM;
	if (!options->runtime_dir && moved && *moved) {
		r = set_path(&options->runtime_dir, moved);
		if (r < 0)
			return r;
	}
	if (options->runtime_dir) {
		options->runtime_base = text_format("%s/run", options->runtime_dir);
	} else {
		options->runtime_dir = text_format("%s/airssys", base);
		options->runtime_base = TAKE_PTR(base);
		options->is_default_runtime = true;
	}
	return options->runtime_dir && options->runtime_base ? 0 : -ENOMEM;
}

static int set_user_unit_path(struct options *options)
{
	const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
	int r = 0;

	if (config && *config == '/')
		r = strv_append_take(&options->unit_path,
				text_format("%s/airssys/units", config));
	else if (home && *home == '/')
		r = strv_append_take(&options->unit_path,
				text_format("%s/.config/airssys/units", home));
	if (r == 0)
		r = strv_append(&options->unit_path, AIRSSYS_SYSCONF_DIR "/user");
	return r;
}

static int set_unit_path(struct options *options)
{
	static const char *const folders[] = {
		AIRSSYS_SYSCONF_DIR "/units",
		"/run/airssys/units",
		AIRSSYS_LIB_DIR "/units",
	};
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(folders) && r == 0; i++)
		r = strv_append(&options->unit_path, folders[i]);
	return r;
}

static int set_defaults(struct options *options)
{
	int r = set_runtime_defaults(options);

	if (r == 0 && options->unit_path.count == 0)
		r = options->is_user ? set_user_unit_path(options)
				     : set_unit_path(options);
	if (r == 0 && options->policy_path.count == 0)
		r = policy_default_paths(&options->policy_path);
	if (r == 0 && options->module_path.count == 0)
		r = strv_append(&options->module_path, AIRSSYS_LIB_DIR "/modules");
	if (r == 0 && !options->libexec_dir)
		r = set_text(&options->libexec_dir, AIRSSYS_LIBEXEC_DIR);
	return r;
}

enum options_outcome options_parse(int argc, char **argv, struct options *ret_options)
{
	struct options options = { .is_user = geteuid() != 0 };
	enum options_outcome outcome = read_command_line(argc, argv, &options);
	int r;

	if (outcome == OPTIONS_RUN) {
		r = set_defaults(&options);
		if (r < 0) {
			fprintf(stderr, "airssysd: %s\n", strerror(-r));
			outcome = OPTIONS_WRONG;
		}
	}
	if (outcome == OPTIONS_RUN)
		*ret_options = options;
	else
		options_fini(&options);
	return outcome;
}

void options_fini(struct options *options)
{
	free(options->runtime_dir);
	free(options->runtime_base);
	strv_fini(&options->unit_path);
	strv_fini(&options->policy_path);
	strv_fini(&options->module_path);
	free(options->libexec_dir);
	free(options->core_user);
	*options = (struct options){ 0 };
}
