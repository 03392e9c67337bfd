/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef KEEPER_OPTIONS_H
#define KEEPER_OPTIONS_H

/*
 * The command line of airssysd, with the defaults filled in.
 */

#include <stdbool.h>

#include "base/text.h"

enum options_outcome {
	OPTIONS_RUN,
	OPTIONS_DONE, /* --help or --version was printed */
	OPTIONS_WRONG, /* said on standard error */
};

struct options {
	char *runtime_dir;
	char *runtime_base; /* %t of unit files */
	struct strv unit_path, policy_path, module_path;
	char *libexec_dir;
	char *core_user; /* NULL: airssys, or an unused number */
	bool is_user; /* --user */
	bool is_strict;
	bool is_default_runtime;
};

enum options_outcome options_parse(int argc, char **argv, struct options *ret_options);
void options_fini(struct options *options);

#endif
