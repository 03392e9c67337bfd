/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef TESTS_CTL_FAKE_H
#define TESTS_CTL_FAKE_H

/*
 * An instance for the tests of airssysctl: a server on a control socket that says what
 * manager/names.h promises, with canned data, and misbehaves when told. It runs in the
 * loop of the test (run.h), not in a thread.
 *
 * The units, in tree order:
 *   shop   supervisor, rest-for-one, running; its children are db, cache and web
 *   db     service, running, restarted before; its status text has control characters
 *   cache  service, backoff
 *   web    service, failed
 *   probe  native, running, child of the root
 * Start, Stop and Restart answer "already" for db, an error for web, "done" for the
 * others; "left" and "right" are answered when both have been asked for, "never" and
 * "slow" never; slow is listed once it was asked for.
 */

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <systemd/sd-bus.h>

#define FAKE_PEERS_MAX 16

enum fake_mood {
	FAKE_WELL,
	FAKE_SILENT, /* accepts, and nothing else */
	FAKE_DEAF, /* greets, and never answers a call */
	FAKE_HANGS_UP, /* closes the connection when it is called */
	FAKE_BABBLES, /* answers every connection with bytes that mean nothing */
	FAKE_FOREIGN, /* answers every call with a number */
};

struct fake {
	enum fake_mood mood;
	const char *socket; /* the control socket, in a folder of its own */
	const char *folder;
	int listener;
	sd_bus *peers[FAKE_PEERS_MAX];
	int silent[FAKE_PEERS_MAX]; /* sockets of FAKE_SILENT and FAKE_BABBLES */
	size_t n_peers, n_silent;
	uint64_t now_usec; /* realtime when it was made */
	const char *log_file; /* of db; NULL: in the journal */
	bool has_journal; /* the file takes what the journal does not */
	const char *unit_file; /* of db */
	const char *unit_text; /* of it, as loaded */
	bool has_slow, needs_restart; /* of db */
	size_t n_lists; /* how often it was asked for all units */
	size_t n_units; /* more of them, called u1, u2, … */
	char last_call[256]; /* "Kill db main 9" */
	sd_bus_message *waiting; /* call of left or right */
	size_t n_open, n_open_max; /* calls of "never", and of the u units, at once */
	sd_bus_message *held[128];
	int shutdown_lists; /* how often it is listed between Shutdown and its end */
	int lists_until_gone; /* after Shutdown; -1: it was not called */
};

/* Make it listen. Everything is released when the test's process ends. */
void fake_start(struct fake *fake);
/* Stop listening, close every connection and remove the socket. */
void fake_stop(struct fake *fake);

/* What to poll for; returns how many were filled in. */
size_t fake_fill(struct fake *fake, struct pollfd *fds, size_t n_fds);
/* Handle whatever is there. */
void fake_step(struct fake *fake);

#endif
