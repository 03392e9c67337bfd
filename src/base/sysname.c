/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

/* Names of signals and errors, in both directions where a file may hold them. */

const char *signal_name(int signo)
{
	static _Thread_local char name[24];
	const char *abbreviation = sigabbrev_np(signo);

	if (signo == SIGRTMIN)
		return "SIGRTMIN";
	if (signo > SIGRTMIN && signo <= SIGRTMAX)
		(void)snprintf(name, sizeof(name), "SIGRTMIN+%d", signo - SIGRTMIN);
	else if (abbreviation)
		(void)snprintf(name, sizeof(name), "SIG%s", abbreviation);
	else
		return NULL;
	return name;
}

/* "RTMIN", "RTMIN+3", "RTMAX-2". */
static int parse_realtime_signal(const char *s, int *ret)
{
	bool from_min = has_prefix(s, "RTMIN");
	unsigned int distance = 0;
	int r;

	if (!from_min && !has_prefix(s, "RTMAX"))
		return -EINVAL;
	s += strlen("RTMIN");
	if (*s) {
		if (*s != (from_min ? '+' : '-'))
			return -EINVAL;
		r = parse_uint(s + 1, &distance);
		if (r < 0)
			return r;
	}
	if (distance > (unsigned int)(SIGRTMAX - SIGRTMIN))
		return -ERANGE;
	*ret = from_min ? SIGRTMIN + (int)distance : SIGRTMAX - (int)distance;
	return 0;
}

int parse_signal(const char *s, int *ret)
{
	/* What signal(7) lists as second names. */
	static const struct {
		const char *name;
		int signo;
	} aliases[] = { { "IOT", SIGABRT }, { "CLD", SIGCHLD }, { "IO", SIGIO },
		{ "POLL", SIGIO } };
	const char *known;
	unsigned int number;
	int r;

	r = parse_uint(s, &number);
	if (r == 0 && (number < 1 || number > (unsigned int)SIGRTMAX))
		return -ERANGE;
	if (r == 0)
		*ret = (int)number;
	if (r == 0 || r == -ERANGE)
		return r;
	if (has_prefix(s, "SIG"))
		s += strlen("SIG");
	for (int signo = 1; signo < SIGRTMIN; signo++) {
		known = sigabbrev_np(signo);
		if (known && strcmp(known, s) == 0) {
			*ret = signo;
			return 0;
		}
	}
	for (size_t i = 0; i < ARRAY_SIZE(aliases); i++)
		if (strcmp(aliases[i].name, s) == 0) {
			*ret = aliases[i].signo;
			return 0;
		}
	return parse_realtime_signal(s, ret);
}

const char *errno_name(int error)
{
	return error > 0 ? strerrorname_np(error) : NULL;
}
