/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "unit/snapshot.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "support/test.h"
#include "unit/unit/fixture.h"

#define ACTOR "[Service]\nExecStart=/bin/true\n"

static struct unit_snapshot *load(
		const char *first, const char *second, struct diag *diag)
{
	auto_strv path = { 0 };
	struct unit_snapshot *s = NULL;

	ck_assert_int_eq(strv_append(&path, first), 0);
	if (second)
		ck_assert_int_eq(strv_append(&path, second), 0);
	ck_assert_int_eq(unit_snapshot_load(&path, diag, &s), 0);
	return s;
}

/* "a.actor b.actor/10.conf" in the order of the snapshot. */
static const char *names(const struct unit_snapshot *s)
{
	static char joined[1024];
	size_t n = 0;

	joined[0] = '\0';
	for (uint32_t i = 0; i < s->count; i++) {
		const struct unit_file *f = &s->files[i];

		n += (size_t)snprintf(joined + n, sizeof(joined) - n, "%s%s%s%s%s",
				i ? " " : "", f->unit,
				f->is_drop_in ? strrchr(f->path, '/') : "",
				f->is_masked ? "(masked)" : "",
				f->is_refused ? "(refused)" : "");
	}
	return joined;
}

static void make_folder(const char *path)
{
	ck_assert_int_eq(mkdir(path, 0755), 0);
}

START_TEST(files_come_by_name_with_their_drop_ins_behind)
{
	const char *etc = test_folder(), *lib = test_folder();
	auto_diag diag = { 0 };
	struct unit_snapshot *s;

	test_write(test_path(etc, "b.actor"), ACTOR, 0644);
	test_write(test_path(lib, "a.supervisor"), "[Supervisor]\n", 0644);
	test_write(test_path(lib, "README"), "", 0644);
	test_write(test_path(lib, ".hidden.actor"), "", 0644);
	make_folder(test_path(etc, "b.actor.d"));
	make_folder(test_path(lib, "b.actor.d"));
	test_write(test_path(etc, "b.actor.d/20-y.conf"), "", 0644);
	test_write(test_path(lib, "b.actor.d/10-x.conf"), "", 0644);
	test_write(test_path(lib, "b.actor.d/20-y.conf"), "lost", 0644);
	test_write(test_path(lib, "b.actor.d/notes.txt"), "", 0644);
	s = load(etc, lib, &diag);
	fixture_silent(&diag);
	ck_assert_str_eq(names(s),
			"a.supervisor b.actor b.actor/10-x.conf b.actor/20-y.conf");
	ck_assert_str_eq(s->files[3].data, "");
	ck_assert_str_eq(s->files[1].data, ACTOR);
	ck_assert_uint_eq(s->files[1].size, strlen(ACTOR));
	unit_snapshot_free(s);
}
END_TEST

START_TEST(earlier_folder_wins_for_one_name)
{
	const char *etc = test_folder(), *lib = test_folder();
	auto_diag diag = { 0 };
	struct unit_snapshot *s;

	test_write(test_path(etc, "b.actor"), "first", 0644);
	test_write(test_path(lib, "b.actor"), "second", 0644);
	s = load(etc, lib, &diag);
	fixture_silent(&diag);
	ck_assert_uint_eq(s->count, 1);
	ck_assert_str_eq(s->files[0].data, "first");
	unit_snapshot_free(s);
}
END_TEST

START_TEST(missing_folder_is_no_mistake)
{
	auto_diag diag = { 0 };
	struct unit_snapshot *s = load("/nonexistent/units", NULL, &diag);

	fixture_silent(&diag);
	ck_assert_uint_eq(s->count, 0);
	unit_snapshot_free(s);
}
END_TEST

/* One bad entry beside a good file: it is told, and the good file is there. */
static void expect_refused(const char *folder, const char *words)
{
	auto_diag diag = { 0 };
	struct unit_snapshot *s;
	const struct diag_item *item;

	test_write(test_path(folder, "good.actor"), ACTOR, 0644);
	s = load(folder, NULL, &diag);
	ck_assert_str_eq(names(s), "bad.actor(refused) good.actor");
	ck_assert_str_eq(s->files[0].data, "");
	item = fixture_find(&diag, "U001");
	ck_assert_uint_eq(diag.count, 1);
	ck_assert_int_eq(item->severity, DIAG_ERROR);
	ck_assert_str_eq(item->file, test_path(folder, "bad.actor"));
	ck_assert_msg(strstr(item->text, words), "%s", item->text);
	ck_assert_ptr_nonnull(item->remedy);
	unit_snapshot_free(s);
}

START_TEST(fifo_is_refused_without_waiting_for_a_writer)
{
	const char *folder = test_folder();

	ck_assert_int_eq(mkfifo(test_path(folder, "bad.actor"), 0644), 0);
	expect_refused(folder, "regular");
}
END_TEST

START_TEST(file_that_others_may_write_is_refused)
{
	const char *folder = test_folder();

	test_write(test_path(folder, "bad.actor"), ACTOR, 0666);
	expect_refused(folder, "write");
}
END_TEST

START_TEST(file_of_a_stranger_is_refused)
{
	const char *folder = test_folder(), *path = test_path(folder, "bad.actor");

	if (geteuid() != 0)
		return; /* only root can give a file away */
	test_write(path, ACTOR, 0644);
	ck_assert_int_eq(chown(path, 12345, 12345), 0);
	expect_refused(folder, "belongs");
}
END_TEST

START_TEST(sparse_gigabyte_is_refused_by_its_size)
{
	const char *folder = test_folder(), *path = test_path(folder, "bad.actor");

	test_write(path, "", 0644);
	ck_assert_int_eq(truncate(path, 1024L * 1024 * 1024), 0);
	expect_refused(folder, "large");
}
END_TEST

START_TEST(folder_with_the_name_of_a_unit_is_refused)
{
	const char *folder = test_folder();

	make_folder(test_path(folder, "bad.actor"));
	expect_refused(folder, "regular");
}
END_TEST

START_TEST(link_to_anywhere_is_refused)
{
	const char *folder = test_folder(), *other = test_folder();

	test_write(test_path(other, "bad.actor"), ACTOR, 0644);
	ck_assert_int_eq(symlink(test_path(other, "bad.actor"),
					 test_path(folder, "bad.actor")),
			0);
	expect_refused(folder, "");
}
END_TEST

START_TEST(refused_file_does_not_uncover_that_of_a_later_folder)
{
	const char *etc = test_folder(), *lib = test_folder();
	auto_diag diag = { 0 };
	struct unit_snapshot *s;

	test_write(test_path(etc, "b.actor"), ACTOR, 0622);
	test_write(test_path(lib, "b.actor"), ACTOR, 0644);
	s = load(etc, lib, &diag);
	ck_assert_str_eq(names(s), "b.actor(refused)");
	(void)fixture_find(&diag, "U001");
	unit_snapshot_free(s);
}
END_TEST

/* The only unit's files are there; its refusal must name the file that is not trusted. */
static void expect_unit_refused(const char *folder, const char *file)
{
	auto_diag diag = { 0 };
	auto_(unit_snapshot) s = load(folder, NULL, &diag);
	auto_(unit_set) set = NULL;
	const char *why;

	ck_assert_int_eq(unit_set_parse(s, &fixture_context, &diag, &set), 0);
	ck_assert_uint_eq(diag.errors, 1);
	ck_assert_uint_eq(set->count, 1);
	why = unit_refusals_find(&set->refusals, "b");
	ck_assert_ptr_nonnull(why);
	ck_assert_msg(strncmp(why, file, strlen(file)) == 0, "%s", why);
}

START_TEST(refused_drop_in_refuses_its_unit)
{
	const char *folder = test_folder();
	char file[256];

	test_write(test_path(folder, "b.actor"), ACTOR, 0644);
	test_write(test_path(folder, "c.actor"), ACTOR, 0644);
	make_folder(test_path(folder, "b.actor.d"));
	test_write(test_path(folder, "b.actor.d/10.conf"), "[Service]\nUser=x\n", 0666);
	(void)snprintf(file, sizeof(file), "%s", test_path(folder, "b.actor.d/10.conf"));
	expect_unit_refused(folder, file);
}
END_TEST

START_TEST(refused_folder_of_drop_ins_refuses_its_unit)
{
	const char *folder = test_folder();
	char file[256];

	test_write(test_path(folder, "b.actor"), ACTOR, 0644);
	test_write(test_path(folder, "c.actor"), ACTOR, 0644);
	make_folder(test_path(folder, "b.actor.d"));
	ck_assert_int_eq(chmod(test_path(folder, "b.actor.d"), 0777), 0);
	(void)snprintf(file, sizeof(file), "%s", test_path(folder, "b.actor.d"));
	expect_unit_refused(folder, file);
}
END_TEST

START_TEST(link_within_the_search_path_is_followed)
{
	const char *etc = test_folder(), *lib = test_folder();
	auto_diag diag = { 0 };
	struct unit_snapshot *s;

	test_write(test_path(lib, "worker@.actor"), ACTOR, 0644);
	ck_assert_int_eq(symlink(test_path(lib, "worker@.actor"),
					 test_path(etc, "worker@1.actor")),
			0);
	ck_assert_int_eq(symlink("worker@.actor", test_path(lib, "worker@2.actor")), 0);
	s = load(etc, lib, &diag);
	fixture_silent(&diag);
	ck_assert_str_eq(names(s), "worker@.actor worker@1.actor worker@2.actor");
	ck_assert_str_eq(s->files[1].data, ACTOR);
	unit_snapshot_free(s);
}
END_TEST

START_TEST(link_to_dev_null_masks)
{
	const char *etc = test_folder(), *lib = test_folder();
	auto_diag diag = { 0 };
	struct unit_snapshot *s;

	ck_assert_int_eq(symlink("/dev/null", test_path(etc, "b.actor")), 0);
	test_write(test_path(lib, "b.actor"), ACTOR, 0644);
	s = load(etc, lib, &diag);
	fixture_silent(&diag);
	ck_assert_str_eq(names(s), "b.actor(masked)");
	unit_snapshot_free(s);
}
END_TEST

START_TEST(folder_that_others_may_write_is_left_out)
{
	const char *folder = test_folder();
	auto_diag diag = { 0 };
	struct unit_snapshot *s;

	test_write(test_path(folder, "b.actor"), ACTOR, 0644);
	ck_assert_int_eq(chmod(folder, 0777), 0);
	s = load(folder, NULL, &diag);
	ck_assert_uint_eq(s->count, 0);
	ck_assert_str_eq(fixture_find(&diag, "U002")->file, folder);
	unit_snapshot_free(s);
}
END_TEST

START_TEST(file_whose_name_is_no_unit_name_is_told)
{
	const char *folder = test_folder();
	auto_diag diag = { 0 };
	struct unit_snapshot *s;

	test_write(test_path(folder, "two words.actor"), ACTOR, 0644);
	s = load(folder, NULL, &diag);
	ck_assert_uint_eq(s->count, 0);
	ck_assert_int_eq(fixture_find(&diag, "U003")->severity, DIAG_WARNING);
	unit_snapshot_free(s);
}
END_TEST

static struct unit_snapshot *load_file(const char *path, struct diag *diag)
{
	auto_strv paths = { 0 };
	struct unit_snapshot *s = NULL;

	ck_assert_int_eq(strv_append(&paths, path), 0);
	ck_assert_int_eq(unit_snapshot_load_files(&paths, diag, &s), 0);
	return s;
}

START_TEST(named_files_are_read_whoever_owns_them)
{
	const char *folder = test_folder(), *path = test_path(folder, "b.actor");
	auto_diag diag = { 0 };
	struct unit_snapshot *s;

	test_write(path, ACTOR, 0666);
	make_folder(test_path(folder, "b.actor.d"));
	test_write(test_path(folder, "b.actor.d/x.conf"), "[Actor]\n", 0666);
	s = load_file(path, &diag);
	fixture_silent(&diag);
	ck_assert_str_eq(names(s), "b.actor b.actor/x.conf");
	unit_snapshot_free(s);
}
END_TEST

START_TEST(named_files_that_are_none_are_told)
{
	const char *folder = test_folder(), *fifo = test_path(folder, "f.actor");
	auto_diag diag = { 0 };

	unit_snapshot_free(load_file(test_path(folder, "absent.actor"), &diag));
	ck_assert_str_eq(fixture_find(&diag, "U001")->file,
			test_path(folder, "absent.actor"));
	diag_fini(&diag);
	diag = (struct diag){ 0 };
	ck_assert_int_eq(mkfifo(fifo, 0644), 0);
	unit_snapshot_free(load_file(fifo, &diag));
	(void)fixture_find(&diag, "U001");
	diag_fini(&diag);
	diag = (struct diag){ 0 };
	test_write(test_path(folder, "b.service"), ACTOR, 0644);
	unit_snapshot_free(load_file(test_path(folder, "b.service"), &diag));
	(void)fixture_find(&diag, "U003");
}
END_TEST

START_TEST(packed_snapshot_is_the_same_unpacked)
{
	static const struct fixture_file files[] = {
		UNIT_FILE("a.actor", ACTOR),
		DROP_IN_FILE("a.actor", "10.conf", "[Actor]\n"),
		MASKED_FILE("b.actor"),
		UNIT_FILE("c.supervisor", ""),
		NO_MORE_FILES,
	};
	struct unit_snapshot *s = fixture_snapshot(files), *back = NULL;
	auto_close int fd = -1;

	s->files[3].is_refused = 1;
	ck_assert_int_eq(unit_snapshot_pack(s, &fd), 0);
	ck_assert_int_eq(memfd_is_sealed(fd), 1);
	ck_assert_int_eq(unit_snapshot_unpack(fd, &back), 0);
	ck_assert_uint_eq(back->count, s->count);
	for (uint32_t i = 0; i < s->count; i++) {
		ck_assert_str_eq(back->files[i].path, s->files[i].path);
		ck_assert_str_eq(back->files[i].unit, s->files[i].unit);
		ck_assert_str_eq(back->files[i].data, s->files[i].data);
		ck_assert_uint_eq(back->files[i].size, s->files[i].size);
		ck_assert_uint_eq(back->files[i].is_drop_in, s->files[i].is_drop_in);
		ck_assert_uint_eq(back->files[i].is_masked, s->files[i].is_masked);
		ck_assert_uint_eq(back->files[i].is_refused, s->files[i].is_refused);
	}
	unit_snapshot_free(s);
	unit_snapshot_free(back);
}
END_TEST

START_TEST(what_the_loading_said_travels_along)
{
	const char *folder = test_folder();
	auto_(unit_snapshot) s = NULL;
	auto_(unit_snapshot) back = NULL;
	auto_close int fd = -1;
	const struct diag_item *item;

	ck_assert_int_eq(mkfifo(test_path(folder, "bad.actor"), 0644), 0);
	test_write(test_path(folder, "no name.actor"), ACTOR, 0644);
	s = load(folder, NULL, NULL);
	ck_assert_int_eq(unit_snapshot_pack(s, &fd), 0);
	ck_assert_int_eq(unit_snapshot_unpack(fd, &back), 0);
	ck_assert_uint_eq(back->diag.count, 2);
	ck_assert_uint_eq(back->diag.errors, 1);
	ck_assert_uint_eq(back->diag.warnings, 1);
	item = fixture_find(&back->diag, "U001");
	ck_assert_str_eq(item->file, test_path(folder, "bad.actor"));
	ck_assert_str_eq(item->text, fixture_find(&s->diag, "U001")->text);
	ck_assert_str_eq(item->remedy, fixture_find(&s->diag, "U001")->remedy);
}
END_TEST

#define EVERY_SPECIFIER "%t %S %C %L %E %h %u %g %s %U %G %m %b %H %l"

START_TEST(whoever_parses_a_packed_snapshot_expands_the_same)
{
	static const struct fixture_file files[] = {
		UNIT_FILE("a.actor", "[Service]\nExecStart=/a " EVERY_SPECIFIER "\n"),
		NO_MORE_FILES,
	};
	auto_(unit_snapshot) s = fixture_snapshot(files);
	auto_(unit_snapshot) back = NULL;
	auto_(unit_set) set = NULL;
	auto_diag diag = { 0 };
	auto_close int fd = -1;

	unit_snapshot_set_context(s, &fixture_context);
	ck_assert_int_eq(unit_snapshot_pack(s, &fd), 0);
	ck_assert_int_eq(unit_snapshot_unpack(fd, &back), 0);
	ck_assert_int_eq(unit_set_parse(back, &back->context, &diag, &set), 0);
	fixture_silent(&diag);
	ck_assert_str_eq(fixture_join(&fixture_unit(set, unit_set_name(set, 0))
							 ->service
							 .commands[UNIT_EXEC_START]
							 .items[0]
							 .argv),
			"/a /run/t /var/s /var/c /var/l /etc/e /home/h u g /bin/s 1001 1002 m b "
			"host.domain host");
}
END_TEST

/* Programs a and b; a can be executed. */
static struct unit_snapshot *make_programs(const char *folder)
{
	auto_free char *a = NULL, *b = NULL;
	struct fixture_file files[] = { UNIT_FILE("a.actor", NULL),
		UNIT_FILE("b.actor", NULL), UNIT_FILE("c.actor", NULL), NO_MORE_FILES };

	test_write(test_path(folder, "a"), "", 0755);
	test_write(test_path(folder, "b"), "", 0644);
	files[0].data = a = text_format("[Service]\nExecStart=%s/a\n", folder);
	files[1].data = b = text_format("[Service]\nExecStart=%s/b\n", folder);
	files[2].data = "[Service]\nExecStart=sh\n";
	return fixture_snapshot(files);
}

START_TEST(programs_are_looked_for_once_for_all_who_parse)
{
	const char *folder = test_folder();
	auto_(unit_snapshot) s = make_programs(folder);
	auto_(unit_snapshot) back = NULL;
	auto_(unit_set) first = NULL;
	auto_(unit_set) second = NULL;
	auto_diag diag = { 0 }, again = { 0 };
	auto_close int fd = -1;
	const struct unit *c;

	unit_snapshot_set_context(s, &fixture_context);
	ck_assert_int_eq(unit_set_parse(s, &s->context, &diag, &first), 0);
	ck_assert_uint_eq(first->count, 2);
	ck_assert_ptr_nonnull(unit_refusals_find(&first->refusals, "b"));
	ck_assert_int_eq(unit_snapshot_pack(s, &fd), 0);
	/* What changes behind is not seen. */
	ck_assert_int_eq(unlink(test_path(folder, "a")), 0);
	ck_assert_int_eq(chmod(test_path(folder, "b"), 0755), 0);
	ck_assert_int_eq(unit_snapshot_unpack(fd, &back), 0);
	ck_assert_int_eq(unit_set_parse(back, &back->context, &again, &second), 0);
	ck_assert_uint_eq(second->count, 2);
	ck_assert_ptr_nonnull(fixture_unit(second, "a"));
	ck_assert_str_eq(unit_refusals_find(&second->refusals, "b"),
			unit_refusals_find(&first->refusals, "b"));
	c = fixture_unit(second, "c");
	ck_assert_int_eq(c->service.commands[UNIT_EXEC_START].items[0].path[0], '/');
}
END_TEST

/* Load a folder; what is in force before is replaced. Returns what was loaded. */
static struct unit_snapshot *renew(const char *folder, struct unit_in_force *in_force)
{
	auto_strv path = { 0 };
	struct unit_snapshot *s = NULL;
	struct unit_set *set = NULL;

	ck_assert_int_eq(strv_append(&path, folder), 0);
	ck_assert_int_eq(unit_snapshot_renew(&path, &fixture_context, in_force, &s, &set),
			0);
	unit_set_free((struct unit_set *)(uintptr_t)in_force->set);
	close_fd(in_force->snapshot_fd);
	in_force->set = set;
	ck_assert_int_eq(unit_snapshot_pack(s, &in_force->snapshot_fd), 0);
	return s;
}

static void in_force_fini(struct unit_in_force *in_force)
{
	unit_set_free((struct unit_set *)(uintptr_t)in_force->set);
	close_fd(in_force->snapshot_fd);
}

#define SHELL "[Service]\nExecStart=/bin/sh\n"

START_TEST(unit_in_force_keeps_its_files_while_new_ones_have_a_mistake)
{
	const char *folder = test_folder();
	struct unit_in_force in_force = { .snapshot_fd = -1 };
	struct unit_snapshot *s;

	make_folder(test_path(folder, "b.actor.d"));
	test_write(test_path(folder, "b.actor"), SHELL, 0644);
	test_write(test_path(folder, "b.actor.d/10.conf"), "[Actor]\nDescription=x\n",
			0644);
	unit_snapshot_free(renew(folder, &in_force));
	/* The mistake comes with a unit that was never right. */
	test_write(test_path(folder, "b.actor"), SHELL "Nice=much\n", 0644);
	test_write(test_path(folder, "c.actor"), SHELL "Nice=much\n", 0644);
	for (int round = 0; round < 2; round++) {
		s = renew(folder, &in_force);
		ck_assert_uint_eq(s->diag.errors, 2);
		ck_assert_uint_eq(s->refusals.count, 2);
		ck_assert_ptr_nonnull(unit_refusals_find(&s->refusals, "b"));
		ck_assert_str_eq(names(s), "b.actor b.actor/10.conf c.actor");
		ck_assert_str_eq(s->files[0].data, SHELL);
		ck_assert_uint_eq(in_force.set->count, 1);
		ck_assert_str_eq(fixture_unit(in_force.set, "b")->description, "x");
		unit_snapshot_free(s);
	}
	/* Mended, it is what the file says. */
	test_write(test_path(folder, "b.actor"), SHELL "Nice=7\n", 0644);
	unit_snapshot_free(renew(folder, &in_force));
	ck_assert_int_eq(fixture_unit(in_force.set, "b")->service.nice, 7);
	/* Without a file there is no unit. */
	ck_assert_int_eq(unlink(test_path(folder, "b.actor")), 0);
	unit_snapshot_free(renew(folder, &in_force));
	ck_assert_ptr_null(fixture_unit(in_force.set, "b"));
	in_force_fini(&in_force);
}
END_TEST

START_TEST(unit_in_force_survives_that_its_program_is_gone)
{
	const char *folder = test_folder();
	struct unit_in_force in_force = { .snapshot_fd = -1 };
	auto_free char *text = text_format("[Service]\nExecStart=%s/x\n", folder);
	struct unit_snapshot *s;

	test_write(test_path(folder, "x"), "", 0755);
	test_write(test_path(folder, "b.actor"), text, 0644);
	unit_snapshot_free(renew(folder, &in_force));
	ck_assert_int_eq(unlink(test_path(folder, "x")), 0);
	s = renew(folder, &in_force);
	(void)fixture_find(&s->diag, "U022");
	unit_snapshot_free(s);
	ck_assert_ptr_nonnull(fixture_unit(in_force.set, "b"));
	in_force_fini(&in_force);
}
END_TEST

START_TEST(mistake_leaves_everything_as_it_was_where_that_is_asked_for)
{
	const char *folder = test_folder();
	struct unit_in_force in_force = { .snapshot_fd = -1, .is_strict = true };
	struct unit_snapshot *s;

	test_write(test_path(folder, "a.actor"), SHELL, 0644);
	test_write(test_path(folder, "b.actor"), SHELL, 0644);
	unit_snapshot_free(renew(folder, &in_force));
	test_write(test_path(folder, "a.actor"), SHELL "Nice=much\n", 0644);
	test_write(test_path(folder, "b.actor"), SHELL "Nice=7\n", 0644);
	test_write(test_path(folder, "c.actor"), SHELL, 0644);
	for (int round = 0; round < 2; round++) {
		s = renew(folder, &in_force);
		ck_assert_uint_eq(s->diag.errors, 1);
		(void)fixture_find(&s->diag, "U020");
		(void)fixture_find(&s->diag, "U006");
		ck_assert_ptr_nonnull(unit_refusals_find(&s->refusals, "a"));
		ck_assert_str_eq(names(s), "a.actor b.actor");
		unit_snapshot_free(s);
		ck_assert_int_eq(fixture_unit(in_force.set, "b")->service.nice, 0);
		ck_assert_uint_eq(unit_set_find(in_force.set, "c"), UNIT_NONE);
	}
	test_write(test_path(folder, "a.actor"), SHELL, 0644);
	s = renew(folder, &in_force);
	fixture_silent(&s->diag);
	unit_snapshot_free(s);
	ck_assert_int_eq(fixture_unit(in_force.set, "b")->service.nice, 7);
	ck_assert_uint_eq(in_force.set->count, 3);
	in_force_fini(&in_force);
}
END_TEST

START_TEST(kind_that_a_mistake_changes_keeps_the_unit_of_before)
{
	const char *folder = test_folder();
	struct unit_in_force in_force = { .snapshot_fd = -1 };
	struct unit_snapshot *s;

	test_write(test_path(folder, "b.actor"), SHELL, 0644);
	unit_snapshot_free(renew(folder, &in_force));
	ck_assert_int_eq(unlink(test_path(folder, "b.actor")), 0);
	test_write(test_path(folder, "b.supervisor"), "[Supervisor]\nPeriod=0\n", 0644);
	s = renew(folder, &in_force);
	ck_assert_str_eq(names(s), "b.actor");
	unit_snapshot_free(s);
	ck_assert_int_eq(fixture_unit(in_force.set, "b")->kind, UNIT_SERVICE);
	in_force_fini(&in_force);
}
END_TEST

START_TEST(folder_below_one_that_others_may_write_is_refused)
{
	const char *folder = test_folder();
	auto_(unit_snapshot) s = NULL;
	auto_diag diag = { 0 };
	const struct diag_item *item;

	ck_assert_int_eq(mkdir(test_path(folder, "units"), 0755), 0);
	test_write(test_path(folder, "units/a.actor"), ACTOR, 0644);
	ck_assert_int_eq(chmod(folder, 0777), 0);
	s = load(test_path(folder, "units"), NULL, &diag);
	ck_assert_uint_eq(s->count, 0);
	item = fixture_find(&diag, "U002");
	ck_assert_msg(strstr(item->text, "above"), "%s", item->text);
	ck_assert_msg(strstr(item->remedy, "namei"), "%s", item->remedy);
}
END_TEST

static int unpack_bytes(const void *data, size_t size)
{
	struct unit_snapshot *s = NULL;
	auto_close int fd = -1;
	int r;

	ck_assert_int_eq(memfd_sealed("test", data, size, &fd), 0);
	r = unit_snapshot_unpack(fd, &s);
	unit_snapshot_free(s);
	return r;
}

START_TEST(damaged_snapshot_is_refused)
{
	static const struct fixture_file files[] = { UNIT_FILE("a.actor", ACTOR),
		NO_MORE_FILES };
	struct unit_snapshot *s = fixture_snapshot(files);
	const struct unit_program program = { (char *)(uintptr_t) "p",
		(char *)(uintptr_t) "/p", 0 };
	auto_close int fd = -1;
	char *data;
	size_t size;
	int r;

	diag_add(&s->diag, DIAG_ERROR, "U001", (struct diag_place){ "f", 1 }, NULL, "x");
	unit_snapshot_set_context(s, &fixture_context);
	ck_assert_int_eq(unit_programs_add(&s->programs, &program), 0);
	ck_assert_int_eq(unit_refusals_add(&s->refusals, "b", "s", "why"), 0);
	ck_assert_int_eq(unit_snapshot_pack(s, &fd), 0);
	ck_assert_int_eq(fd_read_all(fd, 1 << 20, &data, &size), 0);
	ck_assert_int_eq(unpack_bytes(data, size), 0);
	for (size_t cut = 0; cut < size; cut++)
		ck_assert_int_eq(unpack_bytes(data, cut), -EBADMSG);
	for (size_t at = 0; at < size; at++) {
		data[at] = (char)(data[at] ^ 0x80);
		r = unpack_bytes(data, size);
		ck_assert_msg(r == 0 || r == -EBADMSG, "%d", r);
		data[at] = (char)(data[at] ^ 0x80);
	}
	free(data);
	unit_snapshot_free(s);
}
END_TEST

/* As many descriptors as are open now, and some. */
static int load_with_descriptors(const char *folder, int more)
{
	auto_strv paths = { 0 };
	auto_diag diag = { 0 };
	struct unit_snapshot *s = NULL;
	struct rlimit old, limit;
	int r, first = open("/dev/null", O_RDONLY | O_CLOEXEC);

	close_fd(first);
	ck_assert_int_eq(strv_append(&paths, folder), 0);
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &old), 0);
	limit = (struct rlimit){ (rlim_t)(first + more), old.rlim_max };
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	r = unit_snapshot_load(&paths, &diag, &s);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &old), 0);
	ck_assert_uint_eq(diag.errors, 0);
	if (r == 0)
		unit_snapshot_free(s);
	return r;
}

START_TEST(files_are_not_taken_for_missing_when_descriptors_run_out)
{
	const char *folder = test_folder();
	int more = 0;

	test_write(test_path(folder, "a.actor"), "[Service]\nExecStart=/bin/true\n",
			0644);
	ck_assert_int_eq(mkdir(test_path(folder, "a.actor.d"), 0755), 0);
	test_write(test_path(folder, "a.actor.d/x.conf"), "[Actor]\n", 0644);
	while (load_with_descriptors(folder, more) == -EMFILE)
		more++;
	ck_assert_int_gt(more, 2);
	ck_assert_int_eq(load_with_descriptors(folder, more), 0);
}
END_TEST

START_TEST(snapshot_that_could_change_is_refused)
{
	const char *path = test_path(test_folder(), "x");
	struct unit_snapshot *s = NULL;
	auto_close int fd = -1;

	test_write(path, "", 0600);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	ck_assert_int_lt(unit_snapshot_unpack(fd, &s), 0);
}
END_TEST

START_TEST(shipped_samples_have_no_mistakes)
{
	auto_free char *folder = text_format("%s/units/shop", getenv("top_srcdir"));
	static const char *const samples[] = { "redis.actor", "nginx.actor",
		"worker.actor", "probe.actor", "shop.supervisor" };
	auto_strv paths = { 0 };
	auto_diag diag = { 0 };
	struct unit_snapshot *s = NULL;
	struct unit_set *set = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(samples); i++)
		ck_assert_int_eq(
				strv_append_take(&paths,
						text_format("%s/%s", folder, samples[i])),
				0);
	ck_assert_int_eq(unit_snapshot_load_files(&paths, &diag, &s), 0);
	ck_assert_int_eq(unit_set_parse(s, &fixture_context, &diag, &set), 0);
	fixture_silent(&diag);
	ck_assert_str_eq(fixture_join(&fixture_unit(set, "shop")->children),
			"redis nginx probe worker");
	unit_set_free(set);
	unit_snapshot_free(s);
}
END_TEST

TEST_MAIN("snapshot", files_are_not_taken_for_missing_when_descriptors_run_out,
		files_come_by_name_with_their_drop_ins_behind,
		earlier_folder_wins_for_one_name, missing_folder_is_no_mistake,
		fifo_is_refused_without_waiting_for_a_writer,
		file_that_others_may_write_is_refused, file_of_a_stranger_is_refused,
		sparse_gigabyte_is_refused_by_its_size,
		folder_with_the_name_of_a_unit_is_refused, link_to_anywhere_is_refused,
		refused_file_does_not_uncover_that_of_a_later_folder,
		refused_drop_in_refuses_its_unit,
		refused_folder_of_drop_ins_refuses_its_unit,
		whoever_parses_a_packed_snapshot_expands_the_same,
		programs_are_looked_for_once_for_all_who_parse,
		unit_in_force_keeps_its_files_while_new_ones_have_a_mistake,
		unit_in_force_survives_that_its_program_is_gone,
		mistake_leaves_everything_as_it_was_where_that_is_asked_for,
		kind_that_a_mistake_changes_keeps_the_unit_of_before,
		link_within_the_search_path_is_followed, link_to_dev_null_masks,
		folder_that_others_may_write_is_left_out,
		file_whose_name_is_no_unit_name_is_told,
		named_files_are_read_whoever_owns_them,
		named_files_that_are_none_are_told, packed_snapshot_is_the_same_unpacked,
		what_the_loading_said_travels_along,
		folder_below_one_that_others_may_write_is_refused,
		damaged_snapshot_is_refused, snapshot_that_could_change_is_refused,
		shipped_samples_have_no_mistakes)
