/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef BASE_PATH_H
#define BASE_PATH_H

/*
 * Opening files that an outsider might have prepared. A trusted file is a regular file,
 * owned by root or by our own effective user, that neither group nor others may write; it
 * is opened without blocking, without following links out of its folder, and read whole
 * into memory, so that what was checked is what is parsed.
 */

#include <stddef.h>

#include "base/macro.h"

/* The largest name in a folder, with its NUL. */
#define PATH_NAME_SIZE 256

/* Why a file was refused; each has a sentence for people. */
enum path_refusal {
	PATH_OK,
	PATH_ERROR, /* see the errno */
	PATH_NOT_REGULAR, /* folder, FIFO, socket, device */
	PATH_FOREIGN, /* owned by somebody else */
	PATH_WRITABLE, /* group or others may write */
	PATH_TOO_LARGE,
	PATH_CHANGED, /* changed while it was read */
	PATH_PARENT_FOREIGN, /* a folder above it is owned by somebody else */
	PATH_PARENT_WRITABLE, /* a folder above it: group or others may write, not sticky
			       */
};

/*
 * Read the trusted file name beneath dir_fd, at most limit bytes. name may have several
 * components, none of them a link. 0, or a negative errno with the refusal in
 * *ret_refusal (always written): PATH_ERROR with the errno of the failed call (-ENOENT,
 * -ELOOP for a link, -EXDEV for a name that leaves the folder), else -EINVAL, -EPERM,
 * -EFBIG or -ESTALE as suits the refusal. The content has an uncounted NUL behind it; the
 * caller frees it.
 */
MUST_CHECK int path_read_trusted(int dir_fd, const char *name, size_t limit,
		char **ret_data, size_t *ret_size, enum path_refusal *ret_refusal);

/* Open a trusted file for other uses, with the same checks. */
MUST_CHECK int path_open_trusted(int dir_fd, const char *name, size_t limit, int *ret_fd,
		enum path_refusal *ret_refusal);

/* Why the folder itself cannot be trusted (PATH_FOREIGN, PATH_WRITABLE, PATH_ERROR with
 * errno set), or PATH_OK. */
enum path_refusal path_check_folder(int dir_fd);

/*
 * The same for all folders above it, up to the root, where the folder really lies:
 * PATH_PARENT_FOREIGN, PATH_PARENT_WRITABLE, PATH_ERROR with errno set, or PATH_OK. Whoever may write a folder above
 * could put another one in its place. Sticky folders such as /tmp may be writable: in
 * them nobody renames what is ours or root's, and what is below them is checked to be.
 */
enum path_refusal path_check_parents(int dir_fd);

const char *path_refusal_text(enum path_refusal refusal);

/*
 * Find the file at an absolute path: the folder that it is in, open for use with *at
 * calls, and its name there, which is not a link (and may not be there at all). A link is
 * followed only when it belongs to root or to our own effective user: -ELOOP for one that
 * somebody else could have planted, -EISDIR for what is no name in a folder. The caller
 * opens the name with O_NOFOLLOW, and closes the folder.
 */
MUST_CHECK int path_find(
		const char *path, int *ret_dir_fd, char ret_name[static PATH_NAME_SIZE]);

/* mkdir -p with this mode for what is made. */
MUST_CHECK int path_make_folders(const char *path, unsigned int mode);

/*
 * Make a folder at an absolute path, with those above it, whose files will be opened by
 * path as well: nobody but root and our own effective user may ever put something else in
 * its place. -ELOOP for a link of somebody else on the way, -EPERM for a folder that
 * path_check_folder or path_check_parents refuse. The open folder is the caller's.
 */
MUST_CHECK int path_make_trusted(const char *path, unsigned int mode, int *ret_fd);

/*
 * As path_make_folders beneath base, which is made so, for a name whose folders may belong to
 * somebody else: no component of name may be a link or "..". The open last folder is the
 * caller's. -ELOOP or -ENOTDIR for what is not a folder, -EXDEV for a name that leaves
 * base, -EINVAL for an empty one.
 */
MUST_CHECK int path_make_beneath(
		const char *base, const char *name, unsigned int mode, int *ret_fd);

#endif
