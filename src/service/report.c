/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "airssys/message.h"
#include "service/service.h"

static size_t text_size(const char *text)
{
	return text ? strlen(text) + 1 : 0;
}

static const char *put_text(char **cursor, const char *text)
{
	size_t size = text_size(text);

	if (!text)
		return NULL;
	*cursor += size;
	return memcpy(*cursor - size, text, size);
}

struct service_report *service_report_copy(
		const struct service_report *report, size_t *ret_size)
{
	size_t end_size = report->last ? sizeof(*report->last) : 0;
	size_t size = sizeof(*report) + end_size + text_size(report->failed_step) +
			text_size(report->failed_detail) + text_size(report->status_text);
	struct service_report *copy = malloc(size);
	char *cursor;

	if (!copy)
		return NULL;
	*copy = *report;
	cursor = (char *)(copy + 1);
	if (report->last)
		copy->last = memcpy(cursor, report->last, end_size);
	cursor += end_size;
	copy->failed_step = put_text(&cursor, report->failed_step);
	copy->failed_detail = put_text(&cursor, report->failed_detail);
	copy->status_text = put_text(&cursor, report->status_text);
	*ret_size = size;
	return copy;
}

int service_report_send(struct airs_actor *self, airs_pid observer,
		const struct service_report *report)
{
	struct service_report *copy;
	size_t size;

	if (observer == AIRS_PID_NONE)
		return 0;
	copy = service_report_copy(report, &size);
	if (!copy)
		return -ENOMEM;
	return airs_send_moved(self, observer, SERVICE_REPORT,
			(struct airs_payload){ copy, size, free });
}
