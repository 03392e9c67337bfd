/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include <errno.h>

#include "base/fd.h"
#include "support/test.h"
#include "unit/code.h"
#include "unit/option.h"
#include "unit/unit/fixture.h"

/*
 * The manual pages against the options table, both ways: an option is an ".It Ic Key"
 * below the ".Ss [Section] section" of the page of its kind.
 */

#define ENTRY   ".It Ic "
#define HEADING ".Ss ["

static char *read_page(const char *name)
{
	auto_free char *path = text_format("%s/man/%s", getenv("top_srcdir"), name);
	char *page = NULL;
	size_t size;

	ck_assert_int_eq(file_read(path, 1 << 20, &page, &size), 0);
	return page;
}

/* What stands between a heading of a section and the next heading, or NULL. */
static char *read_section(const char *page, const char *section)
{
	auto_free char *heading = text_format(HEADING "%s] section\n", section);
	const char *at = strstr(page, heading), *end;

	if (!at)
		return NULL;
	at += strlen(heading);
	end = strstr(at, "\n.S");
	ck_assert_ptr_nonnull(end);
	return strndup(at, (size_t)(end - at) + 1);
}

/* The text of an option, up to the next one's; several keys may share one. */
static char *read_entry(const char *section, const char *key)
{
	auto_free char *head = text_format(ENTRY "%s\n", key);
	const char *at = strstr(section, head), *end;

	if (!at)
		return NULL;
	at += strlen(head);
	while (has_prefix(at, ENTRY))
		at = strchr(at, '\n') + 1;
	end = strstr(at, "\n" ENTRY);
	return end ? strndup(at, (size_t)(end - at) + 1) : strdup(at);
}

static const char *page_of(const struct unit_option *o)
{
	return strcmp(o->section, "Supervisor") == 0 ? "airssys.supervisor.5"
						     : "airssys.actor.5";
}

START_TEST(every_option_is_in_the_manual_with_its_default)
{
	for (size_t i = 0; i < n_unit_options; i++) {
		const struct unit_option *o = &unit_options[i];
		bool is_limit = has_prefix(o->key, "Limit");
		auto_free char *page = read_page(page_of(o));
		auto_free char *section =
				read_section(page, is_limit ? "Limits" : o->section);
		auto_free char *entry = section ? read_entry(section, o->key) : NULL;

		ck_assert_msg(entry != NULL, "%s: [%s] %s= is missing", page_of(o),
				o->section, o->key);
		ck_assert_msg(!*o->default_text || strstr(entry, o->default_text),
				"%s: the default of [%s] %s=, %s, is missing", page_of(o),
				o->section, o->key, o->default_text);
		ck_assert_msg(strcmp(o->unit, "seconds") != 0 ||
						o->role == OPTION_ALIAS ||
						strstr(entry, "seconds"),
				"%s: the unit of %s= is missing", page_of(o), o->key);
	}
}
END_TEST

static void check_page(const char *name)
{
	auto_free char *page = read_page(name);
	char section[64] = "", key[64];

	for (const char *line = page; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (has_prefix(line, ".S"))
			section[0] = '\0';
		if (sscanf(line, HEADING "%63[A-Za-z]]", section) == 1)
			ck_assert_int_ne(option_section_fit(section, UNIT_SERVICE),
					OPTION_UNKNOWN_SECTION);
		if (*section && sscanf(line, ENTRY "%63[A-Za-z]", key) == 1)
			ck_assert_msg(option_find(section, key) != NULL,
					"%s: there is no [%s] %s=", name, section, key);
	}
}

START_TEST(manual_has_no_option_that_is_not_there)
{
	check_page("airssys.actor.5");
	check_page("airssys.supervisor.5");
}
END_TEST

START_TEST(every_code_is_in_the_manual)
{
	auto_free char *page = read_page("airssys.actor.5");

	for (int i = 0; i < CODE_COUNT; i++) {
		auto_free char *entry = text_format("\n.It Li %s\n%s\n",
				unit_code((enum unit_code_name)i),
				unit_code_meaning((enum unit_code_name)i));

		ck_assert_msg(strstr(page, entry) != NULL, "%s",
				unit_code((enum unit_code_name)i));
	}
}
END_TEST

TEST_MAIN("manual", every_option_is_in_the_manual_with_its_default,
		manual_has_no_option_that_is_not_there, every_code_is_in_the_manual)
