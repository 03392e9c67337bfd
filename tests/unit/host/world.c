/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "world.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "airssys/airssys.h"
#include "base/cleanup.h"
#include "support/test.h"

/* An actor that writes records when it is told, and asks for the counts. */
enum {
	WRITE = AIRS_MSG_USER + 1,
	ASK,
};

struct world w;

struct order {
	enum activity_kind kind;
	uint64_t first, count;
	size_t detail_size;
};

static void write_some(struct airs_actor *self, const struct order *order)
{
	auto_free char *detail = calloc(1, order->detail_size + 64);
	struct activity_record record = {
		.kind = order->kind, .unit = "db", .reason = "killed"
	};

	memset(detail, 'x', order->detail_size);
	record.detail = detail;
	for (uint64_t i = 0; i < order->count; i++) {
		(void)snprintf(detail + order->detail_size, 64, "#%" PRIu64,
				order->first + i);
		activity_write(self, w.writer, &record);
	}
}

static int source_handle(struct airs_actor *self, void *state, struct airs_message *m)
{
	airs_ref call;

	(void)state;
	if (m->type == WRITE)
		write_some(self, m->data);
	else if (m->type == ASK)
		return airs_call(self,
				&(struct airs_request){ .to = w.writer,
						.type = ACTIVITY_GET_COUNTS,
						.timeout_usec = AIRS_INFINITY },
				&call);
	else if (m->type == AIRS_MSG_REPLY)
		memcpy(&w.counts, m->data, sizeof(w.counts));
	return 0;
}

static const struct airs_behaviour source_behaviour = {
	.size = sizeof(struct airs_behaviour),
	.name = "source",
	.handle = source_handle,
};

void world_run(void)
{
	(void)airs_system_run(w.system, airs_system_now(w.system));
}

void world_start(const char *journal, size_t ring_bytes, size_t mailbox_max)
{
	struct airs_system_options system = {
		.size = sizeof(system), .scheduler = AIRS_SCHEDULER_SEEDED, .seed = 1
	};
	struct activity_args args = {
		.size = sizeof(args), .ring_bytes = ring_bytes, .instance = "/run/here"
	};
	struct airs_spawn_options options = {
		.size = sizeof(options),
		.args = &args,
		.args_size = sizeof(args),
		.mailbox_max = mailbox_max,
	};

	ck_assert_int_eq(pipe2(w.fallback, O_CLOEXEC | O_NONBLOCK), 0);
	args.fallback_fd = w.fallback[1];
	(void)snprintf(args.journal_socket, sizeof(args.journal_socket), "%s", journal);
	ck_assert_int_eq(airs_system_new(&system, &w.system), 0);
	ck_assert_int_eq(airs_system_spawn(w.system, &activity_behaviour, &options,
					 &w.writer),
			0);
	ck_assert_int_eq(airs_system_spawn(w.system, &source_behaviour, NULL, &w.source),
			0);
	world_run();
}

void world_write(enum activity_kind kind, uint64_t first, uint64_t count,
		size_t detail_size)
{
	struct order order = { kind, first, count, detail_size };

	ck_assert_int_eq(airs_system_send(w.system, w.source, WRITE, &order,
					 sizeof(order)),
			0);
	world_run();
}

void world_ask(void)
{
	ck_assert_int_eq(airs_system_send(w.system, w.source, ASK, NULL, 0), 0);
	world_run();
}
