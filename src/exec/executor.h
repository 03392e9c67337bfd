/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef EXEC_EXECUTOR_H
#define EXEC_EXECUTOR_H

/*
 * How airssysd starts airssys-exec: the sealed description and the write end of a pipe at
 * fixed descriptors. The pipe is closed by the execution of the service, which is how the
 * keeper learns of success; after a failed step it holds one struct exec_report.
 *
 * Descriptor 3 is the executor's own program when the keeper starts it.
 */

#define EXECUTOR_PROGRAM_FD 3
#define EXECUTOR_SPEC_FD    4
#define EXECUTOR_REPORT_FD  5

#endif
