/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "service/notify.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/text.h"

static bool is_status(const char *value)
{
	for (const char *c = value; *c; c++)
		if (((unsigned char)*c < 0x20 && *c != '\t') || *c == 0x7f)
			return false;
	return text_is_utf8(value, strlen(value));
}

static int take_flag(struct notify_message *m, const char *value, enum notify_flag flag)
{
	if (!text_equals(value, "1"))
		return -EBADMSG;
	m->flags |= flag;
	return 0;
}

static int take_ready(struct notify_message *m, const char *value)
{
	return take_flag(m, value, NOTIFY_READY);
}

static int take_reloading(struct notify_message *m, const char *value)
{
	return take_flag(m, value, NOTIFY_RELOADING);
}

static int take_stopping(struct notify_message *m, const char *value)
{
	return take_flag(m, value, NOTIFY_STOPPING);
}

static int take_watchdog(struct notify_message *m, const char *value)
{
	if (text_equals(value, "trigger")) {
		m->flags |= NOTIFY_WATCHDOG_TRIGGER;
		return 0;
	}
	return take_flag(m, value, NOTIFY_WATCHDOG);
}

static int take_fdstore(struct notify_message *m, const char *value)
{
	return take_flag(m, value, NOTIFY_FDSTORE);
}

static int take_status(struct notify_message *m, const char *value)
{
	if (!is_status(value))
		return -EBADMSG;
	m->status = value;
	m->flags |= NOTIFY_STATUS;
	return 0;
}

static int take_main_pid(struct notify_message *m, const char *value)
{
	if (parse_pid(value, &m->main_pid) < 0)
		return -EBADMSG;
	m->flags |= NOTIFY_MAINPID;
	return 0;
}

static int take_errno(struct notify_message *m, const char *value)
{
	if (parse_int(value, &m->error) < 0 || m->error < 0 || m->error > 4095)
		return -EBADMSG;
	m->flags |= NOTIFY_ERRNO;
	return 0;
}

static int take_extend_timeout(struct notify_message *m, const char *value)
{
	if (parse_u64(value, &m->extend_timeout_usec) < 0)
		return -EBADMSG;
	m->extend_timeout_usec = MIN_OF(m->extend_timeout_usec, NOTIFY_EXTEND_MAX_USEC);
	m->flags |= NOTIFY_EXTEND_TIMEOUT;
	return 0;
}

static const struct {
	const char *key;
	int (*take)(struct notify_message *m, const char *value);
} keys[] = {
	{ "READY", take_ready },
	{ "RELOADING", take_reloading },
	{ "STOPPING", take_stopping },
	{ "WATCHDOG", take_watchdog },
	{ "STATUS", take_status },
	{ "MAINPID", take_main_pid },
	{ "ERRNO", take_errno },
	{ "EXTEND_TIMEOUT_USEC", take_extend_timeout },
	{ "FDSTORE", take_fdstore },
};

static int parse_line(char *line, struct notify_message *m)
{
	char *equals = strchr(line, '=');

	if (!equals || equals == line)
		return -EBADMSG;
	*equals = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (text_equals(line, keys[i].key))
			return keys[i].take(m, equals + 1);
	return 0;
}

int notify_parse(char *text, size_t size, struct notify_message *ret_message)
{
	struct notify_message m = { 0 };
	char *next, *end = text + size;
	unsigned int lines = 0;

	if (size > NOTIFY_SIZE_MAX || memchr(text, '\0', size))
		return -EBADMSG;
	*end = '\0';
	for (char *line = text; line < end; line = next) {
		next = strchrnul(line, '\n');
		*next++ = '\0';
		if (++lines > NOTIFY_LINES_MAX)
			return -EBADMSG;
		/* sd_notify(3) lets a message end in newlines. */
		if (*line && parse_line(line, &m) < 0)
			return -EBADMSG;
	}
	*ret_message = m;
	return 0;
}

int notify_enable(int fd)
{
	int on = 1;

	return setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) < 0 ? -errno : 0;
}

static void close_received(const struct cmsghdr *c)
{
	size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
	int fd;

	for (size_t i = 0; i < n; i++) {
		memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(fd));
		(void)close_fd(fd);
	}
}

static void take_control(struct msghdr *h, struct notify_sender *sender)
{
	struct ucred credentials;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(h); c; c = CMSG_NXTHDR(h, c)) {
		if (c->cmsg_level != SOL_SOCKET)
			continue;
		if (c->cmsg_type == SCM_RIGHTS)
			close_received(c);
		if (c->cmsg_type != SCM_CREDENTIALS ||
				c->cmsg_len != CMSG_LEN(sizeof(credentials)))
			continue;
		memcpy(&credentials, CMSG_DATA(c), sizeof(credentials));
		sender->pid = credentials.pid;
		sender->uid = credentials.uid;
	}
}

ssize_t notify_receive(int fd, char *buffer, struct notify_sender *ret_sender)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(struct ucred)) +
			CMSG_SPACE(sizeof(int) * NOTIFY_FDS_MAX)];
	struct iovec iov = { buffer, NOTIFY_SIZE_MAX };
	struct msghdr h = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct notify_sender sender = { 0, (uid_t)-1 };
	ssize_t n;

	do
		n = recvmsg(fd, &h, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	take_control(&h, &sender);
	if (h.msg_flags & (MSG_TRUNC | MSG_CTRUNC))
		return -EMSGSIZE;
	*ret_sender = sender;
	return n;
}
