/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef AIRSSYS_MODULE_H
#define AIRSSYS_MODULE_H

/*
 * Actor modules: shared objects whose actors live in the supervision tree beside the
 * services. A module exports one constant, airs_module, made with AIRS_MODULE.
 *
 * The init function of a module's behaviour receives a struct airs_module_args as args.
 */

#include <airssys/actor.h>
#include <airssys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

#define AIRS_MODULE_MAGIC UINT64_C(0x41697273536d6f64)
#define AIRS_MODULE_ABI   1u

struct airs_module {
	uint64_t magic; /* AIRS_MODULE_MAGIC */
	uint32_t abi; /* AIRS_MODULE_ABI */
	uint32_t size; /* sizeof(struct airs_module) */
	const char *name;
	const char *description;
	const struct airs_behaviour *behaviour;
};

#define AIRS_MODULE(module_name, module_description, module_behaviour)                   \
	AIRS_PUBLIC extern const struct airs_module airs_module;                         \
	const struct airs_module airs_module = { AIRS_MODULE_MAGIC, AIRS_MODULE_ABI,     \
		sizeof(struct airs_module), module_name, module_description,             \
		module_behaviour }

/* What the manager tells a module's actor. Valid during init; copy what is kept. */
struct airs_module_args {
	size_t size;
	const char *name; /* of the actor in its file */
	/* "key=value" texts of Arguments=, NULL-terminated */
	const char *const *arguments;
};

/* The value of key in arguments, or NULL. Borrowed. */
AIRS_PUBLIC const char *airs_module_argument(
		const struct airs_module_args *args, const char *key);

/*
 * Ask the manager to treat a sibling's service as failed: its process is ended as by its
 * stop ladder, and its supervisor acts as after any abnormal end, with a reason whose
 * text is why. name is the actor's name in its file. Answered by AIRS_MSG_REPLY on
 * *ret_call: 0, -ENOENT no such actor, -ESRCH it is not running, -EPERM the caller is not
 * under the same supervisor. -ENOTCONN outside of a manager.
 */
AIRS_PUBLIC AIRS_MUST_CHECK int airs_service_fail(struct airs_actor *self,
		const char *name, const char *why, airs_ref *ret_call);

/*
 * Set the status text that "airssysctl status" shows for the calling actor; cut to 255
 * bytes.
 */
AIRS_PUBLIC void airs_status(struct airs_actor *self, const char *text);

#ifdef __cplusplus
}
#endif

#endif
