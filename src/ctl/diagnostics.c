/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "ctl/diagnostics.h"

static void print_item(struct ctl *ctl, const struct diag_item *item)
{
	static const enum style styles[] = {
		[DIAG_NOTE] = STYLE_PLAIN,
		[DIAG_WARNING] = STYLE_BUSY,
		[DIAG_ERROR] = STYLE_BAD,
	};
	auto_text line = { 0 };

	diag_item_print(item, &line);
	terminal_begin_style(&ctl->terminal, &ctl->out, styles[item->severity]);
	/* Without the newline at its end, which is ours. */
	terminal_append_safe_n(&ctl->terminal, &ctl->out, text_get(&line),
			line.size > 0 ? line.size - 1 : 0);
	terminal_end_style(&ctl->terminal, &ctl->out, styles[item->severity]);
	text_append_char(&ctl->out, '\n');
}

void diagnostics_print(struct ctl *ctl, const struct diag *diag)
{
	for (size_t i = 0; i < diag->count; i++)
		print_item(ctl, &diag->items[i]);
	if (diag->lost > 0)
		text_printf(&ctl->out, "%zu more could not be kept\n", diag->lost);
}

void diagnostics_json(const struct diag *diag, struct json *j)
{
	json_member_number(j, "errors", diag->errors);
	json_member_number(j, "warnings", diag->warnings);
	json_key(j, "diagnostics");
	json_begin_array(j);
	for (size_t i = 0; i < diag->count; i++) {
		auto_text item = { 0 };

		diag_item_print_json(&diag->items[i], &item);
		json_raw(j, text_get(&item));
	}
	json_end_array(j);
}

void diagnostics_append_counts(const struct diag *diag, struct text *t)
{
	text_printf(t, "%zu error%s, %zu warning%s", diag->errors,
			diag->errors == 1 ? "" : "s", diag->warnings,
			diag->warnings == 1 ? "" : "s");
}
