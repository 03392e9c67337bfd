/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/text.h"
#include "keeper/options.h"
#include "support/test.h"

/*
 * The command line, and that the manual page has every word of --help.
 */

static enum options_outcome parse(struct options *options, const char *a, const char *b)
{
	char *argv[] = { (char *)(uintptr_t) "airssysd", (char *)(uintptr_t)a,
		(char *)(uintptr_t)b, NULL };

	optind = 1;
	return options_parse(a ? b ? 3 : 2 : 1, argv, options);
}

START_TEST(defaults_depend_on_who_calls)
{
	struct options options;

	ck_assert_int_eq(setenv("XDG_RUNTIME_DIR", "/run/user/7", 1), 0);
	ck_assert_int_eq(unsetenv("AIRSSYS_RUNTIME_DIR"), 0);
	ck_assert_int_eq(parse(&options, "--user", NULL), OPTIONS_RUN);
	ck_assert_str_eq(options.runtime_dir, "/run/user/7/airssys");
	ck_assert_str_eq(options.runtime_base, "/run/user/7");
	ck_assert(options.is_user && options.is_default_runtime);
	options_fini(&options);
	ck_assert_int_eq(parse(&options, "--system", NULL), OPTIONS_RUN);
	ck_assert_str_eq(options.runtime_dir, "/run/airssys");
	ck_assert_str_eq(options.runtime_base, "/run");
	ck_assert_str_eq(options.unit_path.items[0], AIRSSYS_SYSCONF_DIR "/units");
	options_fini(&options);
}
END_TEST

START_TEST(moved_instance_has_a_base_of_its_own)
{
	struct options options;

	ck_assert_int_eq(setenv("AIRSSYS_RUNTIME_DIR", "/tmp/env", 1), 0);
	ck_assert_int_eq(parse(&options, NULL, NULL), OPTIONS_RUN);
	ck_assert_str_eq(options.runtime_dir, "/tmp/env");
	ck_assert_str_eq(options.runtime_base, "/tmp/env/run");
	options_fini(&options);
	ck_assert_int_eq(parse(&options, "--runtime-dir=/tmp/option", NULL), OPTIONS_RUN);
	ck_assert_str_eq(options.runtime_dir, "/tmp/option");
	options_fini(&options);
}
END_TEST

START_TEST(path_lists_are_split_and_made_absolute)
{
	struct options options;
	char here[4096];

	ck_assert_int_eq(chdir("/tmp"), 0);
	ck_assert_ptr_nonnull(getcwd(here, sizeof(here)));
	ck_assert_int_eq(parse(&options, "--unit-path=a::/b", NULL), OPTIONS_RUN);
	ck_assert_uint_eq(options.unit_path.count, 2);
	ck_assert_str_eq(options.unit_path.items[0], test_format("%s/a", here));
	ck_assert_str_eq(options.unit_path.items[1], "/b");
	options_fini(&options);
}
END_TEST

START_TEST(what_is_no_option_is_refused)
{
	struct options options;

	ck_assert_int_eq(parse(&options, "--nonsense", NULL), OPTIONS_WRONG);
	ck_assert_int_eq(parse(&options, "word", NULL), OPTIONS_WRONG);
	ck_assert_int_eq(parse(&options, "--unit-path=", NULL), OPTIONS_WRONG);
	ck_assert_int_eq(parse(&options, "--runtime-dir=", NULL), OPTIONS_WRONG);
	ck_assert_int_eq(parse(&options, "--version", NULL), OPTIONS_DONE);
}
END_TEST

/* Standard output of a program of this build. */
static char *output_of(const char *program, const char *option)
{
	auto_free char *command =
			test_format("%s/%s %s", getenv("top_builddir"), program, option);
	FILE *pipe = popen(command, "r");
	auto_text text = { 0 };
	char line[256];

	ck_assert_ptr_nonnull(pipe);
	while (fgets(line, sizeof(line), pipe))
		text_append(&text, line);
	ck_assert_int_eq(pclose(pipe), 0);
	return text_take(&text);
}

static char *read_page(const char *name)
{
	auto_free char *path = text_format("%s/man/%s", getenv("top_srcdir"), name);
	size_t size;
	char *data;

	ck_assert_int_eq(file_read(path, 1024 * 1024, &data, &size), 0);
	return data;
}

/* Every --option of the help has its ".It Fl -option" and the reverse. */
static void compare(const char *program, const char *page_name)
{
	auto_free char *help = output_of(program, "--help"), *page = read_page(page_name);
	size_t n_help = 0, n_page = 0;
	char name[64], *at;

	for (at = help; (at = strstr(at, "  --")); at += 4) {
		ck_assert_int_eq(sscanf(at, "  --%63[a-z-]", name), 1);
		ck_assert_msg(strstr(page, test_format(".It Fl -%s", name)),
				"%s does not have --%s", page_name, name);
		n_help++;
	}
	for (at = page; (at = strstr(at, ".It Fl -")); at += 8)
		n_page++;
	ck_assert_uint_gt(n_help, 1);
	ck_assert_uint_eq(n_help, n_page);
}

START_TEST(manual_pages_have_every_option_and_no_other)
{
	compare("airssysd", "airssysd.8");
	compare("airssys-exec", "airssys-exec.8");
}
END_TEST

TEST_MAIN("options", defaults_depend_on_who_calls, moved_instance_has_a_base_of_its_own,
		path_lists_are_split_and_made_absolute, what_is_no_option_is_refused,
		manual_pages_have_every_option_and_no_other)
