/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include <stdint.h>
#include <string.h>

#include "base/assert.h"
#include "osl/draft.h"

/* A policy file, without the files that it extends and without the compiler. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_rules(const struct filter_rules *rules)
{
	int error;

	for (int i = -1; i <= SYSCALL_LIMIT; i += 7) {
		error = filter_rules_decide(rules, i);
		bug_unless(error >= 0 && error <= FILTER_ERROR_MAX);
		bug_unless(rules->kind != FILTER_NONE || error == 0);
	}
}

/* Each mistake was told once, with its remedy. */
static void check_mistakes(const struct draft *draft, const struct diag *d)
{
	bug_unless(draft->mistakes == d->errors && d->count + d->lost == d->errors);
	for (size_t i = 0; i < d->count; i++) {
		bug_unless(d->items[i].code[0] == 'O' && d->items[i].remedy);
		bug_unless(strcmp(d->items[i].file, "fuzz.policy") == 0);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	auto_free char *extends = NULL;
	unsigned int line = 0;
	auto_diag d = { 0 };
	struct draft draft;

	draft_init(&draft, &d);
	if (draft_find_extends(text, size, &extends, &line) == 0 && extends)
		bug_unless(extends[0] && line > 0);
	if (draft_apply(&draft, "fuzz.policy", text, size) == 0) {
		check_rules(&draft.rules);
		check_mistakes(&draft, &d);
	}
	draft_fini(&draft);
	return 0;
}
