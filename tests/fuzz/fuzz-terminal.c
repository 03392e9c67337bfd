/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include <stdint.h>
#include <string.h>

#include "base/assert.h"
#include "ctl/terminal.h"

/*
 * Text of a service on its way to a screen: whatever it is, what comes out is valid, one
 * line, without a control character, and cut to what there is room for.
 */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct text *t, bool utf8)
{
	bug_unless(!t->failed && text_is_utf8(t->data ? t->data : "", t->size));
	for (size_t i = 0; i < t->size; i++) {
		unsigned char c = (unsigned char)t->data[i];

		bug_unless(c >= 0x20 && c != 0x7f);
		bug_unless(utf8 || c < 0x80);
	}
}

static void show(const struct terminal *terminal, const char *data, size_t size)
{
	auto_text safe = { 0 }, cut = { 0 };
	size_t columns = size % 40;

	terminal_append_safe_n(terminal, &safe, data, size);
	check(&safe, terminal->utf8);
	terminal_append_cut(terminal, &cut, text_get(&safe), columns);
	check(&cut, terminal->utf8);
	bug_unless(terminal_width(text_get(&cut)) <= columns);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct terminal terminal = { .is_terminal = true };

	show(&terminal, (const char *)data, size);
	terminal.utf8 = true;
	show(&terminal, (const char *)data, size);
	return 0;
}
