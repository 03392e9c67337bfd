/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "service/link-note.h"
#include "unit/service/fixture.h"

#define SIMPLE "[Service]\nExecStart=/bin/sleep 1000\n"

static void send_bytes(struct world *w, const void *data, size_t size)
{
	ck_assert_int_eq(fd_send(w->keeper_fd, data, size, NULL, 0), 0);
	world_run(w);
}

START_TEST(closed_link_ends_the_core)
{
	struct world *w = world_new(SIMPLE);

	ck_assert_str_eq(w->closed, "");
	ck_assert_int_eq(shutdown(w->keeper_fd, SHUT_RDWR), 0);
	world_run(w);
	ck_assert_str_eq(w->closed, "the keeper has closed the link");
	ck_assert(!airs_is_alive(w->system, w->link));
	world_free(w);
}
END_TEST

START_TEST(malformed_message_ends_the_link)
{
	struct world *w = world_new(SIMPLE);

	send_bytes(w, "what?", 5);
	ck_assert_str_eq(w->closed, "the keeper sent a malformed message");
	world_free(w);
}
END_TEST

START_TEST(message_of_a_core_ends_the_link)
{
	struct world *w = world_new(SIMPLE);
	struct protocol_message m = { .type = PROTOCOL_UP };

	world_send(w, &m, -1);
	ck_assert_str_eq(w->closed, "the keeper sent a message that only a core sends");
	world_free(w);
}
END_TEST

START_TEST(answer_to_nothing_ends_the_link)
{
	struct world *w = world_new(SIMPLE);
	struct protocol_message m = { .type = PROTOCOL_DONE };

	world_send(w, &m, -1); /* serial 0: about something that wanted no answer */
	ck_assert_str_eq(w->closed, "");
	m.serial = 4711;
	world_send(w, &m, -1);
	ck_assert_str_eq(w->closed, "the keeper answered what nobody asked");
	world_free(w);
}
END_TEST

static int count_fds(void)
{
	int n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

START_TEST(configuration_reaches_the_manager_with_its_descriptors)
{
	struct world *w = world_new(SIMPLE);
	struct protocol_message m = { .type = PROTOCOL_CONFIG, .runtime_dir = "/r" };
	int before = count_fds(), fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	world_send(w, &m, fd);
	world_expect(&w->told, "event CONFIG with fd; ");
	(void)close(fd);
	/* Nobody took it out of the message. */
	ck_assert_int_eq(count_fds(), before);
	world_free(w);
}
END_TEST

START_TEST(stop_and_ping_reach_the_manager)
{
	struct world *w = world_new(SIMPLE);

	world_send(w, &(struct protocol_message){ .type = PROTOCOL_STOP }, -1);
	world_send(w, &(struct protocol_message){ .type = PROTOCOL_PING }, -1);
	world_expect(&w->told, "event STOP; event PING; ");
	world_free(w);
}
END_TEST

START_TEST(manager_hears_its_part_of_a_note_before_adopted)
{
	struct world *w = world_new(SIMPLE);
	struct link_note_bytes parts[LINK_NOTE_PART_COUNT] = { { NULL, 0 },
		{ "mine", 4 } };
	uint8_t note[PROTOCOL_NOTE_MAX];
	struct protocol_message m = { .type = PROTOCOL_NOTE, .unit = "db", .data = note };

	m.size = link_note_join(parts, note);
	world_send(w, &m, -1);
	m.unit = "other";
	m.data = "x"; /* of no version that we know */
	m.size = 1;
	world_send(w, &m, -1);
	world_send(w, &(struct protocol_message){ .type = PROTOCOL_ADOPTED }, -1);
	world_expect(&w->told, "event NOTE db mine; event ADOPTED; ");
	world_free(w);
}
END_TEST

START_TEST(end_of_what_nobody_knows_is_acknowledged)
{
	struct world *w = world_new(SIMPLE);
	struct protocol_message m = {
		.type = PROTOCOL_EXITED,
		.unit = "stranger",
		.spawn_id = 77,
		.state = PROTOCOL_ENDED,
		.code = CLD_EXITED,
	};

	world_send(w, &m, -1);
	world_expect(&w->asked, "ACK 77; ");
	world_free(w);
}
END_TEST

START_TEST(requests_wait_in_order_while_the_keeper_does_not_read)
{
	struct world *w = world_new(SIMPLE);
	struct service_kill kill = { PROTOCOL_MAIN, SIGCONT };
	size_t n = 0;

	world_start(w);
	text_clear(&w->told);
	text_clear(&w->asked);
	w->silent = true;
	for (int i = 0; i < 2000; i++)
		world_call(w, SERVICE_KILL, &kill, sizeof(kill));
	world_expect(&w->told, "");
	w->silent = false;
	world_run(w);
	for (const char *at = text_get(&w->told); (at = strstr(at, "reply 0; ")); at++)
		n++;
	ck_assert_uint_eq(n, 2000);
	ck_assert_str_eq(w->closed, "");
	world_free(w);
}
END_TEST

START_TEST(second_actor_of_a_unit_is_refused)
{
	struct world *w = world_new(SIMPLE);

	world_start(w);
	text_clear(&w->told);
	text_clear(&w->asked);
	world_start(w);
	world_expect(&w->asked, "");
	ck_assert_int_eq(w->reason.reason_class, AIRS_REASON_ERROR);
	ck_assert_int_eq(w->reason.code, EBUSY);
	world_free(w);
}
END_TEST

/* The same run, whatever the order in which actors get their turns. */
START_TEST(order_of_turns_changes_nothing)
{
	for (uint64_t seed = 1; seed <= 50; seed++) {
		struct world *w = world_new_seeded("[Service]\nExecStartPre=/bin/a\n"
						   "ExecStart=/bin/b\nExecStop=/bin/c\n"
						   "ExecStopPost=/bin/d\n",
				seed);

		world_start(w);
		world_stop(w);
		world_expect(&w->asked,
				"ExecStartPre 0; ACK 1; ExecStart 0; ExecStop 0 (success - -); "
				"ACK 3; SIGNAL all TERM CONT; "
				"ExecStopPost 0 (success killed TERM); ACK 4; ACK 2; ");
		world_expect(&w->told, "started; ended shutdown; ");
		world_free(w);
	}
}
END_TEST

TEST_MAIN("link", closed_link_ends_the_core, malformed_message_ends_the_link,
		message_of_a_core_ends_the_link, answer_to_nothing_ends_the_link,
		configuration_reaches_the_manager_with_its_descriptors,
		stop_and_ping_reach_the_manager,
		manager_hears_its_part_of_a_note_before_adopted,
		end_of_what_nobody_knows_is_acknowledged,
		requests_wait_in_order_while_the_keeper_does_not_read,
		second_actor_of_a_unit_is_refused, order_of_turns_changes_nothing)
