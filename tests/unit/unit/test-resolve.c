/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include <errno.h>

#include "support/test.h"
#include "unit/unit/fixture.h"

#define SERVICE    "[Service]\nExecStart=/bin/true\n"
#define SUPERVISOR "[Supervisor]\n"

/* Children of a supervisor, or of the root. */
static const char *children(const struct unit_set *set, const char *name)
{
	const struct unit *unit = name ? fixture_unit(set, name) : NULL;

	if (name)
		ck_assert_msg(unit != NULL, "no %s", name);
	return unit ? fixture_join(&unit->children) : fixture_children(set, NULL);
}

START_TEST(escapes_are_part_of_the_names_of_units)
{
	static const struct fixture_file files[] = {
		UNIT_FILE("a.supervisor", "[Supervisor]\nChildren=w@x\\x2dy b\n"),
		UNIT_FILE("b.actor",
				"[Actor]\nAfter=\"w@x\\x2dy\"\n[Service]\nExecStart=/bin/b\n"),
		UNIT_FILE("w@.actor", "[Service]\nExecStart=/bin/w %i %I\n"),
		NO_MORE_FILES,
	};
	auto_diag diag = { 0 };
	auto_text dump = { 0 };
	struct unit_set *set = fixture_parse(files, &diag);
	const struct unit *w = fixture_unit(set, "w@x\\x2dy");

	fixture_silent(&diag);
	ck_assert_ptr_nonnull(w);
	ck_assert_str_eq(
			fixture_join(&w->service.commands[UNIT_EXEC_START].items[0].argv),
			"/bin/w x\\x2dy x-y");
	unit_dump(fixture_unit(set, "b"), &dump);
	ck_assert_ptr_nonnull(strstr(text_get(&dump), "After=w@x\\x2dy\n"));
	unit_set_free(set);
}
END_TEST

START_TEST(units_without_a_supervisor_are_children_of_the_root_by_name)
{
	static const struct fixture_file files[] = { UNIT_FILE("c.actor", SERVICE),
		UNIT_FILE("b.supervisor", SUPERVISOR), UNIT_FILE("a.actor", SERVICE),
		NO_MORE_FILES };
	auto_diag diag = { 0 };
	struct unit_set *set = fixture_parse(files, &diag);

	fixture_silent(&diag);
	ck_assert_str_eq(children(set, NULL), "a b c");
	ck_assert_int_eq(set->root_order, UNIT_PARALLEL);
	for (uint32_t i = 0; i < set->count; i++)
		ck_assert_uint_eq(fixture_unit(set, unit_set_name(set, i))->index, i);
	unit_set_free(set);
}
END_TEST

START_TEST(listed_children_come_first_in_their_order)
{
	static const struct fixture_file files[] = {
		UNIT_FILE("a.actor", "[Actor]\nSupervisor=s\n" SERVICE),
		UNIT_FILE("b.actor", SERVICE),
		UNIT_FILE("c.actor", "[Actor]\nSupervisor=s\n" SERVICE),
		UNIT_FILE("d.actor", "[Actor]\nSupervisor=s\n" SERVICE),
		UNIT_FILE("s.supervisor", "[Supervisor]\nChildren=d b\n"),
		NO_MORE_FILES,
	};
	auto_diag diag = { 0 };
	struct unit_set *set = fixture_parse(files, &diag);

	fixture_silent(&diag);
	ck_assert_str_eq(children(set, "s"), "d b a c");
	ck_assert_str_eq(fixture_unit(set, "b")->supervisor, "s");
	ck_assert_str_eq(children(set, NULL), "s");
	unit_set_free(set);
}
END_TEST

START_TEST(after_and_before_order_siblings)
{
	static const struct fixture_file files[] = {
		UNIT_FILE("a.actor", "[Actor]\nSupervisor=s\nAfter=c\n" SERVICE),
		UNIT_FILE("b.actor", "[Actor]\nSupervisor=s\n" SERVICE),
		UNIT_FILE("c.actor", "[Actor]\nSupervisor=s\nAfter=d.service\n" SERVICE),
		UNIT_FILE("d.actor", "[Actor]\nSupervisor=s\n" SERVICE),
		UNIT_FILE("e.actor", "[Actor]\nSupervisor=s\nBefore=d b\n" SERVICE),
		UNIT_FILE("s.supervisor", SUPERVISOR),
		NO_MORE_FILES,
	};
	auto_diag diag = { 0 };
	struct unit_set *set = fixture_parse(files, &diag);

	fixture_silent(&diag);
	ck_assert_str_eq(children(set, "s"), "e d c a b");
	ck_assert_int_eq(fixture_unit(set, "s")->supervising.order, UNIT_ORDERED);
	ck_assert_int_eq(set->root_order, UNIT_PARALLEL);
	unit_set_free(set);
}
END_TEST

START_TEST(order_between_subtrees_is_that_of_their_supervisors)
{
	static const struct fixture_file files[] = {
		UNIT_FILE("a.supervisor", "[Supervisor]\nChildren=web\n"),
		UNIT_FILE("b.supervisor", "[Supervisor]\nChildren=inner\n"),
		UNIT_FILE("db.actor", SERVICE),
		UNIT_FILE("inner.supervisor", "[Supervisor]\nChildren=db\n"),
		UNIT_FILE("web.actor", "[Unit]\nAfter=db\n" SERVICE),
		NO_MORE_FILES,
	};
	auto_diag diag = { 0 };
	struct unit_set *set = fixture_parse(files, &diag);

	fixture_silent(&diag);
	ck_assert_str_eq(children(set, NULL), "b a");
	ck_assert_int_eq(set->root_order, UNIT_ORDERED);
	unit_set_free(set);
}
END_TEST

START_TEST(order_defaults_follow_strategy)
{
	static const struct fixture_file files[] = {
		UNIT_FILE("a.supervisor", SUPERVISOR),
		UNIT_FILE("b.supervisor", "[Supervisor]\nStrategy=one-for-all\n"),
		UNIT_FILE("c.supervisor", "[Supervisor]\nStrategy=rest-for-one\n"),
		UNIT_FILE("d.supervisor",
				"[Supervisor]\nStrategy=rest-for-one\nOrder=parallel\n"),
		UNIT_FILE("e.supervisor", "[Supervisor]\nOrder=ordered\n"),
		NO_MORE_FILES,
	};
	auto_diag diag = { 0 };
	struct unit_set *set = fixture_parse(files, &diag);

	fixture_silent(&diag);
	ck_assert_int_eq(fixture_unit(set, "a")->supervising.order, UNIT_PARALLEL);
	ck_assert_int_eq(fixture_unit(set, "b")->supervising.order, UNIT_ORDERED);
	ck_assert_int_eq(fixture_unit(set, "c")->supervising.order, UNIT_ORDERED);
	ck_assert_int_eq(fixture_unit(set, "d")->supervising.order, UNIT_PARALLEL);
	ck_assert_int_eq(fixture_unit(set, "e")->supervising.order, UNIT_ORDERED);
	unit_set_free(set);
}
END_TEST

/* A mistake of one group of units leaves those others as they are. */
static void expect(const struct fixture_file *files, const char *code, const char *words,
		const char *left)
{
	auto_diag diag = { 0 };
	struct unit_set *set = fixture_parse(files, &diag);
	const struct diag_item *item = fixture_find(&diag, code);
	auto_text names = { 0 };

	ck_assert_msg(strstr(item->text, words), "%s", item->text);
	ck_assert_ptr_nonnull(item->remedy);
	ck_assert_ptr_nonnull(item->file);
	fixture_names(set, &names);
	ck_assert_str_eq(text_get(&names), left);
	unit_set_free(set);
}

START_TEST(missing_supervisor_is_told)
{
	static const struct fixture_file files[] = {
		UNIT_FILE("a.actor", "[Actor]\nSupervisor=gone\n" SERVICE),
		UNIT_FILE("b.actor", SERVICE), NO_MORE_FILES
	};

	expect(files, "U040", "gone", "b");
}
END_TEST

START_TEST(members_of_a_wrong_supervisor_are_left_out_with_it)
{
	static const struct fixture_file files[] = {
		UNIT_FILE("a.actor", "[Actor]\nSupervisor=s\n" SERVICE),
		UNIT_FILE("b.actor", SERVICE),
		UNIT_FILE("c.actor", SERVICE),
		UNIT_FILE("inner.supervisor", "[Supervisor]\nChildren=c\nSupervisor=s\n"),
		UNIT_FILE("s.supervisor", "[Supervisor]\nIntensity=many\n"),
		NO_MORE_FILES,
	};

	expect(files, "U041", "s is left out", "b");
}
END_TEST

START_TEST(supervisor_that_is_none_is_told)
{
	static const struct fixture_file files[] = {
		UNIT_FILE("a.actor", "[Actor]\nSupervisor=b\n" SERVICE),
		UNIT_FILE("b.actor", SERVICE), NO_MORE_FILES
	};

	expect(files, "U042", "b is no supervisor", "b");
}
END_TEST

START_TEST(contradicting_memberships_are_told)
{
	static const struct fixture_file two[] = {
		UNIT_FILE("a.actor", "[Actor]\nSupervisor=t\n" SERVICE),
		UNIT_FILE("s.supervisor", "[Supervisor]\nChildren=a\n"),
		UNIT_FILE("t.supervisor", SUPERVISOR), NO_MORE_FILES
	};
	static const struct fixture_file lists[] = { UNIT_FILE("a.actor", SERVICE),
		UNIT_FILE("s.supervisor", "[Supervisor]\nChildren=a\n"),
		UNIT_FILE("t.supervisor", "[Supervisor]\nChildren=a\n"), NO_MORE_FILES };

	expect(two, "U043", "names t", "s t");
	expect(lists, "U043", "s and t both", "s t");
}
END_TEST

START_TEST(contradicting_orders_are_told)
{
	static const struct fixture_file files[] = {
		UNIT_FILE("a.actor", "[Actor]\nAfter=b\n" SERVICE),
		UNIT_FILE("b.actor", SERVICE),
		UNIT_FILE("s.supervisor", "[Supervisor]\nChildren=a b\n"),
		NO_MORE_FILES,
	};

	expect(files, "U043", "a before b", "b s");
}
END_TEST

START_TEST(circle_of_supervisors_is_printed_with_its_path)
{
	static const struct fixture_file files[] = {
		UNIT_FILE("a.supervisor", "[Supervisor]\nSupervisor=b\n"),
		UNIT_FILE("b.supervisor", "[Supervisor]\nSupervisor=c\n"),
		UNIT_FILE("c.supervisor", "[Supervisor]\nSupervisor=a\n"),
		UNIT_FILE("d.actor", "[Actor]\nSupervisor=c\n" SERVICE),
		UNIT_FILE("e.actor", SERVICE),
		NO_MORE_FILES,
	};
	static const struct fixture_file self[] = {
		UNIT_FILE("a.supervisor", "[Supervisor]\nChildren=a\n"), NO_MORE_FILES
	};

	expect(files, "U044", "a -> b -> c -> a", "e");
	expect(self, "U044", "a -> a", "");
}
END_TEST

START_TEST(circle_of_orders_is_printed_with_its_path)
{
	static const struct fixture_file files[] = {
		UNIT_FILE("a.actor", "[Actor]\nAfter=b\n" SERVICE),
		UNIT_FILE("b.actor", "[Actor]\nAfter=c\n" SERVICE),
		UNIT_FILE("c.actor", "[Actor]\nBefore=d\n" SERVICE),
		UNIT_FILE("d.actor", "[Actor]\nBefore=c\n" SERVICE),
		UNIT_FILE("e.actor", "[Actor]\nAfter=a\n" SERVICE),
		NO_MORE_FILES,
	};
	static const struct fixture_file self[] = {
		UNIT_FILE("a.actor", "[Actor]\nAfter=a\n" SERVICE), NO_MORE_FILES
	};

	expect(files, "U045", "c -> d -> c", "a b e");
	expect(self, "U045", "a -> a", "");
}
END_TEST

START_TEST(units_of_one_name_are_told)
{
	static const struct fixture_file files[] = { UNIT_FILE("a.actor", SERVICE),
		UNIT_FILE("a.supervisor", SUPERVISOR), UNIT_FILE("b.actor", SERVICE),
		NO_MORE_FILES };
	static const struct fixture_file twice[] = { UNIT_FILE("a.actor", SERVICE),
		UNIT_FILE("a.actor", SERVICE), UNIT_FILE("b.actor", SERVICE),
		NO_MORE_FILES };

	expect(files, "U005", "/u/a.actor", "b");
	expect(twice, "U005", "same unit", "b");
}
END_TEST

START_TEST(missing_and_masked_children_do_not_hold_the_others_up)
{
	static const struct fixture_file files[] = {
		MASKED_FILE("a.actor"),
		UNIT_FILE("b.actor", SERVICE),
		UNIT_FILE("s.supervisor", "[Supervisor]\nChildren=a gone b b\n"),
		NO_MORE_FILES,
	};

	expect(files, "U046", "gone", "b s");
	expect(files, "U047", "a is masked", "b s");
	expect(files, "U049", "b is named twice", "b s");
}
END_TEST

START_TEST(unknown_neighbours_are_told_unless_they_are_systemd_s)
{
	static const struct fixture_file files[] = {
		UNIT_FILE("a.actor",
				"[Unit]\nAfter=network.target gone b.mount\n" SERVICE),
		NO_MORE_FILES,
	};
	auto_diag diag = { 0 };
	struct unit_set *set = fixture_parse(files, &diag);

	ck_assert_uint_eq(diag.count, 1);
	ck_assert(strstr(fixture_find(&diag, "U048")->text, "gone"));
	ck_assert_uint_eq(set->count, 1);
	unit_set_free(set);
}
END_TEST

START_TEST(parallel_order_against_after_is_told)
{
	static const struct fixture_file files[] = {
		UNIT_FILE("a.actor", "[Actor]\nAfter=b\n" SERVICE),
		UNIT_FILE("b.actor", SERVICE),
		UNIT_FILE("s.supervisor", "[Supervisor]\nOrder=parallel\nChildren=b a\n"),
		NO_MORE_FILES,
	};

	expect(files, "U032", "Order=parallel", "a b s");
}
END_TEST

START_TEST(instances_are_made_of_their_template)
{
	static const struct fixture_file files[] = {
		UNIT_FILE("pair@.supervisor",
				"[Supervisor]\nChildren=worker@%i-a worker@%i-b\n"),
		UNIT_FILE("s.supervisor",
				"[Supervisor]\nChildren=worker@2 worker@1 pair@x\n"),
		UNIT_FILE("worker@.actor", "[Service]\nExecStart=/bin/w %i\n"),
		DROP_IN_FILE("worker@.actor", "10.conf", "[Service]\nNice=1\n"),
		DROP_IN_FILE("worker@2.actor", "10.conf", "[Service]\nNice=2\n"),
		NO_MORE_FILES,
	};
	auto_diag diag = { 0 };
	struct unit_set *set = fixture_parse(files, &diag);
	const struct unit *one = fixture_unit(set, "worker@1"),
			  *two = fixture_unit(set, "worker@2");

	fixture_silent(&diag);
	ck_assert_str_eq(children(set, "s"), "worker@2 worker@1 pair@x");
	ck_assert_str_eq(children(set, "pair@x"), "worker@x-a worker@x-b");
	ck_assert_str_eq(one->instance, "1");
	ck_assert_int_eq(one->service.nice, 1);
	ck_assert_int_eq(two->service.nice, 2);
	ck_assert_uint_eq(two->files.count, 3);
	ck_assert_str_eq(fixture_join(&two->service.commands[UNIT_EXEC_START]
							 .items[0]
							 .argv),
			"/bin/w 2");
	ck_assert_ptr_null(fixture_unit(set, "worker@"));
	ck_assert_ptr_null(fixture_unit(set, "worker@7"));
	unit_set_free(set);
}
END_TEST

START_TEST(drop_ins_change_what_the_file_says)
{
	static const struct fixture_file files[] = {
		UNIT_FILE("a.actor", "[Service]\nExecStart=/bin/a\nNice=1\n"),
		DROP_IN_FILE("a.actor", "10.conf", "[Service]\nNice=2\n"),
		DROP_IN_FILE("a.actor", "20.conf",
				"[Service]\nExecStart=\nExecStart=/bin/b\n"),
		DROP_IN_FILE("gone.actor", "20.conf", "[Service]\nNice=2\n"),
		NO_MORE_FILES,
	};
	auto_diag diag = { 0 };
	struct unit_set *set = fixture_parse(files, &diag);
	const struct unit *a = fixture_unit(set, "a");

	fixture_silent(&diag);
	ck_assert_uint_eq(set->count, 1);
	ck_assert_int_eq(a->service.nice, 2);
	ck_assert_str_eq(a->service.commands[UNIT_EXEC_START].items[0].path, "/bin/b");
	ck_assert_str_eq(fixture_join(&a->files),
			"/u/a.actor /u/a.actor.d/10.conf /u/a.actor.d/20.conf");
	unit_set_free(set);
}
END_TEST

#define CHAIN 20000

/* u00000 starts after u00001, and so on. */
static struct unit_snapshot *make_chain(void)
{
	struct unit_snapshot *s = calloc(1, sizeof(*s));

	s->files = calloc(CHAIN, sizeof(*s->files));
	for (s->count = 0; s->count < CHAIN; s->count++) {
		struct unit_file *f = &s->files[s->count];

		f->unit = text_format("u%05u.actor", s->count);
		f->path = strdup(f->unit);
		f->data = s->count + 1 == CHAIN ? strdup(SERVICE)
						: text_format("[Actor]\nAfter=u%05u\n%s",
								  s->count + 1, SERVICE);
		f->size = strlen(f->data);
	}
	return s;
}

START_TEST(chain_of_20000_units_is_ordered)
{
	struct unit_snapshot *s = make_chain();
	struct unit_set *set = NULL;
	auto_diag diag = { 0 };

	ck_assert_int_eq(unit_set_parse(s, &fixture_context, &diag, &set), 0);
	unit_snapshot_free(s);
	fixture_silent(&diag);
	ck_assert_uint_eq(unit_set_children(set, UNIT_NONE).count, CHAIN);
	ck_assert_str_eq(unit_set_name(set, 0), "u19999");
	ck_assert_str_eq(unit_set_name(set, CHAIN - 1), "u00000");
	unit_set_free(set);
}
END_TEST

TEST_MAIN("resolve", escapes_are_part_of_the_names_of_units,
		units_without_a_supervisor_are_children_of_the_root_by_name,
		listed_children_come_first_in_their_order,
		after_and_before_order_siblings,
		order_between_subtrees_is_that_of_their_supervisors,
		order_defaults_follow_strategy, missing_supervisor_is_told,
		members_of_a_wrong_supervisor_are_left_out_with_it,
		supervisor_that_is_none_is_told, contradicting_memberships_are_told,
		contradicting_orders_are_told,
		circle_of_supervisors_is_printed_with_its_path,
		circle_of_orders_is_printed_with_its_path, units_of_one_name_are_told,
		missing_and_masked_children_do_not_hold_the_others_up,
		unknown_neighbours_are_told_unless_they_are_systemd_s,
		parallel_order_against_after_is_told,
		instances_are_made_of_their_template, drop_ins_change_what_the_file_says,
		chain_of_20000_units_is_ordered)
