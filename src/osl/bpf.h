/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef OSL_BPF_H
#define OSL_BPF_H

/*
 * Runs a seccomp program here instead of in the kernel, to see what it answers. Only what
 * such programs are made of is understood: loads of whole words from struct seccomp_data,
 * comparison with constants, masks, returns.
 */

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>

#include "base/macro.h"

/*
 * The program's answer to a call. -EINVAL for a program that leaves its own end, reads
 * beyond the data or has an instruction that is not understood.
 */
MUST_CHECK int bpf_run(const struct sock_filter *program, size_t count,
		const struct seccomp_data *data, uint32_t *ret_answer);

#endif
