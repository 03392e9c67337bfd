/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef TESTS_BENCH_FIGURES_H
#define TESTS_BENCH_FIGURES_H

/*
 * What is measured of each manager, and what is asked of airssysd: ratios to the managers of
 * the same run, or counts.
 */

#include <stddef.h>

enum figure {
	FIGURE_START, /* from the manager's own start to the last service's, ms */
	FIGURE_RESTART_P50, /* from SIGKILL to the next first instruction, ms */
	FIGURE_RESTART_P99,
	FIGURE_AGAIN, /* killed again as soon as it is back, p50, ms */
	FIGURE_FIRST, /* the kill before that, p50, ms */
	FIGURE_STORM, /* all killed at once until all are back, ms */
	FIGURE_STOP, /* from the request until everything is gone, ms */
	FIGURE_MEMORY, /* PSS of the manager's processes, KiB */
	FIGURE_IDLE_CPU, /* ms in 10 s */
	FIGURE_IDLE_SWITCHES, /* how often it woke up and slept again */
	N_FIGURES,
};

#define ROUNDS_MAX   15
#define MANAGERS_MAX 8
#define N_SIZES      3
extern const size_t figure_sizes[N_SIZES]; /* numbers of services */

#define NOT_MEASURED __builtin_nan("")

struct figures {
	double value[N_FIGURES];
};

/* As JSON, one line a figure. */
void figures_dump(const struct figures *figures, const char *manager, size_t services);

struct results {
	size_t n_rounds;
	struct figures rounds[MANAGERS_MAX][N_SIZES][ROUNDS_MAX];
};

void results_init(struct results *results);
/* Medians of the rounds, ratios, and whether the targets hold. */
void results_print(const struct results *results);

#endif
