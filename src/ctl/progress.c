/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "ctl/progress.h"

#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/fd.h"

#define CLEAR_LINE "\r\033[K"

static size_t columns_of_error(void)
{
	struct winsize size;

	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1)
		return size.ws_col - 1u;
	return 79;
}

void progress_show(struct progress *p, const char *line)
{
	auto_text out = { 0 };

	if (!p->ctl->terminal.shows_progress || strcmp(line, text_get(&p->shown)) == 0)
		return;
	text_append(&out, CLEAR_LINE);
	terminal_append_cut(&p->ctl->terminal, &out, line, columns_of_error());
	/* The line is a courtesy; nothing depends on it. */
	(void)!fd_write_all(STDERR_FILENO, text_get(&out), out.size);
	text_clear(&p->shown);
	text_append(&p->shown, line);
}

void progress_fini(struct progress *p)
{
	progress_show(p, "");
	text_fini(&p->shown);
}
