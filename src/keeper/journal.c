/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "keeper/journal.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/cleanup.h"
#include "base/text.h"

/* A socket file that an ended journal left behind is no journal. */
static bool is_listening(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	auto_close int fd =
			socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	size_t n = strlen(path);

	if (fd < 0 || n >= sizeof(address.sun_path))
		return false;
	memcpy(address.sun_path, path, n + 1);
	return connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0 ||
			errno == EAGAIN;
}

int journal_find(struct journal *journal)
{
	const char *folder = getenv("AIRSSYS_JOURNAL_DIR");
	auto_free char *stream = NULL, *socket_path = NULL;

	journal_fini(journal);
	if (!folder || *folder != '/')
		folder = "/run/systemd/journal";
	stream = text_format("%s/stdout", folder);
	socket_path = text_format("%s/socket", folder);
	if (!stream || !socket_path)
		return -ENOMEM;
	journal->is_there = is_listening(stream);
	journal->stream_path = TAKE_PTR(stream);
	journal->socket_path = TAKE_PTR(socket_path);
	return 0;
}

void journal_fini(struct journal *journal)
{
	free(journal->stream_path);
	free(journal->socket_path);
	*journal = (struct journal){ 0 };
}
