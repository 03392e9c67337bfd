/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef TESTS_BENCH_FIELD_H
#define TESTS_BENCH_FIELD_H

/*
 * A field of trivial services: their unit files and program in a folder of its own, a page
 * in which each notes when it began and who it is, and airssysd and airssys-core of this
 * build to run them. What goes wrong ends the program.
 */

#include <stdint.h>
#include <sys/types.h>

struct mark {
	uint64_t ns, pid;
};

struct field {
	size_t n; /* services; there is one mark more, for a process of our own */
	char *folder, *page, *program;
	volatile struct mark *marks;
	pid_t keeper, core;
	int notify_fd;
};

/* n services, with more lines in their unit files. */
void field_init(struct field *f, size_t n, const char *more);
void field_fini(struct field *f);
/* The parts: a new folder, the page and the program in it (the field owns folder from now
 * on), and the unit files. */
char *field_make_folder(void);
void field_remove_folder(char *folder);
void field_init_at(struct field *f, size_t n, char *folder);
void field_write_units(const struct field *f, const char *more);
/* A file with this content. */
void field_write(const char *path, const char *content);

/* Start airssysd and wait until all services run and it says that it is ready. When it was
 * started, and when the last service began. */
void field_start(struct field *f, uint64_t *ret_begin_ns, uint64_t *ret_last_ns);
/* Only airssysd, and not waiting for anything; before that its readiness is listened for. */
void field_listen_for_ready(struct field *f);
void field_start_keeper(struct field *f);
/* Only until airssysd is ready. */
void field_start_again(struct field *f);
/* SIGTERM, and wait; its exit status. */
int field_stop(struct field *f);
/* airssys-core was started anew. */
void field_find_core(struct field *f);

void field_clear_marks(struct field *f);
/* Wait until the first n services have a mark later than since; the time of the last one. */
uint64_t field_await(const struct field *f, size_t n, uint64_t since);
/* Wait for another process than pid at this mark; when it began. */
uint64_t field_await_next(const struct field *f, size_t i, pid_t pid, uint64_t since);

/* Spawn the program with no manager between. */
pid_t field_spawn(const struct field *f, size_t i);

/* folder/NAME of the build; the caller frees it. */
char *field_build_path(const char *name);
void field_nap(long usec);
_Noreturn void field_die(const char *what);
char *field_made(char *text);

#endif
