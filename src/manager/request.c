/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "manager/request.h"

#include <stdarg.h>
#include <stdlib.h>

/* What travels: the runtime frees it after the receiver's handler, which may have taken
 * the request out. */
struct envelope {
	struct request *request;
};

int request_new(enum access_method method, const struct access_caller *caller,
		sd_bus_message *call, struct request **ret_request)
{
	struct request *request = calloc(1, sizeof(*request));

	if (!request)
		return -ENOMEM;
	request->method = method;
	request->caller = *caller;
	request->call = sd_bus_message_ref(call);
	*ret_request = request;
	return 0;
}

void request_free(struct request *request)
{
	if (!request)
		return;
	sd_bus_message_unref(request->answer);
	sd_bus_message_unref(request->call);
	free(request->name);
	free(request->whom);
	free(request);
}

static void free_envelope(void *data)
{
	struct envelope *envelope = data;

	request_free(envelope->request);
	free(envelope);
}

int request_send(struct airs_actor *self, airs_pid to, uint32_t type,
		struct request *request)
{
	struct envelope *envelope = malloc(sizeof(*envelope));

	if (!envelope) {
		request_free(request);
		return -ENOMEM;
	}
	envelope->request = request;
	return airs_send_moved(self, to, type,
			(struct airs_payload){
					envelope, sizeof(*envelope), free_envelope });
}

struct request *request_take(struct airs_message *message)
{
	struct envelope *envelope = message->data;

	return TAKE_PTR(envelope->request);
}

void request_set_answer(struct request *request, sd_bus_message *answer)
{
	sd_bus_message_unref(request->answer);
	request->answer = answer;
}

/* Without memory for an answer the client meets its own timeout. */

void request_fail(struct request *request, const char *name, const char *format, ...)
{
	sd_bus_error error = SD_BUS_ERROR_NULL;
	sd_bus_message *answer = NULL;
	va_list ap;

	va_start(ap, format);
	(void)sd_bus_error_setfv(&error, name, format, ap);
	va_end(ap);
	if (sd_bus_message_new_method_error(request->call, &answer, &error) >= 0)
		request_set_answer(request, answer);
	sd_bus_error_free(&error);
}

void request_answer_text(struct request *request, const char *text)
{
	sd_bus_message *answer = NULL;

	if (sd_bus_message_new_method_return(request->call, &answer) < 0)
		return;
	if (sd_bus_message_append(answer, "s", text) < 0)
		sd_bus_message_unref(answer);
	else
		request_set_answer(request, answer);
}

void request_answer_empty(struct request *request)
{
	sd_bus_message *answer = NULL;

	if (sd_bus_message_new_method_return(request->call, &answer) >= 0)
		request_set_answer(request, answer);
}
