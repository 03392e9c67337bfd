/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "ctl/command.h"
#include "run.h"
#include "support/test.h"

static struct run run;

static char *read_source(const char *name)
{
	const char *folder = getenv("top_srcdir");
	auto_free char *path = text_format("%s/%s", folder ? folder : ".", name);
	char *data = NULL;
	size_t size;

	ck_assert_int_eq(file_read(path, 1 << 20, &data, &size), 0);
	return data;
}

START_TEST(help_lists_every_command_and_option)
{
	run_ctl(&run, NULL, "help");
	ck_assert_int_eq(run.status, 0);
	for (size_t i = 0; commands[i]; i++) {
		auto_free char *line = text_format("\n  %s ", commands[i]->name);

		expect_contains(&run.out, line);
		expect_contains(&run.out, commands[i]->summary);
	}
	for (size_t i = 0; option_table[i].name; i++)
		if (!option_table[i].commands)
			expect_contains(&run.out, option_table[i].name);
}
END_TEST

START_TEST(help_of_a_command_shows_its_options)
{
	for (size_t i = 0; commands[i]; i++) {
		run_ctl(&run, NULL, "help", commands[i]->name);
		ck_assert_int_eq(run.status, 0);
		for (size_t k = 0; option_table[k].name; k++) {
			const struct option_info *o = &option_table[k];
			auto_free char *word = text_format("--%s", o->name);

			if (o->commands && option_fits(o, commands[i]->name))
				expect_contains(&run.out, word);
		}
		run_fini(&run);
	}
	run_ctl(&run, NULL, "logs", "--help");
	ck_assert_int_eq(run.status, 0);
	expect_contains(&run.out, "airssysctl [OPTION...] logs NAME\n");
	run_fini(&run);
	run_ctl(&run, NULL, "help", "--json");
	expect_json(&run.out);
}
END_TEST

START_TEST(wrong_usage_exits_2_and_says_what_is_wrong)
{
	static const struct {
		const char *arguments[5];
		const char *part;
	} cases[] = {
		{ { NULL }, "no command is given" },
		{ { "fly", NULL }, "there is no command 'fly'" },
		{ { "help", "fly", NULL }, "there is no command 'fly'" },
		{ { "--fly", NULL }, "there is no option '--fly'" },
		{ { "tree", "-x", NULL },
				"there is no option '-x': see airssysctl help" },
		{ { "tree", "--json=1", NULL }, "'--json' takes no value" },
		{ { "kill", "db", "-s", NULL }, "'-s' needs a value" },
		{ { "kill", "db", "--whom", NULL }, "'--whom' needs a value" },
		{ { "logs", "db", "--lines=x", NULL }, "'x' is no value for --lines" },
		{ { "logs", "db", "-n", "9x", NULL }, "'9x' is no value for --lines" },
		{ { "logs", "db", "-Sx", NULL }, "'x' is no value for --since" },
		{ { "logs", "db", "-f", "-Unow" }, "either --follow or --until" },
		{ { "kill", "db", "-sNONE", NULL }, "'NONE' is no value for --signal" },
		{ { "kill", "db", "--whom=me", NULL }, "'me' is no value for --whom" },
		{ { "tree", "--color=red", NULL }, "'red' is no value for --color" },
		{ { "tree", "--timeout=0", NULL }, "'0' is no value for --timeout" },
		{ { "tree", "--socket=", NULL }, "'' is no value for --socket" },
		{ { "show", "db", "-pA,,B", NULL }, "is no value for --property" },
		{ { "list", "--state=failed,bogus", NULL }, "there is no state 'bogus'" },
		{ { "tree", "-f", NULL }, "--follow does not go with 'tree'" },
		{ { "start", NULL }, "'start' needs more: airssysctl start NAME..." },
		{ { "tree", "db", NULL }, "'tree' takes less: airssysctl tree" },
		{ { "logs", "a", "b", NULL }, "'logs' takes less: airssysctl logs NAME" },
		{ { "\033[2J", NULL }, "there is no command '\\x1b[2J'" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		run_start(&run, NULL, RUN_PIPES, NULL, cases[i].arguments);
		run_wait(&run);
		ck_assert_msg(run.status == 2, "case %zu exits %d", i, run.status);
		expect_contains(&run.err, cases[i].part);
		ck_assert_str_eq(text_get(&run.out), "");
		run_fini(&run);
	}
	run_ctl(&run, NULL, "fly", "--json");
	ck_assert_int_eq(run.status, 2);
	expect_json(&run.out);
	expect_contains(&run.out, "\"kind\":\"usage\"");
}
END_TEST

/* How often "prefix NAME" begins an item of the list: once is documented. */
static size_t count_items(const char *page, const char *prefix, const char *name)
{
	auto_free char *item = text_format("\n.It %s%s", prefix, name);
	size_t size = strlen(item), n = 0;

	for (const char *p = page; (p = strstr(p, item)); p += size)
		n += p[size] == '\n' || p[size] == ' ' || p[size] == '=';
	return n;
}

static bool is_option(const char *name, size_t size)
{
	for (size_t i = 0; option_table[i].name; i++)
		if (strlen(option_table[i].name) == size &&
				strncmp(option_table[i].name, name, size) == 0)
			return true;
	return false;
}

START_TEST(manual_documents_every_command_and_option)
{
	auto_free char *page = read_source("man/airssysctl.1");

	for (size_t i = 0; commands[i]; i++)
		ck_assert_msg(count_items(page, "Ic ", commands[i]->name) == 1,
				"command %s", commands[i]->name);
	for (size_t i = 0; option_table[i].name; i++) {
		const struct option_info *o = &option_table[i];
		auto_free char *prefix = o->letter
				? text_format("Fl %c , Fl -", o->letter)
				: strdup("Fl -");

		ck_assert_msg(count_items(page, prefix, o->name) == 1, "option %s",
				o->name);
	}
}
END_TEST

START_TEST(manual_documents_no_other_command_or_option)
{
	auto_free char *page = read_source("man/airssysctl.1");

	for (const char *p = page; (p = strstr(p, "\n.It Ic ")); p++) {
		auto_free char *name = strndup(p + 8, strcspn(p + 8, " \n"));

		ck_assert_msg(command_find(name) != NULL, "command %s", name);
	}
	for (const char *p = page; (p = strstr(p, "\n.It Fl ")); p++) {
		const char *name = strstr(p, "Fl -");
		size_t size = strcspn(name + 4, " =\n");

		ck_assert_msg(is_option(name + 4, size), "option %.*s", (int)size,
				name + 4);
	}
}
END_TEST

START_TEST(completion_knows_every_command_and_option)
{
	auto_free char *script = read_source("contrib/completion/airssysctl.bash");

	for (size_t i = 0; commands[i]; i++)
		ck_assert_msg(strstr(script, commands[i]->name) != NULL, "command %s",
				commands[i]->name);
	for (size_t i = 0; option_table[i].name; i++) {
		auto_free char *word = text_format("--%s%s", option_table[i].name,
				option_table[i].argument ? "=" : "");

		ck_assert_msg(strstr(script, word) != NULL, "option %s", word);
	}
}
END_TEST

TEST_MAIN("usage", help_lists_every_command_and_option,
		help_of_a_command_shows_its_options,
		wrong_usage_exits_2_and_says_what_is_wrong,
		manual_documents_every_command_and_option,
		manual_documents_no_other_command_or_option,
		completion_knows_every_command_and_option)
