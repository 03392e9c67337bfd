/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/text.h"
#include "host/elf.h"
#include "host/exports.h"
#include "host/module.h"
#include "support/test.h"

static char why[256];

/* The bytes of a module that was built for the tests. */
static char *read_built(const char *name, size_t *ret_size)
{
	const char *top = getenv("top_builddir");
	auto_free char *path = text_format(
			"%s/tests/unit/host/.libs/mod-%s.so", top ? top : ".", name);
	char *data;

	ck_assert_int_eq(file_read(path, MODULE_SIZE_MAX, &data, ret_size), 0);
	return data;
}

static int load_bytes(const void *data, size_t size, const struct airs_module **ret)
{
	auto_close int fd = -1;

	ck_assert_int_eq(memfd_sealed("test", data, size, &fd), 0);
	why[0] = '\0';
	return module_load(fd, ret, why, sizeof(why));
}

static int load(const char *name, const struct airs_module **ret)
{
	size_t size;
	auto_free char *data = read_built(name, &size);

	return load_bytes(data, size, ret);
}

START_TEST(module_is_loaded_from_a_sealed_memory_file)
{
	const struct airs_module *m;

	ck_assert_int_eq(load("good", &m), 0);
	ck_assert_str_eq(m->name, "good");
	ck_assert_str_eq(m->behaviour->name, "good");
}
END_TEST

START_TEST(same_bytes_are_loaded_once)
{
	const struct airs_module *a, *b;

	ck_assert_int_eq(load("good", &a), 0);
	ck_assert_int_eq(load("good", &b), 0);
	ck_assert_ptr_eq(a, b);
}
END_TEST

/* The loader goes by the number of the descriptor, which is used again. */
START_TEST(changed_module_is_another_one)
{
	size_t size;
	auto_free char *data = read_built("good", &size);
	auto_free char *grown = calloc(1, size + 1);
	const struct airs_module *a, *b;

	ck_assert_int_eq(load_bytes(data, size, &a), 0);
	memcpy(grown, data, size);
	ck_assert_int_eq(load_bytes(grown, size + 1, &b), 0);
	ck_assert_ptr_ne(a, b);
}
END_TEST

START_TEST(what_is_no_module_is_refused_with_a_reason)
{
	static const struct {
		const char *name, *why;
	} cases[] = {
		{ "magic", "its airs_module is something else" },
		{ "abi", "it was built for another version of the module interface" },
		{ "behaviour", "its behaviour is not valid" },
		{ "nothing", "it has no airs_module" },
	};
	const struct airs_module *m = NULL;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		ck_assert_int_eq(load(cases[i].name, &m), -ELIBBAD);
		ck_assert_str_eq(why, cases[i].why);
	}
	ck_assert_ptr_null(m);
}
END_TEST

/* In an instrumented build every module has constructors, so they are let pass. */
START_TEST(module_with_constructors_is_refused_before_they_run)
{
	const struct airs_module *m;

	if (ENABLE_INSTRUMENTATION) {
		ck_assert_int_eq(load("good", &m), 0);
		return;
	}
	ck_assert_int_eq(load("constructor", &m), -ENOEXEC);
	ck_assert_str_eq(why, "it has constructors");
}
END_TEST

START_TEST(missing_function_is_named)
{
	const struct airs_module *m;

	ck_assert_int_eq(load("undefined", &m), -ENOEXEC);
	ck_assert_ptr_nonnull(strstr(why, "undefined symbol: airs_no_such_function"));
}
END_TEST

/* Whatever lies behind the last segment is not loaded; without the rest it is refused. */
START_TEST(module_that_is_cut_off_is_refused)
{
	size_t size, end = 0;
	auto_free char *data = read_built("good", &size);
	const char *problem;
	ElfW(Ehdr) header;
	ElfW(Phdr) segment;

	memcpy(&header, data, sizeof(header));
	for (size_t i = 0; i < header.e_phnum; i++) {
		memcpy(&segment, data + header.e_phoff + i * sizeof(segment),
				sizeof(segment));
		if (segment.p_type == PT_LOAD &&
				segment.p_offset + segment.p_filesz > end)
			end = segment.p_offset + segment.p_filesz;
	}
	ck_assert_int_eq(elf_check(data, end, &problem), 0);
	for (size_t n = sizeof(header) + header.e_phnum * sizeof(segment); n < end;
			n += 7) {
		ck_assert_int_eq(elf_check(data, n, &problem), -ENOEXEC);
		ck_assert_str_eq(problem, "it is cut off");
	}
}
END_TEST

START_TEST(what_is_no_elf_file_is_refused)
{
	const struct airs_module *m;

	ck_assert_int_eq(load_bytes("#!/bin/sh\n", 10, &m), -ENOEXEC);
	ck_assert_str_eq(why, "it is no ELF file");
	ck_assert_int_eq(load_bytes("", 0, &m), -ENOEXEC);
}
END_TEST

START_TEST(program_is_refused)
{
	const struct airs_module *m;
	auto_free char *data = NULL;
	size_t size;

	ck_assert_int_eq(file_read("/proc/self/exe", MODULE_SIZE_MAX, &data, &size), 0);
	ck_assert_int_eq(load_bytes(data, size, &m), -ENOEXEC);
	ck_assert_str_eq(why, "it is a program");
}
END_TEST

START_TEST(folders_fifos_sockets_and_unsealed_files_are_refused)
{
	const char *path = test_path(test_folder(), "fifo");
	const struct airs_module *m;
	int fds[2], fd;

	fd = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_eq(module_load(fd, &m, why, sizeof(why)), -EINVAL);
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	fd = open(path, O_RDWR | O_CLOEXEC);
	ck_assert_int_eq(module_load(fd, &m, why, sizeof(why)), -EINVAL);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	ck_assert_int_eq(module_load(fds[0], &m, why, sizeof(why)), -EINVAL);
	ck_assert_str_eq(why, "it is not a regular file");
	fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	ck_assert_int_eq(module_load(fd, &m, why, sizeof(why)), -EPERM);
	ck_assert_str_eq(why, "it is not sealed");
}
END_TEST

/* One field of a good module is changed. */
static void refused(size_t offset, const void *bytes, size_t n, const char *expected)
{
	size_t size;
	auto_free char *data = read_built("good", &size);
	const char *problem = NULL;

	ck_assert_int_eq(elf_check(data, size, &problem), 0);
	memcpy(data + offset, bytes, n);
	ck_assert_int_eq(elf_check(data, size, &problem), -ENOEXEC);
	ck_assert_str_eq(problem, expected);
}

#define REFUSED(member, value, expected)                                                 \
	do {                                                                             \
		__typeof__(((ElfW(Ehdr) *)NULL)->member) v_ = (value);                   \
		refused(offsetof(ElfW(Ehdr), member), &v_, sizeof(v_), expected);        \
	} while (0)

START_TEST(header_is_checked_before_anything_runs)
{
	unsigned char other = sizeof(void *) == 8 ? ELFCLASS32 : ELFCLASS64;

	refused(EI_CLASS, &other, 1, "it is for another machine");
	other = 77;
	refused(EI_DATA, &other, 1, "it has another byte order");
	REFUSED(e_machine, EM_SPARC, "it is for another machine");
	REFUSED(e_type, ET_EXEC, "it is no shared object");
	REFUSED(e_type, ET_REL, "it is no shared object");
	REFUSED(e_version, 9, "it is of another ELF version");
	REFUSED(e_phnum, 0, "it has no program headers");
	REFUSED(e_phoff, (ElfW(Off)) - 8, "its tables are damaged");
	REFUSED(e_phentsize, 1, "it has no program headers");
}
END_TEST

/* Change the first program header of a type. */
static void refused_segment(uint32_t type, size_t member, const void *bytes, size_t n,
		const char *expected)
{
	size_t size;
	auto_free char *data = read_built("good", &size);
	const char *problem = NULL;
	ElfW(Ehdr) header;
	ElfW(Phdr) segment;

	memcpy(&header, data, sizeof(header));
	for (size_t i = 0; i < header.e_phnum; i++) {
		char *at = data + header.e_phoff + i * sizeof(segment);

		memcpy(&segment, at, sizeof(segment));
		if (segment.p_type != type)
			continue;
		memcpy(at + member, bytes, n);
		ck_assert_int_eq(elf_check(data, size, &problem), -ENOEXEC);
		ck_assert_str_eq(problem, expected);
		return;
	}
	ck_abort_msg("the module has no such segment");
}

START_TEST(what_the_loader_would_do_with_it_is_checked)
{
	ElfW(Word) flags = PF_R | PF_W | PF_X, type = PT_NULL, interp = PT_INTERP;
	ElfW(Off) far_away = UINT32_MAX;

	refused_segment(PT_GNU_STACK, offsetof(ElfW(Phdr), p_flags), &flags,
			sizeof(flags), "it wants an executable stack");
	refused_segment(PT_DYNAMIC, offsetof(ElfW(Phdr), p_type), &type, sizeof(type),
			"it has no dynamic section");
	refused_segment(PT_LOAD, offsetof(ElfW(Phdr), p_type), &interp, sizeof(interp),
			"it is a program");
	refused_segment(PT_DYNAMIC, offsetof(ElfW(Phdr), p_offset), &far_away,
			sizeof(far_away), "its tables are damaged");
}
END_TEST

/* Change the tag of the first dynamic entry. */
static void refused_tag(int64_t tag, uint64_t value, const char *expected)
{
	size_t size;
	auto_free char *data = read_built("good", &size);
	const char *problem = NULL;
	ElfW(Dyn) entry = { .d_tag = (ElfW(Sxword))tag };
	ElfW(Ehdr) header;
	ElfW(Phdr) segment;

	entry.d_un.d_val = value;
	memcpy(&header, data, sizeof(header));
	for (size_t i = 0; i < header.e_phnum; i++) {
		memcpy(&segment, data + header.e_phoff + i * sizeof(segment),
				sizeof(segment));
		if (segment.p_type == PT_DYNAMIC)
			memcpy(data + segment.p_offset, &entry, sizeof(entry));
	}
	ck_assert_int_eq(elf_check(data, size, &problem), -ENOEXEC);
	ck_assert_str_eq(problem, expected);
}

START_TEST(search_paths_and_relocations_of_code_are_refused)
{
	refused_tag(DT_RPATH, 1, "it has a library search path of its own");
	refused_tag(DT_RUNPATH, 1, "it has a library search path of its own");
	refused_tag(DT_TEXTREL, 0, "its code needs relocations");
	refused_tag(DT_FLAGS, DF_TEXTREL, "its code needs relocations");
}
END_TEST

START_TEST(every_cut_of_a_module_is_refused_or_read_within_its_bounds)
{
	size_t size;
	auto_free char *data = read_built("good", &size);
	const char *problem;

	for (size_t n = 0; n < size; n += n < 1024 ? 1 : 97) {
		auto_free char *cut =
				malloc(n ? n : 1); /* so that a sanitizer sees the end */

		memcpy(cut, data, n);
		(void)!elf_check(cut, n, &problem);
	}
	ck_assert_int_eq(elf_check(data, 16, &problem), -ENOEXEC);
}
END_TEST

START_TEST(arguments_are_found_by_key)
{
	char one[] = "port=80", two[] = "portal=x=y", three[] = "flag";
	char *const arguments[] = { one, two, three, NULL };
	struct airs_module_args *args = module_args_new("probe", arguments);

	ck_assert_str_eq(args->name, "probe");
	ck_assert_str_eq(airs_module_argument(args, "port"), "80");
	ck_assert_str_eq(airs_module_argument(args, "portal"), "x=y");
	ck_assert_ptr_null(airs_module_argument(args, "flag"));
	ck_assert_ptr_null(airs_module_argument(args, "po"));
	free(args);
	args = module_args_new("probe", NULL);
	ck_assert_ptr_null(airs_module_argument(args, "port"));
	free(args);
}
END_TEST

START_TEST(program_has_every_public_function)
{
	ck_assert_uint_gt(exports_count(), 50);
}
END_TEST

TEST_MAIN("module", module_is_loaded_from_a_sealed_memory_file,
		same_bytes_are_loaded_once, changed_module_is_another_one,
		what_is_no_module_is_refused_with_a_reason,
		module_with_constructors_is_refused_before_they_run,
		missing_function_is_named, module_that_is_cut_off_is_refused,
		what_is_no_elf_file_is_refused, program_is_refused,
		folders_fifos_sockets_and_unsealed_files_are_refused,
		header_is_checked_before_anything_runs,
		what_the_loader_would_do_with_it_is_checked,
		search_paths_and_relocations_of_code_are_refused,
		every_cut_of_a_module_is_refused_or_read_within_its_bounds,
		arguments_are_found_by_key, program_has_every_public_function)
