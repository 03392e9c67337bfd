/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef EXEC_SPEC_H
#define EXEC_SPEC_H

/*
 * The execution description: everything that is needed to run one command of a service,
 * with nothing left to look up that could be looked up before. The keeper builds it from
 * a unit; the steps in exec/steps.h apply it, either in a CLONE_VM child of the keeper or
 * in airssys-exec, which receives it as a sealed memory file.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "base/text.h"

enum exec_output {
	EXEC_OUTPUT_NULL,
	EXEC_OUTPUT_FILE, /* path, flags by mode */
	EXEC_OUTPUT_APPEND,
	EXEC_OUTPUT_TRUNCATE,
	EXEC_OUTPUT_INHERIT, /* the keeper's own descriptor; for standard error: standard
				output's */
	/* a stream to the journal, connected by the step; path, if it does not listen */
	EXEC_OUTPUT_JOURNAL,
};

struct exec_stream {
	enum exec_output output;
	char *path;
	/* A file in the keeper's own folder: opening it blocks for nobody, and others may
	 * not read it. */
	bool is_own;
};

struct exec_limit {
	uint8_t resource;
	struct rlimit value;
};

struct exec_spec {
	char *path; /* absolute */
	struct strv argv;
	struct strv envp;
	char *working_directory; /* NULL: /; "~" only together with user_name */
	bool working_directory_optional;

	bool set_credentials;
	uid_t uid;
	gid_t gid;
	gid_t *groups;
	uint32_t n_groups;
	/* Set when the keeper could not resolve them from the local files: the executor
	 * asks the name service. */
	char *user_name, *group_name;
	struct strv group_names; /* supplementary */
	/* Set with user_name: the notify socket that is to be this user's. */
	char *notify_path;
	/* Set with either: folders that are to be theirs, each as two items: where, and the
	 * name beneath that is made without following links. */
	struct strv own_folders;

	mode_t umask;
	bool ignore_sigpipe;
	bool new_keyring; /* a session keyring of its own, where the kernel has any */
	bool reset_oom_score; /* the keeper's own score is not the default */
	bool set_nice;
	int nice;
	struct exec_limit *limits;
	uint32_t n_limits;

	struct exec_stream out, err;
	char *journal_stream; /* path of the stdout socket of the journal */
	char *syslog_identifier;
	char *unit_name;

	/* confinement; all empty when the unit has no policy */
	bool no_new_privileges;
	bool set_capability_bounding;
	uint64_t capability_bounding; /* mask of capabilities kept */
	void *filter; /* struct sock_filter array */
	size_t filter_size; /* bytes */
};

void exec_spec_free(struct exec_spec *spec);
DEFINE_AUTO(exec_spec, exec_spec_free);

/* The largest packed description. */
#define EXEC_SPEC_MAX (4 * 1024 * 1024)

/*
 * Into a sealed memory file, and back with every length checked. unpack refuses a file
 * that is not sealed (-EPERM), larger than EXEC_SPEC_MAX (-EFBIG) or malformed
 * (-EBADMSG): no program path that is not absolute, no empty argv, no unknown output, no
 * limit that the kernel does not have, no half of an own folder comes out of it.
 */
MUST_CHECK int exec_spec_pack(const struct exec_spec *spec, int *ret_fd);
MUST_CHECK int exec_spec_unpack(int fd, struct exec_spec **ret_spec);

#endif
