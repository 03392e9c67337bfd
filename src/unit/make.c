/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "unit/code.h"
#include "unit/draft.h"
#include "unit/name.h"
#include "unit/parser.h"
#include "unit/programs.h"

/*
 * From the files of one unit to its settings: when all files are read, and again whenever
 * somebody wants to see the settings of a unit that is known to be right.
 */

/* One unit on its way from files to a draft. */
struct source {
	const struct draft_maker *maker;
	struct draft *draft;
	const char *name, *suffix;
	const struct unit_file **files;
	struct parsed_file *parsed;
	uint32_t count;
	enum unit_kind kind;
	bool has_kind;
};

void draft_free(struct draft *draft)
{
	if (!draft)
		return;
	unit_free(draft->unit);
	free(draft->supervisor);
	free(draft->name);
	strv_fini(&draft->children);
	strv_fini(&draft->after);
	strv_fini(&draft->before);
	free(draft);
}

bool draft_has(const struct draft *draft, size_t offset)
{
	for (size_t i = 0; i < n_unit_options; i++)
		if (unit_options[i].offset == offset &&
				draft->assigned[i / 64] >> (i % 64) & 1)
			return true;
	return false;
}

void draft_lose(struct draft *draft, const struct diag *diag)
{
	if (!draft->is_lost && diag)
		draft->mistake = diag->count + 1;
	draft->is_lost = true;
}

static void lose(struct source *s, enum unit_code_name code, struct diag_place place,
		const char *remedy, const char *what)
{
	draft_lose(s->draft, s->maker->diag);
	diag_add(s->maker->diag, DIAG_ERROR, unit_code(code), place, remedy, "%s", what);
}

/* Enough of a value to recognise it, without what would disturb a terminal. */
static const char *show(const char *value, char *buffer, size_t size)
{
	size_t n = 0;

	for (; value[n] && n < size - 4; n++)
		buffer[n] = (unsigned char)value[n] < ' ' ? '?' : value[n];
	memcpy(buffer + n, value[n] ? "..." : "", value[n] ? 4 : 1);
	return buffer;
}

/* What limits a service: passed over, it would leave more rights than the file says. */
static bool confines(const char *key)
{
	static const char *const keys[] = { "User", "Group", "SupplementaryGroups",
		"NoNewPrivileges", "KeyringMode", "UMask", "Policy" };

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (strcmp(key, keys[i]) == 0)
			return true;
	return has_prefix(key, "Limit");
}

/* One that stands in the wrong section, where it would have no effect. */
static bool tell_misplaced(
		struct source *s, const struct assignment *a, struct diag_place place)
{
	static const char *const sections[] = { "Service", "Security", "Limits" };
	auto_free char *remedy = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(sections) && !remedy; i++)
		if (confines(a->key) && option_find(sections[i], a->key))
			remedy = text_format("Move it to [%s].", sections[i]);
	if (!remedy)
		return false;
	lose(s, CODE_MISPLACED, place,
			s->kind == UNIT_SERVICE
					? remedy
					: "Take it out: only services can be confined.",
			"This setting confines nothing where it stands.");
	return true;
}

static void tell_unknown_key(
		struct source *s, const struct assignment *a, struct diag_place place)
{
	const struct unit_option *guess = option_suggest(a->section, a->key, s->kind);
	auto_free char *remedy = NULL;

	if (tell_misplaced(s, a, place))
		return;
	if (strcmp(a->section, "Security") == 0) {
		lose(s, CODE_NOT_SUPPORTED, place,
				"Take the line out; of this section only Policy= has an effect today.",
				"This setting of [Security] is not supported in this version.");
		return;
	}
	if (option_is_foreign(a->key)) {
		diag_add(s->maker->diag, DIAG_WARNING, unit_code(CODE_NO_EFFECT), place,
				"Take the line out, or write X- before the key to keep it without "
				"this warning.",
				"%s= has an effect under systemd only.", a->key);
		return;
	}
	if (guess && strcmp(guess->section, a->section) != 0 &&
			strcmp(guess->key, a->key) == 0)
		remedy = text_format("Move it to [%s].", guess->section);
	else if (guess)
		remedy = text_format("Did you mean %s=?", guess->key);
	diag_add(s->maker->diag, DIAG_WARNING, unit_code(CODE_UNKNOWN_KEY), place,
			remedy ? remedy
			       : "Take the line out, or write X- before the key.",
			"%.64s= is not known in [%.32s]; it is ignored.", a->key,
			a->section);
}

static void tell_value(struct source *s, const struct option_scope *scope,
		const struct assignment *a, struct diag_place place)
{
	auto_free char *remedy = NULL;
	char value[64];

	draft_lose(s->draft, s->maker->diag);
	if (scope->specifier) {
		diag_add(s->maker->diag, DIAG_ERROR, unit_code(CODE_SPECIFIER), place,
				scope->remedy,
				"%%%c in %s= is not known or has no value here.",
				scope->specifier, a->key);
		return;
	}
	if (scope->problem) {
		diag_add(s->maker->diag, DIAG_ERROR,
				unit_code(has_prefix(a->key, "Exec") ? CODE_COMMAND
								     : CODE_VALUE),
				place, scope->remedy, "%s.", scope->problem);
		return;
	}
	remedy = text_format("Write %s.", scope->option->type->expects);
	diag_add(s->maker->diag, DIAG_ERROR, unit_code(CODE_VALUE), place, remedy,
			"\"%s\" is wrong for %s=.", show(a->value, value, sizeof(value)),
			a->key);
}

static void tell_program(struct source *s, const struct option_scope *scope,
		struct diag_place place)
{
	const struct unit_command *c = scope->missing_program;
	bool is_there = scope->missing_error != -ENOENT &&
			scope->missing_error != -ENOTDIR;

	if (s->draft->is_kept)
		return;
	if (!c->ignore_failure)
		draft_lose(s->draft, s->maker->diag);
	diag_add(s->maker->diag, c->ignore_failure ? DIAG_WARNING : DIAG_ERROR,
			unit_code(CODE_PROGRAM), place,
			is_there ? "Make it executable (chmod +x), or name another program."
				 : "Install the program, or correct its path; a - before it lets "
				   "the unit go on without it.",
			is_there ? "The program %s cannot be executed: %s."
				 : "The program %s is not there: %s.",
			c->path, strerrordesc_np(-scope->missing_error));
}

/* Remember where the names stand that are resolved later. */
static void note_place(struct draft *draft, const char *key, struct diag_place place)
{
	if (strcmp(key, "Supervisor") == 0)
		draft->at_supervisor = place;
	else if (strcmp(key, "Children") == 0)
		draft->at_children = place;
	else if (strcmp(key, "After") == 0 || strcmp(key, "Before") == 0)
		draft->at_order = place;
	else if (strcmp(key, "Policy") == 0)
		draft->at_policy = place;
}

static int apply(struct source *s, const struct assignment *a,
		const struct unit_file *file)
{
	struct diag_place place = { file->path, a->line };
	const struct unit_option *o = option_find(a->section, a->key);
	struct option_scope scope = {
		.option = o,
		.unit = s->draft->unit,
		.draft = s->draft,
		.specifiers = { s->maker->context, s->name, s->suffix,
				s->files[0]->path },
	};
	size_t i;
	int r;

	if (!o) {
		tell_unknown_key(s, a, place);
		return 0;
	}
	note_place(s->draft, a->key, place);
	r = option_assign(&scope, s->maker->prototypes[s->kind], a->value);
	if (r == -ENOMEM)
		return r;
	i = (size_t)(o - unit_options);
	if (*a->value)
		s->draft->assigned[i / 64] |= UINT64_C(1) << (i % 64);
	else
		s->draft->assigned[i / 64] &= ~(UINT64_C(1) << (i % 64));
	if (r < 0)
		tell_value(s, &scope, a, place);
	else if (scope.missing_program)
		tell_program(s, &scope, place);
	if (scope.has_unknown_escape)
		diag_add(s->maker->diag, DIAG_WARNING, unit_code(CODE_ESCAPE), place,
				"Write \\\\ for a backslash that is meant.",
				"A backslash in %s= begins no escape that is known; it is kept.",
				a->key);
	return 0;
}

/* Whether a section is to be looked into; what is not is told once per section and file.
 */
static bool enter_section(struct source *s, const struct assignment *a,
		const struct unit_file *file)
{
	struct diag_place place = { file->path, a->line };

	switch (option_section_fit(a->section, s->kind)) {
	case OPTION_FITS:
		return true;
	case OPTION_MISPLACED:
		lose(s, CODE_MISPLACED, place,
				"Take the section out, or put it into a file of the right kind.",
				"This section has no effect in a unit of this kind.");
		return false;
	case OPTION_UNKNOWN_SECTION:
		break;
	}
	/* What systemd's own tools read: there is nothing to enable here. */
	if (strcmp(a->section, "Install") != 0)
		diag_add(s->maker->diag, DIAG_WARNING, unit_code(CODE_UNKNOWN_SECTION),
				place, "Correct its name, or write X- before it.",
				"[%.64s] is not known; it is ignored.", a->section);
	return false;
}

static int apply_file(struct source *s, uint32_t i)
{
	const struct parsed_file *parsed = &s->parsed[i];
	const char *section = NULL;
	bool is_entered = false;
	int r;

	for (size_t k = 0; k < parsed->count; k++) {
		const struct assignment *a = &parsed->items[k];

		if (a->section != section) {
			section = a->section;
			is_entered = enter_section(s, a, s->files[i]);
		}
		if (!is_entered)
			continue;
		r = apply(s, a, s->files[i]);
		if (r < 0)
			return r;
	}
	return 0;
}

/* The kind that one section gives. -EEXIST when another section gave another one. */
static int take_kind(struct source *s, enum unit_kind kind)
{
	if (s->has_kind && s->kind != kind)
		return -EEXIST;
	s->kind = kind;
	s->has_kind = true;
	return 0;
}

/* Look for the sections that tell the kind; two of them are none. */
static int find_kind_in(struct source *s, uint32_t i)
{
	const struct parsed_file *parsed = &s->parsed[i];
	int r = 0;

	for (size_t k = 0; k < parsed->count && r == 0; k++) {
		if (strcmp(parsed->items[k].section, "Service") == 0)
			r = take_kind(s, UNIT_SERVICE);
		else if (strcmp(parsed->items[k].section, "Native") == 0)
			r = take_kind(s, UNIT_NATIVE);
		if (r < 0)
			lose(s, CODE_KIND,
					(struct diag_place){ s->files[i]->path,
							parsed->items[k].line },
					"Keep one of the sections [Service] and [Native].",
					"The file describes a service and a native actor at once.");
	}
	return r;
}

static void find_kind(struct source *s)
{
	struct diag_place place = { s->files[0]->path, 0 };

	if (strcmp(s->suffix, NAME_SUFFIX_SUPERVISOR) == 0) {
		s->kind = UNIT_SUPERVISOR;
		s->has_kind = true;
		return;
	}
	for (uint32_t i = 0; i < s->count; i++)
		if (find_kind_in(s, i) < 0) {
			s->has_kind = false;
			return;
		}
	if (!s->has_kind)
		lose(s, CODE_KIND, place,
				"Add [Service] with ExecStart=, or [Native] with Module=.",
				"The file says neither that it is a service nor a native actor.");
}

static void check_service(struct source *s, struct diag_place place)
{
	struct unit *unit = s->draft->unit;
	struct unit_service *service = &unit->service;
	uint32_t n = service->commands[UNIT_EXEC_START].count;

	if (n == 0 && !s->draft->is_lost && service->type != UNIT_ONESHOT)
		lose(s, CODE_MISSING, place,
				"Add ExecStart= with the service's command line.",
				"The service has no ExecStart=.");
	if (n == 0 && service->type == UNIT_ONESHOT &&
			service->commands[UNIT_EXEC_STOP].count == 0 &&
			!s->draft->is_lost)
		lose(s, CODE_MISSING, place, "Add ExecStart= or ExecStop=.",
				"The service has neither ExecStart= nor ExecStop=.");
	if (n > 1 && service->type != UNIT_ONESHOT)
		lose(s, CODE_COMBINATION, place,
				"Keep one, move the others to ExecStartPre=, or set Type=oneshot.",
				"More than one ExecStart= is for Type=oneshot only.");
	if (service->type == UNIT_ONESHOT &&
			(unit->restart == UNIT_RESTART_PERMANENT ||
					unit->restart == UNIT_RESTART_ON_SUCCESS))
		lose(s, CODE_COMBINATION, place,
				"Set Restart= to transient or temporary.",
				"A oneshot service that is restarted after success never rests.");
	if (!service->guess_main_pid &&
			(service->type != UNIT_FORKING || service->pid_file))
		diag_add(s->maker->diag, DIAG_WARNING, unit_code(CODE_COMBINATION), place,
				"Take GuessMainPID= out, or set Type=forking without PIDFile=.",
				"GuessMainPID= has an effect with Type=forking and without "
				"PIDFile= only.");
	if (service->pid_file && service->type != UNIT_FORKING)
		diag_add(s->maker->diag, DIAG_WARNING, unit_code(CODE_COMBINATION), place,
				"Take PIDFile= out, or set Type=forking.",
				"PIDFile= has an effect with Type=forking only.");
}

/* Defaults that depend on other settings. */
static void finish_service(struct source *s)
{
	struct draft *d = s->draft;
	struct unit_service *service = &d->unit->service;
	bool is_oneshot = service->type == UNIT_ONESHOT;

	if (is_oneshot && !draft_has(d, offsetof(struct unit, restart)))
		d->unit->restart = UNIT_RESTART_TEMPORARY;
	if (is_oneshot &&
			!draft_has(d, offsetof(struct unit, service.timeout_start_usec)))
		service->timeout_start_usec = USEC_INFINITY;
	if (service->type == UNIT_NOTIFY && service->notify_access == UNIT_NOTIFY_NONE)
		service->notify_access = UNIT_NOTIFY_MAIN;
	if (!draft_has(d, offsetof(struct unit, service.restart_kill_signal)))
		service->restart_kill_signal = service->kill_signal;
}

/* A unit that is in force goes on; a policy that has mistakes fails its start. */
static int check_policy(struct source *s)
{
	const struct unit_context *context = s->maker->context;
	const struct unit *unit = s->draft->unit;
	int error, r;

	if (!unit->policy || !context->programs || s->draft->is_kept)
		return 0;
	r = unit_programs_find_policy(context->programs, context, unit->policy, &error);
	if (r < 0 || error == 0)
		return r;
	draft_lose(s->draft, s->maker->diag);
	diag_add(s->maker->diag, DIAG_ERROR, unit_code(CODE_POLICY), s->draft->at_policy,
			"Write its file, or name another policy.",
			"The policy %s is not there.", unit->policy);
	return 0;
}

static int finish(struct source *s)
{
	struct diag_place place = { s->files[0]->path, 0 };
	struct unit *unit = s->draft->unit;
	int r = 0;

	switch (unit->kind) {
	case UNIT_SERVICE:
		finish_service(s);
		check_service(s, place);
		r = check_policy(s);
		break;
	case UNIT_NATIVE:
		if (!unit->native.module && !s->draft->is_lost)
			lose(s, CODE_MISSING, place,
					"Add Module= with the file of its code.",
					"The native actor has no Module=.");
		break;
	case UNIT_SUPERVISOR:
		if (unit->supervising.period_usec == 0 && unit->supervising.intensity > 0)
			lose(s, CODE_VALUE, place, "Write a time such as 30s.",
					"Period= of a supervisor cannot be 0.");
		break;
	case UNIT_KIND_COUNT:
		break;
	}
	if (unit->restart_steps > 0 && unit->restart_max_delay_usec == 0)
		diag_add(s->maker->diag, DIAG_WARNING, unit_code(CODE_COMBINATION), place,
				"Add RestartMaxDelaySec=, the wait that the steps lead to.",
				"RestartSteps= has no effect without RestartMaxDelaySec=.");
	return r;
}

static int name_unit(struct source *s)
{
	struct unit *unit = s->draft->unit;
	const char *instance = name_instance(s->name);
	int r;

	unit->name = strdup(s->name);
	unit->instance = instance ? strdup(instance) : NULL;
	if (!unit->name || (instance && !unit->instance))
		return -ENOMEM;
	for (uint32_t i = 0; i < s->count; i++) {
		r = strv_append(&unit->files, s->files[i]->path);
		if (r < 0)
			return r;
	}
	return 0;
}

static int make_unit(struct source *s)
{
	int r;

	for (uint32_t i = 0; i < s->count; i++) {
		size_t told = s->maker->diag ? s->maker->diag->count : 0;

		r = parser_parse(s->files[i]->path, s->files[i]->data, s->files[i]->size,
				s->maker->diag, &s->parsed[i]);
		if (r < 0)
			return r;
		if (r > 0 && !s->draft->is_lost) {
			s->draft->is_lost = true;
			s->draft->mistake = told + 1;
		}
	}
	find_kind(s);
	if (!s->has_kind)
		return 0;
	r = unit_new(s->kind, s->maker->prototypes[s->kind], &s->draft->unit);
	if (r == 0)
		r = name_unit(s);
	for (uint32_t i = 0; r == 0 && i < s->count; i++)
		r = apply_file(s, i);
	if (r < 0)
		return r;
	return finish(s);
}

void draft_group_add(struct draft_group *group, const struct unit_file *file)
{
	if (group->count++ == 0)
		group->files = file;
	if (file->is_drop_in)
		return;
	if (group->own)
		group->second = file;
	else
		group->own = file;
}

/* The files of a unit in the order in which they count: later ones change earlier ones.
 */
static uint32_t list_files(const struct draft_group *base, const struct draft_group *own,
		const struct unit_file **files)
{
	uint32_t n = 0;

	files[n++] = own && own->own ? own->own : base->own;
	for (uint32_t i = 0; base && i < base->count; i++)
		if (base->files[i].is_drop_in)
			files[n++] = &base->files[i];
	for (uint32_t i = 0; own && i < own->count; i++)
		if (own->files[i].is_drop_in)
			files[n++] = &own->files[i];
	return n;
}

/* One of its files was not read, and what it says is not known. */
static void note_refused(struct source *s)
{
	for (uint32_t i = 0; i < s->count && !s->draft->refused; i++)
		if (s->files[i]->is_refused)
			s->draft->refused = s->files[i]->path;
	s->draft->is_lost = s->draft->refused != NULL;
}

int draft_make(const struct draft_maker *maker, const struct draft_files *what,
		struct draft **ret_draft)
{
	auto_(draft) draft = calloc(1, sizeof(*draft));
	uint32_t most = 1 + (what->base ? what->base->count : 0) +
			(what->own ? what->own->count : 0);
	auto_free const struct unit_file **files =
			calloc(most, sizeof(struct unit_file *));
	auto_free struct parsed_file *parsed = calloc(most, sizeof(*parsed));
	struct source s = { .maker = maker,
		.draft = draft,
		.name = what->name,
		.suffix = what->suffix,
		.files = files,
		.parsed = parsed };
	int r;

	if (!draft || !files || !parsed)
		return -ENOMEM;
	s.count = list_files(what->base, what->own, files);
	draft->name = strdup(what->name);
	if (!draft->name)
		return -ENOMEM;
	draft->path = files[0]->path;
	draft->is_masked = files[0]->is_masked;
	draft->is_kept = files[0]->is_kept;
	note_refused(&s);
	r = draft->is_masked || draft->is_lost ? 0 : make_unit(&s);
	for (uint32_t i = 0; i < s.count; i++)
		parsed_file_fini(&parsed[i]);
	if (r == 0)
		*ret_draft = TAKE_PTR(draft);
	return r;
}

int draft_prototypes_make(struct unit *prototypes[UNIT_KIND_COUNT])
{
	int r = 0;

	for (int kind = 0; r == 0 && kind < UNIT_KIND_COUNT; kind++)
		r = unit_prototype_new((enum unit_kind)kind, &prototypes[kind]);
	return r;
}

void draft_prototypes_free(struct unit *prototypes[UNIT_KIND_COUNT])
{
	for (int kind = 0; kind < UNIT_KIND_COUNT; kind++) {
		unit_free(prototypes[kind]);
		prototypes[kind] = NULL;
	}
}
