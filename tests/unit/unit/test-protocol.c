/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "unit/protocol.h"

#include <check.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

/* One message of every type, each field that the type has with a value of its own. */
static const struct protocol_message samples[] = {
	{ .type = PROTOCOL_SPAWN,
			.serial = 7,
			.unit = "db",
			.kind = UNIT_EXEC_STOP,
			.index = 3,
			.text = "success",
			.exit_code = "exited",
			.exit_status = "0" },
	{ .type = PROTOCOL_SPAWN, .serial = 8, .unit = "db", .kind = UNIT_EXEC_START },
	{ .type = PROTOCOL_SIGNAL,
			.serial = 9,
			.unit = "db",
			.whom = PROTOCOL_ALL,
			.signal = 15 },
	{ .type = PROTOCOL_OWNS, .serial = 11, .unit = "db", .pid = 4712 },
	{ .type = PROTOCOL_SET_MAIN, .serial = 10, .unit = "db", .pid = 4711 },
	{ .type = PROTOCOL_ACK, .spawn_id = UINT64_MAX },
	{ .type = PROTOCOL_RELOAD, .serial = UINT64_C(0x123456789a) },
	{ .type = PROTOCOL_MODULE, .serial = 12, .unit = "probe" },
	{ .type = PROTOCOL_UP, .text = "5 actors run" },
	{ .type = PROTOCOL_STATUS, .text = "stopping" },
	{ .type = PROTOCOL_DOWN, .status = 1 },
	{ .type = PROTOCOL_PONG, .serial = 13 },
	{ .type = PROTOCOL_NOTE, .unit = "db", .data = "a\0b", .size = 3 },
	{ .type = PROTOCOL_NOTE, .unit = "db" },
	{ .type = PROTOCOL_CONFIG,
			.runtime_dir = "/run/airssys",
			.journal_socket = "/run/systemd/journal/stdout",
			.user_instance = 1,
			.owner_uid = 1000,
			.restarts = 2,
			.cgroup = "/sys/fs/cgroup/x" },
	{ .type = PROTOCOL_CONFIG, .runtime_dir = "/r" },
	{ .type = PROTOCOL_PROCESS,
			.unit = "db",
			.kind = UNIT_EXEC_START,
			.index = 1,
			.spawn_id = 99,
			.pid = 4712,
			.start_time = 123456,
			.since_realtime_usec = 1,
			.since_monotonic_usec = 2,
			.state = PROTOCOL_ENDED,
			.code = CLD_KILLED,
			.status = 9,
			.ended_realtime_usec = 3,
			.cpu_usec = 4,
			.memory_peak_bytes = 5 },
	{ .type = PROTOCOL_ADOPTED },
	{ .type = PROTOCOL_SPAWNED,
			.serial = 14,
			.spawn_id = 100,
			.pid = 4713,
			.start_time = 6,
			.since_realtime_usec = 7,
			.since_monotonic_usec = 8 },
	{ .type = PROTOCOL_FAILED,
			.serial = 15,
			.error = ENOENT,
			.step = "EXEC",
			.text = "x" },
	{ .type = PROTOCOL_DONE, .serial = 16 },
	{ .type = PROTOCOL_EXITED,
			.unit = "db",
			.kind = UNIT_EXEC_START_POST,
			.index = 2,
			.spawn_id = 101,
			.pid = 4714,
			.state = PROTOCOL_ENDED,
			.code = CLD_DUMPED,
			.status = 11,
			.ended_realtime_usec = 9,
			.cpu_usec = 10,
			.memory_peak_bytes = 11 },
	{ .type = PROTOCOL_EMPTY, .unit = "worker@1" },
	{ .type = PROTOCOL_STOP },
	{ .type = PROTOCOL_PING, .serial = 17 },
};

static void assert_text(const char *a, const char *b)
{
	ck_assert_pstr_eq(a, b);
}

static void assert_same(
		const struct protocol_message *a, const struct protocol_message *b)
{
	struct protocol_message x = *a, y = *b;

	assert_text(a->unit, b->unit);
	assert_text(a->step, b->step);
	assert_text(a->text, b->text);
	assert_text(a->exit_code, b->exit_code);
	assert_text(a->exit_status, b->exit_status);
	assert_text(a->runtime_dir, b->runtime_dir);
	assert_text(a->journal_socket, b->journal_socket);
	assert_text(a->cgroup, b->cgroup);
	ck_assert_uint_eq(a->size, b->size);
	if (a->size > 0)
		ck_assert_mem_eq(a->data, b->data, a->size);
	x.unit = x.step = x.text = x.exit_code = x.exit_status = x.runtime_dir = NULL;
	y.unit = y.step = y.text = y.exit_code = y.exit_status = y.runtime_dir = NULL;
	x.journal_socket = x.cgroup = x.data = NULL;
	y.journal_socket = y.cgroup = y.data = NULL;
	ck_assert_mem_eq(&x, &y, sizeof(x));
}

static size_t encode(const struct protocol_message *m, uint8_t *buffer)
{
	ssize_t n = protocol_encode(m, buffer, PROTOCOL_MESSAGE_MAX);

	ck_assert_msg(n > 0, "%s: %zd", protocol_type_name(m->type), n);
	return (size_t)n;
}

START_TEST(every_message_survives_the_way)
{
	static uint8_t buffer[PROTOCOL_MESSAGE_MAX];
	struct protocol_message back;
	size_t n = encode(&samples[_i], buffer);

	ck_assert_int_eq(protocol_decode(buffer, n, &back), 0);
	assert_same(&samples[_i], &back);
}
END_TEST

START_TEST(a_message_cut_anywhere_is_refused)
{
	uint8_t buffer[PROTOCOL_MESSAGE_MAX], *copy;
	struct protocol_message back = { .serial = 42 };
	size_t n = encode(&samples[_i], buffer);

	for (size_t cut = 0; cut < n; cut++) {
		/* Memory of its own, so that a sanitizer sees a read behind the end. */
		copy = malloc(cut + 1);
		memcpy(copy, buffer, cut);
		ck_assert_int_eq(protocol_decode(copy, cut, &back), -EBADMSG);
		free(copy);
	}
	buffer[n] = 0;
	ck_assert_int_eq(protocol_decode(buffer, n + 1, &back), -EBADMSG);
	ck_assert_uint_eq(back.serial, 42);
}
END_TEST

/* Whatever a byte is changed to, the answer is a refusal or a message that is in range.
 */
START_TEST(every_changed_byte_is_refused_or_in_range)
{
	static const uint8_t values[] = { 0x00, 0x01, 0x7f, 0x80, 0xff };
	static uint8_t buffer[PROTOCOL_MESSAGE_MAX], again[PROTOCOL_MESSAGE_MAX];
	uint8_t *copy;
	struct protocol_message back;
	size_t n = encode(&samples[_i], buffer);

	for (size_t at = 0; at < n; at++)
		for (size_t v = 0; v < sizeof(values); v++) {
			copy = malloc(n);
			memcpy(copy, buffer, n);
			copy[at] = values[v];
			if (protocol_decode(copy, n, &back) == 0) {
				ck_assert_uint_eq(encode(&back, again), n);
				ck_assert_mem_eq(copy, again, n);
			}
			free(copy);
		}
}
END_TEST

static int decode_mutated(const struct protocol_message *m, size_t at, uint32_t v)
{
	static uint8_t buffer[PROTOCOL_MESSAGE_MAX];
	struct protocol_message back;
	size_t n = encode(m, buffer);

	memcpy(buffer + at, &v, sizeof(v));
	return protocol_decode(buffer, n, &back);
}

START_TEST(every_changed_length_of_a_text_is_refused)
{
	/* Behind version, type and serial stands the length of the unit's name: "db\0"
	 * is 3. */
	const struct protocol_message m = { .type = PROTOCOL_MODULE, .unit = "db" };
	static const uint32_t lengths[] = { 0, 1, 2, 4, 5, 0xff, 0x7fffffff, 0x80000000,
		0xfffffffe, 0xffffffff };

	ck_assert_int_eq(decode_mutated(&m, 12, 3), 0);
	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++)
		ck_assert_int_eq(decode_mutated(&m, 12, lengths[i]), -EBADMSG);
}
END_TEST

START_TEST(values_out_of_range_are_refused_by_both_sides)
{
	static const struct protocol_message bad[] = {
		{ .type = PROTOCOL_SPAWN, .unit = "db", .kind = UNIT_COMMAND_KIND_COUNT },
		{ .type = PROTOCOL_SPAWN, .unit = "" },
		{ .type = PROTOCOL_SPAWN },
		{ .type = PROTOCOL_SIGNAL, .unit = "db", .whom = 3, .signal = 15 },
		{ .type = PROTOCOL_SIGNAL, .unit = "db", .signal = 0 },
		{ .type = PROTOCOL_SIGNAL, .unit = "db", .signal = 65 },
		{ .type = PROTOCOL_SET_MAIN, .unit = "db", .pid = -1 },
		{ .type = PROTOCOL_DOWN, .status = 256 },
		{ .type = PROTOCOL_SPAWNED, .pid = 0 },
		{ .type = PROTOCOL_FAILED, .error = 0 },
		{ .type = PROTOCOL_FAILED, .error = -ENOENT },
		{ .type = PROTOCOL_EXITED, .unit = "db", .code = CLD_STOPPED },
		{ .type = PROTOCOL_PROCESS, .unit = "db", .state = 3 },
		{ .type = PROTOCOL_PROCESS, .unit = "db", .pid = -4 },
		{ .type = PROTOCOL_CONFIG },
		{ .type = PROTOCOL_NOTE,
				.unit = "db",
				.data = bad,
				.size = PROTOCOL_NOTE_MAX + 1 },
	};
	static uint8_t buffer[PROTOCOL_MESSAGE_MAX];
	/* The signal of a SIGNAL message is its last field. */
	const struct protocol_message m = {
		.type = PROTOCOL_SIGNAL, .unit = "db", .signal = 1
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		ck_assert_msg(protocol_encode(&bad[i], buffer, sizeof(buffer)) == -EINVAL,
				"%zu", i);
	ck_assert_int_eq(decode_mutated(&m, 12 + 7 + 4, 64), 0);
	ck_assert_int_eq(decode_mutated(&m, 12 + 7 + 4, 65), -EBADMSG);
	ck_assert_int_eq(decode_mutated(&m, 12 + 7 + 4, 0), -EBADMSG);
	ck_assert_int_eq(decode_mutated(&m, 12 + 7 + 4, UINT32_MAX), -EBADMSG);
	ck_assert_int_eq(decode_mutated(&m, 12 + 7, 3), -EBADMSG);
}
END_TEST

START_TEST(unknown_types_and_other_versions_are_refused)
{
	const struct protocol_message ping = { .type = PROTOCOL_PING };
	const struct protocol_message unknown = { .type = (enum protocol_type)63 };
	uint8_t buffer[64];

	ck_assert_int_eq(protocol_encode(&unknown, buffer, sizeof(buffer)), -EINVAL);
	ck_assert_str_eq(protocol_type_name((enum protocol_type)63), "?");
	for (uint32_t type = 0; type < 1000; type++)
		if (type != PROTOCOL_PING &&
				decode_mutated(&ping, 0, 1 << 16 | type) == 0)
			ck_assert_str_ne(protocol_type_name((enum protocol_type)type),
					"?");
	ck_assert_int_eq(decode_mutated(&ping, 0, 1 << 16 | PROTOCOL_PING), 0);
	ck_assert_int_eq(decode_mutated(&ping, 0, 2 << 16 | PROTOCOL_PING), -EBADMSG);
	ck_assert_int_eq(decode_mutated(&ping, 0, PROTOCOL_PING), -EBADMSG);
}
END_TEST

START_TEST(what_does_not_fit_is_told)
{
	static char big[PROTOCOL_MESSAGE_MAX + 1];
	static uint8_t buffer[PROTOCOL_MESSAGE_MAX * 2];
	struct protocol_message m = { .type = PROTOCOL_UP, .text = "hello" };

	ck_assert_int_eq(protocol_encode(&m, buffer, 21), -EMSGSIZE);
	ck_assert_int_eq(protocol_encode(&m, buffer, 22), 22);
	memset(big, 'a', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	m.text = big;
	ck_assert_int_eq(protocol_encode(&m, buffer, sizeof(buffer)), -EMSGSIZE);
}
END_TEST

START_TEST(names_longer_than_a_file_name_are_refused)
{
	char name[NAME_MAX + 2];
	static uint8_t buffer[PROTOCOL_MESSAGE_MAX];
	struct protocol_message m = { .type = PROTOCOL_EMPTY, .unit = name };

	memset(name, 'n', sizeof(name));
	name[NAME_MAX + 1] = '\0';
	ck_assert_int_eq(protocol_encode(&m, buffer, sizeof(buffer)), -EINVAL);
	name[NAME_MAX] = '\0';
	ck_assert_int_gt(protocol_encode(&m, buffer, sizeof(buffer)), 0);
}
END_TEST

START_TEST(result_words_mean_nothing_to_a_shell)
{
	static const char *const good[] = { "", "success", "exit-code", "RTMIN+3",
		"255" },
				 *const bad[] = { "$(id)", "a b", "a;b", "`id`", "../x",
					 "-e", "a\nb", "\"", "\xc3\xa9",
					 "longer-than-any-word-of-ours-is-33" };
	uint8_t buffer[PROTOCOL_MESSAGE_MAX];
	struct protocol_message m = { .type = PROTOCOL_SPAWN, .unit = "x" };

	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		m.text = m.exit_code = m.exit_status = good[i];
		ck_assert_int_gt(protocol_encode(&m, buffer, sizeof(buffer)), 0);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		m.text = bad[i];
		m.exit_code = m.exit_status = NULL;
		ck_assert_int_eq(protocol_encode(&m, buffer, sizeof(buffer)), -EINVAL);
		m.text = NULL;
		m.exit_code = bad[i];
		ck_assert_int_eq(protocol_encode(&m, buffer, sizeof(buffer)), -EINVAL);
		m.exit_code = NULL;
		m.exit_status = bad[i];
		ck_assert_int_eq(protocol_encode(&m, buffer, sizeof(buffer)), -EINVAL);
	}
}
END_TEST

START_TEST(messages_of_one_datagram_come_apart_as_they_went_in)
{
	static struct protocol_batch batch;
	struct protocol_message m = { .type = PROTOCOL_ACK }, back;
	struct protocol_part whole, part;
	size_t cursor = 0;
	uint64_t n = 0;

	ck_assert_uint_eq(protocol_batch_get(&batch).size, 0);
	while (m.spawn_id++ < 20)
		ck_assert_int_eq(protocol_batch_add(&batch, &m), 0);
	whole = protocol_batch_get(&batch);
	while (protocol_next(whole.data, whole.size, &cursor, &part) > 0) {
		ck_assert_int_eq(protocol_decode(part.data, part.size, &back), 0);
		ck_assert_uint_eq(back.spawn_id, ++n);
	}
	ck_assert_uint_eq(n, 20);
}
END_TEST

START_TEST(datagram_cut_anywhere_is_refused_at_the_cut_at_the_latest)
{
	static struct protocol_batch batch;
	struct protocol_message m = { .type = PROTOCOL_ACK }, back;
	struct protocol_part whole, part;
	size_t cursor;
	uint8_t *copy;
	int count;

	for (int i = 0; i < 5; i++)
		ck_assert_int_eq(protocol_batch_add(&batch, &m), 0);
	whole = protocol_batch_get(&batch);
	for (size_t cut = 0; cut < whole.size; cut++) {
		copy = malloc(cut ? cut : 1);
		ck_assert_ptr_nonnull(copy);
		memcpy(copy, whole.data, cut);
		cursor = 0;
		count = 0;
		while (protocol_next(copy, cut, &cursor, &part) > 0)
			count += protocol_decode(part.data, part.size, &back) == 0;
		ck_assert_int_lt(count, 5);
		free(copy);
	}
}
END_TEST

START_TEST(one_message_of_a_batch_is_sent_as_itself)
{
	static struct protocol_batch batch;
	struct protocol_message m = { .type = PROTOCOL_PONG }, back;
	struct protocol_part part, alone;
	size_t cursor = 0;

	ck_assert_int_eq(protocol_batch_add(&batch, &m), 0);
	part = protocol_batch_get(&batch);
	ck_assert_int_eq(protocol_decode(part.data, part.size, &back), 0);
	ck_assert_int_eq(protocol_next(part.data, part.size, &cursor, &alone), 1);
	ck_assert_ptr_eq(alone.data, part.data);
	ck_assert_int_eq(protocol_next(part.data, part.size, &cursor, &alone), 0);
}
END_TEST

START_TEST(full_batch_says_so_and_keeps_what_it_has)
{
	static struct protocol_batch batch;
	struct protocol_message m = { .type = PROTOCOL_ACK };
	unsigned int count = 0;
	size_t size;

	while (protocol_batch_add(&batch, &m) == 0)
		count++;
	size = batch.size;
	ck_assert_int_eq(protocol_batch_add(&batch, &m), -EMSGSIZE);
	ck_assert_uint_eq(batch.count, count);
	ck_assert_uint_eq(batch.size, size);
	ck_assert_uint_le(size, PROTOCOL_MESSAGE_MAX);
	protocol_batch_clear(&batch);
	ck_assert_int_eq(protocol_batch_add(&batch, &m), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("protocol");
	TCase *tc = tcase_create("protocol");
	SRunner *runner;
	int failed, last = ARRAY_SIZE(samples);

	tcase_add_loop_test(tc, every_message_survives_the_way, 0, last);
	tcase_add_loop_test(tc, a_message_cut_anywhere_is_refused, 0, last);
	tcase_add_loop_test(tc, every_changed_byte_is_refused_or_in_range, 0, last);
	tcase_add_test(tc, every_changed_length_of_a_text_is_refused);
	tcase_add_test(tc, values_out_of_range_are_refused_by_both_sides);
	tcase_add_test(tc, unknown_types_and_other_versions_are_refused);
	tcase_add_test(tc, what_does_not_fit_is_told);
	tcase_add_test(tc, result_words_mean_nothing_to_a_shell);
	tcase_add_test(tc, messages_of_one_datagram_come_apart_as_they_went_in);
	tcase_add_test(tc, datagram_cut_anywhere_is_refused_at_the_cut_at_the_latest);
	tcase_add_test(tc, one_message_of_a_batch_is_sent_as_itself);
	tcase_add_test(tc, full_batch_says_so_and_keeps_what_it_has);
	tcase_add_test(tc, names_longer_than_a_file_name_are_refused);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
