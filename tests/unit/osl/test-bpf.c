/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "osl/bpf.h"

#include <errno.h>

#include "support/test.h"

static const struct seccomp_data call = {
	.nr = 5,
	.arch = 0xc000003e,
	.instruction_pointer = UINT64_C(0x1122334455667788),
	.args = { 0xf0, 0, 0, 0, 0, UINT64_C(0x99) << 32 },
};

#define LOAD(offset)       BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offset)
#define ANSWER(k)          BPF_STMT(BPF_RET | BPF_K, k)
#define IF(op, k, yes, no) BPF_JUMP(BPF_JMP | (op) | BPF_K, k, yes, no)

static void assert_answer(
		const struct sock_filter *program, size_t count, uint32_t wanted)
{
	uint32_t answer = ~wanted;

	ck_assert_int_eq(bpf_run(program, count, &call, &answer), 0);
	ck_assert_uint_eq(answer, wanted);
}

static void assert_refused(const struct sock_filter *program, size_t count)
{
	uint32_t answer;

	ck_assert_int_eq(bpf_run(program, count, &call, &answer), -EINVAL);
}

START_TEST(comparisons_take_their_branches)
{
	static const struct {
		uint16_t op;
		uint32_t k;
		uint32_t answer;
	} cases[] = {
		{ BPF_JEQ, 5, 1 },
		{ BPF_JEQ, 6, 2 },
		{ BPF_JGT, 4, 1 },
		{ BPF_JGT, 5, 2 },
		{ BPF_JGE, 5, 1 },
		{ BPF_JGE, 6, 2 },
		{ BPF_JSET, 4, 1 },
		{ BPF_JSET, 2, 2 },
		{ BPF_JGT, UINT32_MAX, 2 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct sock_filter program[] = {
			LOAD(0),
			IF(cases[i].op, cases[i].k, 0, 1),
			ANSWER(1),
			ANSWER(2),
		};

		assert_answer(program, 4, cases[i].answer);
	}
}
END_TEST

START_TEST(words_of_the_call_are_loaded)
{
	static const struct {
		uint32_t offset, mask;
	} cases[] = { { 0, 5 }, { 4, 0xc000003e }, { 8, 0x55667788 }, { 12, 0x11223344 },
		{ 16, 0xf0 }, { 60, 0x99 } };

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct sock_filter program[] = {
			LOAD(cases[i].offset),
			IF(BPF_JEQ, cases[i].mask, 0, 1),
			ANSWER(1),
			ANSWER(2),
		};

		assert_answer(program, 4, 1);
	}
}
END_TEST

START_TEST(masks_and_plain_jumps_work)
{
	const struct sock_filter program[] = {
		LOAD(16),
		BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0x30),
		BPF_STMT(BPF_JMP | BPF_JA, 1),
		ANSWER(1),
		IF(BPF_JEQ, 0x30, 0, 1),
		ANSWER(3),
		ANSWER(2),
	};

	assert_answer(program, 7, 3);
}
END_TEST

START_TEST(program_without_an_answer_is_refused)
{
	const struct sock_filter falls_out[] = { LOAD(0) };
	const struct sock_filter jumps_out[] = { BPF_STMT(BPF_JMP | BPF_JA, UINT32_MAX),
		ANSWER(1) };

	assert_refused(NULL, 0);
	assert_refused(falls_out, 1);
	assert_refused(jumps_out, 2);
}
END_TEST

START_TEST(loads_outside_the_data_are_refused)
{
	static const uint32_t offsets[] = { 1, 2, 63, 64, 4096, UINT32_MAX,
		UINT32_MAX - 3 };

	for (size_t i = 0; i < sizeof(offsets) / sizeof(offsets[0]); i++) {
		const struct sock_filter program[] = { LOAD(offsets[i]), ANSWER(1) };

		assert_refused(program, 2);
	}
}
END_TEST

START_TEST(instructions_that_filters_do_not_need_are_refused)
{
	const struct sock_filter program[] = { BPF_STMT(BPF_LD | BPF_MEM, 0), ANSWER(1) };

	assert_refused(program, 2);
}
END_TEST

TEST_MAIN("bpf", comparisons_take_their_branches, words_of_the_call_are_loaded,
		masks_and_plain_jumps_work, program_without_an_answer_is_refused,
		loads_outside_the_data_are_refused,
		instructions_that_filters_do_not_need_are_refused)
