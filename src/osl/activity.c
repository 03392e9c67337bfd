/* SPDX-License-Identifier: Apache-2.0 OR MIT */

/*
 * The journal's native protocol: a field is "NAME=value\n", or, for a value with any byte
 * below space, "NAME\n", its length in 64 bits little endian, the value, "\n". Names are
 * ours, so only values need the second form. The protocol is described at
 * https://systemd.io/JOURNAL_NATIVE_PROTOCOL/.
 */

#include "osl/activity.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/assert.h"

static const struct {
	const char *name;
	enum log_level level;
	const char *id;
	const char *sentence;
} kinds[] = {
#define ACTIVITY(name, level, id, sentence)                                              \
	[ACTIVITY_##name] = { #name, LOG_LEVEL_##level, id, sentence },
#include "osl/activity.def"
#undef ACTIVITY
};

void activity_append_name(enum activity_kind kind, struct text *t)
{
	bug_unless((size_t)kind < ARRAY_SIZE(kinds));
	for (const char *c = kinds[kind].name; *c; c++)
		text_append_char(t, *c == '_' ? '-' : (char)(*c | 0x20));
}

static bool is_control(char c)
{
	return (unsigned char)c < 0x20 || c == 0x7f;
}

/* A line stays a line whatever a value holds. */
static void append_escaped(struct text *t, const char *value)
{
	size_t plain;

	for (; *value; value += plain) {
		for (plain = 0; value[plain] && !is_control(value[plain]); plain++)
			;
		text_append_n(t, value, plain);
		if (value[plain])
			text_printf(t, "\\x%02x",
					(unsigned int)(unsigned char)value[plain++]);
	}
}

static const char *number(char buffer[static 24], uint64_t value)
{
	(void)snprintf(buffer, 24, "%" PRIu64, value);
	return value ? buffer : NULL;
}

/* The value of a placeholder, NULL when the field is not set. */
static const char *field(const struct activity_record *record, char placeholder,
		char buffer[static 24])
{
	switch (placeholder) {
	case 'u':
		return record->unit;
	case 's':
		return record->supervisor && !*record->supervisor ? "the root"
								  : record->supervisor;
	case 'p':
		return number(buffer, (uint64_t)record->pid);
	case 'r':
		return record->reason;
	case 'd':
		return record->decision;
	case 't':
		return record->detail;
	case 'n':
		return number(buffer, record->count);
	case 'w':
		return record->caller;
	default:
		return NULL;
	}
}

/* Whether every field up to the next "%]" is set. */
static bool is_part_set(const struct activity_record *record, const char *part)
{
	char buffer[24];

	for (; *part; part++) {
		if (*part != '%')
			continue;
		part++;
		if (*part == ']')
			return true;
		if (!field(record, *part, buffer))
			return false;
	}
	return true;
}

static const char *skip_part(const char *part)
{
	const char *end = strstr(part, "%]");

	return end ? end + 1 : part + strlen(part) - 1;
}

void activity_format(const struct activity_record *record, struct text *t)
{
	char buffer[24];
	const char *value;
	size_t literal;

	bug_unless((size_t)record->kind < ARRAY_SIZE(kinds));
	for (const char *s = kinds[record->kind].sentence; *s; s++) {
		literal = strcspn(s, "%");
		text_append_n(t, s, literal);
		s += literal;
		if (!*s)
			break;
		s++;
		if (*s == ']')
			continue;
		if (*s == '[') {
			if (!is_part_set(record, s + 1))
				s = skip_part(s + 1);
			continue;
		}
		value = field(record, *s, buffer);
		append_escaped(t, value ? value : "?");
	}
}

static void put_field(struct text *t, const char *name, const char *value)
{
	size_t size = strlen(value);
	uint8_t length[8];
	bool plain = true;

	for (size_t i = 0; i < size; i++)
		plain = plain && !is_control(value[i]);
	text_append(t, name);
	if (plain) {
		text_append_char(t, '=');
	} else {
		for (size_t i = 0; i < sizeof(length); i++)
			length[i] = (uint8_t)((uint64_t)size >> (8 * i));
		text_append_char(t, '\n');
		text_append_n(t, (const char *)length, sizeof(length));
	}
	text_append_n(t, value, size);
	text_append_char(t, '\n');
}

static void put_if(struct text *t, const char *name, const char *value)
{
	if (value)
		put_field(t, name, value);
}

void activity_encode(const struct activity_record *record, struct text *t)
{
	auto_text message = { 0 };
	char buffer[24];

	activity_format(record, &message);
	t->failed = t->failed || message.failed;
	put_field(t, "MESSAGE", text_get(&message));
	put_field(t, "MESSAGE_ID", kinds[record->kind].id);
	text_printf(t, "PRIORITY=%d\n", (int)kinds[record->kind].level);
	put_field(t, "SYSLOG_IDENTIFIER", "airssys");
	text_append(t, "AIRSSYS_EVENT=");
	activity_append_name(record->kind, t);
	text_append_char(t, '\n');
	put_if(t, "AIRSSYS_UNIT", record->unit);
	put_if(t, "AIRSSYS_SUPERVISOR", record->supervisor);
	put_if(t, "AIRSSYS_ACTOR", number(buffer, record->actor));
	put_if(t, "AIRSSYS_PID", number(buffer, (uint64_t)record->pid));
	put_if(t, "AIRSSYS_REASON", record->reason);
	put_if(t, "AIRSSYS_DECISION", record->decision);
	put_if(t, "AIRSSYS_CALLER", record->caller);
	put_if(t, "AIRSSYS_DETAIL", record->detail);
	put_if(t, "AIRSSYS_CGROUP", record->cgroup);
	put_if(t, "AIRSSYS_COUNT", number(buffer, record->count));
}

const char *activity_message_id(enum activity_kind kind)
{
	bug_unless((size_t)kind < ARRAY_SIZE(kinds));
	return kinds[kind].id;
}

enum log_level activity_level(enum activity_kind kind)
{
	bug_unless((size_t)kind < ARRAY_SIZE(kinds));
	return kinds[kind].level;
}
