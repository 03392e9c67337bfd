/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "unit/command.h"

#include <errno.h>
#include <sys/stat.h>

#include "support/test.h"
#include "unit/unit/fixture.h"

static const struct specifier_scope scope = { &fixture_context, "web@1", ".actor",
	"/u/web@.actor" };

/* "flags path|arg|arg" of each command, separated by " && ". */
static void describe(const struct unit_commands *commands, struct text *t)
{
	text_append(t, "");
	for (uint32_t i = 0; i < commands->count; i++) {
		const struct unit_command *c = &commands->items[i];

		text_printf(t, "%s%s%s%s%s%s", i ? " && " : "",
				c->ignore_failure ? "-" : "", c->no_expansion ? ":" : "",
				c->full_privileges ? "+" : "",
				c->keep_privileges ? "!" : "", c->path);
		for (size_t k = 0; k < c->argv.count; k++)
			text_printf(t, "|%s", c->argv.items[k]);
	}
}

struct command_case {
	const char *value;
	const char *wanted; /* NULL: refused */
};

static void try_case(const struct command_case *c)
{
	struct unit_commands commands = { 0 };
	struct command_report report;
	auto_text got = { 0 };
	int r = command_parse(c->value, &scope, &commands, &report);

	if (c->wanted) {
		ck_assert_msg(r == 0, "%s: %s", c->value, report.problem);
		describe(&commands, &got);
		ck_assert_str_eq(text_get(&got), c->wanted);
	} else {
		ck_assert_msg(r == -EINVAL, "%s", c->value);
		ck_assert_ptr_nonnull(report.problem);
		ck_assert_ptr_nonnull(report.remedy);
		ck_assert_uint_eq(commands.count, 0);
	}
	commands_fini(&commands);
}

START_TEST(words_quotes_and_escapes_are_those_of_systemd)
{
	static const struct command_case cases[] = {
		{ "/bin/a", "/bin/a|/bin/a" },
		{ "  /bin/a  b\tc  ", "/bin/a|/bin/a|b|c" },
		{ "/bin/a 'b c' \"d e\"", "/bin/a|/bin/a|b c|d e" },
		{ "/bin/a \"\" ''", "/bin/a|/bin/a||" },
		{ "/bin/a b'c d'e\"f g\"", "/bin/a|/bin/a|bc def g" },
		{ "/bin/a \"it's\" 'say \"x\"'", "/bin/a|/bin/a|it's|say \"x\"" },
		{ "/bin/a \\x41\\101\\u00e9\\U0001F600",
				"/bin/a|/bin/a|AA\u00e9\U0001F600" },
		{ "/bin/a \\a\\b\\f\\n\\r\\t\\v\\\\\\\"\\'\\s",
				"/bin/a|/bin/a|\a\b\f\n\r\t\v\\\"' " },
		{ "/bin/a 'b\\tc' \"b\\tc\"", "/bin/a|/bin/a|b\tc|b\tc" },
		{ "/bin/a b\\ c", "/bin/a|/bin/a|b\\ c" },
		{ "/bin/a \\q", "/bin/a|/bin/a|\\q" },
		{ "@/bin/a \\; b", "/bin/a|;|b" },
		{ "/bin/a #no comment", "/bin/a|/bin/a|#no|comment" },
		{ "\"/bin/my prog\" x", "/bin/my prog|/bin/my prog|x" },
		{ "/bin/a $FOO ${BAR} $$", "/bin/a|/bin/a|$FOO|${BAR}|$$" },
		{ "sh -c 'echo a; echo b'", "sh|sh|-c|echo a; echo b" },
		{ "/bin/a \"b", NULL },
		{ "/bin/a 'b", NULL },
		{ "/bin/a b'", NULL },
		{ "/bin/a \\x00", NULL },
		{ "/bin/a \\000", NULL },
		{ "/bin/a \\400", NULL },
		{ "/bin/a \\ud800", NULL },
		{ "/bin/a \\U00110000", NULL },
		{ "", NULL },
		{ "   ", NULL },
		{ "bin/a", NULL },
		{ "./a", NULL },
		{ "/bin/a/", NULL },
		{ "\"\" a", NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		try_case(&cases[i]);
}
END_TEST

START_TEST(prefix_characters_combine_as_in_systemd)
{
	static const struct command_case cases[] = {
		{ "-/bin/a", "-/bin/a|/bin/a" },
		{ "@/bin/a b c", "/bin/a|b|c" },
		{ "-@/bin/a b", "-/bin/a|b" },
		{ "@-/bin/a b", "-/bin/a|b" },
		{ ":/bin/a $B", ":/bin/a|/bin/a|$B" },
		{ "+/bin/a", "+/bin/a|/bin/a" },
		{ "!/bin/a", "!/bin/a|/bin/a" },
		{ "!!/bin/a", "/bin/a|/bin/a" },
		{ "-@:+/bin/a b", "-:+/bin/a|b" },
		{ "--/bin/a", NULL },
		{ "@@/bin/a b", NULL },
		{ "::/bin/a", NULL },
		{ "+!/bin/a", NULL },
		{ "++/bin/a", NULL },
		{ "!!!/bin/a", NULL },
		{ "@/bin/a", NULL },
		{ "@/bin/a ; b", NULL },
		{ "-", NULL },
		{ "- /bin/a", NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		try_case(&cases[i]);
}
END_TEST

START_TEST(lone_semicolon_separates_commands)
{
	static const struct command_case cases[] = {
		{ "/bin/a b ; /bin/c d", "/bin/a|/bin/a|b && /bin/c|/bin/c|d" },
		{ "/bin/a ; -/bin/b", "/bin/a|/bin/a && -/bin/b|/bin/b" },
		{ "/bin/a \\; b", "/bin/a|/bin/a|;|b" },
		{ "/bin/a \";\" b", "/bin/a|/bin/a|;|b" },
		{ "/bin/a b; c", "/bin/a|/bin/a|b;|c" },
		{ "/bin/a ;b", "/bin/a|/bin/a|;b" },
		{ "/bin/a ;", "/bin/a|/bin/a" },
		{ "; /bin/a ; ; /bin/b", "/bin/a|/bin/a && /bin/b|/bin/b" },
		{ ";", NULL },
		{ "/bin/a ; b/c", NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		try_case(&cases[i]);
}
END_TEST

START_TEST(specifiers_are_expanded_after_the_words_are_cut)
{
	static const struct command_case cases[] = {
		{ "/bin/%p %i %%", "/bin/web|/bin/web|1|%" },
		{ "@/bin/a %n", "/bin/a|web@1.actor" },
		{ "/bin/a %", NULL },
		{ "/bin/a %!", NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		try_case(&cases[i]);
}
END_TEST

START_TEST(unknown_escape_is_noted_and_kept)
{
	struct unit_commands commands = { 0 };
	struct command_report report;

	ck_assert_int_eq(command_parse("/bin/a \\d", &scope, &commands, &report), 0);
	ck_assert(report.has_unknown_escape);
	ck_assert_int_eq(command_parse("/bin/a \\t", &scope, &commands, &report), 0);
	ck_assert(!report.has_unknown_escape);
	commands_fini(&commands);
}
END_TEST

START_TEST(refused_line_leaves_earlier_commands_alone)
{
	struct unit_commands commands = { 0 };
	struct command_report report;

	ck_assert_int_eq(command_parse("/bin/a", &scope, &commands, &report), 0);
	ck_assert_int_eq(command_parse("/bin/b ; /bin/c 'x", &scope, &commands, &report),
			-EINVAL);
	ck_assert_uint_eq(commands.count, 1);
	ck_assert_str_eq(commands.items[0].path, "/bin/a");
	commands_fini(&commands);
}
END_TEST

START_TEST(dumped_command_reads_as_the_same)
{
	static const char *const values[] = { "/bin/a", "-@:+/bin/a b c", "!/bin/a ''",
		"/bin/a \";\" 'b c' \\x01\\n \\\\ '\"' %% $X ${Y} \\u00e9",
		"\"/bin/my prog\" x", "-\"/bin/my prog\"", "@/bin/a /bin/b" };

	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		struct unit_commands a = { 0 }, b = { 0 };
		struct command_report report;
		auto_text dump = { 0 }, x = { 0 }, y = { 0 };

		ck_assert_int_eq(command_parse(values[i], &scope, &a, &report), 0);
		command_dump(&a.items[0], &dump);
		ck_assert_msg(command_parse(text_get(&dump), &scope, &b, &report) == 0,
				"%s", text_get(&dump));
		describe(&a, &x);
		describe(&b, &y);
		ck_assert_str_eq(text_get(&x), text_get(&y));
		commands_fini(&a);
		commands_fini(&b);
	}
}
END_TEST

START_TEST(programs_are_found_and_checked)
{
	const char *folder = test_folder(), *plain = test_path(folder, "plain");
	auto_free char *path = NULL;

	ck_assert_int_eq(command_find_program("sh", &path), 0);
	ck_assert(*path == '/' && has_suffix(path, "/sh"));
	ck_assert_int_eq(command_check_program(path), 0);
	ck_assert_int_eq(
			command_find_program("no-such-program-anywhere", &path), -ENOENT);
	ck_assert_int_eq(command_check_program("/nonexistent"), -ENOENT);
	ck_assert_int_lt(command_check_program(folder), 0);
	test_write(plain, "", 0644);
	ck_assert_int_eq(command_check_program(plain), -EACCES);
}
END_TEST

TEST_MAIN("command", words_quotes_and_escapes_are_those_of_systemd,
		prefix_characters_combine_as_in_systemd,
		lone_semicolon_separates_commands,
		specifiers_are_expanded_after_the_words_are_cut,
		unknown_escape_is_noted_and_kept,
		refused_line_leaves_earlier_commands_alone,
		dumped_command_reads_as_the_same, programs_are_found_and_checked)
