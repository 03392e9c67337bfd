/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include <stdbool.h>
#include <string.h>

#include "service/fsm.h"
#include "support/test.h"

static enum fsm_state after(enum fsm_state state, enum fsm_event event)
{
	struct fsm_step step = fsm_step(state, event);

	return step.next == FSM_KEEP ? state : step.next;
}

START_TEST(every_cell_has_a_valid_target_and_action)
{
	for (int s = 0; s < FSM_STATE_COUNT; s++)
		for (int e = 0; e < FSM_EVENT_COUNT; e++) {
			struct fsm_step step =
					fsm_step((enum fsm_state)s, (enum fsm_event)e);

			ck_assert_int_le(step.next, FSM_KEEP);
			ck_assert_int_lt(step.action, FSM_ACTION_COUNT);
			/* A state is never entered again without a reason. */
			ck_assert_int_ne(step.next, s);
			/* An unwritten cell would be {WAIT, NONE}: nothing leads back to
			 * the start. */
			ck_assert_int_ne(step.next, FSM_WAIT);
		}
}
END_TEST

START_TEST(every_state_is_reached_from_some_beginning)
{
	bool reached[FSM_STATE_COUNT] = { [FSM_WAIT] = true };
	bool grows = true;

	for (int b = 0; b < FSM_BEGIN_COUNT; b++)
		reached[fsm_begin((enum fsm_beginning)b).next] = true;
	while (grows) {
		grows = false;
		for (int s = 0; s < FSM_STATE_COUNT; s++)
			for (int e = 0; reached[s] && e < FSM_EVENT_COUNT; e++) {
				enum fsm_state next = after(
						(enum fsm_state)s, (enum fsm_event)e);

				grows = grows || !reached[next];
				reached[next] = true;
			}
	}
	for (int s = 0; s < FSM_STATE_COUNT; s++)
		ck_assert_msg(reached[s], "%s is never reached",
				fsm_state_name((enum fsm_state)s));
}
END_TEST

START_TEST(every_action_is_used)
{
	bool used[FSM_ACTION_COUNT] = { false };

	for (int b = 0; b < FSM_BEGIN_COUNT; b++)
		used[fsm_begin((enum fsm_beginning)b).action] = true;
	for (int s = 0; s < FSM_STATE_COUNT; s++)
		for (int e = 0; e < FSM_EVENT_COUNT; e++)
			used[fsm_step((enum fsm_state)s, (enum fsm_event)e).action] =
					true;
	for (int a = 0; a < FSM_ACTION_COUNT; a++)
		ck_assert_msg(used[a], "%s is never done",
				fsm_action_name((enum fsm_action)a));
}
END_TEST

/* What a state waits for always comes, or its timer does; and STOP is accepted where
 * there is no timer. */
START_TEST(no_state_waits_for_ever)
{
	for (int i = 0; i < FSM_STATE_COUNT; i++) {
		enum fsm_state s = (enum fsm_state)i;
		enum fsm_timer timer = fsm_timer(s);

		if (s == FSM_DEAD)
			continue;
		if (timer == FSM_TIMER_NONE || timer == FSM_TIMER_WATCHDOG)
			ck_assert_int_ne(after(s, FSM_EVENT_STOP), s);
		else
			ck_assert_int_ne(after(s, FSM_EVENT_TIMEOUT), s);
	}
}
END_TEST

/* After a stop is asked for, as many timeouts as there are states end it, whatever
 * happened before. */
static void check_stop_ends(enum fsm_state state)
{
	state = after(state, FSM_EVENT_STOP);
	for (int i = 0; i < FSM_STATE_COUNT && state != FSM_DEAD; i++) {
		ck_assert_msg(fsm_timer(state) == FSM_TIMER_STOP, "%s has no deadline",
				fsm_state_name(state));
		state = after(state, FSM_EVENT_TIMEOUT);
	}
	ck_assert_int_eq(state, FSM_DEAD);
}

/* A service that is being stopped never comes back; only the clearing of leftovers leads
 * to a start. */
static void check_no_way_back(enum fsm_state from, enum fsm_state to)
{
	bool was_stopping = strcmp(fsm_public_state(from), "stopping") == 0 ||
			from == FSM_DEAD;
	bool is_stopping =
			strcmp(fsm_public_state(to), "stopping") == 0 || to == FSM_DEAD;

	ck_assert_msg(!was_stopping || is_stopping, "%s leads back to %s",
			fsm_state_name(from), fsm_state_name(to));
}

#define LENGTH 6

/*
 * How many sequences of this length begin in a state; the laws are checked at each of
 * their steps. What follows depends on the state alone, so a state is walked once for
 * each length and stands for all sequences that lead to it.
 */
static uint64_t walk(enum fsm_state state, unsigned int length)
{
	static uint64_t known[FSM_STATE_COUNT][LENGTH + 1];
	uint64_t *n = &known[state][length];

	if (*n > 0)
		return *n;
	check_stop_ends(state);
	for (int e = 0; length > 0 && e < FSM_EVENT_COUNT; e++) {
		enum fsm_state next = after(state, (enum fsm_event)e);

		check_no_way_back(state, next);
		*n += walk(next, length - 1);
	}
	*n += length == 0;
	return *n;
}

START_TEST(laws_hold_over_all_sequences_of_six_events)
{
	uint64_t all = 1;

	for (int i = 0; i < LENGTH; i++)
		all *= FSM_EVENT_COUNT;
	for (int b = 0; b < FSM_BEGIN_COUNT; b++)
		ck_assert_uint_eq(
				walk(fsm_begin((enum fsm_beginning)b).next, LENGTH), all);
}
END_TEST

START_TEST(names_are_those_of_the_interface)
{
	static const char *const shown[] = { "stopped", "starting", "running",
		"reloading", "stopping", "exited" };

	for (int s = 0; s < FSM_STATE_COUNT; s++) {
		bool known = false;

		for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]); i++)
			known = known ||
					strcmp(shown[i],
							fsm_public_state((
									enum fsm_state)s)) ==
							0;
		ck_assert(known);
		ck_assert_ptr_nonnull(fsm_substate((enum fsm_state)s));
	}
	ck_assert_str_eq(fsm_event_name(FSM_EVENT_RELOAD), "RELOAD");
}
END_TEST

TEST_MAIN("fsm", every_cell_has_a_valid_target_and_action,
		every_state_is_reached_from_some_beginning, every_action_is_used,
		no_state_waits_for_ever, laws_hold_over_all_sequences_of_six_events,
		names_are_those_of_the_interface)
