/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef AIRSSYS_AIRSSYS_H
#define AIRSSYS_AIRSSYS_H

/*
 * Everything of libairssys: an actor runtime with Erlang/OTP's semantics for C programs.
 */

#include <airssys/actor.h>
#include <airssys/event.h>
#include <airssys/message.h>
#include <airssys/module.h>
#include <airssys/statem.h>
#include <airssys/supervisor.h>
#include <airssys/system.h>
#include <airssys/types.h>

#endif
