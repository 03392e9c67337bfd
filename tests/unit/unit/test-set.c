/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "unit/set.h"

#include <errno.h>
#include <glob.h>

#include "base/fd.h"
#include "support/test.h"
#include "unit/name.h"
#include "unit/programs.h"
#include "unit/unit/fixture.h"

#define GROUPS_MAX 256

struct groups {
	struct draft_group items[GROUPS_MAX];
	size_t count;
};

static void group_files(const struct unit_snapshot *s, struct groups *groups)
{
	ck_assert_uint_lt(s->count, GROUPS_MAX);
	*groups = (struct groups){ 0 };
	for (uint32_t i = 0; i < s->count; i++) {
		if (groups->count == 0 ||
				strcmp(groups->items[groups->count - 1].files[0].unit,
						s->files[i].unit) != 0)
			groups->count++;
		draft_group_add(&groups->items[groups->count - 1], &s->files[i]);
	}
}

static const struct draft_group *find_group(
		const struct groups *groups, const char *name, const char *suffix)
{
	auto_free char *unit = text_format("%s%s", name, suffix);

	for (size_t i = 0; i < groups->count; i++)
		if (strcmp(groups->items[i].files[0].unit, unit) == 0)
			return &groups->items[i];
	return NULL;
}

/* The unit straight from the files in memory, as it is judged when a set is made. */
static struct draft *make(const struct unit_snapshot *s, const struct draft_maker *maker,
		const struct unit *like)
{
	const char *suffix = like->kind == UNIT_SUPERVISOR ? NAME_SUFFIX_SUPERVISOR
							   : NAME_SUFFIX_ACTOR;
	auto_free char *template =
			text_format("%.*s@", (int)strcspn(like->name, "@"), like->name);
	struct draft_files what = { .name = like->name, .suffix = suffix };
	struct draft *draft = NULL;
	struct groups groups;

	group_files(s, &groups);
	what.own = find_group(&groups, like->name, suffix);
	if (!what.own || !what.own->own)
		what.base = find_group(&groups, template, suffix);
	ck_assert_int_eq(draft_make(maker, &what, &draft), 0);
	ck_assert_ptr_nonnull(draft->unit);
	ck_assert(!draft->is_lost);
	return draft;
}

/* What only the set knows is looked at elsewhere. */
static void complete(struct unit *made, const struct unit *opened)
{
	made->supervisor = opened->supervisor;
	ck_assert_int_eq(strv_copy(&opened->children, &made->children), 0);
	if (opened->kind == UNIT_SUPERVISOR)
		made->supervising.order = opened->supervising.order;
}

static void check_same(const struct unit *opened, const struct unit *made)
{
	auto_text a = { 0 }, b = { 0 };

	unit_dump(opened, &a);
	unit_dump(made, &b);
	ck_assert_str_eq(text_get(&a), text_get(&b));
	ck_assert(unit_equals(opened, made));
	ck_assert_str_eq(opened->name, made->name);
	ck_assert(text_equals(opened->instance, made->instance));
	ck_assert_uint_eq(opened->files.count, made->files.count);
	for (size_t i = 0; i < opened->files.count; i++)
		ck_assert_str_eq(opened->files.items[i], made->files.items[i]);
}

static void check_place(
		const struct unit_set *set, uint32_t index, const struct unit *unit)
{
	uint32_t supervisor = unit_set_supervisor(set, index);
	struct unit_range children = unit_set_children(set, index);

	ck_assert_str_eq(unit->name, unit_set_name(set, index));
	ck_assert_uint_eq(unit_set_find(set, unit->name), index);
	ck_assert_uint_eq(unit->index, index);
	ck_assert_int_eq(unit->kind, unit_set_kind(set, index));
	ck_assert(text_equals(unit->supervisor,
			supervisor == UNIT_NONE ? NULL : unit_set_name(set, supervisor)));
	ck_assert_uint_eq(children.count, unit->children.count);
	for (uint32_t i = 0; i < children.count; i++) {
		ck_assert_str_eq(unit->children.items[i],
				unit_set_name(set, children.first + i));
		ck_assert_uint_eq(unit_set_supervisor(set, children.first + i), index);
	}
}

/* Open every unit and make it again from the files; returns how many there were. */
static uint32_t check_all(struct unit_snapshot *s, const struct unit_set *set,
		const struct unit_context *context)
{
	struct unit *prototypes[UNIT_KIND_COUNT] = { 0 };
	const struct draft_maker maker = { context, prototypes, NULL };

	ck_assert_int_eq(draft_prototypes_make(prototypes), 0);
	for (uint32_t i = 0; i < set->count; i++) {
		auto_(draft) draft = NULL;
		auto_(unit) unit = NULL;

		ck_assert_int_eq(unit_set_open(set, i, &unit), 0);
		check_place(set, i, unit);
		draft = make(s, &maker, unit);
		complete(draft->unit, unit);
		check_same(unit, draft->unit);
	}
	draft_prototypes_free(prototypes);
	return set->count;
}

/* The same of a set that was parsed from the packed snapshot, as another process does. */
static void check_handed_over(struct unit_snapshot *s, const struct unit_set *first)
{
	auto_(unit_snapshot) back = NULL;
	auto_(unit_set) set = NULL;
	auto_close int fd = -1;

	ck_assert_int_eq(unit_snapshot_pack(s, &fd), 0);
	ck_assert_int_eq(unit_snapshot_unpack(fd, &back), 0);
	ck_assert_int_eq(unit_set_parse(back, &back->context, NULL, &set), 0);
	ck_assert_uint_eq(check_all(back, set, &back->context), first->count);
	for (uint32_t i = 0; i < set->count; i++) {
		auto_(unit) a = NULL;
		auto_(unit) b = NULL;

		ck_assert_int_eq(unit_set_open(first, i, &a), 0);
		ck_assert_int_eq(unit_set_open(set, i, &b), 0);
		ck_assert_str_eq(a->name, b->name);
		check_same(a, b);
	}
}

/* Parse, compare, hand over, compare. */
static uint32_t check_snapshot(struct unit_snapshot *s)
{
	auto_(unit_set) set = NULL;
	uint32_t n;

	unit_snapshot_set_context(s, &fixture_context);
	ck_assert_int_eq(unit_snapshot_parse(s, &set), 0);
	n = check_all(s, set, &s->context);
	check_handed_over(s, set);
	return n;
}

/* All unit files of the examples, each of which has a folder. */
static void list_examples(struct strv *paths)
{
	auto_free char *pattern = text_format(
			"%s/units/*/*.{actor,supervisor}", getenv("top_srcdir"));
	glob_t found;

	ck_assert_int_eq(glob(pattern, GLOB_BRACE, NULL, &found), 0);
	for (size_t i = 0; i < found.gl_pathc; i++)
		ck_assert_int_eq(strv_append(paths, found.gl_pathv[i]), 0);
	globfree(&found);
}

START_TEST(opened_units_of_the_project_are_what_their_files_say)
{
	auto_(unit_snapshot) s = NULL;
	auto_strv paths = { 0 };

	list_examples(&paths);
	ck_assert_int_eq(unit_snapshot_load_files(&paths, NULL, &s), 0);
	ck_assert_uint_ge(s->count, 5);
	/* Some of their programs may not be installed here. */
	for (uint32_t i = 0; i < s->count; i++)
		s->files[i].is_kept = 1;
	ck_assert_uint_eq(check_snapshot(s), s->count);
}
END_TEST

static const struct fixture_file hostile[] = {
	UNIT_FILE("a.actor",
			"[Actor]\nSupervisor=s\nAfter=b\nBefore=network.target\n[Service]\n"
			"ExecStart=/bin/sh -c 'a  b' %n %i ; /bin/true\nType=oneshot\n"
			"ExecStop=-nowhere-to-be-found\nExecStop=sh -c :\nEnvironment=A=1 'B= c'\n"
			"LimitCPU=1:2\nLimitNOFILE=5\nSuccessExitStatus=1 SIGINT\nUser=u\n"
			"EnvironmentFile=-/e\nStandardOutput=file:/x\nNonsense=\n"
			"RuntimeDirectory=x y/z\nPassEnvironment=P Q\nWorkingDirectory=-~\n"),
	DROP_IN_FILE("a.actor", "10.conf", "[Service]\nEnvironment=\nEnvironment=C=2\n"),
	DROP_IN_FILE("a.actor", "20.conf", "[Actor]\nDescription=twice\n[X-Y]\nz=\n"),
	UNIT_FILE("b.actor", "[Service]\nExecStart=/bin/true\n"),
	UNIT_FILE("bad.actor", "[Service]\nExecStart=/bin/true\nRestart=never ever\n"),
	UNIT_FILE("empty.actor", ""),
	MASKED_FILE("gone.actor"),
	UNIT_FILE("n.actor",
			"[Actor]\nSupervisor=s\n[Native]\nModule=m.so\nArguments=a=b c='d e'\n"),
	UNIT_FILE("noprogram.actor", "[Service]\nExecStart=/nowhere/to/be/found\n"),
	UNIT_FILE("s.supervisor",
			"[Supervisor]\nStrategy=rest-for-one\nChildren=w@2 b w@1 gone bad none\n"),
	DROP_IN_FILE("s.supervisor", "x.conf", "[Supervisor]\nIntensity=9\n"),
	UNIT_FILE("t@.supervisor", "[Supervisor]\nDescription=of %i\nChildren=leaf@%i\n"),
	UNIT_FILE("leaf@.actor", "[Service]\nExecStart=/bin/true %i %I %p\n"),
	UNIT_FILE("u.supervisor", "[Supervisor]\nChildren=t@a t@b-c\n"),
	UNIT_FILE("w@.actor", "[Service]\nExecStart=/bin/true %i\nNice=1\n"),
	DROP_IN_FILE("w@.actor", "x.conf", "[Service]\nNice=2\n"),
	DROP_IN_FILE("w@2.actor", "y.conf", "[Service]\nNice=3\n"),
	UNIT_FILE("zz.actor",
			"[Actor]\nSupervisor=nobody\n[Service]\nExecStart=/bin/true\n"),
	NO_MORE_FILES,
};

START_TEST(opened_units_of_a_hostile_set_are_what_their_files_say)
{
	auto_(unit_snapshot) s = fixture_snapshot(hostile);
	auto_text names = { 0 };
	auto_(unit_set) set = NULL;

	ck_assert_int_eq(unit_set_parse(s, &fixture_context, NULL, &set), 0);
	fixture_names(set, &names);
	ck_assert_str_eq(text_get(&names),
			"a b leaf@a leaf@b-c n noprogram s t@a t@b-c u w@1 w@2");
	ck_assert_uint_eq(check_snapshot(s), 11);
	ck_assert_int_eq(fixture_unit(set, "w@2")->service.nice, 3);
	ck_assert_int_eq(fixture_unit(set, "w@1")->service.nice, 2);
}
END_TEST

START_TEST(opened_units_of_earlier_files_are_what_those_say)
{
	static const struct fixture_file before[] = {
		UNIT_FILE("x.actor", "[Service]\nExecStart=/bin/true old\n"),
		DROP_IN_FILE("x.actor", "1.conf", "[Service]\nNice=4\n"), NO_MORE_FILES
	};
	static const struct fixture_file now[] = {
		UNIT_FILE("x.actor", "[Service]\nExecStart=\nTypo\n"),
		UNIT_FILE("y.actor", "[Service]\nExecStart=/bin/true\n"), NO_MORE_FILES
	};
	auto_(unit_snapshot) earlier = fixture_snapshot(before);
	auto_(unit_snapshot) s = fixture_snapshot(now);
	auto_(unit_set) old = NULL;
	auto_(unit_set) set = NULL;

	ck_assert_int_eq(unit_set_parse(earlier, &fixture_context, NULL, &old), 0);
	ck_assert_int_eq(unit_set_parse(s, &fixture_context, NULL, &set), 0);
	ck_assert_uint_eq(unit_set_find(set, "x"), UNIT_NONE);
	ck_assert_int_eq(unit_snapshot_keep(s, earlier, fixture_unit(old, "x")), 0);
	ck_assert_uint_eq(check_snapshot(s), 2);
	/* What was parsed before goes on reading what it was parsed from. */
	ck_assert_str_eq(fixture_unit(old, "x")
					 ->service.commands[UNIT_EXEC_START]
					 .items[0]
					 .argv.items[1],
			"old");
	ck_assert_uint_eq(check_all(earlier, old, &fixture_context), 1);
}
END_TEST

/* A thousand sets of files that somebody might write, of three kinds and all sorts of
 * lines. */
START_TEST(opened_units_of_generated_files_are_what_those_say)
{
	static const char *const lines[] = { "[Service]\n", "[Actor]\n", "[Native]\n",
		"ExecStart=/bin/true %n\n", "ExecStart=\n", "Type=oneshot\n", "Nice=-2\n",
		"Environment=A=%i B=\\x41\n", "Supervisor=s\n", "After=a b\n",
		"Module=m.so\n", "[Supervisor]\n", "Children=a w@1\n", "Children=\n",
		"Order=parallel\n", "LimitAS=1G\n", "Restart=transient\n", "Restart=no\n",
		"Garbage\n", "\\\n", "KillSignal=TERM\n", "TimeoutSec=3\n", "UMask=077\n",
		"# c\n" };
	static const char *const units[] = { "a.actor", "b.actor", "s.supervisor",
		"w@.actor" };
	uint32_t seed = 1, opened = 0;

	for (int round = 0; round < 1000; round++) {
		struct fixture_file files[ARRAY_SIZE(units) + 1] = { 0 };
		struct text texts[ARRAY_SIZE(units)] = { 0 };
		struct unit_snapshot *s;

		for (size_t u = 0; u < ARRAY_SIZE(units); u++) {
			text_append(&texts[u],
					u == 2 ? "[Supervisor]\n"
					       : "[Service]\nExecStart=/bin/true\n");
			for (int n = round % 7; n > 0; n--) {
				seed = seed * 1664525 + 1013904223;
				text_append(&texts[u],
						lines[(seed >> 8) % ARRAY_SIZE(lines)]);
			}
			files[u] = (struct fixture_file)UNIT_FILE(
					units[u], text_get(&texts[u]));
		}
		s = fixture_snapshot(files);
		opened += check_snapshot(s);
		unit_snapshot_free(s);
		for (size_t u = 0; u < ARRAY_SIZE(units); u++)
			text_fini(&texts[u]);
	}
	ck_assert_uint_gt(opened, 1000);
}
END_TEST

START_TEST(set_opens_units_when_its_snapshot_is_gone)
{
	struct unit_snapshot *s = fixture_snapshot(hostile);
	struct unit_context context = fixture_context;
	char runtime_dir[] = "/run/t";
	auto_(unit_set) set = NULL;
	auto_(unit) unit = NULL;

	context.runtime_dir = runtime_dir;
	ck_assert_int_eq(unit_set_parse(s, &context, NULL, &set), 0);
	unit_snapshot_free(s);
	memset(runtime_dir, 'x', sizeof(runtime_dir) - 1);
	ck_assert_int_eq(unit_set_open(set, unit_set_find(set, "a"), &unit), 0);
	ck_assert_str_eq(unit->supervisor, "s");
	unit_set_free(TAKE_PTR(set));
	/* And the unit lives without the set. */
	ck_assert_str_eq(unit->supervisor, "s");
	ck_assert_str_eq(unit->service.user, "u");
}
END_TEST

START_TEST(unit_that_is_not_there_cannot_be_opened)
{
	auto_(unit_snapshot) s = fixture_snapshot(hostile);
	const struct fixture_file none[] = { NO_MORE_FILES };
	struct unit_set *empty = fixture_parse(none, NULL);
	auto_(unit_set) set = NULL;
	struct unit *unit = NULL;

	ck_assert_int_eq(unit_set_parse(s, &fixture_context, NULL, &set), 0);
	ck_assert_int_eq(unit_set_open(set, unit_set_find(set, "bad"), &unit), -ENOENT);
	ck_assert_int_eq(unit_set_open(set, unit_set_find(set, ""), &unit), -ENOENT);
	ck_assert_int_eq(unit_set_open(empty, unit_set_find(empty, "a"), &unit), -ENOENT);
	ck_assert_uint_eq(unit_set_children(empty, UNIT_NONE).count, 0);
	ck_assert_ptr_null(unit);
	unit_set_free(empty);
}
END_TEST

START_TEST(every_failed_allocation_of_an_opening_is_told)
{
	auto_(unit_snapshot) s = fixture_snapshot(hostile);
	auto_(unit_set) set = NULL;
	struct unit *unit = NULL;
	unsigned int n = 0;
	int r;

	ck_assert_int_eq(unit_set_parse(s, &fixture_context, NULL, &set), 0);
	do {
		alloc_fail_at(++n);
		r = unit_set_open(set, unit_set_find(set, "a"), &unit);
		if (!alloc_fail_stop())
			break;
		ck_assert_msg(r == -ENOMEM, "allocation %u: %d", n, r);
	} while (r < 0);
	ck_assert_int_eq(r, 0);
	ck_assert_uint_gt(n, 20);
	unit_free(unit);
}
END_TEST

START_TEST(copy_of_a_unit_is_its_own)
{
	auto_(unit_snapshot) s = fixture_snapshot(hostile);
	auto_(unit_set) set = NULL;
	auto_(unit) copy = NULL;
	struct unit *unit;

	ck_assert_int_eq(unit_set_parse(s, &fixture_context, NULL, &set), 0);
	ck_assert_int_eq(unit_set_open(set, unit_set_find(set, "a"), &unit), 0);
	ck_assert_int_eq(unit_copy(unit, &copy), 0);
	ck_assert(unit_equals(unit, copy));
	unit_free(unit);
	ck_assert_str_eq(copy->supervisor, "s");
	ck_assert_uint_eq(copy->service.n_limits, 2);
}
END_TEST

static enum unit_change compare(
		const char *before, const char *now, const struct unit_context *context)
{
	const struct fixture_file old_files[] = {
		UNIT_FILE("s.supervisor", "[Supervisor]\nChildren=x\n"),
		UNIT_FILE("x.actor", before), NO_MORE_FILES
	};
	const struct fixture_file new_files[] = { UNIT_FILE("a.actor", before),
		UNIT_FILE("s.supervisor", "[Supervisor]\nChildren=x a\n"),
		UNIT_FILE("x.actor", now), NO_MORE_FILES };
	struct unit_set *a = fixture_parse(old_files, NULL);
	struct unit_set *b = fixture_parse_in(new_files, context, NULL);
	enum unit_change change;

	ck_assert_int_eq(unit_set_compare(a, unit_set_find(a, "x"), b,
					 unit_set_find(b, "x"), &change),
			0);
	ck_assert_int_eq(
			change, unit_compare(fixture_unit(a, "x"), fixture_unit(b, "x")));
	ck_assert_int_eq(unit_set_compare(a, unit_set_find(a, "a"), b,
					 unit_set_find(b, "a"), &change),
			-ENOENT);
	unit_set_free(a);
	unit_set_free(b);
	return change;
}

START_TEST(units_of_two_sets_are_compared_by_what_they_say)
{
	struct unit_context other = fixture_context;
	const char *text = "[Service]\nExecStart=/bin/a %t\n";

	ck_assert_int_eq(compare(text, text, &fixture_context), UNIT_UNCHANGED);
	ck_assert_int_eq(compare(text, "# c\n[Service]\nExecStart=/bin/a  %t\n",
					 &fixture_context),
			UNIT_UNCHANGED);
	ck_assert_int_eq(compare(text, "[Service]\nExecStart=/bin/b %t\n",
					 &fixture_context),
			UNIT_CHANGED_RESTART);
	/* The same bytes are not always the same unit. */
	other.runtime_dir = "/elsewhere";
	ck_assert_int_eq(compare(text, text, &other), UNIT_CHANGED_RESTART);
}
END_TEST

START_TEST(place_of_a_program_is_part_of_a_unit)
{
	static const struct fixture_file files[] = {
		UNIT_FILE("x.actor", "[Service]\nExecStart=prog\n"), NO_MORE_FILES
	};
	struct unit_programs here = { .is_closed = true }, there = { .is_closed = true };
	struct unit_context context = fixture_context;
	struct unit_set *a, *b;
	enum unit_change change;
	char name[] = "prog", bin[] = "/bin/prog", sbin[] = "/sbin/prog";

	ck_assert_int_eq(unit_programs_add(&here,
					 &(struct unit_program){
							 .name = name, .path = bin }),
			0);
	ck_assert_int_eq(unit_programs_add(&there,
					 &(struct unit_program){
							 .name = name, .path = sbin }),
			0);
	context.programs = &here;
	a = fixture_parse_in(files, &context, NULL);
	context.programs = &there;
	b = fixture_parse_in(files, &context, NULL);
	ck_assert_int_eq(unit_set_compare(a, 0, b, 0, &change), 0);
	ck_assert_int_eq(change, UNIT_CHANGED_RESTART);
	ck_assert_int_eq(unit_set_compare(a, 0, a, 0, &change), 0);
	ck_assert_int_eq(change, UNIT_UNCHANGED);
	unit_set_free(a);
	unit_set_free(b);
	unit_programs_fini(&here);
	unit_programs_fini(&there);
}
END_TEST

static int find_policy(void *data, const char *name)
{
	++*(int *)data;
	return strcmp(name, "there") == 0 ? 0 : -ENOENT;
}

START_TEST(policy_that_is_not_there_is_an_error_that_travels)
{
	static const struct fixture_file files[] = {
		UNIT_FILE("a.actor",
				"[Service]\nExecStart=/bin/true\n"
				"[Security]\nPolicy=there\n"),
		UNIT_FILE("b.actor",
				"[Service]\nExecStart=/bin/true\n"
				"[Security]\nPolicy=nowhere\n"),
		UNIT_FILE("c.actor",
				"[Service]\nExecStart=/bin/true\n"
				"[Security]\nPolicy=nowhere\n"),
		NO_MORE_FILES
	};
	int asked = 0;
	struct unit_context context = fixture_context;
	auto_(unit_snapshot) s = fixture_snapshot(files);
	auto_(unit_snapshot) back = NULL;
	auto_(unit_set) first = NULL;
	auto_(unit_set) second = NULL;
	auto_text a = { 0 }, b = { 0 };
	auto_close int fd = -1;

	context.find_policy = find_policy;
	context.policy_data = &asked;
	s->files[2].is_kept = 1;
	unit_snapshot_set_context(s, &context);
	ck_assert_int_eq(unit_snapshot_parse(s, &first), 0);
	ck_assert_int_eq(asked, 2);
	ck_assert_uint_eq(fixture_find(&s->diag, "U025")->line, 4);
	ck_assert_uint_eq(s->diag.count, 1);
	/* One that is in force goes on. */
	fixture_names(first, &a);
	ck_assert_str_eq(text_get(&a), "a c");
	ck_assert_int_eq(unit_snapshot_pack(s, &fd), 0);
	ck_assert_int_eq(unit_snapshot_unpack(fd, &back), 0);
	ck_assert_int_eq(unit_set_parse(back, &back->context, NULL, &second), 0);
	fixture_names(second, &b);
	ck_assert_str_eq(text_get(&b), "a c");
	ck_assert_int_eq(asked, 2);
	check_all(s, first, &s->context);
}
END_TEST

START_TEST(unit_at_rest_is_small)
{
	/* 1,000 of them in two processes are to stay below 2 KiB each, with all that runs. */
	ck_assert_uint_le(sizeof(struct unit_entry), 32);
}
END_TEST

TEST_MAIN("set", opened_units_of_the_project_are_what_their_files_say,
		opened_units_of_a_hostile_set_are_what_their_files_say,
		opened_units_of_earlier_files_are_what_those_say,
		opened_units_of_generated_files_are_what_those_say,
		set_opens_units_when_its_snapshot_is_gone,
		unit_that_is_not_there_cannot_be_opened,
		every_failed_allocation_of_an_opening_is_told, copy_of_a_unit_is_its_own,
		units_of_two_sets_are_compared_by_what_they_say,
		place_of_a_program_is_part_of_a_unit,
		policy_that_is_not_there_is_an_error_that_travels, unit_at_rest_is_small)
