/* SPDX-License-Identifier: Apache-2.0 OR MIT */

/*
 * The trivial service of the benchmarks: writes the time of its first instruction and its
 * pid to its place in a file and sleeps. Without a C library, so that what is measured is
 * the manager.
 *
 *   trivial FILE INDEX
 *
 * Without arguments the file is ../../page, and the index the digits at the end of the
 * working directory's name: for managers that run a program of a fixed name in a folder
 * for each service.
 */

#include <fcntl.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <time.h>

#if defined(__x86_64__)
static long call(long n, long a, long b, long c, long d)
{
	register long fourth __asm__("r10") = d;

	__asm__ volatile("syscall"
			 : "+a"(n)
			 : "D"(a), "S"(b), "d"(c), "r"(fourth)
			 : "rcx", "r11", "memory");
	return n;
}
__asm__(".globl _start\n_start:\n\tmovq %rsp, %rdi\n\tcall begin\n");
#elif defined(__aarch64__)
static long call(long n, long a, long b, long c, long d)
{
	register long number __asm__("x8") = n;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d;

	__asm__ volatile("svc #0"
			 : "+r"(x0)
			 : "r"(number), "r"(x1), "r"(x2), "r"(x3)
			 : "memory");
	return x0;
}
__asm__(".globl _start\n_start:\n\tmov x0, sp\n\tbl begin\n");
#else
#	error "write the system call of this machine"
#endif

void begin(long *stack);

static const char *digits_of_folder(char *folder, long size)
{
	/* With the zero at its end. */
	long at = call(SYS_getcwd, (long)folder, size, 0, 0) - 1;

	while (at > 0 && folder[at - 1] >= '0' && folder[at - 1] <= '9')
		at--;
	return at > 0 ? folder + at : "";
}

void begin(long *stack)
{
	const char *path = "../../page", *digits;
	char folder[512];
	struct timespec now;
	uint64_t mark[2];
	long index = 0, fd;

	call(SYS_clock_gettime, CLOCK_MONOTONIC, (long)&now, 0, 0);
	mark[0] = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
	mark[1] = (uint64_t)call(SYS_getpid, 0, 0, 0, 0);
	if (stack[0] > 2) {
		path = (const char *)stack[2];
		digits = (const char *)stack[3];
	} else {
		digits = digits_of_folder(folder, sizeof(folder));
	}
	for (; *digits; digits++)
		index = 10 * index + (*digits - '0');
	fd = call(SYS_openat, AT_FDCWD, (long)path, O_WRONLY, 0);
	call(SYS_pwrite64, fd, (long)mark, sizeof(mark), index * (long)sizeof(mark));
	call(SYS_close, fd, 0, 0, 0);
	for (;;)
		call(SYS_ppoll, 0, 0, 0, 0);
}
