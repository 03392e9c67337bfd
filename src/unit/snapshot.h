/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef UNIT_SNAPSHOT_H
#define UNIT_SNAPSHOT_H

/*
 * The text of all unit files at one moment. The keeper reads the files once, with the
 * checks of base/path.h, and hands the same bytes to the core, so that both see one truth
 * and what was checked is what is parsed. Immutable; owned by its maker.
 *
 * Search path: earlier folders win over later ones, file by file; drop-ins
 * NAME.actor.d/[*].conf of all folders are merged in the order of their names, the
 * earlier folder winning for one name. A link to /dev/null masks.
 */

#include <stddef.h>
#include <stdint.h>

#include "base/diag.h"
#include "base/text.h"
#include "unit/programs.h"
#include "unit/unit.h"

struct unit_store;

/* Where something stands in a store (unit/store.h). */
struct unit_extent {
	uint32_t at, size; /* 0, 0: nowhere */
};

struct unit_file {
	char *path; /* where it was read */
	char *unit; /* "db.actor": the file that it is, or that it is a drop-in of */
	uint32_t is_drop_in;
	uint32_t is_masked; /* it is a link to /dev/null; data is empty */
	uint32_t is_refused; /* it was not read, which is told; data is empty */
	uint32_t is_kept; /* of an earlier load; what the file says now has a mistake */
	char *data; /* NUL-terminated */
	size_t size;
	struct unit_extent extent; /* once the snapshot has a store */
};

void unit_file_fini(struct unit_file *f);

struct unit_snapshot {
	void *memory; /* what the texts stand in when it was unpacked; private */
	struct unit_file *files; /* units in the order of their names, each followed by
				    its drop-ins */
	uint32_t count;
	struct diag diag; /* what its loading, and its first parsing, had to say */
	struct unit_refusals refusals; /* of its first parsing: who needs no other */
	/* What everyone who parses it expands specifiers with; its texts are borrowed, or
	 * in memory. */
	struct unit_context context;
	struct unit_programs programs; /* context's, once it was set */
	struct unit_store *store; /* where the files are when they do not change any more;
				     NULL: nowhere yet */
};

/* Largest file that is read, and the most files. */
#define UNIT_FILE_MAX  (1024 * 1024)
#define UNIT_FILES_MAX 65536

/*
 * Read all unit files of the search path. A file that is refused (foreign owner, writable
 * by others, FIFO, too large, unreadable) has no text and is told, in the snapshot's own
 * diag, which travels with it, and in the caller's (may be NULL). A folder that is not
 * there is no mistake. 0 or -ENOMEM.
 */
MUST_CHECK int unit_snapshot_load(const struct strv *search_path, struct diag *diag,
		struct unit_snapshot **ret_snapshot);
/* A snapshot of just these files, for "verify" and for --once. Ownership is not checked.
 */
MUST_CHECK int unit_snapshot_load_files(const struct strv *paths, struct diag *diag,
		struct unit_snapshot **ret_snapshot);
/*
 * What the files depend on besides their text, for everyone who parses them: this
 * context, and the programs that are there when they are parsed first. Its texts must
 * live as long as the snapshot. Pack it after parsing, so that the answers go with it.
 */
void unit_snapshot_set_context(
		struct unit_snapshot *snapshot, const struct unit_context *context);
/* Put the files into the order that is told above. */
void unit_snapshot_sort(struct unit_snapshot *snapshot);
void unit_snapshot_free(struct unit_snapshot *snapshot);
DEFINE_AUTO(unit_snapshot, unit_snapshot_free);

/*
 * Parse with the context that was set. What is wrong, and which units are refused, is
 * kept in the snapshot: others who parse it need not judge again. -ENOMEM.
 */
MUST_CHECK int unit_snapshot_parse(
		struct unit_snapshot *snapshot, struct unit_set **ret_set);

/*
 * Put the files that a unit had in an earlier snapshot (paths) in place of all that are
 * there for its name or theirs. -ENOMEM.
 */
MUST_CHECK int unit_snapshot_keep(struct unit_snapshot *snapshot,
		const struct unit_snapshot *earlier, const struct unit *unit);

/* What is in force while files are read again; what is refused stays as it is there. */
struct unit_in_force {
	const struct unit_set *set; /* NULL: nothing */
	int snapshot_fd;
	bool is_strict; /* a mistake anywhere leaves everything in force as it is */
};

/*
 * Everything at once: load, parse, and keep the earlier files of units that are refused
 * now. -ENOMEM; *in_force is only read.
 */
MUST_CHECK int unit_snapshot_renew(const struct strv *search_path,
		const struct unit_context *context, const struct unit_in_force *in_force,
		struct unit_snapshot **ret_snapshot, struct unit_set **ret_set);

/*
 * Write the files into a store, unless they are in one: for who parses it, so that units
 * can be made again. Whoever changes the files afterwards says so. -ENOMEM, or a shortage
 * of descriptors.
 */
MUST_CHECK int unit_snapshot_store(struct unit_snapshot *snapshot);
void unit_snapshot_changed(struct unit_snapshot *snapshot);

/* Into a sealed memory file and back, with its context. unpack checks everything:
 * -EBADMSG. */
MUST_CHECK int unit_snapshot_pack(struct unit_snapshot *snapshot, int *ret_fd);
MUST_CHECK int unit_snapshot_unpack(int fd, struct unit_snapshot **ret_snapshot);

/* The texts of a context, one after the other; NULL beyond the last. */
const char **unit_context_text(struct unit_context *context, size_t i);
/* A copy whose texts stand in one allocation. -ENOMEM. */
MUST_CHECK int unit_context_copy(const struct unit_context *from,
		struct unit_context *ret_context, char **ret_texts);

#endif
