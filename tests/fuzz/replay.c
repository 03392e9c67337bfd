/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/text.h"

/*
 * Gives every file of a target's corpus to the target, whole and cut off at each byte, as
 * one TAP test. The corpus of fuzz-WHAT is tests/fuzz/corpus/WHAT below $top_srcdir;
 * files may be named as arguments instead.
 */

#define FILE_MAX   (1024 * 1024)
#define PREFIX_MAX 512

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A copy of exactly that size, so that the sanitizer sees a read behind its end. */
static void run(const char *data, size_t size)
{
	uint8_t *copy = malloc(size ? size : 1);

	if (!copy)
		abort();
	memcpy(copy, data, size);
	(void)LLVMFuzzerTestOneInput(copy, size);
	free(copy);
}

static int replay_file(const char *path)
{
	auto_free char *data = NULL;
	size_t size;
	int r;

	r = file_read(path, FILE_MAX, &data, &size);
	if (r < 0)
		return r;
	/* Seen when the target does not come back. */
	fprintf(stderr, "# %s\n", path);
	run(data, size);
	for (size_t n = 0; n < MIN_OF(size, (size_t)PREFIX_MAX); n++)
		run(data, n);
	return 0;
}

static int replay_folder(const char *folder, unsigned int *count)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;
	int r = 0;

	if (!dir)
		return -errno;
	while (r == 0 && (entry = readdir(dir))) {
		auto_free char *path = text_format("%s/%s", folder, entry->d_name);

		if (entry->d_name[0] == '.')
			continue;
		r = path ? replay_file(path) : -ENOMEM;
		(*count)++;
	}
	closedir(dir);
	return r;
}

int main(int argc, char **argv)
{
	const char *top = getenv("top_srcdir"), *what = strstr(argv[0], "fuzz-");
	auto_free char *folder = NULL;
	unsigned int count = 0;
	int r = 0;

	while (what && strstr(what + 1, "fuzz-"))
		what = strstr(what + 1, "fuzz-");
	folder = text_format("%s/tests/fuzz/corpus/%s", top ? top : ".",
			what ? what + strlen("fuzz-") : "");
	if (!folder)
		return EXIT_FAILURE;
	for (int i = 1; i < argc && r == 0; i++, count++)
		r = replay_file(argv[i]);
	if (argc < 2)
		r = replay_folder(folder, &count);
	printf("1..1\n%sok 1 - corpus of %u inputs%s%s\n",
			r == 0 && count > 0 ? "" : "not ", count, r < 0 ? ": " : "",
			r < 0 ? strerror(-r) : "");
	return r == 0 && count > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
