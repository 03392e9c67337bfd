/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include <stdint.h>
#include <string.h>

#include "base/assert.h"
#include "keeper/state.h"

/*
 * The keeper's state file. What is handed out lies within the input and has the range
 * that adoption relies on.
 */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
	const uint8_t *data;
	size_t size;
};

static void check_within(const struct input *input, const void *at, size_t size)
{
	const uint8_t *p = at;

	bug_unless(p >= input->data && size <= input->size &&
			p <= input->data + input->size - size);
}

static void on_record(void *data, const struct state_record *record)
{
	const struct input *input = data;

	bug_unless(record->type >= STATE_BEGIN && record->type < STATE_TYPE_COUNT);
	if (record->type == STATE_SPAWN || record->type == STATE_NOTE) {
		check_within(input, record->unit, strlen(record->unit) + 1);
		bug_unless(!strchr(record->unit, '/'));
	}
	if (record->type == STATE_SPAWN) {
		check_within(input, record->invocation, INVOCATION_SIZE);
		bug_unless(record->pid > 0 && record->kind < UNIT_COMMAND_KIND_COUNT);
	}
	if (record->type == STATE_NOTE && record->note_size > 0)
		check_within(input, record->note, record->note_size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = { data, size };

	bug_unless(state_read(data, size, on_record, &input) <= size);
	return 0;
}
