/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "unit/specifier.h"

#include <errno.h>
#include <sys/utsname.h>

#include "support/test.h"
#include "unit/unit/fixture.h"

/* The character behind the last percent sign. */
static int wrong_of(const char *value)
{
	return strrchr(value, '%')[1];
}

static void expect(const char *name, const char *value, const char *wanted)
{
	const struct specifier_scope scope = { &fixture_context, name, ".actor",
		"/etc/u/x@.actor" };
	auto_text t = { 0 };
	char wrong = '\0';
	int r;

	text_append(&t, "");
	r = specifier_expand(&scope, value, &t, &wrong);
	if (wanted) {
		ck_assert_msg(r == 0, "%s", value);
		ck_assert_str_eq(text_get(&t), wanted);
	} else {
		ck_assert_msg(r == -EINVAL, "%s", value);
		ck_assert_int_eq(wrong, wrong_of(value));
	}
}

START_TEST(names_and_their_parts)
{
	expect("a-b@c-d", "%n %N %p %P %i %I %j %J",
			"a-b@c-d.actor a-b@c-d a-b a/b c-d c/d b b");
	expect("plain", "%n|%N|%p|%i|%I|%j", "plain.actor|plain|plain|||plain");
	expect("x@a\\x2db", "%i %I", "a\\x2db a-b");
	expect("x@dev-sda", "%f", "/dev/sda");
	expect("dev-sda", "%f", "/dev/sda");
	expect("x@a\\xzz", "%I", NULL);
}
END_TEST

START_TEST(folders_are_those_of_the_context)
{
	expect("x", "%t %S %C %L %E %T %V",
			"/run/t /var/s /var/c /var/l /etc/e /tmp /var/tmp");
	expect("x", "%y %Y", "/etc/u/x@.actor /etc/u");
}
END_TEST

START_TEST(user_and_machine_are_those_of_the_context)
{
	struct utsname name;
	auto_text wanted = { 0 };

	expect("x", "%u %U %g %G %h %s", "u 1001 g 1002 /home/h /bin/s");
	expect("x", "%m %b %H %l", "m b host.domain host");
	ck_assert_int_eq(uname(&name), 0);
	text_printf(&wanted, "%s %s", name.release, name.machine);
	expect("x", "%v %a", text_get(&wanted));
}
END_TEST

START_TEST(percent_signs_are_doubled)
{
	expect("x", "100%% of %%n", "100% of %n");
	expect("x", "", "");
	expect("x", "none", "none");
}
END_TEST

START_TEST(unknown_specifiers_are_refused)
{
	expect("x", "%", NULL);
	expect("x", "a%q", NULL);
	expect("x", "%d", NULL);
	expect("x", "%%%", NULL);
}
END_TEST

START_TEST(specifier_without_a_value_is_refused)
{
	struct unit_context context = fixture_context;
	const struct specifier_scope scope = { &context, "x", ".actor", "/x" };
	auto_text t = { 0 };
	char wrong = '\0';

	context.machine_id = NULL;
	ck_assert_int_eq(specifier_expand(&scope, "%m", &t, &wrong), -EINVAL);
	ck_assert_int_eq(wrong, 'm');
}
END_TEST

START_TEST(context_of_the_system_has_every_value)
{
	struct unit_context context;
	const struct specifier_scope scope = { &context, "x", ".actor", "/x" };
	auto_text t = { 0 };
	char wrong = '\0';

	ck_assert_int_eq(unit_context_init(&context, "relative"), -EINVAL);
	ck_assert_int_eq(unit_context_init(&context, "/some/where"), 0);
	ck_assert_int_eq(specifier_expand(&scope, "%t %S %C %L %E %u %U %g %h %s %b %H",
					 &t, &wrong),
			0);
	ck_assert(has_prefix(text_get(&t), "/some/where /"));
	ck_assert_uint_eq(strlen(context.boot_id), 32);
}
END_TEST

TEST_MAIN("specifier", names_and_their_parts, folders_are_those_of_the_context,
		user_and_machine_are_those_of_the_context, percent_signs_are_doubled,
		unknown_specifiers_are_refused, specifier_without_a_value_is_refused,
		context_of_the_system_has_every_value)
