/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "bench/figures.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"
#include "bench/managers.h"

#define LOOP 0
#define OURS 1

const size_t figure_sizes[N_SIZES] = { 0, 100, 1000 };
enum { NONE, HUNDRED, THOUSAND };

static const struct {
	const char *name, *unit;
} names[N_FIGURES] = {
	[FIGURE_START] = { "start", "ms" },
	[FIGURE_RESTART_P50] = { "restart p50", "ms" },
	[FIGURE_RESTART_P99] = { "restart p99", "ms" },
	[FIGURE_AGAIN] = { "killed again p50", "ms" },
	[FIGURE_FIRST] = { "the kill before p50", "ms" },
	[FIGURE_STORM] = { "storm", "ms" },
	[FIGURE_STOP] = { "stop", "ms" },
	[FIGURE_MEMORY] = { "memory", "KiB" },
	[FIGURE_IDLE_CPU] = { "idle CPU in 10 s", "ms" },
	[FIGURE_IDLE_SWITCHES] = { "idle wake-ups in 10 s", "" },
};

enum base {
	BEST, /* of all managers but ours */
	PEER,
	OWN, /* another figure of our own */
	COUNT, /* a limit as it is */
	GROWTH, /* the same for each service more than none */
};

/* Our figure is to be at most factor times the base. */
static const struct target {
	int size;
	enum figure figure;
	enum base base;
	double factor;
	const char *peer;
	int own_size;
	enum figure own_figure;
} targets[] = {
	{ HUNDRED, FIGURE_START, BEST, 1.0, NULL, 0, 0 },
	{ THOUSAND, FIGURE_START, BEST, 1.0, NULL, 0, 0 },
	{ HUNDRED, FIGURE_RESTART_P50, PEER, 1.2, "runit", 0, 0 },
	{ HUNDRED, FIGURE_RESTART_P99, PEER, 1.5, "runit", 0, 0 },
	{ THOUSAND, FIGURE_RESTART_P50, OWN, 1.2, NULL, HUNDRED, FIGURE_RESTART_P50 },
	{ THOUSAND, FIGURE_RESTART_P99, COUNT, 3.0, NULL, 0, 0 },
	{ THOUSAND, FIGURE_AGAIN, OWN, 1.2, NULL, THOUSAND, FIGURE_FIRST },
	{ THOUSAND, FIGURE_STORM, PEER, 1.0, "runit", 0, 0 },
	{ THOUSAND, FIGURE_STOP, PEER, 1.5, "dinit", 0, 0 },
	{ NONE, FIGURE_MEMORY, COUNT, 5 * 1024, NULL, 0, 0 },
	{ THOUSAND, FIGURE_MEMORY, GROWTH, 2.0, NULL, 0, 0 },
	{ THOUSAND, FIGURE_IDLE_CPU, COUNT, 0.0, NULL, 0, 0 },
	{ THOUSAND, FIGURE_IDLE_SWITCHES, COUNT, 0.0, NULL, 0, 0 },
};

void figures_dump(const struct figures *figures, const char *manager, size_t services)
{
	for (size_t i = 0; i < N_FIGURES; i++)
		if (!isnan(figures->value[i]))
			printf("{\"bench\":\"manager\",\"manager\":\"%s\",\"services\":%zu,"
			       "\"figure\":\"%s\",\"value\":%.3f,\"unit\":\"%s\"}\n",
					manager, services, names[i].name,
					figures->value[i], names[i].unit);
	(void)fflush(stdout);
}

void results_init(struct results *results)
{
	memset(results, 0, sizeof(*results));
	for (size_t m = 0; m < MANAGERS_MAX; m++)
		for (size_t s = 0; s < N_SIZES; s++)
			for (size_t r = 0; r < ROUNDS_MAX; r++)
				for (size_t i = 0; i < N_FIGURES; i++)
					results->rounds[m][s][r].value[i] = NOT_MEASURED;
}

static int compare(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* Of the rounds in which it was measured; NOT_MEASURED when there are none. */
static double median(const struct results *results, size_t manager, int size,
		enum figure figure)
{
	double values[ROUNDS_MAX];
	size_t n = 0;

	for (size_t r = 0; r < results->n_rounds; r++) {
		double value = results->rounds[manager][size][r].value[figure];

		if (!isnan(value))
			values[n++] = value;
	}
	if (n == 0)
		return NOT_MEASURED;
	qsort(values, n, sizeof(*values), compare);
	return values[(n - 1) / 2];
}

static bool is_measured(const struct results *results, size_t manager)
{
	for (int s = 0; s < N_SIZES; s++)
		if (!isnan(median(results, manager, s, FIGURE_MEMORY)))
			return true;
	return false;
}

static bool is_figure_measured(
		const struct results *results, int size, enum figure figure)
{
	for (size_t m = 0; m < n_managers; m++)
		if (!isnan(median(results, m, size, figure)))
			return true;
	return false;
}

static void print_number(double value)
{
	if (isnan(value))
		printf(" %10s", "-");
	else
		printf(" %10.*f", value < 100 ? 2 : 0, value);
}

static void print_header(const struct results *results, const char *title)
{
	printf("\n%-32s", title);
	for (size_t m = 0; m < n_managers; m++)
		if (is_measured(results, m))
			printf(" %10s", managers[m].name);
	printf("\n");
}

static void print_values(const struct results *results)
{
	char title[64];

	print_header(results, "medians");
	for (int s = 0; s < N_SIZES; s++)
		for (size_t i = 0; i < N_FIGURES; i++) {
			if (!is_figure_measured(results, s, i))
				continue;
			(void)snprintf(title, sizeof(title), "%4zu %s %s",
					figure_sizes[s], names[i].name, names[i].unit);
			printf("%-32s", title);
			for (size_t m = 0; m < n_managers; m++)
				if (is_measured(results, m))
					print_number(median(results, m, s, i));
			printf("\n");
		}
}

static double best_of_peers(const struct results *results, const struct target *t,
		const char **ret_name)
{
	double best = NOT_MEASURED, value;

	for (size_t m = OURS + 1; m < n_managers; m++) {
		value = median(results, m, t->size, t->figure);
		if (isnan(value) || value >= best)
			continue;
		best = value;
		*ret_name = managers[m].name;
	}
	return best;
}

static double peer_value(const struct results *results, const struct target *t)
{
	for (size_t m = 0; m < n_managers; m++)
		if (strcmp(managers[m].name, t->peer) == 0)
			return median(results, m, t->size, t->figure);
	return NOT_MEASURED;
}

/* What ours is compared with, and its name. */
static double base_of(const struct results *results, const struct target *t,
		const char **ret_name)
{
	switch (t->base) {
	case BEST:
		*ret_name = "the best";
		return best_of_peers(results, t, ret_name);
	case PEER:
		*ret_name = t->peer;
		return peer_value(results, t);
	case OWN:
		*ret_name = t->own_figure == t->figure ? "ours at 100"
						       : "ours, the kill before";
		return median(results, OURS, t->own_size, t->own_figure);
	case COUNT:
	case GROWTH:
	default:
		*ret_name = t->base == GROWTH ? "KiB a service" : names[t->figure].unit;
		return 1;
	}
}

static void print_target(const struct results *results, const struct target *t)
{
	double ours = median(results, OURS, t->size, t->figure), base, ratio;
	const char *name = "";

	if (t->base == GROWTH)
		ours = (ours - median(results, OURS, NONE, t->figure)) /
				(double)figure_sizes[t->size];
	base = base_of(results, t, &name);
	ratio = ours / base;
	printf("%4zu %-22s", figure_sizes[t->size], names[t->figure].name);
	print_number(ours);
	print_number(ours / median(results, LOOP, t->size, t->figure));
	print_number(t->base == COUNT || t->base == GROWTH ? NOT_MEASURED : base);
	print_number(ratio);
	printf("   <= %g %s: %s\n", t->factor, name,
			isnan(ratio)                         ? "not measured"
					: ratio <= t->factor ? "holds"
							     : "MISSED");
}

void results_print(const struct results *results)
{
	print_values(results);
	printf("\n%-27s %10s %10s %10s %10s   %s\n", "targets", "ours", "to loop", "base",
			"ratio", "target");
	for (size_t i = 0; i < ARRAY_SIZE(targets); i++)
		print_target(results, &targets[i]);
	(void)fflush(stdout);
}
