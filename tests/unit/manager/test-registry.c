/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "manager/registry.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "manager/failure.h"
#include "support/test.h"
#include "unit/manager/units.h"

#define SERVICE "[Service]\nExecStart=/bin/true\n"
#define NOW     (UINT64_C(1000) * 1000000)

static const struct text_file shop[] = {
	{ "shop.supervisor",
			"[Supervisor]\nStrategy=rest-for-one\nIntensity=3\nPeriod=30s\nChildren=db web\n" },
	{ "db.actor", SERVICE },
	{ "web.actor", SERVICE },
	{ "lone.actor", "[Service]\nExecStart=/bin/true\nRestart=no\n" },
};

static struct registry registry;

static void tell(struct record *record, enum airs_supervisor_event_kind kind,
		enum airs_supervisor_decision decision)
{
	struct airs_supervisor_event event = units_event(record, kind, decision);

	ck_assert_int_eq(registry_event(&registry, record, &event, NOW), 0);
}

static void tell_end(struct record *record, enum airs_supervisor_decision decision,
		enum airs_reason_class reason_class)
{
	struct airs_supervisor_event event =
			units_event(record, AIRS_EVENT_CHILD_ENDED, decision);

	event.reason = airs_reason_make(reason_class, EIO, NULL);
	ck_assert_int_eq(registry_event(&registry, record, &event, NOW), 0);
}

static struct service_report report_of(const char *state)
{
	struct service_report report = { .actor = 77, .state = state, .substate = state };

	report.result = "success";
	report.main_pid = 4711;
	report.since_realtime_usec = NOW;
	return report;
}

static void start_up(struct record *record)
{
	struct service_report report = report_of("running");

	tell(record, AIRS_EVENT_CHILD_STARTING, AIRS_DECISION_NONE);
	if (record->kind != UNIT_SUPERVISOR)
		ck_assert_int_eq(registry_report(&registry, record, &report), 0);
	tell(record, AIRS_EVENT_CHILD_STARTED, AIRS_DECISION_NONE);
}

START_TEST(records_come_in_tree_order)
{
	static const char *const expected[] = { "lone", "shop", "db", "web" };
	const struct record *record = NULL;
	size_t n = 0;

	UNITS_REGISTRY(&registry, shop);
	while ((record = registry_next(&registry, record)))
		ck_assert_str_eq(record->name, expected[n++]);
	ck_assert_uint_eq(n, 4);
	ck_assert_ptr_eq(registry_find(&registry, "db")->supervisor,
			registry_find(&registry, "shop"));
	ck_assert_ptr_null(registry_find(&registry, "nobody"));
	registry_fini(&registry);
}
END_TEST

START_TEST(service_is_what_it_reports_while_it_runs)
{
	struct record *db;

	UNITS_REGISTRY(&registry, shop);
	db = registry_find(&registry, "db");
	ck_assert_int_eq(db->state, REGISTRY_STOPPED);
	tell(db, AIRS_EVENT_CHILD_STARTING, AIRS_DECISION_NONE);
	ck_assert_int_eq(db->state, REGISTRY_STARTING);
	start_up(db);
	ck_assert_int_eq(db->state, REGISTRY_RUNNING);
	ck_assert_int_eq(db->main_pid, 4711);
	ck_assert_uint_eq(registry_count(&registry).running, 1);
	ck_assert_uint_eq(record_more(db)->restarts, 0);
	registry_fini(&registry);
}
END_TEST

START_TEST(end_says_how_the_process_ended_and_what_was_done)
{
	struct service_report report = report_of("failed");
	struct service_end last = { 0 };
	const struct registry_end *end;
	char text[160];
	struct record *db;

	UNITS_REGISTRY(&registry, shop);
	db = registry_find(&registry, "db");
	start_up(db);
	last.reason = airs_reason_make(AIRS_REASON_PROCESS, CLD_EXITED, NULL);
	last.reason.status = 3;
	report.last = &last;
	ck_assert_int_eq(registry_report(&registry, db, &report), 0);
	tell_end(db, AIRS_DECISION_RESTART, AIRS_REASON_ERROR);
	end = record_end(db, 0);
	ck_assert_ptr_nonnull(end);
	ck_assert_int_eq(end->reason.status, 3);
	registry_end_describe(db, end, text, sizeof(text));
	ck_assert_str_eq(text, "restarted (one-for-one)");
	ck_assert_int_eq(db->main_pid, 0);
	/* A probe's verdict is the cause, the signal that followed the means. */
	start_up(db);
	ck_assert_int_eq(registry_report(&registry, db, &report), 0);
	tell_end(db, AIRS_DECISION_RESTART, AIRS_REASON_USER);
	ck_assert_int_eq(record_end(db, 0)->reason.reason_class, AIRS_REASON_USER);
	/* The next end has no report: nothing of the one before is left. */
	start_up(db);
	tell_end(db, AIRS_DECISION_RESTART, AIRS_REASON_KILLED);
	ck_assert_int_eq(record_end(db, 0)->reason.reason_class, AIRS_REASON_KILLED);
	ck_assert_int_eq(record_end(db, 2)->reason.status, 3);
	registry_fini(&registry);
}
END_TEST

START_TEST(restarts_are_counted_for_the_child_and_its_group)
{
	struct airs_supervisor_event event;
	struct record *web;
	char text[160];

	UNITS_REGISTRY(&registry, shop);
	web = registry_find(&registry, "web");
	start_up(web);
	event = units_event(web, AIRS_EVENT_CHILD_STOPPED, AIRS_DECISION_GROUP);
	event.strategy = AIRS_REST_FOR_ONE;
	(void)snprintf(event.cause, sizeof(event.cause), "db");
	ck_assert_int_eq(registry_event(&registry, web, &event, NOW), 0);
	registry_end_describe(web, record_end(web, 0), text, sizeof(text));
	ck_assert_str_eq(text, "restarted with its group after db ended (rest-for-one)");
	tell(web, AIRS_EVENT_CHILD_STARTING, AIRS_DECISION_GROUP);
	ck_assert_uint_eq(record_more(web)->restarts, 1);
	tell(web, AIRS_EVENT_CHILD_STARTING, AIRS_DECISION_REQUEST);
	ck_assert_uint_eq(record_more(web)->restarts, 1);
	registry_fini(&registry);
}
END_TEST

START_TEST(history_keeps_the_newest_ends)
{
	struct record *db;

	UNITS_REGISTRY(&registry, shop);
	db = registry_find(&registry, "db");
	for (uint64_t i = 0; i < 3 * REGISTRY_ENDS_MAX + 5; i++) {
		struct airs_supervisor_event event = units_event(
				db, AIRS_EVENT_CHILD_ENDED, AIRS_DECISION_GROUP);

		(void)snprintf(event.cause, sizeof(event.cause), "cause-%u",
				(unsigned int)i);
		ck_assert_int_eq(registry_event(&registry, db, &event, NOW + i), 0);
		for (uint32_t back = 0; back < REGISTRY_ENDS_MAX && back <= i; back++)
			ck_assert_uint_eq(record_end(db, back)->realtime_usec,
					NOW + i - back);
	}
	ck_assert_ptr_null(record_end(db, REGISTRY_ENDS_MAX));
	registry_fini(&registry);
}
END_TEST

START_TEST(unit_rests_as_its_end_says)
{
	static const struct {
		enum airs_supervisor_event_kind kind;
		enum airs_supervisor_decision decision;
		enum airs_reason_class reason_class;
		enum registry_state state;
		enum registry_rest rest;
	} cases[] = {
		{ AIRS_EVENT_CHILD_ENDED, AIRS_DECISION_NONE, AIRS_REASON_NORMAL,
				REGISTRY_STOPPED, REGISTRY_REST_DONE },
		{ AIRS_EVENT_CHILD_ENDED, AIRS_DECISION_NONE, AIRS_REASON_ERROR,
				REGISTRY_FAILED, REGISTRY_REST_FAILED },
		{ AIRS_EVENT_CHILD_STOPPED, AIRS_DECISION_REQUEST, AIRS_REASON_SHUTDOWN,
				REGISTRY_STOPPED, REGISTRY_REST_STOPPED },
		{ AIRS_EVENT_CHILD_STOPPED, AIRS_DECISION_REQUEST, AIRS_REASON_KILLED,
				REGISTRY_STOPPED, REGISTRY_REST_STOPPED },
		{ AIRS_EVENT_CHILD_START_FAILED, AIRS_DECISION_REQUEST, AIRS_REASON_ERROR,
				REGISTRY_FAILED, REGISTRY_REST_FAILED },
		{ AIRS_EVENT_CHILD_STOPPED, AIRS_DECISION_SHUTDOWN, AIRS_REASON_SHUTDOWN,
				REGISTRY_STOPPED, REGISTRY_REST_NONE },
		{ AIRS_EVENT_CHILD_STOPPED, AIRS_DECISION_ESCALATE, AIRS_REASON_SHUTDOWN,
				REGISTRY_STOPPED, REGISTRY_REST_NONE },
		{ AIRS_EVENT_CHILD_ENDED, AIRS_DECISION_ESCALATE, AIRS_REASON_ERROR,
				REGISTRY_FAILED, REGISTRY_REST_NONE },
		{ AIRS_EVENT_CHILD_STOPPED, AIRS_DECISION_GROUP, AIRS_REASON_SHUTDOWN,
				REGISTRY_STOPPED, REGISTRY_REST_NONE },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct airs_supervisor_event event;
		struct record *db;

		UNITS_REGISTRY(&registry, shop);
		db = registry_find(&registry, "db");
		start_up(db);
		event = units_event(db, cases[i].kind, cases[i].decision);
		event.reason = airs_reason_make(cases[i].reason_class, EIO, NULL);
		ck_assert_int_eq(registry_event(&registry, db, &event, NOW), 0);
		ck_assert_msg(db->state == cases[i].state && db->rest == cases[i].rest,
				"case %zu", i);
		ck_assert(!record_is_up(db));
		registry_fini(&registry);
	}
}
END_TEST

START_TEST(backoff_is_at_work_and_given_up_is_not)
{
	struct airs_supervisor_event event;
	struct record *lone;
	char text[160];

	UNITS_REGISTRY(&registry, shop);
	lone = registry_find(&registry, "lone");
	start_up(lone);
	tell_end(lone, AIRS_DECISION_RESTART, AIRS_REASON_ERROR);
	event = units_event(lone, AIRS_EVENT_CHILD_BACKOFF, AIRS_DECISION_RESTART);
	event.delay_usec = 500;
	event.attempt = 2;
	ck_assert_int_eq(registry_event(&registry, lone, &event, NOW), 0);
	ck_assert_int_eq(lone->state, REGISTRY_BACKOFF);
	ck_assert_uint_eq(record_more(lone)->next_restart_realtime_usec, NOW + 500);
	ck_assert_uint_eq(record_more(lone)->attempt, 2);
	ck_assert(record_is_at_work(lone));
	tell(lone, AIRS_EVENT_CHILD_GIVEN_UP, AIRS_DECISION_ESCALATE);
	ck_assert_int_eq(lone->state, REGISTRY_FAILED);
	ck_assert_int_eq(lone->rest, REGISTRY_REST_FAILED);
	ck_assert(!record_is_at_work(lone));
	registry_end_describe(lone, record_end(lone, 0), text, sizeof(text));
	ck_assert_str_eq(text, "given up after more than 5 restarts within 10s");
	registry_fini(&registry);
}
END_TEST

START_TEST(supervisor_is_degraded_by_what_fails_below_it)
{
	struct record *top, *db;
	static const struct text_file nested[] = {
		{ "top.supervisor", "[Supervisor]\nChildren=shop\n" },
		{ "shop.supervisor", "[Supervisor]\nChildren=db\n" },
		{ "db.actor", SERVICE },
	};

	UNITS_REGISTRY(&registry, nested);
	top = registry_find(&registry, "top");
	db = registry_find(&registry, "db");
	start_up(top);
	start_up(registry_find(&registry, "shop"));
	start_up(db);
	ck_assert_str_eq(registry_substate(top), "running");
	tell_end(db, AIRS_DECISION_NONE, AIRS_REASON_ERROR);
	ck_assert_str_eq(registry_substate(top), "degraded");
	ck_assert_str_eq(registry_state_name((enum registry_state)top->state), "running");
	ck_assert_uint_eq(registry_count(&registry).failed, 1);
	start_up(db);
	ck_assert_str_eq(registry_substate(top), "running");
	registry_fini(&registry);
}
END_TEST

START_TEST(supervisor_that_stops_its_children_is_shown_so)
{
	struct record *top, *inner;
	static const struct text_file nested[] = {
		{ "top.supervisor", "[Supervisor]\nChildren=inner\n" },
		{ "inner.supervisor", "[Supervisor]\nChildren=db\n" },
		{ "db.actor", SERVICE },
	};

	UNITS_REGISTRY(&registry, nested);
	top = registry_find(&registry, "top");
	inner = registry_find(&registry, "inner");
	start_up(top);
	start_up(inner);
	tell(inner, AIRS_EVENT_SUPERVISOR_STOPPING, AIRS_DECISION_SHUTDOWN);
	ck_assert_int_eq(inner->state, REGISTRY_STOPPING);
	ck_assert_int_eq(top->state, REGISTRY_RUNNING);
	tell(inner, AIRS_EVENT_CHILD_STOPPED, AIRS_DECISION_SHUTDOWN);
	ck_assert_int_eq(inner->state, REGISTRY_STOPPED);
	/* One that was told too late is as it is. */
	tell(inner, AIRS_EVENT_SUPERVISOR_STOPPING, AIRS_DECISION_SHUTDOWN);
	ck_assert_int_eq(inner->state, REGISTRY_STOPPED);
	registry_fini(&registry);
}
END_TEST

START_TEST(window_is_the_supervisors_and_passes)
{
	struct airs_supervisor_event event;
	struct record *db, *web;

	UNITS_REGISTRY(&registry, shop);
	db = registry_find(&registry, "db");
	web = registry_find(&registry, "web");
	start_up(db);
	event = units_event(db, AIRS_EVENT_CHILD_ENDED, AIRS_DECISION_RESTART);
	event.restarts_in_window = 2;
	ck_assert_int_eq(registry_event(&registry, db, &event, NOW), 0);
	ck_assert_uint_eq(record_window(web, NOW + 30 * UINT64_C(1000000)), 2);
	ck_assert_uint_eq(record_window(web, NOW + 30 * UINT64_C(1000000) + 1), 0);
	ck_assert_uint_eq(record_window(registry_find(&registry, "lone"), NOW), 0);
	registry_fini(&registry);
}
END_TEST

START_TEST(note_brings_back_rest_history_and_counters)
{
	uint8_t note[REGISTRY_NOTE_MAX];
	struct registry later;
	struct record *db, *again;
	size_t size;

	UNITS_REGISTRY(&registry, shop);
	db = registry_find(&registry, "db");
	ck_assert_uint_eq(record_note(db, note, sizeof(note)), 0);
	start_up(db);
	tell_end(db, AIRS_DECISION_RESTART, AIRS_REASON_ERROR);
	tell(db, AIRS_EVENT_CHILD_STARTING, AIRS_DECISION_RESTART);
	tell(db, AIRS_EVENT_CHILD_STOPPED, AIRS_DECISION_REQUEST);
	size = record_note(db, note, sizeof(note));
	ck_assert_uint_gt(size, 0);

	UNITS_REGISTRY(&later, shop);
	again = registry_find(&later, "db");
	for (size_t cut = 0; cut < size; cut++)
		ck_assert_int_eq(record_note_apply(again, note, cut), -EBADMSG);
	ck_assert_int_eq(again->rest, REGISTRY_REST_NONE);
	ck_assert_int_eq(record_note_apply(again, note, size), 0);
	ck_assert_int_eq(again->rest, REGISTRY_REST_STOPPED);
	ck_assert_int_eq(again->state, REGISTRY_STOPPED);
	ck_assert_uint_eq(record_more(again)->restarts, 1);
	ck_assert_uint_eq(record_end(again, 0)->decision, AIRS_DECISION_REQUEST);
	registry_fini(&later);
	registry_fini(&registry);
}
END_TEST

START_TEST(actor_of_a_module_is_found_while_it_lives)
{
	static const struct text_file files[] = {
		{ "probe.actor", "[Native]\nModule=x.so\n" },
	};
	struct service_report report = report_of("running");
	struct record *probe;

	UNITS_REGISTRY(&registry, files);
	probe = registry_find(&registry, "probe");
	tell(probe, AIRS_EVENT_CHILD_STARTING, AIRS_DECISION_NONE);
	ck_assert_int_eq(registry_report(&registry, probe, &report), 0);
	ck_assert_ptr_eq(registry_find_actor(&registry, 77), probe);
	tell_end(probe, AIRS_DECISION_NONE, AIRS_REASON_NORMAL);
	ck_assert_ptr_null(registry_find_actor(&registry, 77));
	registry_fini(&registry);
}
END_TEST

START_TEST(id_of_a_unit_that_is_gone_is_nobodys)
{
	auto_(unit) unit = NULL;
	struct record *record;
	uint64_t ids[4];
	unsigned int n = 0;

	UNITS_REGISTRY(&registry, shop);
	for (record = registry_next(&registry, NULL); record;
			record = registry_next(&registry, record))
		ids[n++] = record->unit.id;
	for (unsigned int i = 0; i < n; i++)
		ck_assert_uint_eq(registry_find_id(&registry, ids[i])->unit.id, ids[i]);
	record = registry_find(&registry, "db");
	ck_assert_int_eq(registry_open(&registry, record, &unit), 0);
	ids[0] = record->unit.id;
	registry_remove(&registry, record);
	ck_assert_ptr_null(registry_find_id(&registry, ids[0]));
	/* Its place is taken, its id is not. */
	ck_assert_int_eq(registry_add(&registry, unit->name, unit->kind,
					 registry_find(&registry, "shop"), &record),
			0);
	ck_assert_uint_ne(record->unit.id, ids[0]);
	ck_assert_ptr_null(registry_find_id(&registry, ids[0]));
	ck_assert_ptr_eq(registry_find_id(&registry, record->unit.id), record);
	ck_assert_ptr_null(registry_find_id(&registry, UINT64_MAX));
	registry_fini(&registry);
}
END_TEST

START_TEST(request_that_is_not_carried_out_is_in_the_note)
{
	uint8_t note[REGISTRY_NOTE_MAX];
	struct registry later;
	struct record *db;
	size_t size;

	UNITS_REGISTRY(&registry, shop);
	db = registry_find(&registry, "db");
	db->intent = REGISTRY_INTENT_RESTART;
	size = record_note(db, note, sizeof(note));
	ck_assert_uint_gt(size, 0);
	UNITS_REGISTRY(&later, shop);
	ck_assert_int_eq(record_note_apply(registry_find(&later, "db"), note, size), 0);
	ck_assert_int_eq(registry_find(&later, "db")->intent, REGISTRY_INTENT_RESTART);
	registry_fini(&later);
	registry_fini(&registry);
}
END_TEST

START_TEST(what_was_stopped_by_name_stays_so_when_its_supervisor_starts_again)
{
	struct record *db;

	UNITS_REGISTRY(&registry, shop);
	db = registry_find(&registry, "db");
	start_up(db);
	tell(db, AIRS_EVENT_CHILD_STOPPED, AIRS_DECISION_REQUEST);
	ck_assert_int_eq(record_wish(db), SERVICE_HELD);
	tell(db, AIRS_EVENT_CHILD_STARTING, AIRS_DECISION_NONE);
	ck_assert_int_eq(record_wish(db), SERVICE_HELD);
	tell(db, AIRS_EVENT_CHILD_IGNORED, AIRS_DECISION_NONE);
	ck_assert_int_eq(db->rest, REGISTRY_REST_STOPPED);
	tell(db, AIRS_EVENT_CHILD_STARTING, AIRS_DECISION_REQUEST);
	ck_assert_int_eq(record_wish(db), SERVICE_WANTED);
	/* What is asked of a supervisor is asked of all under it. */
	db->supervisor->rest = REGISTRY_REST_STOPPED;
	ck_assert_int_eq(record_wish(db), SERVICE_HELD);
	db->supervisor->intent = REGISTRY_INTENT_STOP;
	ck_assert_int_eq(record_wish(db), SERVICE_LEAVING);
	registry_fini(&registry);
}
END_TEST

START_TEST(note_with_any_byte_changed_is_taken_or_refused_whole)
{
	uint8_t note[REGISTRY_NOTE_MAX];
	struct record *db;
	size_t size;

	UNITS_REGISTRY(&registry, shop);
	db = registry_find(&registry, "db");
	start_up(db);
	tell_end(db, AIRS_DECISION_NONE, AIRS_REASON_ERROR);
	size = record_note(db, note, sizeof(note));
	for (size_t i = 0; i < size; i++)
		for (unsigned int bit = 0; bit < 8; bit++) {
			char text[200];
			int r;

			note[i] ^= (uint8_t)(1u << bit);
			r = record_note_apply(db, note, size);
			ck_assert(r == 0 || r == -EBADMSG);
			registry_end_describe(db, record_end(db, 0), text, sizeof(text));
			note[i] ^= (uint8_t)(1u << bit);
		}
	registry_fini(&registry);
}
END_TEST

START_TEST(failed_step_says_what_to_do)
{
	static const struct {
		const char *step;
		int error;
		const char *detail, *told;
	} rows[] = {
		{ "CHDIR", ENOENT, "/srv/x",
				"CHDIR: No such file or directory (/srv/x). Make the "
				"folder, or correct WorkingDirectory=; a - before it lets "
				"the unit go on without it." },
		{ "USER", ESRCH, "web",
				"USER: there is no such user or group (web). Create it, or "
				"correct User=, Group= or SupplementaryGroups=." },
		{ "SIGNALS", EPERM, NULL, "SIGNALS: Operation not permitted" },
		{ NULL, ENOMEM, NULL, "START: Cannot allocate memory" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char *told = failure_describe(
				rows[i].step, rows[i].error, rows[i].detail);

		ck_assert_str_eq(told, rows[i].told);
		free(told);
	}
}
END_TEST

START_TEST(retired_unit_gives_up_its_name_and_keeps_its_events)
{
	auto_(unit) unit = NULL;
	struct record *old, *fresh;

	UNITS_REGISTRY(&registry, shop);
	old = registry_find(&registry, "lone");
	start_up(old);
	ck_assert_int_eq(registry_open(&registry, old, &unit), 0);
	registry_retire(&registry, old);
	ck_assert_ptr_null(registry_find(&registry, "lone"));
	ck_assert_ptr_eq(registry_find_retired(&registry, "lone"), old);
	ck_assert_int_eq(registry_add(&registry, unit->name, unit->kind,
					 registry_find(&registry, "shop"), &fresh),
			0);
	ck_assert_ptr_eq(registry_find(&registry, "lone"), fresh);
	ck_assert_ptr_eq(registry_find_id(&registry, old->unit.id), old);
	registry_remove(&registry, old);
	ck_assert_ptr_eq(registry_find(&registry, "lone"), fresh);
	ck_assert_ptr_null(registry_find_retired(&registry, "lone"));
	registry_fini(&registry);
}
END_TEST

START_TEST(unit_that_merely_runs_has_nothing_of_what_most_have_not)
{
	struct service_report report = report_of("starting");
	struct record *db;

	UNITS_REGISTRY(&registry, shop);
	db = registry_find(&registry, "db");
	tell(db, AIRS_EVENT_CHILD_STARTING, AIRS_DECISION_NONE);
	report.control_pid = 4712;
	report.status_text = "checks its tables";
	ck_assert_int_eq(registry_report(&registry, db, &report), 0);
	ck_assert_int_eq(record_more(db)->control_pid, 4712);
	ck_assert_str_eq(record_more(db)->status_text, "checks its tables");
	start_up(db);
	ck_assert_ptr_null(db->more);
	ck_assert_ptr_null(record_more(db)->status_text);
	registry_fini(&registry);
}
END_TEST

START_TEST(actor_that_runs_keeps_the_settings_that_it_was_started_with)
{
	static const struct text_file later[] = {
		{ "lone.actor", "[Service]\nExecStart=/bin/false\n" },
	};
	auto_(unit_snapshot) snapshot = units_snapshot(later, 1);
	auto_(unit_set) set = units_parse(snapshot, 0);
	auto_(unit) before = NULL;
	auto_(unit) now = NULL;
	struct record *lone;

	UNITS_REGISTRY(&registry, shop);
	lone = registry_find(&registry, "lone");
	ck_assert_int_eq(registry_open(&registry, lone, &before), 0);
	/* It does not run: nobody needs them. */
	record_keep_unit(lone, &before);
	ck_assert(!lone->unit.is_outdated);
	ck_assert_ptr_nonnull(before);
	start_up(lone);
	record_keep_unit(lone, &before);
	registry_set_units(&registry, set);
	ck_assert(lone->unit.is_outdated);
	ck_assert_str_eq(lone->unit.kept->service.commands[UNIT_EXEC_START].items[0].path,
			"/bin/true");
	ck_assert_int_eq(registry_open(&registry, lone, &now), 0);
	ck_assert_str_eq(now->service.commands[UNIT_EXEC_START].items[0].path,
			"/bin/false");
	/* The first ones count, however often others are put in force. */
	record_keep_unit(lone, &now);
	ck_assert_ptr_nonnull(now);
	registry_fini(&registry);
}
END_TEST

START_TEST(settings_that_a_run_left_are_dropped_when_none_follows_at_once)
{
	struct airs_supervisor_event event;
	struct record *lone;

	UNITS_REGISTRY(&registry, shop);
	lone = registry_find(&registry, "lone");
	start_up(lone);
	ck_assert_int_eq(registry_open(&registry, lone, &lone->unit.kept), 0);
	tell_end(lone, AIRS_DECISION_RESTART, AIRS_REASON_ERROR);
	ck_assert_ptr_nonnull(lone->unit.kept);
	event = units_event(lone, AIRS_EVENT_CHILD_BACKOFF, AIRS_DECISION_RESTART);
	ck_assert_int_eq(registry_event(&registry, lone, &event, NOW), 0);
	ck_assert_ptr_null(lone->unit.kept);
	start_up(lone);
	ck_assert_int_eq(registry_open(&registry, lone, &lone->unit.kept), 0);
	tell_end(lone, AIRS_DECISION_NONE, AIRS_REASON_ERROR);
	ck_assert_ptr_null(lone->unit.kept);
	registry_fini(&registry);
}
END_TEST

START_TEST(unit_without_files_that_stays_in_force_keeps_its_settings)
{
	static const struct text_file later[] = { { "other.actor", SERVICE } };
	auto_(unit_snapshot) snapshot = units_snapshot(later, 1);
	auto_(unit_set) set = units_parse(snapshot, 0);
	auto_(unit) unit = NULL;
	auto_(unit) again = NULL;
	auto_(unit) other = NULL;
	struct record *lone;

	UNITS_REGISTRY(&registry, shop);
	lone = registry_find(&registry, "lone");
	ck_assert_int_eq(registry_open(&registry, lone, &unit), 0);
	ck_assert_int_eq(record_own_unit(lone, &unit), 0);
	registry_set_units(&registry, set);
	ck_assert_int_eq(registry_open(&registry, lone, &again), 0);
	ck_assert_str_eq(again->name, "lone");
	ck_assert_int_eq(registry_open(&registry, registry_find(&registry, "db"), &other),
			-ENOENT);
	registry_fini(&registry);
}
END_TEST

START_TEST(record_outlives_the_registry_while_its_actor_does)
{
	struct record *lone;

	UNITS_REGISTRY(&registry, shop);
	lone = registry_find(&registry, "lone");
	lone->unit.references++;
	registry_fini(&registry);
	ck_assert(lone->is_gone);
	ck_assert_str_eq(lone->unit.name, "lone");
	record_free(lone);
}
END_TEST

TEST_MAIN("registry", failed_step_says_what_to_do, records_come_in_tree_order,
		service_is_what_it_reports_while_it_runs,
		end_says_how_the_process_ended_and_what_was_done,
		restarts_are_counted_for_the_child_and_its_group,
		history_keeps_the_newest_ends, unit_rests_as_its_end_says,
		backoff_is_at_work_and_given_up_is_not,
		supervisor_is_degraded_by_what_fails_below_it,
		supervisor_that_stops_its_children_is_shown_so,
		window_is_the_supervisors_and_passes,
		note_brings_back_rest_history_and_counters,
		actor_of_a_module_is_found_while_it_lives,
		id_of_a_unit_that_is_gone_is_nobodys,
		request_that_is_not_carried_out_is_in_the_note,
		what_was_stopped_by_name_stays_so_when_its_supervisor_starts_again,
		note_with_any_byte_changed_is_taken_or_refused_whole,
		retired_unit_gives_up_its_name_and_keeps_its_events,
		unit_that_merely_runs_has_nothing_of_what_most_have_not,
		actor_that_runs_keeps_the_settings_that_it_was_started_with,
		settings_that_a_run_left_are_dropped_when_none_follows_at_once,
		unit_without_files_that_stays_in_force_keeps_its_settings,
		record_outlives_the_registry_while_its_actor_does)
