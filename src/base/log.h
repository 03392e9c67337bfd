/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef BASE_LOG_H
#define BASE_LOG_H

/*
 * Lines for people from the programs (airssysd, airssys-core, airssys-exec, airssysctl).
 * Libraries do not log. One event, one line, one sentence on standard error with the
 * syslog priority in front when standard error is a journal stream.
 *
 *   error    a person must act
 *   warning  a person may have to act
 *   notice   a change of state worth a line
 *   info     off unless asked for
 *   debug    off unless asked for, never in loops
 */

#include <stddef.h>

#include "base/macro.h"

enum log_level {
	LOG_LEVEL_ERROR = 3, /* numbers are syslog's */
	LOG_LEVEL_WARNING = 4,
	LOG_LEVEL_NOTICE = 5,
	LOG_LEVEL_INFO = 6,
	LOG_LEVEL_DEBUG = 7,
};

/* Call once at start; program is borrowed for ever. */
void log_open(const char *program, enum log_level max_level);

/* Any thread. Never waits longer than a moment for who reads standard error: what it does
 * not take is counted, and told when it reads again. */
PRINTF_LIKE(2, 3) void log_line(enum log_level level, const char *format, ...);

/* Several lines that were made before, as they are. A stopped reader loses the rest. */
void log_text(const char *text, size_t size);

#define log_error(...)   log_line(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(...) log_line(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_notice(...)  log_line(LOG_LEVEL_NOTICE, __VA_ARGS__)
#define log_info(...)    log_line(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...)   log_line(LOG_LEVEL_DEBUG, __VA_ARGS__)

#endif
