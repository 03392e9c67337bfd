/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "ctl/grid.h"
#include "ctl/unit-status.h"
#include "ctl/when.h"

/*
 * One line per thing to know, the most important first: what state and since when, how it
 * last ended and what was done about it, then what it is and what it uses. A line whose
 * value is not known is left out.
 */

#define LABEL_WIDTH 10

/* What is printed, and where to. */
struct page {
	struct ctl *ctl;
	const struct facts *facts;
	struct text *out;
	uint64_t now_usec;
};

static void append_safe(struct page *p, const char *s)
{
	terminal_append_safe(&p->ctl->terminal, p->out, s);
}

static void begin_line(struct page *p, const char *label)
{
	for (size_t i = strlen(label); i < LABEL_WIDTH; i++)
		text_append_char(p->out, ' ');
	text_printf(p->out, "%s: ", label);
}

static void end_line(struct page *p)
{
	text_append_char(p->out, '\n');
}

static void print_fact(struct page *p, const char *label, const char *key)
{
	auto_text value = { 0 };
	const struct fact *f = facts_find(p->facts, key);

	if (f)
		fact_append(f, &value);
	if (value.size == 0)
		return;
	begin_line(p, label);
	append_safe(p, text_get(&value));
	end_line(p);
}

/* "● db (service): running (substate) since …, 2min 3s ago" */
static void print_head(struct page *p)
{
	const struct terminal *terminal = &p->ctl->terminal;
	const char *state = facts_text(p->facts, "State");
	const char *substate = facts_text(p->facts, "SubState");
	uint64_t since_usec = facts_number(p->facts, "Since");
	enum style style = state_style(state);

	terminal_append_styled(terminal, p->out, style, state_glyph(terminal, state));
	text_append_char(p->out, ' ');
	terminal_begin_style(terminal, p->out, STYLE_BOLD);
	append_safe(p, facts_text(p->facts, "Name"));
	terminal_end_style(terminal, p->out, STYLE_BOLD);
	text_append(p->out, " (");
	append_safe(p, facts_text(p->facts, "Kind"));
	text_append(p->out, "): ");
	terminal_begin_style(terminal, p->out, style);
	append_safe(p, state);
	terminal_end_style(terminal, p->out, style);
	if (substate[0] && strcmp(substate, state) != 0) {
		text_append(p->out, " (");
		append_safe(p, substate);
		text_append_char(p->out, ')');
	}
	if (since_usec > 0) {
		text_append(p->out, " since ");
		when_append_absolute(p->out, since_usec);
		text_append(p->out, ", ");
		when_append_relative(p->out, since_usec, p->now_usec);
	}
	end_line(p);
}

/* How it last ended, when, and what its supervisor did. */
static void print_last_end(struct page *p)
{
	uint64_t when_usec = facts_number(p->facts, "LastEndRealtime");
	const char *end = facts_text(p->facts, "LastEnd");
	const char *decision = facts_text(p->facts, "LastDecision");

	if (!end[0])
		return;
	begin_line(p, "last end");
	append_safe(p, end);
	if (when_usec > 0) {
		text_append(p->out, ", ");
		when_append_relative(p->out, when_usec, p->now_usec);
	}
	if (decision[0]) {
		text_append(p->out, "; ");
		append_safe(p, decision);
	}
	end_line(p);
}

static void print_restarts(struct page *p)
{
	uint64_t period_usec = facts_number(p->facts, "PeriodUSec");

	if (!facts_find(p->facts, "Restarts"))
		return;
	begin_line(p, "restarts");
	text_printf(p->out, "%" PRIu64, facts_number(p->facts, "Restarts"));
	if (period_usec > 0) {
		text_printf(p->out, "; within the last ");
		text_append_duration(p->out, period_usec);
		text_printf(p->out, " %" PRIu64 " of %" PRIu64 " allowed",
				facts_number(p->facts, "RestartsInWindow"),
				facts_number(p->facts, "Intensity"));
	}
	end_line(p);
}

static void print_next_restart(struct page *p)
{
	uint64_t when_usec = facts_number(p->facts, "NextRestartRealtime");
	uint64_t attempt = facts_number(p->facts, "Attempt");

	if (when_usec == 0)
		return;
	begin_line(p, "restart");
	when_append_relative(p->out, when_usec, p->now_usec);
	if (attempt > 0)
		text_printf(p->out, ", attempt %" PRIu64, attempt);
	end_line(p);
}

/* The value of a setting that is not a list; false when there is none. */
static bool append_setting(struct page *p, const char *before, const char *key)
{
	const char *line = facts_text(p->facts, "Settings");
	size_t size = strlen(key);

	for (; *line; line += strcspn(line, "\n"), line += *line == '\n') {
		if (strncmp(line, key, size) != 0 || line[size] != '=')
			continue;
		text_append(p->out, before);
		line += size + 1;
		terminal_append_safe_n(
				&p->ctl->terminal, p->out, line, strcspn(line, "\n"));
		return true;
	}
	return false;
}

/* "rest-for-one, restarts at most 5 within 30s" */
static void print_strategy(struct page *p)
{
	const char *strategy = facts_text(p->facts, "Strategy");

	if (!strategy[0])
		return;
	begin_line(p, "strategy");
	append_safe(p, strategy);
	if (append_setting(p, ", restarts at most ", "Intensity"))
		(void)append_setting(p, " within ", "Period");
	end_line(p);
}

static void print_memory(struct page *p)
{
	if (!facts_find(p->facts, "MemoryBytes"))
		return;
	begin_line(p, "memory");
	text_append_bytes(p->out, facts_number(p->facts, "MemoryBytes"));
	if (facts_find(p->facts, "MemoryPeakBytes")) {
		text_append(p->out, ", at most ");
		text_append_bytes(p->out, facts_number(p->facts, "MemoryPeakBytes"));
	}
	end_line(p);
}

static void print_cpu(struct page *p)
{
	uint64_t cpu_usec = facts_number(p->facts, "CPUUSec");

	if (!facts_find(p->facts, "CPUUSec"))
		return;
	begin_line(p, "CPU");
	/* Without a cgroup the kernel counts in ticks. */
	if (cpu_usec == 0)
		text_append(p->out, "less than 10ms");
	else
		when_append_span(p->out, cpu_usec);
	end_line(p);
}

static void print_pid(struct page *p)
{
	uint64_t pid = facts_number(p->facts, "PID");
	uint64_t control = facts_number(p->facts, "ControlPID");

	if (pid > 0) {
		begin_line(p, "PID");
		text_printf(p->out, "%" PRIu64, pid);
		end_line(p);
	}
	if (control > 0) {
		begin_line(p, "control");
		text_printf(p->out, "PID %" PRIu64, control);
		end_line(p);
	}
}

static void print_documentation(struct page *p)
{
	const struct strv *documentation = facts_list(p->facts, "Documentation");

	for (size_t i = 0; i < documentation->count; i++) {
		begin_line(p, i == 0 ? "docs" : "");
		append_safe(p, documentation->items[i]);
		end_line(p);
	}
}

static void print_files(struct page *p, const struct unit_status *status)
{
	static const char *const remarks[] = {
		[FILE_SAME] = "",
		[FILE_CHANGED] = " (changed on disk: see airssysctl daemon-reload)",
		[FILE_GONE] = " (gone from disk: see airssysctl daemon-reload)",
		[FILE_UNREADABLE] = "",
	};

	for (size_t i = 0; i < status->n_files; i++) {
		begin_line(p, i == 0 ? "file" : "drop-in");
		append_safe(p, status->files[i].path);
		terminal_append_styled(&p->ctl->terminal, p->out, STYLE_BUSY,
				remarks[status->files[i].change]);
		end_line(p);
	}
}

/* It still runs with what the files said when it was started. */
static void print_needs_restart(struct page *p)
{
	if (!facts_find(p->facts, "NeedsRestart"))
		return;
	begin_line(p, "settings");
	terminal_append_styled(&p->ctl->terminal, p->out, STYLE_BUSY,
			"changed since it was started; they apply at the next start "
			"(airssysctl restart)");
	end_line(p);
}

/* Its files were read again and have a mistake: what was read before stays in force. */
static void print_refused(struct page *p)
{
	const char *why = facts_text(p->facts, "Refused");

	if (!*why)
		return;
	begin_line(p, "refused");
	append_safe(p, why);
	terminal_append_styled(&p->ctl->terminal, p->out, STYLE_BUSY,
			"; the settings of before stay in force");
	end_line(p);
}

static void print_child(struct page *p, const char *name, const struct unit_row *row)
{
	const struct terminal *terminal = &p->ctl->terminal;
	const char *state = row ? row->state : "";

	text_append(p->out, "  ");
	terminal_append_styled(terminal, p->out, state_style(state),
			state_glyph(terminal, state));
	text_append_char(p->out, ' ');
	append_safe(p, name);
	text_append_char(p->out, ' ');
	append_safe(p, state);
	if (row && row->pid > 0)
		text_printf(p->out, ", PID %u", row->pid);
	if (row && row->restarts > 0)
		text_printf(p->out, ", restarts %" PRIu64, row->restarts);
	if (row && row->last_end[0] && state_mood(state) != MOOD_GOOD) {
		text_append(p->out, ", ");
		append_safe(p, row->last_end);
	}
	end_line(p);
}

static void print_children(struct page *p, const struct unit_status *status)
{
	const struct strv *children = facts_list(p->facts, "Children");

	if (children->count == 0)
		return;
	text_append(p->out, "\nchildren:\n");
	for (size_t i = 0; i < children->count; i++)
		print_child(p, children->items[i],
				units_find(status->rows, children->items[i]));
}

static void print_log(struct page *p, const struct unit_status *status)
{
	if (status->log.size == 0)
		return;
	text_append(p->out, "\nlog (");
	if (status->has_journal_log)
		text_append(p->out, status->has_file_log ? "journal and " : "journal");
	if (status->has_file_log)
		append_safe(p, facts_text(p->facts, "LogFile"));
	text_append(p->out, "):\n");
	text_append(p->out, text_get(&status->log));
}

void unit_status_print(struct ctl *ctl, const struct unit_status *status)
{
	struct page p = {
		.ctl = ctl,
		.facts = &status->facts,
		.out = &ctl->out,
		.now_usec = clock_realtime_usec(),
	};

	print_head(&p);
	print_fact(&p, "what", "Description");
	print_fact(&p, "says", "StatusText");
	print_fact(&p, "failed at", "FailedStep");
	print_last_end(&p);
	print_next_restart(&p);
	print_restarts(&p);
	print_fact(&p, "supervisor", "Supervisor");
	print_strategy(&p);
	print_pid(&p);
	print_fact(&p, "tasks", "Tasks");
	print_memory(&p);
	print_cpu(&p);
	print_fact(&p, "messages", "MessagesHandled");
	print_fact(&p, "confined", "Confinement");
	print_needs_restart(&p);
	print_refused(&p);
	print_documentation(&p);
	print_files(&p, status);
	print_children(&p, status);
	print_log(&p, status);
}
