/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "manager/access.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

#include "base/fd.h"
#include "manager/bus-manager.h"
#include "support/test.h"

static const struct access_policy group_policy = {
	.owner_uid = 1000, .group_writes = true, .socket_gid = 50
};

START_TEST(root_owner_and_members_of_the_group_may_control)
{
	static const gid_t others[] = { 7, 8 }, member[] = { 7, 50 };

	ck_assert_uint_eq(access_rights(&group_policy, 0, 0, NULL, 0),
			ACCESS_OBSERVE | ACCESS_CONTROL);
	ck_assert_uint_eq(access_rights(&group_policy, 1000, 9, NULL, 0),
			ACCESS_OBSERVE | ACCESS_CONTROL);
	ck_assert_uint_eq(access_rights(&group_policy, 1001, 50, NULL, 0),
			ACCESS_OBSERVE | ACCESS_CONTROL);
	ck_assert_uint_eq(access_rights(&group_policy, 1001, 9, member, 2),
			ACCESS_OBSERVE | ACCESS_CONTROL);
	ck_assert_uint_eq(
			access_rights(&group_policy, 1001, 9, others, 2), ACCESS_OBSERVE);
	/* A uid beyond INT_MAX is a user like any other. */
	ck_assert_uint_eq(access_rights(&group_policy, 4000000000u, 9, NULL, 0),
			ACCESS_OBSERVE);
}
END_TEST

START_TEST(group_that_may_not_write_may_not_control)
{
	struct access_policy policy = group_policy;

	policy.group_writes = false;
	ck_assert_uint_eq(access_rights(&policy, 1001, 50, NULL, 0), ACCESS_OBSERVE);
}
END_TEST

START_TEST(every_method_of_the_interface_has_a_right)
{
	static const char *const observing[] = { "ListUnits", "GetUnit", "GetFiles",
		"Diagnostics" };
	size_t n = 0;

	for (const sd_bus_vtable *v = bus_manager_vtable; v->type != _SD_BUS_VTABLE_END;
			v++) {
		struct access_caller observer = { .uid = 1001, .rights = ACCESS_OBSERVE };
		struct access_caller nobody = { .uid = 1001 };
		bool observes = false;

		if (v->type != _SD_BUS_VTABLE_METHOD)
			continue;
		ck_assert_uint_lt(n, ACCESS_METHOD_COUNT);
		ck_assert_str_eq(v->x.method.member,
				access_method_name((enum access_method)n));
		for (size_t i = 0; i < ARRAY_SIZE(observing); i++)
			observes |= strcmp(observing[i], v->x.method.member) == 0;
		ck_assert_int_eq(access_is_allowed(&observer, (enum access_method)n),
				observes);
		ck_assert(!access_is_allowed(&nobody, (enum access_method)n));
		/* Else sd-bus would decide by the uid of whatever thread serves it. */
		ck_assert(v->flags & SD_BUS_VTABLE_UNPRIVILEGED);
		n++;
	}
	ck_assert_uint_eq(n, ACCESS_METHOD_COUNT);
}
END_TEST

static int listen_at(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	ck_assert_int_eq(listen(fd, 1), 0);
	return fd;
}

START_TEST(policy_follows_the_mode_of_the_socket)
{
	const char *path = test_path(test_folder(), "control");
	auto_close int fd = listen_at(path);
	struct access_policy policy;

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(chmod(path, 0660), 0);
	access_policy_init(&policy, path, 12);
	ck_assert(policy.group_writes);
	ck_assert_uint_eq(policy.socket_gid, getegid());
	ck_assert_uint_eq(policy.owner_uid, 12);
	ck_assert_int_eq(chmod(path, 0600), 0);
	access_policy_init(&policy, path, 12);
	ck_assert(!policy.group_writes);
	ck_assert_int_eq(unlink(path), 0);
	access_policy_init(&policy, path, 12);
	ck_assert(!policy.group_writes);
}
END_TEST

START_TEST(caller_is_whom_the_kernel_names)
{
	struct access_policy policy = { .owner_uid = geteuid() };
	struct access_caller caller;
	int fds[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	ck_assert_int_eq(access_caller_init(&policy, fds[0], &caller), 0);
	ck_assert_uint_eq(caller.uid, geteuid());
	ck_assert_int_eq(caller.pid, getpid());
	ck_assert_uint_eq(caller.rights, ACCESS_OBSERVE | ACCESS_CONTROL);
	close_fd(fds[0]);
	close_fd(fds[1]);
	ck_assert_int_lt(access_caller_init(&policy, fds[0], &caller), 0);
}
END_TEST

TEST_MAIN("access", root_owner_and_members_of_the_group_may_control,
		group_that_may_not_write_may_not_control,
		every_method_of_the_interface_has_a_right,
		policy_follows_the_mode_of_the_socket, caller_is_whom_the_kernel_names)
