/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "airssys/types.h"
#include "base/macro.h"

#define BODY_SIZE 128

static const char *const class_names[AIRS_REASON_CLASS_COUNT] = {
	[AIRS_REASON_NORMAL] = "normal",
	[AIRS_REASON_SHUTDOWN] = "shutdown",
	[AIRS_REASON_KILL] = "kill",
	[AIRS_REASON_KILLED] = "killed",
	[AIRS_REASON_NOPROC] = "no such actor",
	[AIRS_REASON_ERROR] = "error",
	[AIRS_REASON_TIMEOUT] = "timeout",
	[AIRS_REASON_FAULT] = "fault",
	[AIRS_REASON_DENIED] = "denied system call",
	[AIRS_REASON_LIMIT] = "limit exceeded",
	[AIRS_REASON_PROCESS] = "process ended",
	[AIRS_REASON_USER] = "application reason",
};

struct airs_reason airs_reason_make(
		enum airs_reason_class reason_class, int32_t code, const char *text)
{
	struct airs_reason reason = { .reason_class = (uint16_t)reason_class,
		.code = code };

	if (text)
		memcpy(reason.text, text, strnlen(text, sizeof(reason.text) - 1));
	return reason;
}

int airs_reason_is_orderly(const struct airs_reason *reason)
{
	return reason->reason_class == AIRS_REASON_NORMAL ||
			reason->reason_class == AIRS_REASON_SHUTDOWN ||
			reason->flags & AIRS_REASON_F_SHUTDOWN;
}

static int format_signal(int signo, char *buffer, size_t size)
{
	const char *name = sigabbrev_np(signo);

	return name ? snprintf(buffer, size, "SIG%s", name)
		    : snprintf(buffer, size, "signal %d", signo);
}

static void format_process(const struct airs_reason *reason, char *buffer, size_t size)
{
	char name[24];

	if (reason->code == CLD_EXITED) {
		(void)snprintf(buffer, size, "exited with status %d", reason->status);
		return;
	}
	(void)format_signal(reason->status, name, sizeof(name));
	(void)snprintf(buffer, size, "killed by %s%s", name,
			reason->code == CLD_DUMPED ? ", core dumped" : "");
}

static void format_error(const struct airs_reason *reason, char *buffer, size_t size)
{
	const char *name = strerrorname_np(reason->code);

	if (name)
		(void)snprintf(buffer, size, "error %s", name);
	else
		(void)snprintf(buffer, size, "error %d", reason->code);
}

static void format_fault(const struct airs_reason *reason, char *buffer, size_t size)
{
	char name[24];

	(void)format_signal(reason->code, name, sizeof(name));
	(void)snprintf(buffer, size, "%s at address 0x%llx", name,
			(unsigned long long)reason->detail);
}

static void format_body(const struct airs_reason *reason, char *buffer, size_t size)
{
	const char *name;

	if (reason->reason_class >= AIRS_REASON_CLASS_COUNT) {
		(void)snprintf(buffer, size, "unknown reason %u", reason->reason_class);
		return;
	}
	name = class_names[reason->reason_class];
	if (reason->reason_class == AIRS_REASON_ERROR)
		format_error(reason, buffer, size);
	else if (reason->reason_class == AIRS_REASON_PROCESS)
		format_process(reason, buffer, size);
	else if (reason->reason_class == AIRS_REASON_FAULT)
		format_fault(reason, buffer, size);
	else if (reason->code)
		(void)snprintf(buffer, size, "%s %d", name, reason->code);
	else
		(void)snprintf(buffer, size, "%s", name);
}

int airs_reason_format(const struct airs_reason *reason, char *buffer, size_t size)
{
	bool is_shutdown = reason->flags & AIRS_REASON_F_SHUTDOWN &&
			reason->reason_class != AIRS_REASON_SHUTDOWN;
	char body[BODY_SIZE];

	format_body(reason, body, sizeof(body));
	return snprintf(buffer, size, "%s%s%s%.*s", is_shutdown ? "shutdown: " : "", body,
			reason->text[0] ? ": " : "", AIRS_REASON_TEXT_SIZE, reason->text);
}

const char *airs_version(void)
{
	return PACKAGE_VERSION;
}
