/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef MANAGER_NAMES_H
#define MANAGER_NAMES_H

/* clang-format off */
/*
 * The names on the control bus: the only header of the manager that airssysctl may
 * include.
 *
 * The control socket is a peer-to-peer D-Bus server (no bus daemon): any destination name
 * works. It answers org.freedesktop.DBus.Hello so that busctl --address=unix:path=… can
 * introspect.
 *
 * Object NAMES_PATH, interface NAMES_MANAGER:
 *
 *   ListUnits() → a(ssssssuttss)
 *       name, kind ("supervisor" "service" "native"), supervisor ("" is the root), state,
 *       substate, description, pid (0: none), since (realtime usec of the last change of
 *       state), restarts since it was loaded, readiness text, last end ("" or "exited
 *       with status 1"); in tree order: parents before children, children in start order
 *   GetUnit(s name) → a{sv}     everything that "status" and "show" print; keys below
 *   GetFiles(s name) → a(ss)    path and text of the unit's file and drop-ins as loaded
 *   Start(s name) → s           "done"; "already" when it was running. Answered when the
 *                               job is over.
 *   Stop(s name) → s "done"; "already" when it was not running Restart(s name) → s
 *   ReloadUnit(s name) → s ExecReload=; an error when it has none Kill(s name, s whom, i
 *   signal) whom "main", "control", "all" DaemonReload() → a(sssuss) severity, code,
 *   file, line, text, remedy of every diagnostic Diagnostics() → a(sssuss) of the last
 *   load
 *   Shutdown()                  stops the tree; answered at once
 *   property Version s, property RuntimeDirectory s, property TreeUp b
 *
 * Errors: NAMES_ERROR_*.
 *
 * Values of state: "stopped" "starting" "running" "reloading" "stopping" "backoff" (waits
 * before a restart) "failed" (ended abnormally and will not be restarted, or given up)
 * "exited" (a oneshot that is done, RemainAfterExit) "refused" (its files have a mistake,
 * which stands as the last end; it is not in the tree, and its kind is not known)
 *
 * Keys of GetUnit (text, unless a type is told; absent when they mean nothing for the
 * unit):
 *   Name Kind Description Supervisor State SubState Since(t) Files(as)
 *   Documentation(as)
 *   PID(u) ControlPID(u) MainStartRealtime(t) StatusText Result
 *   LastEnd LastEndRealtime(t) LastDecision ("restarted (one-for-one)", "stopped with its
 *     group after db ended (rest-for-one)", …)
 *   Job (what is under way, in order of arrival: "stop start")
 *   Restarts(t) RestartsInWindow(u) Intensity(u) PeriodUSec(t) Strategy
 *   NextRestartRealtime(t) Attempt(u)
 *   MemoryBytes(t) MemoryPeakBytes(t) Tasks(u) CPUUSec(t) Confinement
 *   Children(as) ActorPID(t) MessagesHandled(t) FailedStep
 *   LogJournal(b: the log is in the journal) LogFile (path of the log; with LogJournal: of
 *     the file that takes the output while there is no journal)
 *   LogIdentifier (of the stream that the output goes through to the journal)
 *   Instance (AIRSSYS_INSTANCE of the records about it)
 *   Refused (why its files, read again, were not taken: the mistake)
 *   Settings (unit_dump text) NeedsRestart(b: it runs with other settings than these)
 */
/* clang-format on */

#define NAMES_BUS            "org.airssys"
#define NAMES_PATH           "/org/airssys"
#define NAMES_MANAGER        "org.airssys.Manager1"
#define NAMES_CONTROL        "control" /* socket, within the runtime folder */
#define NAMES_LOCK           "lock" /* beside it; airssysd holds a flock as long as it lives */
#define NAMES_LIST_SIGNATURE "(ssssssuttss)"
#define NAMES_DIAG_SIGNATURE "(sssuss)"

/* Calls of one connection that may wait for their answer at once. */
#define NAMES_PENDING_MAX 64

#define NAMES_ERROR_NO_SUCH_UNIT  "org.airssys.Error.NoSuchUnit"
#define NAMES_ERROR_REFUSED       "org.airssys.Error.Refused" /* its files have a mistake */
#define NAMES_ERROR_NOT_RUNNING   "org.airssys.Error.NotRunning"
#define NAMES_ERROR_DENIED        "org.freedesktop.DBus.Error.AccessDenied"
#define NAMES_ERROR_FAILED        "org.airssys.Error.Failed"
#define NAMES_ERROR_NOT_SUPPORTED "org.freedesktop.DBus.Error.NotSupported"

#endif
