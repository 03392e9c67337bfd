/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef SERVICE_END_H
#define SERVICE_END_H

/*
 * What the end of a process means: whether it was a success, what the result is called,
 * whether the restart condition holds, and which exit reason the supervisor gets. Pure
 * functions.
 *
 * Source of the rules: systemd.service(5), Restart= and SuccessExitStatus=; OTP's
 * {shutdown, X}.
 */

#include <stdbool.h>
#include <stdint.h>

#include "airssys/types.h"
#include "unit/unit.h"

/* RESULT(name, text) */
#define END_RESULTS(RESULT)                                                              \
	RESULT(SUCCESS, "success")                                                       \
	RESULT(EXIT_CODE, "exit-code")                                                   \
	RESULT(SIGNAL, "signal")                                                         \
	RESULT(CORE_DUMP, "core-dump")                                                   \
	RESULT(TIMEOUT, "timeout")                                                       \
	RESULT(RESOURCES, "resources") /* a process could not be started */              \
	RESULT(PROTOCOL, "protocol") /* it ended well before it was ready */             \
	RESULT(WATCHDOG, "watchdog")                                                     \
	RESULT(LOST_STATUS, "lost-status")                                               \
	RESULT(UNKILLABLE, "unkillable")                                                 \
	RESULT(PROBE, "failed-by-probe")

#define END_RESULT_ITEM(name, text) END_##name,
enum end_result { END_RESULTS(END_RESULT_ITEM) END_RESULT_COUNT };
#undef END_RESULT_ITEM

const char *end_result_text(enum end_result result);

/* How a process ended; status_known is false when nobody could learn it. */
struct process_end {
	bool status_known;
	int code, status; /* CLD_EXITED, CLD_KILLED, CLD_DUMPED */
};

/*
 * The result of a main process. Clean are exit status 0, SuccessExitStatus=, and, for
 * what is no oneshot, death by SIGHUP, SIGINT, SIGTERM or SIGPIPE.
 */
enum end_result end_of_main(const struct unit_service *service, struct process_end end);
/* The result of any other command: clean is exit status 0. */
enum end_result end_of_command(struct process_end end);

/*
 * A reason for people: what airs_reason_format says, without the flag of an orderly end,
 * and timeouts, verdicts and shutdowns in plain words. At most 160 bytes.
 */
#define END_TEXT_SIZE 160
void end_describe(const struct airs_reason *reason, char *buffer, size_t size);

/* The reason of that end, class PROCESS, or ERROR when the status is lost. */
struct airs_reason end_reason(struct process_end end);

/*
 * Whether a service that ended by itself is to be started again. end is that of the main
 * process, NULL when there was none; its exit status may force or prevent.
 */
bool end_wants_restart(const struct unit *unit, enum end_result result,
		const struct process_end *end);

/*
 * The exit reason of the actor: reason as it is when the restart condition holds, which
 * is never orderly; else NORMAL for a success by exit status 0, and {shutdown, reason}
 * otherwise.
 */
struct airs_reason end_exit_reason(
		const struct airs_reason *reason, enum end_result result, bool restart);

/* $EXIT_CODE and $EXIT_STATUS for ExecStop= and ExecStopPost=: "exited" "1", "killed"
 * "KILL". */
const char *end_code_text(struct process_end end);
void end_status_text(struct process_end end, char *buffer, size_t size);

#endif
