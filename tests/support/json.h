/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef TESTS_SUPPORT_JSON_H
#define TESTS_SUPPORT_JSON_H

/*
 * A strict check of JSON (RFC 8259) for tests of programs that print it.
 */

/* Where the value that begins at s ends; NULL when it is no valid JSON in UTF-8. */
const char *json_skip(const char *s);

#endif
