/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef KEEPER_PID_FILE_H
#define KEEPER_PID_FILE_H

/*
 * PIDFile= of a service. The file belongs to the service and is read without trust: it
 * is opened without blocking and not through a link, must be a small regular file, and
 * says nothing but a number; whose process that is has to be asked after.
 */

#include <sys/types.h>

#include "base/macro.h"

/* text has a NUL at [size], and is changed. -EINVAL for anything but one number with blanks
 * behind it. */
MUST_CHECK int pid_file_parse(char *text, size_t size, pid_t *ret_pid);

/* -ENOENT and other errors of open, -EINVAL for another kind of file or content, -EFBIG.
 */
MUST_CHECK int pid_file_read(const char *path, pid_t *ret_pid);

#endif
