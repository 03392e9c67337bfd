/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef AIRSSYS_AIRSSYS_H
#define AIRSSYS_AIRSSYS_H

/*
 * Everything of libairssys: an actor runtime with Erlang/OTP's semantics for C programs.
 */

#endif
