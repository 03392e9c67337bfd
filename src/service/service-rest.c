/* SPDX-License-Identifier: Apache-2.0 OR MIT */

/*
 * Most services do nothing most of the time, and there may be thousands. So an actor has
 * its settings and its working state only from a message that wakes it until it has come
 * to rest again; settings are made anew from the text of their file each time.
 *
 * The settings of a run are those that it was started with. When a reload puts others in
 * force, whoever does that leaves the earlier ones in the unit's identity.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "service/service-impl.h"

static int open_unit(const struct service *s, struct unit **ret_unit)
{
	const struct service_directory *directory = &s->context->directory;

	return directory->open(directory->data, service_name(s), ret_unit);
}

/* What it was started with is needed again if others are in force. */
static void close_unit(struct service *s)
{
	struct service_unit *identity = s->identity;

	if (s->unit_is_kept && identity->is_outdated) {
		unit_free(identity->kept);
		identity->kept = TAKE_PTR(s->unit);
	}
	unit_free(s->unit);
	s->unit = NULL;
	s->unit_is_kept = false;
}

void service_leave_unit(struct service *s)
{
	if (!s->restarts || s->identity->is_outdated || s->identity->kept)
		return;
	s->identity->kept = TAKE_PTR(s->unit);
}

int service_wake(struct service *s)
{
	if (!s->work) {
		s->work = calloc(1, sizeof(*s->work));
		if (!s->work)
			return -ENOMEM;
		list_init(&s->work->kills);
	}
	if (s->unit)
		return 0;
	if (!s->identity->kept)
		return open_unit(s, &s->unit);
	s->unit = TAKE_PTR(s->identity->kept);
	s->unit_is_kept = true;
	return 0;
}

void service_renew_unit(struct service *s)
{
	auto_(unit) unit = NULL;

	if (!s->identity->is_outdated || open_unit(s, &unit) < 0 ||
			unit->kind != UNIT_SERVICE)
		return;
	close_unit(s);
	s->unit = TAKE_PTR(unit);
}

static bool awaits_answer(const struct service_work *w)
{
	return w->attach_call != 0 || w->spawn_call != 0 || w->signal_all_call != 0 ||
			w->set_main_call != 0 || w->pid_file_timer != 0 ||
			w->linger_timer != 0 || w->question || w->reload_from.ref != 0 ||
			!list_is_empty(&w->kills);
}

/* Whether it lasts until something happens from outside. */
static bool is_at_rest(const struct service *s)
{
	return (s->state == FSM_RUNNING || s->state == FSM_EXITED) &&
			s->work->n_events == 0 && !awaits_answer(s->work);
}

/* Whether the next report would say the same without it. */
static bool is_worth_keeping(const struct service *s)
{
	return s->main.state == PROCESS_ENDED ||
			s->work->control.state == PROCESS_ALIVE || s->work->failure ||
			s->work->result != END_SUCCESS;
}

void service_rest(struct service *s)
{
	if (!is_at_rest(s))
		return;
	close_unit(s);
	if (is_worth_keeping(s))
		return;
	free(s->work);
	s->work = NULL;
}

void service_rest_fini(struct service *s)
{
	struct service_kill_call *k, *tmp;

	unit_free(s->unit);
	s->unit = NULL;
	if (!s->work)
		return;
	list_foreach_safe(k, tmp, &s->work->kills, link)
		free(k);
	service_notify_fini(s);
	free(s->work->failure);
	free(s->work);
	s->work = NULL;
}
