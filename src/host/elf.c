/* SPDX-License-Identifier: Apache-2.0 OR MIT */

/*
 * Only what the loader itself goes by is looked at: the header, the program headers, and
 * the dynamic section. Every offset comes from the file and is checked against its size
 * before it is used; fields are copied out, so nothing has to be aligned.
 */

#include "host/elf.h"

#include <elf.h>
#include <errno.h>
#include <link.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#if defined(__x86_64__)
#	define MACHINE EM_X86_64
#elif defined(__i386__)
#	define MACHINE EM_386
#elif defined(__aarch64__)
#	define MACHINE EM_AARCH64
#elif defined(__arm__)
#	define MACHINE EM_ARM
#elif defined(__riscv)
#	define MACHINE EM_RISCV
#elif defined(__powerpc64__)
#	define MACHINE EM_PPC64
#elif defined(__s390x__)
#	define MACHINE EM_S390
#elif defined(__loongarch__)
#	define MACHINE 258
#else
#	error "the ELF machine number of this architecture is missing"
#endif

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#	define BYTE_ORDER_HERE ELFDATA2LSB
#else
#	define BYTE_ORDER_HERE ELFDATA2MSB
#endif

/* The C library's start files have one; sanitizers and gcov add theirs. */
#define CONSTRUCTORS_MAX (ENABLE_INSTRUMENTATION ? UINT64_MAX : 1)

#define CLASS_HERE (sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32)

struct image {
	const unsigned char *data;
	size_t size;
};

/* Copy size bytes at offset. False when they are not all in the file. */
static bool copy_out(const struct image *image, uint64_t offset, void *to, size_t size)
{
	if (offset > image->size || size > image->size - offset)
		return false;
	memcpy(to, image->data + offset, size);
	return true;
}

static const char *check_header(const struct image *image, ElfW(Ehdr) * header)
{
	if (!copy_out(image, 0, header, sizeof(*header)) ||
			memcmp(header->e_ident, ELFMAG, SELFMAG) != 0)
		return "it is no ELF file";
	if (header->e_ident[EI_CLASS] != CLASS_HERE || header->e_machine != MACHINE)
		return "it is for another machine";
	if (header->e_ident[EI_DATA] != BYTE_ORDER_HERE)
		return "it has another byte order";
	if (header->e_ident[EI_VERSION] != EV_CURRENT || header->e_version != EV_CURRENT)
		return "it is of another ELF version";
	if (header->e_type != ET_DYN)
		return "it is no shared object";
	if (header->e_phentsize != sizeof(ElfW(Phdr)) || header->e_phnum == 0)
		return "it has no program headers";
	return NULL;
}

static const char *check_dynamic_entry(const ElfW(Dyn) * entry)
{
	switch (entry->d_tag) {
	case DT_TEXTREL:
		return "its code needs relocations";
	case DT_RPATH:
	case DT_RUNPATH:
		return "it has a library search path of its own";
	case DT_FLAGS:
		return entry->d_un.d_val & DF_TEXTREL ? "its code needs relocations"
						      : NULL;
	case DT_PREINIT_ARRAY:
		return "it has constructors";
	case DT_INIT_ARRAYSZ:
		return entry->d_un.d_val / sizeof(ElfW(Addr)) > CONSTRUCTORS_MAX
				? "it has constructors"
				: NULL;
	case DT_FLAGS_1:
		return entry->d_un.d_val & DF_1_PIE ? "it is a program" : NULL;
	default:
		return NULL;
	}
}

static const char *check_dynamic(const struct image *image, const ElfW(Phdr) * segment)
{
	uint64_t end = (uint64_t)segment->p_offset + segment->p_filesz;
	const char *why = NULL;
	ElfW(Dyn) entry;

	if (end < segment->p_offset)
		return "its tables are damaged";
	for (uint64_t at = segment->p_offset; !why && at + sizeof(entry) <= end;
			at += sizeof(entry)) {
		if (!copy_out(image, at, &entry, sizeof(entry)))
			return "its tables are damaged";
		if (entry.d_tag == DT_NULL)
			break;
		why = check_dynamic_entry(&entry);
	}
	return why;
}

/* Whether the bytes of a segment are all there: the loader would map what is not. */
static bool is_inside(const struct image *image, const ElfW(Phdr) * segment)
{
	return segment->p_offset <= image->size &&
			segment->p_filesz <= image->size - segment->p_offset;
}

static const char *check_segments(const struct image *image, const ElfW(Ehdr) * header)
{
	bool has_dynamic = false;
	const char *why = NULL;
	ElfW(Phdr) segment;

	for (size_t i = 0; !why && i < header->e_phnum; i++) {
		if (!copy_out(image, (uint64_t)header->e_phoff + i * sizeof(segment),
				    &segment, sizeof(segment)))
			return "its tables are damaged";
		if (segment.p_type == PT_LOAD && !is_inside(image, &segment))
			return "it is cut off";
		if (segment.p_type == PT_INTERP)
			return "it is a program";
		if (segment.p_type == PT_GNU_STACK && segment.p_flags & PF_X)
			return "it wants an executable stack";
		if (segment.p_type != PT_DYNAMIC)
			continue;
		has_dynamic = true;
		why = check_dynamic(image, &segment);
	}
	return why || has_dynamic ? why : "it has no dynamic section";
}

int elf_check(const void *data, size_t size, const char **ret_why)
{
	const struct image image = { data, size };
	ElfW(Ehdr) header;
	const char *why;

	why = check_header(&image, &header);
	if (!why)
		why = check_segments(&image, &header);
	if (!why)
		return 0;
	*ret_why = why;
	return -ENOEXEC;
}
