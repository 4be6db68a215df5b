/* SPDX-License-Identifier: Apache-2.0 */
/* The sub-commands list, rows and born. */
#include "rows.h"

#include <fnmatch.h>

void meet(const struct options *options, const char *word)
{
	char line[256];

	if (!options->stepwise)
		return;
	puts(word);
	fflush(stdout);
	if (!fgets(line, sizeof line, stdin) && ferror(stdin))
		die("cannot read the answer to \"%s\": %s", word, errno_name(errno));
}

static bool chosen(const struct options *options, const struct row *row)
{
	for (int i = 0; i < options->only_count; i++)
		if (fnmatch(options->only[i], row->name, 0) == 0)
			return true;
	return options->only_count == 0;
}

static const char *way_of(const struct job *job)
{
	static char way[64];
	const struct plan *plan = job->plans[job->plan_count - 1];
	enum step_kind kind = plan->step_count ? plan->steps[0].kind : STEP_DELETE;

	snprintf(way, sizeof way, "%s.%s", writer_name(plan->writer), call_name(plan, kind));
	return way;
}

static enum outcome run_plan(const struct map *map, struct plan *plan, char *reason)
{
	if (!is_program(plan->writer))
		return run_syscalls(map, plan, reason);
	struct program *program = load_program(map, plan, reason);
	if (!program)
		return UNSUPPORTED;
	enum outcome outcome = run_program(program, reason);
	free_program(program);
	return outcome;
}

static uint32_t count_refused(const struct plan *plan)
{
	uint32_t refused = 0;

	for (uint32_t i = 0; i < plan->step_count; i++)
		refused += plan->steps[i].result < 0;
	return refused;
}

static bool create_row_map(const struct row *row, struct map *map, const struct options *options)
{
	char reason[REASON_BYTES];
	int error = create_map(map, row->name, row->shape);

	if (error) {
		struct job none = {.plans = {&(struct plan){.writer = row->writer, .call = row->call}}, .plan_count = 1};

		snprintf(reason, sizeof reason, "creating the map: %s", errno_name(error));
		record_row(row->name, map, UNSUPPORTED, EXACT, way_of(&none), 0, 0, reason);
		return false;
	}
	if (options->pin)
		pin_map(map, options->pin);
	return true;
}

static void run_row(const struct row *row, const struct map *map, const struct options *options)
{
	char reason[REASON_BYTES] = "";
	struct job job = plan_row(row, map, options->count, options->seed);
	struct model *model = new_model(map);
	enum outcome outcome = RAN;
	uint32_t done = 0, refused = 0;

	for (int i = 0; i < job.plan_count && outcome == RAN; i++) {
		outcome = run_plan(map, job.plans[i], reason);
		/* Also of what did not run to its end: what was done was done, and is an event. */
		done += record_changes(map, job.plans[i], model, job.certainty);
		refused += count_refused(job.plans[i]);
	}
	if (outcome == RAN && job.expected && done != job.expected) {
		snprintf(reason, sizeof reason, "%u changes were planned and %u made", job.expected, done);
		outcome = FAILED;
	}
	char wrong[REASON_BYTES];
	if (!record_dump(map, model, job.certainty, wrong) && outcome != FAILED) {
		memcpy(reason, wrong, sizeof reason);
		outcome = FAILED;
	}
	record_row(row->name, map, outcome, job.certainty, way_of(&job), done, refused, reason);
	free_model(model);
	for (int i = 0; i < job.plan_count; i++)
		free_plan(job.plans[i]);
}

int list_command(const struct options *options)
{
	size_t count;
	struct row *rows = all_rows(options->count, &count);

	for (size_t i = 0; i < count; i++)
		if (chosen(options, &rows[i]))
			printf("%s\t%s\n", rows[i].born ? "born" : "rows", rows[i].name);
	free(rows);
	return 0;
}

int rows_command(const struct options *options)
{
	size_t count;
	struct row *rows = all_rows(options->count, &count);
	struct map *maps = allocate(count, sizeof *maps);

	open_record(options->out);
	for (size_t i = 0; i < count; i++) {
		maps[i].fd = -1;
		if (!rows[i].born && chosen(options, &rows[i]) && !create_row_map(&rows[i], &maps[i], options))
			maps[i].fd = -1;
	}
	meet(options, "ready");
	for (size_t i = 0; i < count; i++)
		if (maps[i].fd >= 0)
			run_row(&rows[i], &maps[i], options);
	close_record();
	meet(options, "done");
	for (size_t i = 0; i < count; i++)
		close_map(&maps[i]);
	free(maps);
	free(rows);
	return failed_rows() ? 1 : 0;
}

/* Here the map comes into being right before its first change, several times under one name. */
int born_command(const struct options *options)
{
	size_t count;
	struct row *rows = all_rows(options->count, &count);
	struct map *maps = allocate(count, sizeof *maps);

	open_record(options->out);
	meet(options, "ready");
	for (size_t i = 0; i < count; i++)
		maps[i].fd = -1;
	for (uint32_t generation = 0; generation < options->generations; generation++) {
		for (size_t i = 0; i < count; i++) {
			if (!rows[i].born || !chosen(options, &rows[i]))
				continue;
			close_map(&maps[i]); /* the generation before */
			if (create_row_map(&rows[i], &maps[i], options))
				run_row(&rows[i], &maps[i], options);
		}
	}
	close_record();
	meet(options, "done");
	for (size_t i = 0; i < count; i++)
		close_map(&maps[i]);
	free(maps);
	free(rows);
	return failed_rows() ? 1 : 0;
}
