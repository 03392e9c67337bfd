/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef TESTS_UNIT_MANAGER_STRAW_H
#define TESTS_UNIT_MANAGER_STRAW_H

/*
 * A whole core (manager, link, supervisors, service actors) on real threads against a
 * keeper of straw, which answers on the other end of the link: it spawns whatever it is
 * told, except of units named "missing", and lets processes end by the first signal. One
 * at a time.
 */

#include <systemd/sd-bus.h>

#include "unit/manager/units.h"

void straw_start(const struct text_file *files, size_t n);
/* Ends the core as if the keeper had gone. Notes are kept for the next straw_start. */
void straw_stop(void);
/* The files that the next reload finds. */
void straw_set_files(const struct text_file *files, size_t n);
/* One of them was left out when they were read. Before the reload. */
void straw_leave_out(const char *path);
/* What is sent instead of them is no file that the core can read. Before straw_start. */
void straw_garble_files(void);
/* A process of this unit ends with an exit status. */
void straw_exit(const char *unit, int status);
/* Waits, within a limit. */
void straw_wait_up(void);
void straw_wait_down(void);
/* Until the core has ended by itself. Its exit status. */
int straw_wait_ended(void);
/* Waits until so many notes about a unit have come in all. */
void straw_wait_for_notes(const char *unit, unsigned int n);
/* Spawned so far. */
unsigned int straw_spawned(const char *unit);

/* Calls a method about a unit. 0 and its text (never freed), or a negative errno and the
 * error's name. */
int straw_call(const char *method, const char *unit, const char **ret_text);
/* Calls a method with an array of structs as its result and counts them. */
unsigned int straw_count(const char *method, const char *signature);
/* A text of GetUnit, "" when absent. */
const char *straw_get(const char *unit, const char *key);
void straw_wait_for(const char *unit, const char *key, const char *value);
int straw_kill(const char *unit, const char *whom, int signal);
void straw_shut_down(void);

#endif
