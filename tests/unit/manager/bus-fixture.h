/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef TESTS_UNIT_MANAGER_BUS_FIXTURE_H
#define TESTS_UNIT_MANAGER_BUS_FIXTURE_H

/*
 * A control socket in a private folder, served by the bus actor on a thread of its own,
 * with a manager that only answers: "Start" of "never" gets no answer, other methods with
 * a name get that name back, ListUnits one long row.
 */

#include <stdint.h>
#include <systemd/sd-bus.h>

#define FIXTURE_WAIT_USEC (20 * UINT64_C(1000000))

struct fixture;

/* auth_usec 0: the default. Fails the test when it cannot be made. */
struct fixture *fixture_new(uint64_t auth_usec);
void fixture_free(struct fixture *f);
const char *fixture_path(const struct fixture *f);
/* Requests that reached the manager so far. */
unsigned int fixture_requests(const struct fixture *f);
/* Waits until a record with these bytes has been written, or fails the test. */
void fixture_wait_for_record(struct fixture *f, const char *bytes);
/* Records so far. */
unsigned int fixture_records(const struct fixture *f);
/* Actors that live just now; waits until there are at most n, or fails the test. */
void fixture_wait_for_actors(struct fixture *f, uint64_t n);

/* A client of sd-bus; fails the test when it cannot connect. */
sd_bus *fixture_client(const struct fixture *f);
/* A connected stream socket with a receive timeout. */
int fixture_raw(const struct fixture *f);
/* Fails the test unless the other side closes within the limit. */
void fixture_expect_close(int fd);
/* Fails the test unless a call is answered. */
void fixture_expect_service(const struct fixture *f);

#endif
