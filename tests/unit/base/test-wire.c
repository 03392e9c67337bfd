/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "base/wire.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "support/test.h"

static char *const words[] = { (char[]){ "one" }, (char[]){ "" }, (char[]){ "three" } };

static void put_all(struct wire_writer *w)
{
	wire_put_u8(w, 0xfe);
	wire_put_u32(w, 0x01020304);
	wire_put_u64(w, UINT64_C(0x0102030405060708));
	wire_put_i32(w, -2);
	wire_put_bytes(w, "a\0b", 3);
	wire_put_bytes(w, NULL, 0);
	wire_put_text(w, "text");
	wire_put_text(w, "");
	wire_put_text(w, NULL);
	wire_put_strv(w, words, 3);
	wire_put_strv(w, NULL, 0);
}

START_TEST(numbers_are_little_endian)
{
	uint8_t data[13];
	struct wire_writer w;

	wire_writer_init(&w, data, sizeof(data));
	wire_put_u8(&w, 9);
	wire_put_u32(&w, 0x01020304);
	wire_put_u64(&w, UINT64_C(0x1112131415161718));
	ck_assert(!w.failed);
	ck_assert_mem_eq(
			data, "\x09\x04\x03\x02\x01\x18\x17\x16\x15\x14\x13\x12\x11", 13);
}
END_TEST

START_TEST(what_is_written_is_read)
{
	struct wire_writer w;
	struct wire_reader r;
	const void *bytes;
	size_t size;

	wire_writer_init_growing(&w);
	put_all(&w);
	ck_assert(!w.failed);
	wire_reader_init(&r, w.data, w.size);
	ck_assert_uint_eq(wire_get_u8(&r), 0xfe);
	ck_assert_uint_eq(wire_get_u32(&r), 0x01020304);
	ck_assert_uint_eq(wire_get_u64(&r), UINT64_C(0x0102030405060708));
	ck_assert_int_eq(wire_get_i32(&r), -2);
	bytes = wire_get_bytes(&r, &size);
	ck_assert_uint_eq(size, 3);
	ck_assert_mem_eq(bytes, "a\0b", 3);
	ck_assert_ptr_nonnull(wire_get_bytes(&r, &size));
	ck_assert_uint_eq(size, 0);
	ck_assert_str_eq(wire_get_text(&r), "text");
	ck_assert_str_eq(wire_get_text(&r), "");
	ck_assert_ptr_null(wire_get_text(&r));
	ck_assert_uint_eq(wire_get_count(&r), 3);
	for (int i = 0; i < 3; i++)
		ck_assert_str_eq(wire_get_text(&r), words[i]);
	ck_assert_uint_eq(wire_get_count(&r), 0);
	ck_assert_int_eq(wire_reader_finish(&r), 0);
	wire_writer_fini(&w);
}
END_TEST

START_TEST(writer_fails_at_every_capacity_below_the_need)
{
	uint8_t data[256];
	struct wire_writer w;
	size_t need;

	wire_writer_init(&w, data, sizeof(data));
	put_all(&w);
	ck_assert(!w.failed);
	need = w.size;
	for (size_t capacity = 0; capacity < need; capacity++) {
		uint8_t small[256];

		memset(small, 0x5a, sizeof(small));
		wire_writer_init(&w, small, capacity);
		put_all(&w);
		ck_assert_msg(w.failed, "capacity %zu", capacity);
		for (size_t i = capacity; i < sizeof(small); i++)
			ck_assert_uint_eq(small[i], 0x5a);
	}
	wire_writer_init(&w, data, need);
	put_all(&w);
	ck_assert(!w.failed);
}
END_TEST

/* A copy of exactly this size lets the sanitizer see a read beyond it. */
START_TEST(reader_fails_at_every_cut)
{
	struct wire_writer w;

	wire_writer_init_growing(&w);
	put_all(&w);
	for (size_t cut = 0; cut <= w.size; cut++) {
		uint8_t *copy = malloc(cut ? cut : 1);
		struct wire_reader r;
		size_t size;

		ck_assert_ptr_nonnull(copy);
		memcpy(copy, w.data, cut);
		wire_reader_init(&r, copy, cut);
		(void)wire_get_u8(&r);
		(void)wire_get_u32(&r);
		(void)wire_get_u64(&r);
		(void)wire_get_i32(&r);
		(void)wire_get_bytes(&r, &size);
		(void)wire_get_bytes(&r, &size);
		for (int i = 0; i < 3; i++)
			(void)wire_get_text(&r);
		for (uint32_t i = wire_get_count(&r); i > 0; i--)
			(void)wire_get_text(&r);
		(void)wire_get_count(&r);
		ck_assert_int_eq(wire_reader_finish(&r), cut == w.size ? 0 : -EBADMSG);
		free(copy);
	}
	wire_writer_fini(&w);
}
END_TEST

START_TEST(failed_reader_returns_nothing_more)
{
	static const uint8_t data[] = { 1, 2, 3, 4, 5, 6, 7, 8 };
	struct wire_reader r;

	wire_reader_init(&r, data, 3);
	ck_assert_uint_eq(wire_get_u32(&r), 0);
	ck_assert_uint_eq(wire_get_u8(&r), 0);
	ck_assert_ptr_null(wire_get_text(&r));
	ck_assert_int_eq(wire_reader_finish(&r), -EBADMSG);
}
END_TEST

START_TEST(rest_is_an_error)
{
	static const uint8_t data[] = { 1, 2 };
	struct wire_reader r;

	wire_reader_init(&r, data, 2);
	ck_assert_uint_eq(wire_get_u8(&r), 1);
	ck_assert_int_eq(wire_reader_finish(&r), -EBADMSG);
}
END_TEST

START_TEST(texts_end_with_their_only_nul)
{
	static const char *const bad[] = { "\2\0\0\0ab", "\3\0\0\0a\0\0",
		"\3\0\0\0\0b\0" };
	static const size_t sizes[] = { 6, 7, 7 };

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct wire_reader r;

		wire_reader_init(&r, bad[i], sizes[i]);
		ck_assert_ptr_null(wire_get_text(&r));
		ck_assert_msg(wire_reader_finish(&r) == -EBADMSG, "case %zu", i);
	}
}
END_TEST

START_TEST(count_that_cannot_fit_is_refused)
{
	static const uint8_t data[] = { 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 };
	static const uint8_t huge[] = { 0xff, 0xff, 0xff, 0xff };
	struct wire_reader r;

	wire_reader_init(&r, data, sizeof(data));
	ck_assert_uint_eq(wire_get_count(&r), 0);
	ck_assert(r.failed);
	wire_reader_init(&r, huge, sizeof(huge));
	ck_assert_uint_eq(wire_get_count(&r), 0);
	ck_assert(r.failed);
}
END_TEST

START_TEST(growing_writer_remembers_that_memory_ran_out)
{
	static const uint8_t block[300];

	for (unsigned int n = 1; n <= 3; n++) {
		struct wire_writer w;

		wire_writer_init_growing(&w);
		alloc_fail_at(n);
		for (int i = 0; i < 5; i++)
			wire_put_bytes(&w, block, sizeof(block));
		ck_assert_int_eq(alloc_fail_stop(), 1);
		ck_assert(w.failed);
		wire_writer_fini(&w);
	}
}
END_TEST

TEST_MAIN("wire", numbers_are_little_endian, what_is_written_is_read,
		writer_fails_at_every_capacity_below_the_need, reader_fails_at_every_cut,
		failed_reader_returns_nothing_more, rest_is_an_error,
		texts_end_with_their_only_nul, count_that_cannot_fit_is_refused,
		growing_writer_remembers_that_memory_ran_out)
