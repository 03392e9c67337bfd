/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "base/log.h"

#include <limits.h>
#include <poll.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fd.h"

/*
 * A line is made on the stack and leaves in one write, so that lines of several processes
 * do not mix and a log call works when memory is out. Bytes that could pretend to be a
 * second line are replaced.
 *
 * Who supervises services waits for no reader of its words: one that has stopped is given
 * a moment once, and then loses lines until it reads again. A pipe or socket that can be
 * written at all takes PIPE_BUF bytes at once.
 */

#define LINE_SIZE     2048
#define PATIENCE_MSEC 20

static const char *program = "airssys";
static enum log_level max_level = LOG_LEVEL_NOTICE;
static bool is_journal;
static _Atomic(unsigned int) lost; /* lines since the reader stopped */

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

/* Whether standard error takes something now. What cannot be polled is written to. */
static bool has_room(void)
{
	struct pollfd out = { .fd = STDERR_FILENO, .events = POLLOUT };
	bool is_stalled = atomic_load_explicit(&lost, memory_order_relaxed) > 0;

	return poll(&out, 1, is_stalled ? 0 : PATIENCE_MSEC) != 0;
}

/* At most PIPE_BUF bytes. */
static bool write_now(const char *data, size_t size)
{
	return has_room() && fd_write_all(STDERR_FILENO, data, size) == 0;
}

static void count_lost(void)
{
	(void)atomic_fetch_add_explicit(&lost, 1, memory_order_relaxed);
}

static void tell_lost(void)
{
	unsigned int n = atomic_exchange_explicit(&lost, 0, memory_order_relaxed);

	if (n > 0)
		log_warning("nobody read what was said: %u lines were lost", n);
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
	if (write_now(line, size + 1))
		tell_lost();
	else
		count_lost();
	errno = saved;
}

void log_text(const char *text, size_t size)
{
	size_t n;

	for (; size > 0; text += n, size -= n) {
		n = MIN_OF(size, (size_t)PIPE_BUF);
		if (write_now(text, n))
			continue;
		count_lost();
		break;
	}
}
