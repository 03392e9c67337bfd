/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "service/end.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "base/assert.h"
#include "base/macro.h"
#include "base/text.h"

static const char *const texts[] = {
#define RESULT_TEXT(name, text) text,
	END_RESULTS(RESULT_TEXT)
};

const char *end_result_text(enum end_result result)
{
	bug_unless(result < END_RESULT_COUNT);
	return texts[result];
}

static bool is_clean_signal(const struct unit_service *service, struct process_end end)
{
	if (end.code != CLD_KILLED || service->type == UNIT_ONESHOT)
		return false;
	return end.status == SIGHUP || end.status == SIGINT || end.status == SIGTERM ||
			end.status == SIGPIPE;
}

enum end_result end_of_command(struct process_end end)
{
	if (!end.status_known)
		return END_LOST_STATUS;
	if (end.code == CLD_DUMPED)
		return END_CORE_DUMP;
	if (end.code == CLD_KILLED)
		return END_SIGNAL;
	return end.status == 0 ? END_SUCCESS : END_EXIT_CODE;
}

enum end_result end_of_main(const struct unit_service *service, struct process_end end)
{
	if (end.status_known &&
			(is_clean_signal(service, end) ||
					unit_exit_set_contains(service->success, end.code,
							end.status)))
		return END_SUCCESS;
	return end_of_command(end);
}

struct airs_reason end_reason(struct process_end end)
{
	struct airs_reason reason;

	if (!end.status_known)
		return airs_reason_make(AIRS_REASON_ERROR, ECHILD, "exit status lost");
	reason = airs_reason_make(AIRS_REASON_PROCESS, end.code, NULL);
	reason.status = end.status;
	return reason;
}

void end_describe(const struct airs_reason *reason, char *buffer, size_t size)
{
	struct airs_reason plain = *reason;

	plain.flags = (uint16_t)(plain.flags & ~AIRS_REASON_F_SHUTDOWN);
	if (plain.reason_class == AIRS_REASON_TIMEOUT && plain.text[0])
		(void)snprintf(buffer, size, "%.*s timed out", AIRS_REASON_TEXT_SIZE,
				plain.text);
	else if (plain.reason_class == AIRS_REASON_ERROR && plain.text[0] &&
			strerrordesc_np(plain.code))
		(void)snprintf(buffer, size, "%.*s: %s", AIRS_REASON_TEXT_SIZE,
				plain.text, strerrordesc_np(plain.code));
	else if (plain.text[0] &&
			(plain.reason_class == AIRS_REASON_USER ||
					plain.reason_class == AIRS_REASON_SHUTDOWN))
		(void)snprintf(buffer, size, "%.*s", AIRS_REASON_TEXT_SIZE, plain.text);
	else
		(void)airs_reason_format(&plain, buffer, size);
}

/* Restart= by result, the table of systemd.service(5). */
static bool condition_holds(enum unit_restart restart, enum end_result result)
{
	switch (restart) {
	case UNIT_RESTART_PERMANENT:
		return true;
	case UNIT_RESTART_TEMPORARY:
		return false;
	case UNIT_RESTART_TRANSIENT:
		return result != END_SUCCESS;
	case UNIT_RESTART_ON_SUCCESS:
		return result == END_SUCCESS;
	case UNIT_RESTART_ON_ABNORMAL:
		return result != END_SUCCESS && result != END_EXIT_CODE;
	case UNIT_RESTART_ON_WATCHDOG:
		return result == END_WATCHDOG;
	case UNIT_RESTART_ON_ABORT:
		return result == END_SIGNAL || result == END_CORE_DUMP;
	}
	return false;
}

bool end_wants_restart(const struct unit *unit, enum end_result result,
		const struct process_end *end)
{
	const struct unit_service *service = &unit->service;

	if (end && end->status_known) {
		if (unit_exit_set_contains(
				    service->restart_prevent, end->code, end->status))
			return false;
		if (unit_exit_set_contains(
				    service->restart_force, end->code, end->status))
			return true;
	}
	return condition_holds(unit->restart, result);
}

static bool is_exit_0(const struct airs_reason *reason)
{
	return reason->reason_class == AIRS_REASON_PROCESS &&
			reason->code == CLD_EXITED && reason->status == 0;
}

struct airs_reason end_exit_reason(
		const struct airs_reason *reason, enum end_result result, bool restart)
{
	struct airs_reason exit = *reason;

	if (restart) {
		/* An end without a process of its own, of a oneshot without commands. */
		if (airs_reason_is_orderly(&exit))
			exit = airs_reason_make(AIRS_REASON_USER, 0, "done");
		return exit;
	}
	if (result == END_SUCCESS && is_exit_0(reason))
		return airs_reason_make(AIRS_REASON_NORMAL, 0, NULL);
	if (exit.reason_class != AIRS_REASON_NORMAL)
		exit.flags |= AIRS_REASON_F_SHUTDOWN;
	return exit;
}

const char *end_code_text(struct process_end end)
{
	if (!end.status_known)
		return "";
	if (end.code == CLD_EXITED)
		return "exited";
	return end.code == CLD_DUMPED ? "dumped" : "killed";
}

void end_status_text(struct process_end end, char *buffer, size_t size)
{
	const char *name;

	if (!end.status_known) {
		buffer[0] = '\0';
		return;
	}
	if (end.code == CLD_EXITED) {
		(void)snprintf(buffer, size, "%d", end.status);
		return;
	}
	name = signal_name(end.status);
	(void)snprintf(buffer, size, "%s",
			name && has_prefix(name, "SIG") ? name + 3 : "UNKNOWN");
}
