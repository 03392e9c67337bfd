/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "manager/reload.h"

#include <errno.h>

#include "support/test.h"
#include "unit/manager/units.h"

#define A "[Service]\nExecStart=/bin/true\n"
#define B "[Service]\nExecStart=/bin/false\n"

static const struct text_file before[] = {
	{ "shop.supervisor", "[Supervisor]\nChildren=db web\n" },
	{ "db.actor", A },
	{ "web.actor", A },
	{ "lone.actor", A },
};

static void expect(const struct text_file *after, size_t n, size_t errors,
		const char *name, enum reload_verdict verdict)
{
	auto_(unit_snapshot) snapshot = units_snapshot(after, n);
	auto_(unit_set) set = units_parse(snapshot, errors);
	auto_(unit) old = NULL;
	auto_(unit) fresh = NULL;
	struct registry registry;
	struct record *record;
	int r;

	UNITS_REGISTRY(&registry, before);
	record = registry_find(&registry, name);
	ck_assert_int_eq(registry_open(&registry, record, &old), 0);
	r = unit_set_open(set, unit_set_find(set, name), &fresh);
	ck_assert(r == 0 || r == -ENOENT);
	ck_assert_msg(reload_compare(record, snapshot, old, fresh) == verdict,
			"%s is not judged as expected", name);
	registry_fini(&registry);
}

#define EXPECT(after, errors, name, verdict)                                             \
	expect(after, ARRAY_SIZE(after), errors, name, verdict)

START_TEST(same_files_keep_everything)
{
	for (size_t i = 0; i < ARRAY_SIZE(before); i++) {
		static const char *const names[] = { "shop", "db", "web", "lone" };

		EXPECT(before, 0, names[i], RELOAD_KEEP);
	}
}
END_TEST

START_TEST(changed_file_changes_its_unit_only)
{
	static const struct text_file after[] = {
		{ "shop.supervisor", "[Supervisor]\nChildren=db web\n" },
		{ "db.actor", B },
		{ "web.actor", A },
		{ "lone.actor", A },
	};

	EXPECT(after, 0, "db", RELOAD_CHANGE);
	EXPECT(after, 0, "web", RELOAD_KEEP);
	EXPECT(after, 0, "shop", RELOAD_KEEP);
}
END_TEST

START_TEST(vanished_file_removes_its_unit)
{
	static const struct text_file after[] = {
		{ "shop.supervisor", "[Supervisor]\nChildren=db web\n" },
		{ "db.actor", A },
		{ "web.actor", A },
	};

	EXPECT(after, 0, "lone", RELOAD_REMOVE);
	EXPECT(after, 0, "db", RELOAD_KEEP);
}
END_TEST

START_TEST(broken_file_keeps_its_unit)
{
	static const struct text_file after[] = {
		{ "shop.supervisor", "[Supervisor]\nChildren=db web\n" },
		{ "db.actor", A },
		{ "web.actor", A },
		{ "lone.actor", "[Service]\n" },
	};

	EXPECT(after, 1, "lone", RELOAD_KEEP);
}
END_TEST

START_TEST(unit_that_moves_is_removed_from_where_it_was)
{
	static const struct text_file after[] = {
		{ "shop.supervisor", "[Supervisor]\nChildren=db lone\n" },
		{ "db.actor", A },
		{ "web.actor", A },
		{ "lone.actor", A },
	};

	EXPECT(after, 0, "lone", RELOAD_REMOVE);
	EXPECT(after, 0, "web", RELOAD_REMOVE);
	EXPECT(after, 0, "db", RELOAD_KEEP);
	EXPECT(after, 0, "shop", RELOAD_CHANGE);
}
END_TEST

START_TEST(unit_of_another_kind_is_another_unit)
{
	static const struct text_file after[] = {
		{ "shop.supervisor", "[Supervisor]\nChildren=db web\n" },
		{ "db.actor", A },
		{ "web.actor", A },
		{ "lone.supervisor", "[Supervisor]\n" },
	};

	EXPECT(after, 0, "lone", RELOAD_REMOVE);
}
END_TEST

TEST_MAIN("reload", same_files_keep_everything, changed_file_changes_its_unit_only,
		vanished_file_removes_its_unit, broken_file_keeps_its_unit,
		unit_that_moves_is_removed_from_where_it_was,
		unit_of_another_kind_is_another_unit)
