/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "osl/syscall.h"

#include <errno.h>
#include <seccomp.h>
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"

/*
 * A group may name calls that this architecture or this version of libseccomp does not
 * know: they have no number, and what has no number is answered with ENOSYS by every
 * filter.
 */

/* clang-format off */
static const struct syscall_group groups[] = {
	{ "@aio", "asynchronous input and output, io_uring",
		"io_cancel io_destroy io_getevents io_pgetevents "
		"io_pgetevents_time64 io_setup io_submit io_uring_enter "
		"io_uring_register io_uring_setup" },
	{ "@basic-io", "reading, writing, seeking, duplicating and closing descriptors",
		"_llseek close close_range dup dup2 dup3 lseek pread64 preadv "
		"preadv2 pwrite64 pwritev pwritev2 read readv write writev" },
	{ "@chown", "changing the owner of files",
		"chown chown32 fchown fchown32 fchownat lchown lchown32" },
	{ "@clock", "changing the clocks",
		"adjtimex clock_adjtime clock_adjtime64 clock_settime "
		"clock_settime64 settimeofday" },
	{ "@cpu-emulation", "processor modes and emulation",
		"modify_ldt subpage_prot switch_endian vm86 vm86old" },
	{ "@debug", "tracing, profiling and looking into other processes",
		"lookup_dcookie perf_event_open pidfd_getfd ptrace rtas "
		"s390_runtime_instr sys_debug_setcontext" },
	{ "@default", "what every program needs to start, to keep time and to end",
		"arch_prctl brk cacheflush clock_getres clock_getres_time64 "
		"clock_gettime clock_gettime64 clock_nanosleep "
		"clock_nanosleep_time64 execve exit exit_group futex futex_requeue "
		"futex_time64 futex_wait futex_waitv futex_wake get_robust_list "
		"get_thread_area getegid getegid32 geteuid geteuid32 getgid "
		"getgid32 getgroups getgroups32 getpgid getpgrp getpid getppid "
		"getrandom getresgid getresgid32 getresuid getresuid32 getrlimit "
		"getsid gettid gettimeofday getuid getuid32 map_shadow_stack "
		"membarrier mmap mmap2 mprotect mseal munmap nanosleep pause "
		"prlimit64 restart_syscall riscv_flush_icache riscv_hwprobe rseq "
		"rt_sigreturn sched_getaffinity sched_yield set_robust_list "
		"set_thread_area set_tid_address set_tls sigreturn time ugetrlimit "
		"uretprobe" },
	{ "@file-system", "files and folders",
		"access chdir chmod close creat faccessat faccessat2 fallocate "
		"fchdir fchmod fchmodat fchmodat2 fcntl fcntl64 fgetxattr "
		"file_getattr file_setattr flistxattr fremovexattr fsetxattr fstat "
		"fstat64 fstatat64 fstatfs fstatfs64 ftruncate ftruncate64 "
		"futimesat getcwd getdents getdents64 getxattr getxattrat "
		"inotify_add_watch inotify_init inotify_init1 inotify_rm_watch "
		"lgetxattr link linkat listmount listxattr listxattrat llistxattr "
		"lremovexattr lsetxattr lstat lstat64 mkdir mkdirat mknod mknodat "
		"newfstatat oldfstat oldlstat oldstat open openat openat2 readlink "
		"readlinkat removexattr removexattrat rename renameat renameat2 "
		"rmdir setxattr setxattrat stat stat64 statfs statfs64 statmount "
		"statx symlink symlinkat truncate truncate64 unlink unlinkat utime "
		"utimensat utimensat_time64 utimes" },
	{ "@io-event", "waiting for events on descriptors",
		"_newselect epoll_create epoll_create1 epoll_ctl epoll_ctl_old "
		"epoll_pwait epoll_pwait2 epoll_wait epoll_wait_old eventfd "
		"eventfd2 poll ppoll ppoll_time64 pselect6 pselect6_time64 select" },
	{ "@ipc", "pipes, shared memory, queues and semaphores",
		"ipc memfd_create mq_getsetattr mq_notify mq_open mq_timedreceive "
		"mq_timedreceive_time64 mq_timedsend mq_timedsend_time64 mq_unlink "
		"msgctl msgget msgrcv msgsnd pipe pipe2 process_madvise "
		"process_vm_readv process_vm_writev semctl semget semop semtimedop "
		"semtimedop_time64 shmat shmctl shmdt shmget" },
	{ "@keyring", "keys that the kernel keeps",
		"add_key keyctl request_key" },
	{ "@memlock", "locking memory",
		"mlock mlock2 mlockall munlock munlockall" },
	{ "@module", "kernel modules",
		"delete_module finit_module init_module" },
	{ "@mount", "mounting, and changing the root folder",
		"chroot fsconfig fsmount fsopen fspick mount mount_setattr "
		"move_mount open_tree open_tree_attr pivot_root umount umount2" },
	{ "@network-io", "sockets",
		"accept accept4 bind connect getpeername getsockname getsockopt "
		"listen recv recvfrom recvmmsg recvmmsg_time64 recvmsg send "
		"sendmmsg sendmsg sendto setsockopt shutdown socket socketcall "
		"socketpair" },
	{ "@obsolete", "calls that are gone or that nobody should use",
		"_sysctl afs_syscall bdflush break create_module ftime "
		"get_kernel_syms getpmsg gtty idle lock mpx prof profil putpmsg "
		"query_module security sgetmask ssetmask stime stty sysfs tuxcall "
		"ulimit uselib ustat vserver" },
	{ "@pkey", "memory protection keys",
		"pkey_alloc pkey_free pkey_mprotect" },
	{ "@privileged", "what only a privileged process may do",
		"@chown @clock @module @raw-io @reboot @swap _sysctl acct bpf "
		"capset chroot fanotify_init fanotify_mark nfsservctl "
		"open_by_handle_at pivot_root quotactl quotactl_fd setdomainname "
		"setfsuid setfsuid32 setgroups setgroups32 sethostname setresuid "
		"setresuid32 setreuid setreuid32 setuid setuid32 vhangup" },
	{ "@process", "processes, threads, namespaces and signals sent",
		"capget clone clone3 execveat fork getrusage kill pidfd_open "
		"pidfd_send_signal prctl rt_sigqueueinfo rt_tgsigqueueinfo setns "
		"swapcontext tgkill times tkill unshare vfork wait4 waitid waitpid" },
	{ "@raw-io", "ports and buses",
		"ioperm iopl pciconfig_iobase pciconfig_read pciconfig_write "
		"s390_pci_mmio_read s390_pci_mmio_write" },
	{ "@reboot", "restarting the machine, starting another kernel",
		"kexec_file_load kexec_load reboot" },
	{ "@resources", "scheduling, priorities, memory placement and limits",
		"ioprio_set mbind migrate_pages move_pages nice sched_setaffinity "
		"sched_setattr sched_setparam sched_setscheduler set_mempolicy "
		"set_mempolicy_home_node setpriority setrlimit" },
	{ "@sandbox", "confining oneself further",
		"landlock_add_rule landlock_create_ruleset landlock_restrict_self "
		"seccomp" },
	{ "@setuid", "changing user and group",
		"setgid setgid32 setgroups setgroups32 setregid setregid32 "
		"setresgid setresgid32 setresuid setresuid32 setreuid setreuid32 "
		"setuid setuid32" },
	{ "@signal", "handling signals",
		"rt_sigaction rt_sigpending rt_sigprocmask rt_sigsuspend "
		"rt_sigtimedwait rt_sigtimedwait_time64 sigaction sigaltstack "
		"signal signalfd signalfd4 sigpending sigprocmask sigsuspend" },
	{ "@swap", "swap space",
		"swapoff swapon" },
	{ "@sync", "forcing data to disk",
		"fdatasync fsync msync sync sync_file_range sync_file_range2 syncfs" },
	{ "@system-service", "what services commonly need; the usual start of an allow-list",
		"@aio @basic-io @chown @default @file-system @io-event @ipc "
		"@keyring @memlock @network-io @process @resources @setuid @signal "
		"@sync @timer arm_fadvise64_64 cachestat capget capset "
		"copy_file_range fadvise64 fadvise64_64 flock get_mempolicy getcpu "
		"getpriority ioctl ioprio_get kcmp madvise mremap name_to_handle_at "
		"oldolduname olduname personality readahead readdir "
		"remap_file_pages sched_get_priority_max sched_get_priority_min "
		"sched_getattr sched_getparam sched_getscheduler "
		"sched_rr_get_interval sched_rr_get_interval_time64 sched_yield "
		"sendfile sendfile64 setfsgid setfsgid32 setfsuid setfsuid32 "
		"setpgid setsid splice sysinfo tee umask uname userfaultfd vmsplice" },
	{ "@timer", "timers",
		"alarm getitimer setitimer timer_create timer_delete "
		"timer_getoverrun timer_gettime timer_gettime64 timer_settime "
		"timer_settime64 timerfd_create timerfd_gettime timerfd_gettime64 "
		"timerfd_settime timerfd_settime64 times" },
};

/* Each came after its callers, which keep an older way at hand. */
static const char *const probed[] = {
	"clone3", "close_range", "copy_file_range", "epoll_pwait2", "faccessat2", "fchmodat2",
	"futex_waitv", "io_uring_setup", "membarrier", "memfd_secret", "mseal", "openat2",
	"pidfd_open", "preadv2", "process_madvise", "pwritev2", "renameat2", "rseq", "statx",
};
/* clang-format on */

const struct syscall_group *syscall_group_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(groups); i++)
		if (strcmp(groups[i].name, name) == 0)
			return &groups[i];
	return NULL;
}

const struct syscall_group *syscall_group_at(size_t index)
{
	return index < ARRAY_SIZE(groups) ? &groups[index] : NULL;
}

/* Whether the words hold this one. */
static bool has_word(const char *words, const char *word)
{
	size_t n = strlen(word);

	for (const char *at = words; (at = strstr(at, word)); at += n)
		if ((at == words || at[-1] == ' ') && (at[n] == ' ' || !at[n]))
			return true;
	return false;
}

static bool is_in_a_group(const char *name)
{
	for (size_t i = 0; name[0] && name[0] != '@' && i < ARRAY_SIZE(groups); i++)
		if (has_word(groups[i].members, name))
			return true;
	return false;
}

int syscall_number(const char *name)
{
	int number = seccomp_syscall_resolve_name(name);

	if (number == __NR_SCMP_ERROR)
		return is_in_a_group(name) ? SYSCALL_ABSENT : -ENOENT;
	/* libseccomp gives calls of other architectures numbers below zero. */
	return number < 0 ? SYSCALL_ABSENT : number;
}

bool syscall_is_known(int number)
{
	char *name;

	if (number < 0 || number >= SYSCALL_LIMIT)
		return false;
	name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, number);
	free(name);
	return name != NULL;
}

bool syscall_is_probed(int number)
{
	for (size_t i = 0; i < ARRAY_SIZE(probed); i++)
		if (number >= 0 && syscall_number(probed[i]) == number)
			return true;
	return false;
}
