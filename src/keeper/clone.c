/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "keeper/clone.h"

#include <errno.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

/*
 * clone3 is called by hand: a library wrapper would return in the child too, onto the
 * stack that the keeper is still using. The child calls its function within the same
 * piece of assembly and never comes back from it. The shared child needs a stack of its
 * own because the compiler may reuse the keeper's stack slots in a branch that it takes
 * to be the only one.
 *
 * Sharing the descriptor table (CLONE_FILES) saves copying one entry for each descriptor
 * of the keeper; the child's first step makes a table of its own that has only what it
 * needs.
 */

#define STACK_SIZE (64 * 1024)
#define GUARD_SIZE 4096

/* One child at a time: the keeper waits for it. */
static void *shared_stack(void)
{
	static char *stack;
	void *map;

	if (stack)
		return stack;
	map = mmap(NULL, GUARD_SIZE + STACK_SIZE, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
	if (map == MAP_FAILED)
		return NULL;
	if (mprotect(map, GUARD_SIZE, PROT_NONE) < 0) {
		(void)munmap(map, GUARD_SIZE + STACK_SIZE);
		return NULL;
	}
	stack = (char *)map + GUARD_SIZE;
	return stack;
}

#if defined(__x86_64__)
static long clone3_call(struct clone_args *args, int (*child)(void *), void *data)
{
	long result = SYS_clone3;
	register void *child_data __asm__("rdx") = data;
	register int (*function)(void *) __asm__("r8") = child;

	__asm__ volatile("syscall\n\t"
			 "testq %%rax, %%rax\n\t"
			 "jnz 1f\n\t"
			 "xorl %%ebp, %%ebp\n\t"
			 "andq $-16, %%rsp\n\t"
			 "movq %%rdx, %%rdi\n\t"
			 "callq *%%r8\n\t"
			 "movl %%eax, %%edi\n\t"
			 "movl %[exit], %%eax\n\t"
			 "syscall\n\t"
			 "ud2\n"
			 "1:"
			 : "+a"(result)
			 : "D"(args), "S"(sizeof(*args)), "r"(child_data),
			 "r"(function), [exit] "i"(SYS_exit_group)
			 : "rcx", "r11", "memory", "cc");
	return result;
}
#elif defined(__aarch64__)
static long clone3_call(struct clone_args *args, int (*child)(void *), void *data)
{
	register long number __asm__("x8") = SYS_clone3;
	register void *first __asm__("x0") = args;
	register size_t second __asm__("x1") = sizeof(*args);
	register void *child_data __asm__("x9") = data;
	register int (*function)(void *) __asm__("x10") = child;

	__asm__ volatile("svc #0\n\t"
			 "cbnz x0, 1f\n\t"
			 "mov x29, xzr\n\t"
			 "mov x0, x9\n\t"
			 "blr x10\n\t"
			 "mov x8, %[exit]\n\t"
			 "svc #0\n\t"
			 "brk #1\n"
			 "1:"
			 : "+r"(first)
			 : "r"(number), "r"(second), "r"(child_data),
			 "r"(function), [exit] "i"(SYS_exit_group)
			 : "memory", "cc");
	return (long)first;
}
#else
static long clone3_call(struct clone_args *args, int (*child)(void *), void *data)
{
	(void)args, (void)child, (void)data;
	return -ENOSYS;
}
#endif

/* Where clone3 is not there or is filtered away (old container hosts). Handlers need no
 * reset: the keeper has none. */
static int clone_old_way(const struct clone_request *request, char *stack, pid_t *ret_pid)
{
	int flags = CLONE_VM | CLONE_VFORK | CLONE_FILES | SIGCHLD;
	int pid;

	if (request->cgroup_fd >= 0)
		return -EOPNOTSUPP;
	if (request->memory == CLONE_COPIED)
		flags = SIGCHLD;
	pid = clone(request->child, stack + STACK_SIZE, flags, request->data);
	if (pid < 0)
		return -errno;
	*ret_pid = pid;
	return 0;
}

int clone_process(const struct clone_request *request, pid_t *ret_pid)
{
	char *stack = shared_stack();
	struct clone_args args = {
		.flags = CLONE_CLEAR_SIGHAND,
		.exit_signal = SIGCHLD,
	};
	long r;

	if (!stack)
		return -ENOMEM;
	if (request->memory == CLONE_SHARED) {
		args.flags |= CLONE_VM | CLONE_VFORK | CLONE_FILES;
		args.stack = (uintptr_t)stack;
		args.stack_size = STACK_SIZE;
	}
	if (request->cgroup_fd >= 0) {
		args.flags |= CLONE_INTO_CGROUP;
		args.cgroup = (uint64_t)request->cgroup_fd;
	}
	r = clone3_call(&args, request->child, request->data);
	if (r == -ENOSYS)
		return clone_old_way(request, stack, ret_pid);
	if (r < 0)
		return (int)r;
	*ret_pid = (pid_t)r;
	return 0;
}
