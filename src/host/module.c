/* SPDX-License-Identifier: Apache-2.0 OR MIT */

/*
 * dlopen takes a path: /proc/self/fd/N names the memory file, so what was checked is what
 * is loaded. The loader remembers objects by that path, and would answer with an old
 * module when N is used again: so each loaded module keeps its descriptor for ever.
 */

#include "host/module.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/assert.h"
#include "base/fd.h"
#include "base/list.h"
#include "host/elf.h"
#include "host/exports.h"

struct loaded {
	struct list link;
	int fd;
	uint64_t hash;
	size_t size;
	const struct airs_module *module;
};

/* The bytes of a module. */
struct image {
	char *data; /* heap */
	size_t size;
	uint64_t hash;
};

/* Of the main pool's thread. */
static struct list all_loaded = { &all_loaded, &all_loaded }; /* [struct loaded.link] */

/* FNV-1a: finds candidates, which are compared byte by byte. */
static uint64_t hash_of(const void *data, size_t size)
{
	const unsigned char *bytes = data;
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < size; i++)
		hash = (hash ^ bytes[i]) * UINT64_C(0x100000001b3);
	return hash;
}

static bool is_same(const struct loaded *l, const struct image *image)
{
	auto_free char *old = NULL;
	size_t size;

	if (l->size != image->size || l->hash != image->hash ||
			fd_read_all(l->fd, MODULE_SIZE_MAX, &old, &size) < 0)
		return false;
	return size == image->size && memcmp(old, image->data, size) == 0;
}

static const struct airs_module *find_loaded(const struct image *image)
{
	struct loaded *l;

	list_foreach(l, &all_loaded, link)
		if (is_same(l, image))
			return l->module;
	return NULL;
}

/* Whether an address lies in the object that has the symbol. */
static bool is_within(const void *address, const void *symbol)
{
	Dl_info of_address, of_symbol;

	return dladdr(address, &of_address) && dladdr(symbol, &of_symbol) &&
			of_address.dli_fbase == of_symbol.dli_fbase;
}

static const char *check_module(const struct airs_module *m)
{
	const struct airs_behaviour *b;

	if (m->magic != AIRS_MODULE_MAGIC)
		return "its airs_module is something else";
	if (m->abi != AIRS_MODULE_ABI)
		return "it was built for another version of the module interface";
	if (m->size < sizeof(*m) || !m->name || !m->behaviour)
		return "its airs_module is not complete";
	b = m->behaviour;
	if (!is_within(b, m) || b->size != sizeof(*b) || !b->name || !b->handle)
		return "its behaviour is not valid";
	return NULL;
}

/* Where the reason goes. */
struct why {
	char *text;
	size_t size;
};

static int refuse(const struct why *why, int error, const char *text)
{
	(void)snprintf(why->text, why->size, "%s", text);
	return error;
}

static int open_module(
		int fd, const struct why *why, const struct airs_module **ret_module)
{
	const struct airs_module *module;
	const char *problem;
	char path[64];
	void *handle;

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (!handle)
		return refuse(why, -ENOEXEC, dlerror());
	module = dlsym(handle, "airs_module");
	problem = module ? check_module(module) : "it has no airs_module";
	if (!problem) {
		*ret_module = module;
		return 0;
	}
	(void)dlclose(handle);
	return refuse(why, -ELIBBAD, problem);
}

/* Load and remember. */
static int add(int fd, const struct image *image, const struct why *why,
		const struct airs_module **ret_module)
{
	auto_free struct loaded *l = calloc(1, sizeof(*l));
	auto_close int kept = -1;
	int r;

	kept = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	if (!l || kept < 0)
		return refuse(why, l ? -errno : -ENOMEM, "out of memory");
	r = open_module(kept, why, &l->module);
	if (r < 0)
		return r;
	l->fd = take_fd(&kept);
	l->hash = image->hash;
	l->size = image->size;
	*ret_module = l->module;
	list_append(&all_loaded, &TAKE_PTR(l)->link);
	return 0;
}

static int read_image(int fd, const struct why *why, struct image *ret_image)
{
	struct stat st;
	int r;

	if (fstat(fd, &st) < 0)
		return refuse(why, -errno, "it cannot be looked at");
	if (!S_ISREG(st.st_mode))
		return refuse(why, -EINVAL, "it is not a regular file");
	if (memfd_is_sealed(fd) <= 0)
		return refuse(why, -EPERM, "it is not sealed");
	r = fd_read_all(fd, MODULE_SIZE_MAX, &ret_image->data, &ret_image->size);
	if (r < 0)
		return refuse(why, r, "it cannot be read");
	ret_image->hash = hash_of(ret_image->data, ret_image->size);
	return 0;
}

static int load(int fd, const struct image *image, const struct why *why,
		const struct airs_module **ret_module)
{
	const struct airs_module *module = find_loaded(image);
	const char *problem;
	int r;

	if (module) {
		*ret_module = module;
		return 0;
	}
	r = elf_check(image->data, image->size, &problem);
	if (r < 0)
		return refuse(why, r, problem);
	return add(fd, image, why, ret_module);
}

int module_load(int fd, const struct airs_module **ret_module, char *why, size_t why_size)
{
	const struct why clause = { why, why_size };
	struct image image;
	int r;

	bug_unless(exports_count() > 0);
	r = read_image(fd, &clause, &image);
	if (r < 0)
		return r;
	r = load(fd, &image, &clause, ret_module);
	free(image.data);
	return r;
}

static size_t size_of_all(char *const *arguments, size_t *ret_count)
{
	size_t size = 0, n = 0;

	for (; arguments && arguments[n]; n++)
		size += strlen(arguments[n]) + 1;
	*ret_count = n;
	return size;
}

struct airs_module_args *module_args_new(const char *name, char *const *arguments)
{
	struct {
		struct airs_module_args args;
		const char *pointers[];
	} * block;
	size_t n, text = size_of_all(arguments, &n) + strlen(name) + 1;
	char *at;

	block = malloc(sizeof(*block) + (n + 1) * sizeof(char *) + text);
	if (!block)
		return NULL;
	at = (char *)&block->pointers[n + 1];
	for (size_t i = 0; i < n; i++) {
		block->pointers[i] = at;
		at = stpcpy(at, arguments[i]) + 1;
	}
	block->pointers[n] = NULL;
	memcpy(at, name, strlen(name) + 1);
	block->args = (struct airs_module_args){
		.size = sizeof(block->args),
		.name = at,
		.arguments = block->pointers,
	};
	return &block->args;
}
