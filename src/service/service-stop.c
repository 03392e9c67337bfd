/* SPDX-License-Identifier: Apache-2.0 OR MIT */

/*
 * KillMode=, by whom the two signals of the ladder reach and what has to be gone in the
 * end:
 *
 *   control-group  all, all; everything
 *   mixed          KillSignal= the main process, SIGKILL all the others when it is gone;
 * everything process        the main process and the command that runs; these none
 * nobody; nothing
 */

#include <errno.h>
#include <signal.h>
#include <string.h>

#include "service/service-impl.h"

#define LINGER_USEC (5 * USEC_PER_MSEC)

/* One signal, and those that follow it in the same request. */
struct volley {
	int signo;
	uint64_t further;
};

static bool is_alive(const struct service_process *p)
{
	return p->state == PROCESS_ALIVE;
}

static bool takes_everything(const struct service *s)
{
	return service_settings(s)->kill_mode == UNIT_KILL_CONTROL_GROUP ||
			service_settings(s)->kill_mode == UNIT_KILL_MIXED;
}

bool service_is_gone(const struct service *s)
{
	if (s->work->spawn_call != 0)
		return false;
	if (s->unkillable || service_settings(s)->kill_mode == UNIT_KILL_NONE)
		return true;
	if (is_alive(&s->main) || is_alive(&s->work->control))
		return false;
	return s->empty || !takes_everything(s);
}

static uint64_t bit_of(int signo)
{
	return UINT64_C(1) << (signo - 1);
}

static void send_signals(struct airs_actor *self, struct service *s,
		enum protocol_whom whom, struct volley volley)
{
	struct link_signal signal = { service_name(s), whom, volley.signo,
		volley.further };
	airs_ref call;

	if (link_signal(self, s->context->link, &signal, &call) < 0)
		return; /* The state's timer leads on. */
	if (whom == PROTOCOL_ALL)
		s->work->signal_all_call = call;
}

void service_signal(struct airs_actor *self, struct service *s, enum protocol_whom whom,
		int signo)
{
	send_signals(self, s, whom, (struct volley){ signo, 0 });
}

static void signal_known(struct airs_actor *self, struct service *s, struct volley volley)
{
	if (is_alive(&s->main) ||
			(s->work->spawn_call != 0 &&
					s->work->run_kind == UNIT_EXEC_START))
		send_signals(self, s, PROTOCOL_MAIN, volley);
	if (is_alive(&s->work->control) ||
			(s->work->spawn_call != 0 &&
					s->work->run_kind != UNIT_EXEC_START))
		send_signals(self, s, PROTOCOL_CONTROL, volley);
}

static int polite_signal(const struct service *s)
{
	const struct unit_service *settings = service_settings(s);

	if (s->work->result == END_WATCHDOG)
		return SIGABRT;
	if (s->stop_requested && service_is_restarting(s->context, service_name(s)))
		return settings->restart_kill_signal;
	return settings->kill_signal;
}

/* What is stopped hears of a signal only when it is continued. */
static struct volley polite_signals(const struct service *s)
{
	const struct unit_service *settings = service_settings(s);
	struct volley volley = { .signo = polite_signal(s) };

	if (settings->send_sighup && volley.signo != SIGHUP)
		volley.further |= bit_of(SIGHUP);
	if (volley.signo != SIGKILL && volley.signo != SIGCONT)
		volley.further |= bit_of(SIGCONT);
	return volley;
}

static void signal_all(struct airs_actor *self, struct service *s, int signo)
{
	service_signal(self, s, PROTOCOL_ALL, signo);
}

static bool has_main(const struct service *s)
{
	return s->main.state == PROCESS_ALIVE || s->main.state == PROCESS_UNKNOWN ||
			s->work->spawn_call != 0;
}

/* Nothing that is known lives, but the keeper has not said that nothing is left. */
static bool awaits_empty(const struct service *s)
{
	return !has_main(s) && !is_alive(&s->work->control);
}

/*
 * The keeper says EMPTY right after the end of the last process. Most often nothing is
 * left, so signals wait a moment for it: a restart is not held up by signals to nobody.
 */
static bool linger(struct airs_actor *self, struct service *s)
{
	return awaits_empty(s) &&
			airs_timer_start(self, LINGER_USEC, 0, &s->work->linger_timer) ==
			0;
}

static void terminate(struct airs_actor *self, struct service *s)
{
	switch (service_settings(s)->kill_mode) {
	case UNIT_KILL_CONTROL_GROUP:
		send_signals(self, s, PROTOCOL_ALL, polite_signals(s));
		break;
	case UNIT_KILL_MIXED:
		if (s->main.state == PROCESS_UNKNOWN)
			send_signals(self, s, PROTOCOL_ALL, polite_signals(s));
		else if (has_main(s))
			signal_known(self, s, polite_signals(s));
		else
			signal_all(self, s, SIGKILL);
		break;
	case UNIT_KILL_PROCESS:
		signal_known(self, s, polite_signals(s));
		break;
	case UNIT_KILL_NONE:
		break;
	}
}

void service_terminate(struct airs_actor *self, struct service *s)
{
	service_answer_reload(self, s, -ECANCELED, "the service is being stopped");
	if (s->empty || service_is_gone(s) || linger(self, s))
		return;
	terminate(self, s);
}

void service_kill(struct airs_actor *self, struct service *s)
{
	const struct unit_service *settings = service_settings(s);

	if (!settings->send_sigkill)
		return;
	if (takes_everything(s))
		signal_all(self, s, settings->final_kill_signal);
	else
		signal_known(self, s, (struct volley){ settings->final_kill_signal, 0 });
}

void service_kill_rest(struct airs_actor *self, struct service *s)
{
	if (service_settings(s)->kill_mode == UNIT_KILL_MIXED && !s->empty &&
			service_settings(s)->send_sigkill)
		signal_all(self, s, SIGKILL);
}

void service_give_up(struct airs_actor *self, struct service *s)
{
	s->unkillable = true;
	s->work->result = END_UNKILLABLE;
	s->work->reason = airs_reason_make(AIRS_REASON_TIMEOUT, 0, "unkillable");
	service_log(self, s, ACTIVITY_UNKILLABLE, NULL);
	service_run_commands(self, s);
}

static void sweep(struct airs_actor *self, struct service *s)
{
	if (takes_everything(s))
		signal_all(self, s, SIGKILL);
	else
		signal_known(self, s, (struct volley){ SIGKILL, 0 });
}

void service_sweep(struct airs_actor *self, struct service *s)
{
	if (!service_is_gone(s) && !linger(self, s))
		sweep(self, s);
}

void service_on_lingered(struct airs_actor *self, struct service *s)
{
	if (service_is_gone(s))
		return;
	if (s->state == FSM_STOP_SIGTERM || s->state == FSM_CLEAR)
		terminate(self, s);
	else if (s->state == FSM_FINAL)
		sweep(self, s);
}

static bool is_failure(const struct service *s)
{
	return s->work->result != END_SUCCESS;
}

/* An end that nobody asked for is the last one only when no restart follows. */
static enum activity_kind orderly_end(const struct service *s)
{
	if (s->stop_requested)
		return ACTIVITY_SERVICE_STOPPED;
	return s->over ? ACTIVITY_SERVICE_DONE : ACTIVITY_SERVICE_ENDED;
}

static void log_end(struct airs_actor *self, struct service *s)
{
	if (is_failure(s))
		service_log(self, s, ACTIVITY_SERVICE_FAILED,
				s->work->result == END_RESOURCES
						? NULL
						: end_result_text(s->work->result));
	else
		service_log(self, s, orderly_end(s), NULL);
}

/* The start handshake of an actor that ends before it was ready. */
static void end_start(struct airs_actor *self, struct service *s, bool failed)
{
	if (s->acknowledged)
		return;
	s->acknowledged = true;
	if (failed)
		airs_init_failed(self, &s->work->exit_reason);
	else
		airs_init_done(self, 0);
}

void service_finish(struct airs_actor *self, struct service *s)
{
	bool restart = !s->stop_requested && !s->over && !s->leaving &&
			end_wants_restart(s->unit, s->work->result,
					s->main.state == PROCESS_ENDED
							? &s->work->main_end
							: NULL);
	bool is_told = s->over; /* by an earlier core */

	if (!s->stop_requested)
		s->work->exit_reason = end_exit_reason(
				&s->work->reason, s->work->result, restart);
	s->over = s->over || (!s->stop_requested && !restart);
	s->finished = true;
	s->restarts = restart;
	if (!is_told)
		log_end(self, s);
	service_write_note(self, s);
	if (s->main.state == PROCESS_ENDED && s->main.spawn_id != 0)
		IGNORE_RESULT(link_ack(self, s->context->link, s->main.spawn_id));
	IGNORE_RESULT(link_detach(self, s->context->link, service_name(s)));
	service_report(self, s);
	end_start(self, s, restart || s->stop_requested);
}
