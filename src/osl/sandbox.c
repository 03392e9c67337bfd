/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "osl/sandbox.h"

#include <errno.h>
#include <linux/capability.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static bool keeps(uint64_t keep, unsigned int capability)
{
	return capability < 64 && keep & UINT64_C(1) << capability;
}

/* The inheritable set would outlive the bounding set in what root executes. */
static int limit_inheritable(uint64_t keep)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3
	};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];
	bool changed = false;

	if (syscall(SYS_capget, &header, data) < 0)
		return -errno;
	for (int i = 0; i < _LINUX_CAPABILITY_U32S_3; i++) {
		uint32_t kept = data[i].inheritable & (uint32_t)(keep >> (32 * i));

		changed = changed || kept != data[i].inheritable;
		data[i].inheritable = kept;
	}
	if (changed && syscall(SYS_capset, &header, data) < 0)
		return -errno;
	return 0;
}

int sandbox_drop_bounding_set(uint64_t keep)
{
	int present;

	/* The kernel answers EINVAL for the number behind the last that it knows. */
	for (unsigned int c = 0; (present = prctl(PR_CAPBSET_READ, c, 0, 0, 0)) >= 0;
			c++) {
		if (!present || keeps(keep, c))
			continue;
		if (prctl(PR_CAPBSET_DROP, c, 0, 0, 0) < 0)
			return -errno;
		if (prctl(PR_CAPBSET_READ, c, 0, 0, 0) != 0)
			return -EPERM;
	}
	return limit_inheritable(keep);
}

int sandbox_set_no_new_privs(void)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 ? 0 : -EPERM;
}

int sandbox_install_filter(const struct sock_filter *filter, size_t count)
{
	union {
		const struct sock_filter *in;
		struct sock_filter *out;
	} program = { .in = filter };
	struct sock_fprog fprog = { .len = (unsigned short)count, .filter = program.out };

	if (count == 0 || count > BPF_MAXINSNS)
		return -EMSGSIZE;
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &fprog) < 0 ? -errno : 0;
}
