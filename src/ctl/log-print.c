/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "ctl/log-print.h"

#include <inttypes.h>

#include "ctl/when.h"

void log_entry_append(const struct terminal *terminal, struct text *t,
		const struct log_entry *entry)
{
	if (entry->realtime_usec > 0) {
		when_append_stamp(t, entry->realtime_usec);
		text_append_char(t, ' ');
	}
	if (entry->identifier) {
		terminal_append_safe(terminal, t, entry->identifier);
		if (entry->pid > 0)
			text_printf(t, "[%" PRIi64 "]", entry->pid);
		text_append(t, ": ");
	}
	terminal_append_safe_n(terminal, t, entry->message, entry->size);
}

void log_entry_json(struct json *j, const struct log_entry *entry)
{
	auto_text message = { 0 };

	if (entry->realtime_usec > 0)
		json_member_number(j, "realtime_usec", entry->realtime_usec);
	if (entry->identifier)
		json_member_text(j, "identifier", entry->identifier);
	if (entry->pid > 0)
		json_member_number(j, "pid", (uint64_t)entry->pid);
	if (entry->priority >= 0)
		json_member_number(j, "priority", (uint64_t)entry->priority);
	if (entry->boot_id)
		json_member_text(j, "boot_id", entry->boot_id);
	text_append_n(&message, entry->message, entry->size);
	json_member_text(j, "message", text_get(&message));
}

struct log_request log_request_make(const struct facts *facts)
{
	const char *file = facts_text(facts, "LogFile");
	const char *identifier = facts_text(facts, "LogIdentifier");

	return (struct log_request){
		.lines = OPTIONS_ALL_LINES,
		.file = file[0] ? file : NULL,
		.has_journal = facts_number(facts, "LogJournal") > 0,
		.unit = facts_text(facts, "Name"),
		.instance = facts_text(facts, "Instance"),
		.identifier = identifier[0] ? identifier : NULL,
	};
}
