/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef BASE_JOURNAL_H
#define BASE_JOURNAL_H

/*
 * The unit that a stream of output is given to the journal as, around the identifier of
 * the stream: exec writes it, ctl looks for it. The journal takes it from root alone, so
 * an entry that has it comes from a service of an instance of root's.
 */

#define JOURNAL_UNIT_PREFIX "airssys-"
#define JOURNAL_UNIT_SUFFIX ".service"

#endif
