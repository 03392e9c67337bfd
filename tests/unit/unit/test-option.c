/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "unit/option.h"

#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <sys/wait.h>

#include "support/test.h"
#include "unit/option-type.h"
#include "unit/unit/fixture.h"

/* What may be said with each type: a value, what a dump makes of it, and a wrong value.
 */
struct sample {
	const char *type, *good, *dumped, *bad;
};

static const struct sample samples[] = {
	{ "text", "a %% b", "a %% b", "%q" },
	{ "path", "/a/%N", "/a/x", "a/b" },
	{ "account", "www-data", "www-data", "a b" },
	{ "module", "m.so", "m.so", "../m.so" },
	{ "policy", "system-service", "system-service", "../x" },
	{ "working_directory", "-/a", "-/a", "a" },
	{ "boolean", "yes", "yes", "maybe" },
	{ "input", "null", "null", "tty" },
	{ "count", "7", "7", "-7" },
	{ "percent", "50%", "50", "101" },
	{ "duration", "1min 30s", "90s", "soon" },
	{ "timeout", "1500ms", "1500ms", "-1" },
	{ "timeout_both", "7s", "7s", "later" },
	{ "watchdog", "10", "10s", "x" },
	{ "mode", "027", "0027", "0999" },
	{ "nice", "-5", "-5", "20" },
	{ "signal", "INT", "SIGINT", "SIGNONE" },
	{ "actor_type", "service", "service", "native" },
	{ "strategy", "rest-for-one", "rest-for-one", "simple-one-for-one" },
	{ "order", "ordered", "ordered", "random" },
	{ "restart", "transient", "transient", "always" },
	{ "restart_service", "on-failure", "transient", "transient" },
	{ "service_type", "forking", "forking", "dbus" },
	{ "keyring_mode", "inherit", "inherit", "shared" },
	{ "kill_mode", "mixed", "mixed", "all" },
	{ "notify_access", "all", "all", "some" },
	{ "output", "append:/a/%N", "append:/a/x", "append:a" },
	{ "supervisor", "boss", "boss", "a/b" },
	{ "children", "kid.actor", "kid", "a/b" },
	{ "names", "kid.service", "kid", "worker@" },
	{ "words", "a 'b c'", "a", "'a" },
	{ "accounts", "adm", "adm", "a:b" },
	{ "folders", "a/b", "a/b", "a/../b" },
	{ "arguments", "k=v", "k=v", "k" },
	{ "variables", "PATH", "PATH", "1A" },
	{ "environment", "\"A=b c\"", "\"A=b c\"", "A" },
	{ "environment_files", "-/etc/%N", "-/etc/x", "etc" },
	{ "commands", "-/bin/b c", "-/bin/b c", "b/c" },
	{ "exit_set", "SIGKILL", "SIGKILL", "256" },
	{ "limit", "5:infinity", "5:infinity", "6:5" },
};

static const struct sample *sample_of(const struct unit_option *o)
{
	for (size_t i = 0; i < ARRAY_SIZE(samples); i++)
		if (strcmp(samples[i].type, o->type->name) == 0)
			return &samples[i];
	ck_abort_msg("no sample of type %s", o->type->name);
	return NULL;
}

/* A unit in which an option may stand, with this text behind what it needs anyway. */
static struct unit_set *parse_with(
		const struct unit_option *o, const char *lines, struct diag *diag)
{
	bool is_native = strcmp(o->section, "Native") == 0;
	bool is_supervisor = strcmp(o->section, "Supervisor") == 0;
	const char *base = is_supervisor ? "[Supervisor]\n"
			: is_native      ? "[Native]\nModule=m.so\n"
				    : "[Service]\nType=forking\nExecStart=/bin/true\n";
	auto_free char *text = text_format("%s[%s]\n%s", base, o->section, lines);
	const struct fixture_file files[] = {
		UNIT_FILE("boss.supervisor", "[Supervisor]\n"),
		UNIT_FILE("kid.actor", "[Service]\nExecStart=/bin/true\n"),
		UNIT_FILE(is_supervisor ? "x.supervisor" : "x.actor", text),
		NO_MORE_FILES,
	};

	return fixture_parse(files, diag);
}

static char *dump(const struct unit_set *set, const char *name)
{
	const struct unit *unit = fixture_unit(set, name);
	struct text t = { 0 };

	ck_assert_ptr_nonnull(unit);
	text_append(&t, "\n");
	unit_dump(unit, &t);
	return text_take(&t);
}

/* The members of different kinds share their place. */
static bool is_of_same_kind(const struct unit_option *a, const struct unit_option *b)
{
	for (int kind = 0; kind < UNIT_KIND_COUNT; kind++)
		if (option_applies(a, (enum unit_kind)kind) &&
				option_applies(b, (enum unit_kind)kind))
			return true;
	return false;
}

static const struct unit_option *main_row(const struct unit_option *o)
{
	for (size_t i = 0; i < n_unit_options; i++)
		if (unit_options[i].offset == o->offset &&
				unit_options[i].role == OPTION_MAIN &&
				is_of_same_kind(&unit_options[i], o) &&
				(o->type != &option_type_limit ||
						strcmp(unit_options[i].key, o->key) == 0))
			return &unit_options[i];
	ck_abort_msg("%s is an alias of nothing", o->key);
	return NULL;
}

START_TEST(every_option_takes_a_right_value)
{
	const struct unit_option *o = &unit_options[_i];
	const struct sample *s = sample_of(o);
	auto_free char *lines = text_format("%s=\n%s=%s\n", o->key, o->key, s->good);
	bool is_time = strcmp(o->key, "LimitRTTIME") == 0;
	auto_free char *wanted = text_format("\n%s=%s\n", main_row(o)->key,
			is_time ? "5us:infinity" : s->dumped);
	auto_diag diag = { 0 };
	struct unit_set *set = parse_with(o, lines, &diag);
	auto_free char *got = NULL;

	if (diag.errors)
		fixture_print(&diag);
	ck_assert_uint_eq(diag.errors, 0);
	got = dump(set, "x");
	ck_assert_msg(strstr(got, wanted), "[%s] %s: no %s in %s", o->section, o->key,
			wanted, got);
	unit_set_free(set);
}
END_TEST

START_TEST(every_option_refuses_a_wrong_value)
{
	const struct unit_option *o = &unit_options[_i];
	auto_free char *lines = text_format("%s=%s\n", o->key, sample_of(o)->bad);
	auto_diag diag = { 0 };
	struct unit_set *set = parse_with(o, lines, &diag);

	ck_assert_uint_eq(diag.errors, 1);
	ck_assert_uint_gt(diag.items[0].line, 1);
	ck_assert_ptr_nonnull(diag.items[0].remedy);
	ck_assert_ptr_null(fixture_unit(set, "x"));
	ck_assert_ptr_nonnull(fixture_unit(set, "kid"));
	unit_set_free(set);
}
END_TEST

START_TEST(empty_assignment_puts_every_default_back)
{
	const struct unit_option *o = &unit_options[_i];
	bool is_needed =
			strcmp(o->key, "ExecStart") == 0 || strcmp(o->key, "Module") == 0;
	const char *type =
			strcmp(o->key, "Type") == 0 && strcmp(o->section, "Service") == 0
			? "Type=forking\n"
			: "";
	auto_free char *lines = text_format(
			"%s=%s\n%s=\n%s", o->key, sample_of(o)->good, o->key, type);
	auto_diag diag = { 0 };
	struct unit_set *set, *plain;
	auto_free char *got = NULL, *wanted = NULL;

	if (is_needed)
		return;
	set = parse_with(o, lines, &diag);
	plain = parse_with(o, "", &diag);
	ck_assert_uint_eq(diag.errors, 0);
	got = dump(set, "x");
	wanted = dump(plain, "x");
	ck_assert_str_eq(got, wanted);
	ck_assert(unit_equals(fixture_unit(set, "x"), fixture_unit(plain, "x")));
	unit_set_free(set);
	unit_set_free(plain);
}
END_TEST

START_TEST(every_option_has_its_words)
{
	const struct unit_option *o = &unit_options[_i];

	ck_assert_uint_gt(strlen(o->help), 5);
	ck_assert_int_eq(o->help[strlen(o->help) - 1], '.');
	ck_assert_ptr_eq(option_find(o->section, o->key), o);
	for (size_t i = 0; i < (size_t)_i; i++)
		ck_assert(strcmp(unit_options[i].section, o->section) != 0 ||
				strcmp(unit_options[i].key, o->key) != 0);
}
END_TEST

static void expect_defaults(const char *file, const char *text, const char *wanted)
{
	const struct fixture_file files[] = { UNIT_FILE(file, text), NO_MORE_FILES };
	auto_diag diag = { 0 };
	struct unit_set *set = fixture_parse(files, &diag);
	auto_free char *got = dump(set, "x");

	fixture_silent(&diag);
	ck_assert_str_eq(got + 1, wanted);
	unit_set_free(set);
}

#define ACTOR_DEFAULTS                                                                   \
	"RestartSec=0s\nRestartSteps=0\nRestartMaxDelaySec=0s\nRestartJitter=0\n"        \
	"RestartResetSec=0s\n"

START_TEST(defaults_are_those_of_the_manual)
{
	expect_defaults("x.actor", "[Service]\nExecStart=/bin/true\n",
			"Type=service\nRestart=permanent\nShutdown=infinity\n" ACTOR_DEFAULTS
			"Type=simple\nExecStart=/bin/true\nRemainAfterExit=no\n"
			"GuessMainPID=yes\nNotifyAccess=none\nWatchdogSec=0s\nUMask=0022\n"
			"IgnoreSIGPIPE=yes\nKeyringMode=private\n"
			"NoNewPrivileges=no\nStandardInput=null\nStandardOutput=journal\n"
			"StandardError=inherit\nTimeoutStartSec=90s\nTimeoutStopSec=90s\n"
			"KillMode=control-group\nKillSignal=SIGTERM\nRestartKillSignal=SIGTERM\n"
			"FinalKillSignal=SIGKILL\nSendSIGHUP=no\nSendSIGKILL=yes\n");
	expect_defaults("x.actor", "[Native]\nModule=m.so\n",
			"Type=native\nRestart=permanent\nShutdown=5s\n" ACTOR_DEFAULTS
			"Module=m.so\n");
	expect_defaults("x.supervisor", "[Supervisor]\n",
			"Strategy=one-for-one\nOrder=parallel\nIntensity=5\nPeriod=30s\n"
			"Restart=permanent\nShutdown=infinity\n" ACTOR_DEFAULTS);
}
END_TEST

static struct unit_set *parse_one(const char *text, struct diag *diag)
{
	const struct fixture_file files[] = { UNIT_FILE("x.actor", text), NO_MORE_FILES };

	return fixture_parse(files, diag);
}

START_TEST(defaults_follow_the_type)
{
	auto_diag diag = { 0 };
	struct unit_set *set = parse_one(
			"[Service]\nType=oneshot\nExecStart=/a\nExecStart=/b\n", &diag);
	const struct unit *unit = fixture_unit(set, "x");

	fixture_silent(&diag);
	ck_assert_int_eq(unit->restart, UNIT_RESTART_TEMPORARY);
	ck_assert_uint_eq(unit->service.timeout_start_usec, USEC_INFINITY);
	ck_assert_uint_eq(unit->service.commands[UNIT_EXEC_START].count, 2);
	unit_set_free(set);
	set = parse_one("[Service]\nType=notify\nExecStart=/a\nKillSignal=SIGINT\n",
			&diag);
	unit = fixture_unit(set, "x");
	ck_assert_int_eq(unit->service.notify_access, UNIT_NOTIFY_MAIN);
	ck_assert_int_eq(unit->service.restart_kill_signal, SIGINT);
	unit_set_free(set);
	set = parse_one("[Service]\nType=oneshot\nExecStart=/a\nTimeoutStartSec=5\n"
			"Restart=on-failure\n",
			&diag);
	unit = fixture_unit(set, "x");
	ck_assert_int_eq(unit->restart, UNIT_RESTART_TRANSIENT);
	ck_assert_uint_eq(unit->service.timeout_start_usec, 5 * USEC_PER_SEC);
	unit_set_free(set);
	fixture_silent(&diag);
}
END_TEST

START_TEST(timeouts_of_zero_and_infinity_mean_none)
{
	auto_diag diag = { 0 };
	struct unit_set *set = parse_one(
			"[Service]\nExecStart=/a\nTimeoutStartSec=0\nTimeoutStopSec=infinity\n"
			"WatchdogSec=infinity\n",
			&diag);
	const struct unit *unit = fixture_unit(set, "x");

	fixture_silent(&diag);
	ck_assert_uint_eq(unit->service.timeout_start_usec, USEC_INFINITY);
	ck_assert_uint_eq(unit->service.timeout_stop_usec, USEC_INFINITY);
	ck_assert_uint_eq(unit->service.watchdog_usec, 0);
	unit_set_free(set);
}
END_TEST

START_TEST(lists_add_up_until_an_empty_assignment)
{
	auto_diag diag = { 0 };
	struct unit_set *set = parse_one(
			"[Service]\nExecStart=/x\nExecStart=\nExecStart=/a\n"
			"Environment=A=1 B=2\nEnvironment=A=3\n"
			"ExecStartPre=/p1\nExecStartPre=/p2 ; /p3\n"
			"SupplementaryGroups=a\nSupplementaryGroups=\nSupplementaryGroups=b c\n"
			"SuccessExitStatus=1 TEMPFAIL\nSuccessExitStatus=SIGKILL 64\n"
			"LimitNOFILE=1\nLimitCORE=2\nLimitNOFILE=\n[Limits]\nLimitCORE=3\n",
			&diag);
	const struct unit_service *s = &fixture_unit(set, "x")->service;

	fixture_silent(&diag);
	ck_assert_str_eq(s->commands[UNIT_EXEC_START].items[0].path, "/a");
	ck_assert_uint_eq(s->commands[UNIT_EXEC_START].count, 1);
	ck_assert_uint_eq(s->commands[UNIT_EXEC_START_PRE].count, 3);
	ck_assert_str_eq(fixture_join(&s->environment), "A=3 B=2");
	ck_assert_str_eq(fixture_join(&s->supplementary_groups), "b c");
	ck_assert(unit_exit_set_contains(s->success, CLD_EXITED, 1));
	ck_assert(unit_exit_set_contains(s->success, CLD_EXITED, 75));
	ck_assert(unit_exit_set_contains(s->success, CLD_EXITED, 64));
	ck_assert(unit_exit_set_contains(s->success, CLD_KILLED, SIGKILL));
	ck_assert(unit_exit_set_contains(s->success, CLD_DUMPED, SIGKILL));
	ck_assert(!unit_exit_set_contains(s->success, CLD_EXITED, 9));
	ck_assert(!unit_exit_set_contains(s->success, CLD_KILLED, 1));
	ck_assert(!unit_exit_set_contains(NULL, CLD_EXITED, 0));
	ck_assert_uint_eq(s->n_limits, 1);
	ck_assert_uint_eq(s->limits[0].value.rlim_cur, 3);
	unit_set_free(set);
}
END_TEST

static void expect_limit(const char *line, uint64_t soft, uint64_t hard)
{
	auto_free char *text = text_format("[Service]\nExecStart=/a\n%s\n", line);
	auto_diag diag = { 0 };
	struct unit_set *set = parse_one(text, &diag);

	fixture_silent(&diag);
	ck_assert_uint_eq(fixture_unit(set, "x")->service.limits[0].value.rlim_cur, soft);
	ck_assert_uint_eq(fixture_unit(set, "x")->service.limits[0].value.rlim_max, hard);
	unit_set_free(set);
}

START_TEST(limits_have_the_units_of_systemd)
{
	expect_limit("LimitNOFILE=4096", 4096, 4096);
	expect_limit("LimitNOFILE=1024:infinity", 1024, RLIM_INFINITY);
	expect_limit("LimitAS=4G:16G", UINT64_C(4) << 30, UINT64_C(16) << 30);
	expect_limit("LimitCPU=2min", 120, 120);
	expect_limit("LimitCPU=1500ms", 2, 2);
	expect_limit("LimitRTTIME=1ms", 1000, 1000);
	expect_limit("LimitNICE=-5", 25, 25);
	expect_limit("LimitNICE=+5", 15, 15);
	expect_limit("LimitNICE=30", 30, 30);
}
END_TEST

/* The only diagnostic of a file whose third line is this. */
static void expect_told(const char *line, const char *code, enum diag_severity severity,
		const char *remedy)
{
	auto_free char *text = text_format("[Service]\nExecStart=/bin/true\n%s\n", line);
	auto_diag diag = { 0 };
	struct unit_set *set = parse_one(text, &diag);
	const struct diag_item *item = fixture_find(&diag, code);

	ck_assert_uint_eq(diag.count, 1);
	ck_assert_int_eq(item->severity, severity);
	ck_assert_uint_ge(item->line, 3);
	ck_assert_str_eq(item->file, "/u/x.actor");
	ck_assert_msg(strstr(item->remedy, remedy), "%s: %s", line, item->remedy);
	ck_assert_int_eq(fixture_unit(set, "x") == NULL, severity == DIAG_ERROR);
	unit_set_free(set);
}

START_TEST(unknown_keys_are_told_with_the_nearest_known_one)
{
	expect_told("ExecStrat=/a", "U014", DIAG_WARNING, "Did you mean ExecStart=?");
	expect_told("execstop=/a", "U014", DIAG_WARNING, "Did you mean ExecStop=?");
	expect_told("TimeoutStopsec=1", "U014", DIAG_WARNING,
			"Did you mean TimeoutStopSec=?");
	expect_told("Supervisor=x", "U014", DIAG_WARNING, "Move it to [Actor].");
	expect_told("Qwertyuiop=1", "U014", DIAG_WARNING, "Take the line out");
	expect_told("PrivateTmp=yes", "U016", DIAG_WARNING, "Take the line out");
	expect_told("[Unit]\nWants=network.target", "U016", DIAG_WARNING,
			"Take the line out");
	expect_told("[Nonsense]\na=b", "U015", DIAG_WARNING, "Correct its name");
}
END_TEST

START_TEST(confinement_that_has_no_effect_is_an_error)
{
	expect_told("[Security]\nPrincipal=svc:db", "U017", DIAG_ERROR, "only Policy=");
	expect_told("[Security]\nRoles=x", "U017", DIAG_ERROR, "only Policy=");
	expect_told("[Security]\nNonsense=x", "U017", DIAG_ERROR, "only Policy=");
}
END_TEST

START_TEST(sections_of_another_kind_are_errors)
{
	static const struct fixture_file files[] = {
		UNIT_FILE("a.actor",
				"[Service]\nExecStart=/a\n[Supervisor]\nIntensity=1\n"),
		UNIT_FILE("b.supervisor", "[Supervisor]\n[Service]\nExecStart=/a\n"),
		UNIT_FILE("c.actor", "[Native]\nModule=m.so\n[Limits]\nLimitCPU=1\n"),
		UNIT_FILE("d.actor", "[Native]\nModule=m.so\n[Security]\nPolicy=p\n"),
		NO_MORE_FILES,
	};
	auto_diag diag = { 0 };
	struct unit_set *set = fixture_parse(files, &diag);

	ck_assert_uint_eq(set->count, 0);
	ck_assert_uint_eq(diag.count, 4);
	for (size_t i = 0; i < diag.count; i++)
		ck_assert_str_eq(diag.items[i].code, "U018");
	unit_set_free(set);
}
END_TEST

START_TEST(install_section_of_systemd_is_passed_over)
{
	auto_diag diag = { 0 };
	struct unit_set *set = parse_one("[Unit]\nDescription=A\nAfter=network.target\n"
					 "[Service]\nExecStart=/a\n"
					 "[Install]\nWantedBy=multi-user.target\n",
			&diag);

	fixture_silent(&diag);
	ck_assert_str_eq(fixture_unit(set, "x")->description, "A");
	unit_set_free(set);
}
END_TEST

static void expect_refused(const char *text, const char *code)
{
	auto_diag diag = { 0 };
	struct unit_set *set = parse_one(text, &diag);

	ck_assert_int_eq(fixture_find(&diag, code)->severity, DIAG_ERROR);
	ck_assert_uint_eq(diag.errors, 1);
	ck_assert_ptr_null(fixture_unit(set, "x"));
	unit_set_free(set);
}

START_TEST(settings_that_do_not_go_together_are_told)
{
	expect_refused("[Actor]\n", "U030");
	expect_refused("[Service]\nExecStart=/a\n[Native]\nModule=m.so\n", "U030");
	expect_refused("[Actor]\nType=native\n[Service]\nExecStart=/a\n", "U020");
	expect_refused("[Service]\nType=simple\n", "U031");
	expect_refused("[Service]\nType=oneshot\n", "U031");
	expect_refused("[Native]\nArguments=a=b\n", "U031");
	expect_refused("[Service]\nExecStart=/a\nExecStart=/b\n", "U032");
	expect_refused("[Service]\nType=oneshot\nExecStart=/a\nRestart=always\n", "U032");
	expect_refused("[Service]\nExecStart=/a %q\n", "U023");
	expect_refused("[Service]\nExecStart=/a 'b\n", "U021");
}
END_TEST

static void expect_warned(const char *text, const char *code)
{
	auto_diag diag = { 0 };
	struct unit_set *set = parse_one(text, &diag);

	ck_assert_uint_eq(set->count, 1);
	ck_assert_int_eq(fixture_find(&diag, code)->severity, DIAG_WARNING);
	unit_set_free(set);
}

START_TEST(what_confines_is_refused_where_it_would_not)
{
	expect_refused("[Actor]\nUser=nobody\n[Service]\nExecStart=/a\n", "U018");
	expect_refused("[Unit]\nLimitNOFILE=5\n[Service]\nExecStart=/a\n", "U018");
	expect_refused("[Service]\nExecStart=/a\nPolicy=system-service\n", "U018");
	expect_refused("[Limits]\nUMask=0077\n[Service]\nExecStart=/a\n", "U018");
	expect_refused("[Native]\nModule=m.so\nGroup=nogroup\n", "U018");
	expect_refused("[Native]\nModule=m.so\n[Limits]\nLimitCPU=1\n", "U018");
	expect_refused("[Native]\nModule=m.so\n[Security]\nPolicy=p\n", "U018");
}
END_TEST

START_TEST(settings_that_have_no_effect_beside_others_are_told)
{
	expect_warned("[Service]\nExecStart=/a\nGuessMainPID=no\n", "U032");
	expect_warned("[Service]\nType=forking\nExecStart=/a\nPIDFile=/p\n"
		      "GuessMainPID=no\n",
			"U032");
	expect_warned("[Service]\nExecStart=/a\nPIDFile=/p\n", "U032");
}
END_TEST

static const struct fixture_file programs_files[] = {
	UNIT_FILE("a.actor", "[Service]\nExecStart=/nonexistent/program\n"),
	UNIT_FILE("b.actor", "[Service]\nExecStart=no-such-program-anywhere\n"),
	UNIT_FILE("c.actor", "[Service]\nExecStartPre=-/nonexistent/x\nExecStart=sh\n"),
	UNIT_FILE("d.actor", "[Service]\nExecStart=/etc/passwd\n"),
	UNIT_FILE("e.actor", "[Service]\nExecStart=/usr\n"),
	UNIT_FILE("f.actor",
			"[Service]\nType=oneshot\nExecStart=-/nonexistent/y ; "
			"/nonexistent/z\n"),
	UNIT_FILE("g.supervisor", "[Supervisor]\nChildren=a c\n"),
	NO_MORE_FILES,
};

START_TEST(programs_stay_as_written_where_none_are_looked_for)
{
	auto_diag diag = { 0 };
	struct unit_set *set = fixture_parse(programs_files, &diag);
	const struct unit *c = fixture_unit(set, "c");

	fixture_silent(&diag);
	ck_assert_uint_eq(set->count, 7);
	ck_assert_str_eq(c->service.commands[UNIT_EXEC_START].items[0].path, "sh");
	unit_set_free(set);
}
END_TEST

START_TEST(missing_program_refuses_its_unit_and_no_other)
{
	struct unit_programs programs = { 0 };
	struct unit_context context = fixture_context;
	auto_diag diag = { 0 };
	struct unit_set *set;
	const struct unit *c;

	context.programs = &programs;
	set = fixture_parse_in(programs_files, &context, &diag);
	ck_assert_uint_eq(set->count, 2);
	c = fixture_unit(set, "c");
	ck_assert_int_eq(c->service.commands[UNIT_EXEC_START].items[0].path[0], '/');
	ck_assert_str_eq(fixture_join(&fixture_unit(set, "g")->children), "c");
	ck_assert_uint_eq(diag.errors, 5);
	ck_assert_uint_eq(diag.warnings, 2);
	ck_assert_uint_eq(fixture_find(&diag, "U022")->line, 2);
	ck_assert_str_eq(fixture_find(&diag, "U050")->file, "/u/g.supervisor");
	unit_set_free(set);
	unit_programs_fini(&programs);
}
END_TEST

START_TEST(refused_units_say_why)
{
	struct unit_programs programs = { 0 };
	struct unit_context context = fixture_context;
	auto_diag diag = { 0 };
	struct unit_set *set;
	const char *why;

	context.programs = &programs;
	set = fixture_parse_in(programs_files, &context, &diag);
	why = unit_refusals_find(&set->refusals, "a");
	ck_assert_ptr_nonnull(why);
	ck_assert_int_eq(strncmp(why, "/u/a.actor:2: error U022: ", 26), 0);
	ck_assert_ptr_nonnull(strstr(why, "/nonexistent/program"));
	ck_assert_ptr_nonnull(strstr(why, "(Install the program"));
	why = unit_refusals_find(&set->refusals, "d");
	ck_assert_ptr_nonnull(strstr(why, "Permission denied. (Make it executable"));
	why = unit_refusals_find(&set->refusals, "f");
	ck_assert_ptr_nonnull(strstr(why, "/nonexistent/z"));
	ck_assert_ptr_null(unit_refusals_find(&set->refusals, "c"));
	ck_assert_uint_eq(set->refusals.count, 5);
	ck_assert_str_eq(set->refusals.items[0].supervisor, "g");
	unit_set_free(set);
	unit_programs_fini(&programs);
}
END_TEST

START_TEST(values_in_diagnostics_are_short_and_harmless)
{
	auto_text t = { 0 };
	auto_diag diag = { 0 };
	struct unit_set *set;

	text_append(&t, "[Service]\nExecStart=/a\nUMask=\x1b[31m");
	for (int i = 0; i < 1000; i++)
		text_append_char(&t, 'x');
	set = parse_one(text_get(&t), &diag);
	ck_assert_uint_lt(strlen(fixture_find(&diag, "U020")->text), 120);
	ck_assert_ptr_null(strchr(diag.items[0].text, '\x1b'));
	unit_set_free(set);
}
END_TEST

int main(void)
{
	const TTest *const loops[] = { every_option_takes_a_right_value,
		every_option_refuses_a_wrong_value,
		empty_assignment_puts_every_default_back, every_option_has_its_words };
	const TTest *const tests[] = { defaults_are_those_of_the_manual,
		defaults_follow_the_type, timeouts_of_zero_and_infinity_mean_none,
		lists_add_up_until_an_empty_assignment, limits_have_the_units_of_systemd,
		unknown_keys_are_told_with_the_nearest_known_one,
		confinement_that_has_no_effect_is_an_error,
		sections_of_another_kind_are_errors,
		install_section_of_systemd_is_passed_over,
		settings_that_do_not_go_together_are_told,
		what_confines_is_refused_where_it_would_not,
		settings_that_have_no_effect_beside_others_are_told,
		programs_stay_as_written_where_none_are_looked_for,
		missing_program_refuses_its_unit_and_no_other, refused_units_say_why,
		values_in_diagnostics_are_short_and_harmless };
	Suite *suite = suite_create("option");
	TCase *tc = tcase_create("option");
	SRunner *runner;
	int failed;

	/* What is used after it was freed is not what it was. */
	(void)mallopt(M_PERTURB, 0x5a);
	for (size_t i = 0; i < ARRAY_SIZE(loops); i++)
		tcase_add_loop_test(tc, loops[i], 0, (int)n_unit_options);
	for (size_t i = 0; i < ARRAY_SIZE(tests); i++)
		tcase_add_test(tc, tests[i]);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
