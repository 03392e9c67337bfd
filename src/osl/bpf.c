/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "osl/bpf.h"

#include <errno.h>
#include <string.h>

struct machine {
	const struct seccomp_data *data;
	size_t next;
	uint32_t accumulator;
};

static int load_word(struct machine *m, uint32_t offset)
{
	if (offset % sizeof(uint32_t) || offset > sizeof(*m->data) - sizeof(uint32_t))
		return -EINVAL;
	memcpy(&m->accumulator, (const char *)m->data + offset, sizeof(uint32_t));
	return 0;
}

/* 0 when the machine goes on, 1 when it has an answer in its accumulator. */
static int step(struct machine *m, const struct sock_filter *i)
{
	m->next++;
	switch (i->code) {
	case BPF_LD | BPF_W | BPF_ABS:
		return load_word(m, i->k);
	case BPF_ALU | BPF_AND | BPF_K:
		m->accumulator &= i->k;
		return 0;
	case BPF_JMP | BPF_JA:
		m->next += i->k;
		return 0;
	case BPF_JMP | BPF_JEQ | BPF_K:
		m->next += m->accumulator == i->k ? i->jt : i->jf;
		return 0;
	case BPF_JMP | BPF_JGT | BPF_K:
		m->next += m->accumulator > i->k ? i->jt : i->jf;
		return 0;
	case BPF_JMP | BPF_JGE | BPF_K:
		m->next += m->accumulator >= i->k ? i->jt : i->jf;
		return 0;
	case BPF_JMP | BPF_JSET | BPF_K:
		m->next += m->accumulator & i->k ? i->jt : i->jf;
		return 0;
	case BPF_RET | BPF_K:
		m->accumulator = i->k;
		return 1;
	default:
		return -EINVAL;
	}
}

int bpf_run(const struct sock_filter *program, size_t count,
		const struct seccomp_data *data, uint32_t *ret_answer)
{
	struct machine m = { .data = data };
	int r;

	/* Jumps go forward only, so this ends. */
	while (m.next < count) {
		r = step(&m, &program[m.next]);
		if (r < 0)
			return r;
		if (r > 0) {
			*ret_answer = m.accumulator;
			return 0;
		}
	}
	return -EINVAL;
}
