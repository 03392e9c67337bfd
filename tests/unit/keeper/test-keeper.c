/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/fd.h"
#include "base/procid.h"
#include "bed.h"
#include "support/test.h"

/*
 * airssysd as a whole, with the test program in the place of the core.
 */

static struct bed bed;
static struct reply reply;

START_TEST(greets_the_core_with_files_control_socket_and_adopted)
{
	bed_init(&bed);
	bed_add_unit(&bed, "one", "[Service]\nExecStart=/bin/sleep 1000\n");
	bed_launch(&bed, NULL);
	bed_meet_core(&bed);
	bed_receive(&bed, &reply);
	ck_assert_int_eq(reply.message.type, PROTOCOL_CONFIG);
	ck_assert_str_eq(reply.message.runtime_dir, bed.runtime);
	ck_assert_uint_eq(reply.n_fds, 2);
	ck_assert_int_eq(memfd_is_sealed(reply.fds[0]), 1);
	bed_receive(&bed, &reply);
	ck_assert_int_eq(reply.message.type, PROTOCOL_ADOPTED);
	bed_stop(&bed);
}
END_TEST

START_TEST(spawned_service_runs_and_its_end_is_told_with_status)
{
	pid_t pid;

	bed_init(&bed);
	bed_add_unit(&bed, "one", "[Service]\nExecStart=/bin/sh -c 'exit 7'\n");
	bed_start(&bed, NULL);
	pid = bed_spawn_main(&bed, "one");
	bed_await(&bed, PROTOCOL_EXITED, &reply);
	ck_assert_str_eq(reply.message.unit, "one");
	ck_assert_int_eq(reply.message.pid, pid);
	ck_assert_int_eq(reply.message.code, CLD_EXITED);
	ck_assert_int_eq(reply.message.status, 7);
	bed_receive(&bed, &reply);
	ck_assert_int_eq(reply.message.type, PROTOCOL_EMPTY);
	bed_stop(&bed);
}
END_TEST

TEST_MAIN("keeper", greets_the_core_with_files_control_socket_and_adopted,
		spawned_service_runs_and_its_end_is_told_with_status)
