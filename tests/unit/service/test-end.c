/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include "service/end.h"
#include "support/test.h"

static const struct process_end exit_0 = { true, CLD_EXITED, 0 };
static const struct process_end exit_1 = { true, CLD_EXITED, 1 };
static const struct process_end by_term = { true, CLD_KILLED, SIGTERM };
static const struct process_end by_kill = { true, CLD_KILLED, SIGKILL };
static const struct process_end core = { true, CLD_DUMPED, SIGABRT };
static const struct process_end lost = { false, 0, 0 };

START_TEST(ends_have_their_results)
{
	struct unit_service service = { .type = UNIT_SIMPLE };

	ck_assert_int_eq(end_of_main(&service, exit_0), END_SUCCESS);
	ck_assert_int_eq(end_of_main(&service, exit_1), END_EXIT_CODE);
	ck_assert_int_eq(end_of_main(&service, by_kill), END_SIGNAL);
	ck_assert_int_eq(end_of_main(&service, core), END_CORE_DUMP);
	ck_assert_int_eq(end_of_main(&service, lost), END_LOST_STATUS);
}
END_TEST

START_TEST(polite_signals_are_clean_for_daemons_only)
{
	struct unit_service daemon = { .type = UNIT_SIMPLE },
			    oneshot = { .type = UNIT_ONESHOT };

	ck_assert_int_eq(end_of_main(&daemon, by_term), END_SUCCESS);
	ck_assert_int_eq(end_of_main(&oneshot, by_term), END_SIGNAL);
	ck_assert_int_eq(end_of_command(by_term), END_SIGNAL);
}
END_TEST

START_TEST(configured_ends_are_clean)
{
	struct unit_exit_set set = { .codes = { 1 << 1 },
		.signals = UINT64_C(1) << SIGKILL };
	struct unit_service service = { .type = UNIT_SIMPLE, .success = &set };

	ck_assert_int_eq(end_of_main(&service, exit_1), END_SUCCESS);
	ck_assert_int_eq(end_of_main(&service, by_kill), END_SUCCESS);
}
END_TEST

/* The table of systemd.service(5): one row for each Restart=, one column for each kind of
 * end. */
START_TEST(restart_conditions_are_those_of_the_manual)
{
	static const enum end_result columns[] = { END_SUCCESS, END_EXIT_CODE, END_SIGNAL,
		END_CORE_DUMP, END_TIMEOUT, END_WATCHDOG, END_RESOURCES, END_LOST_STATUS,
		END_PROBE };
	static const struct {
		enum unit_restart restart;
		const char *holds;
	} rows[] = {
		{ UNIT_RESTART_PERMANENT, "111111111" },
		{ UNIT_RESTART_TEMPORARY, "000000000" },
		{ UNIT_RESTART_TRANSIENT, "011111111" },
		{ UNIT_RESTART_ON_SUCCESS, "100000000" },
		{ UNIT_RESTART_ON_ABNORMAL, "001111111" },
		{ UNIT_RESTART_ON_WATCHDOG, "000001000" },
		{ UNIT_RESTART_ON_ABORT, "001100000" },
	};
	struct unit unit = { .kind = UNIT_SERVICE };

	for (size_t r = 0; r < sizeof(rows) / sizeof(rows[0]); r++)
		for (size_t c = 0; c < sizeof(columns) / sizeof(columns[0]); c++) {
			unit.restart = rows[r].restart;
			ck_assert_msg(end_wants_restart(&unit, columns[c], NULL) ==
							(rows[r].holds[c] == '1'),
					"row %zu, column %zu", r, c);
		}
}
END_TEST

START_TEST(exit_statuses_force_and_prevent_a_restart)
{
	struct unit_exit_set one = { .codes = { 1 << 1 } };
	struct unit unit = { .kind = UNIT_SERVICE, .restart = UNIT_RESTART_PERMANENT };

	unit.service.restart_prevent = &one;
	ck_assert(!end_wants_restart(&unit, END_EXIT_CODE, &exit_1));
	ck_assert(end_wants_restart(&unit, END_SUCCESS, &exit_0));
	unit.service.restart_prevent = NULL;
	unit.service.restart_force = &one;
	unit.restart = UNIT_RESTART_TEMPORARY;
	ck_assert(end_wants_restart(&unit, END_EXIT_CODE, &exit_1));
	ck_assert(!end_wants_restart(&unit, END_SIGNAL, &by_kill));
}
END_TEST

START_TEST(reason_to_restart_is_never_orderly)
{
	struct airs_reason reason = end_reason(exit_0), exit;
	struct airs_reason normal = airs_reason_make(AIRS_REASON_NORMAL, 0, NULL);

	exit = end_exit_reason(&reason, END_SUCCESS, true);
	ck_assert(!airs_reason_is_orderly(&exit));
	ck_assert_int_eq(exit.reason_class, AIRS_REASON_PROCESS);
	exit = end_exit_reason(&normal, END_SUCCESS, true);
	ck_assert(!airs_reason_is_orderly(&exit));
}
END_TEST

START_TEST(reason_not_to_restart_is_orderly_and_says_what_happened)
{
	struct airs_reason reason = end_reason(exit_0), exit;

	exit = end_exit_reason(&reason, END_SUCCESS, false);
	ck_assert_int_eq(exit.reason_class, AIRS_REASON_NORMAL);
	reason = end_reason(by_kill);
	exit = end_exit_reason(&reason, END_SIGNAL, false);
	ck_assert(airs_reason_is_orderly(&exit));
	ck_assert_int_eq(exit.reason_class, AIRS_REASON_PROCESS);
	ck_assert_int_eq(exit.status, SIGKILL);
	reason = end_reason(lost);
	ck_assert_int_eq(reason.reason_class, AIRS_REASON_ERROR);
	ck_assert_int_eq(reason.code, ECHILD);
}
END_TEST

START_TEST(commands_learn_code_and_status_as_words)
{
	char status[16];

	end_status_text(exit_1, status, sizeof(status));
	ck_assert_str_eq(status, "1");
	ck_assert_str_eq(end_code_text(exit_1), "exited");
	end_status_text(by_kill, status, sizeof(status));
	ck_assert_str_eq(status, "KILL");
	ck_assert_str_eq(end_code_text(by_kill), "killed");
	ck_assert_str_eq(end_code_text(core), "dumped");
	end_status_text(lost, status, sizeof(status));
	ck_assert_str_eq(status, "");
}
END_TEST

START_TEST(reason_is_told_in_plain_words)
{
	static const struct {
		enum airs_reason_class reason_class;
		int code;
		const char *text, *told;
	} rows[] = {
		{ AIRS_REASON_TIMEOUT, 0, "start", "start timed out" },
		{ AIRS_REASON_USER, 0, "does not answer", "does not answer" },
		{ AIRS_REASON_SHUTDOWN, 0, "too many", "too many" },
		{ AIRS_REASON_SHUTDOWN, 0, NULL, "shutdown" },
		{ AIRS_REASON_ERROR, ENOENT, "EXEC", "EXEC: No such file or directory" },
		{ AIRS_REASON_PROCESS, CLD_EXITED, NULL, "exited with status 0" },
	};
	char text[END_TEXT_SIZE];

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct airs_reason reason = airs_reason_make(
				rows[i].reason_class, rows[i].code, rows[i].text);

		reason.flags |= AIRS_REASON_F_SHUTDOWN;
		end_describe(&reason, text, sizeof(text));
		ck_assert_str_eq(text, rows[i].told);
	}
}
END_TEST

TEST_MAIN("end", ends_have_their_results, polite_signals_are_clean_for_daemons_only,
		configured_ends_are_clean, restart_conditions_are_those_of_the_manual,
		exit_statuses_force_and_prevent_a_restart,
		reason_to_restart_is_never_orderly,
		reason_not_to_restart_is_orderly_and_says_what_happened,
		commands_learn_code_and_status_as_words, reason_is_told_in_plain_words)
