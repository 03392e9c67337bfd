/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/text.h"
#include "service/notify.h"

/* The bytes are one message to a notify socket. What is accepted keeps its promises. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct notify_message m = { 0 };
	char *text = malloc(size + 1); /* exactly, so that a sanitizer sees the end */
	size_t n;

	if (!text)
		return 0;
	memcpy(text, data, size);
	if (notify_parse(text, size, &m) == 0) {
		bug_unless(size <= NOTIFY_SIZE_MAX);
		bug_unless((m.flags & NOTIFY_STATUS) == 0 || m.status);
		if (m.flags & NOTIFY_STATUS) {
			n = strlen(m.status);
			bug_unless(m.status >= text && m.status + n <= text + size);
			bug_unless(!strchr(m.status, '\n') && text_is_utf8(m.status, n));
		}
		bug_unless(!(m.flags & NOTIFY_MAINPID) || m.main_pid > 0);
		bug_unless(m.error >= 0);
	}
	free(text);
	return 0;
}
