/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "base/log.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fd.h"

/*
 * A line is made on the stack and leaves in one write, so that lines of several processes
 * do not mix and a log call works when memory is out. Bytes that could pretend to be a
 * second line are replaced.
 */

#define LINE_SIZE 2048

static const char *program = "airssys";
static enum log_level max_level = LOG_LEVEL_NOTICE;
static bool is_journal;

/* systemd tells in JOURNAL_STREAM which file its stream is; others may stand there now.
 */
static bool stderr_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long device, inode;
	struct stat st;

	if (!stream || sscanf(stream, "%llu:%llu", &device, &inode) != 2)
		return false;
	return fstat(STDERR_FILENO, &st) == 0 && st.st_dev == device &&
			st.st_ino == inode;
}

static void flatten(char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			*s = ' ';
}

void log_open(const char *name, enum log_level level)
{
	program = name;
	max_level = level;
	is_journal = stderr_is_journal();
}

void log_line(enum log_level level, const char *format, ...)
{
	int saved = errno, head, n;
	char line[LINE_SIZE];
	size_t size;
	va_list ap;

	if (level > max_level)
		return;
	head = is_journal ? snprintf(line, sizeof(line), "<%d>", (int)level)
			  : snprintf(line, sizeof(line), "%s: ", program);
	if (head < 0 || (size_t)head >= sizeof(line) - 1)
		return;
	va_start(ap, format);
	n = vsnprintf(line + head, sizeof(line) - (size_t)head - 1, format, ap);
	va_end(ap);
	if (n < 0)
		return;
	flatten(line + head);
	size = strlen(line);
	line[size] = '\n';
	if (fd_write_all(STDERR_FILENO, line, size + 1) < 0) {
		/* There is nobody to tell that telling failed. */
	}
	errno = saved;
}
