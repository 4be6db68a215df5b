/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sub-command storm: every kind of writer at once, on two CPUs.
 *
 * Each writer is a thread pinned to its CPU, with a range of keys of its own: then each key's changes
 * are known in order although the order between the writers is not, and so is the final content.
 * With --shared-keys all of them fight over the same few keys of the map "fight", and only the dump is the truth.
 */
#include "driver.h"

#include <pthread.h>

enum { OWN_KEYS = 256, LRU_KEYS = 1024, MOST_SAMPLES = 100, MAX_WRITERS = 32 };

/*
 * XDP on one CPU only: every repeated test run patches the text of the XDP dispatcher, and an emulated
 * guest whose other CPU is just running there hangs now and then (seen on 5.10 under QEMU's TCG).
 */
static const struct kind {
	enum writer writer;
	enum call call;
	bool lru;
	uint32_t cpus;
	uint32_t weight; /* share of the changes, on each CPU */
} kinds[] = {
	{BY_XDP, CALL_ELEMENT, false, 1, 16},       {BY_TC, CALL_ELEMENT, false, 2, 20},     {BY_KPROBE, CALL_ELEMENT, false, 2, 6},
	{BY_TRACEPOINT, CALL_ELEMENT, false, 2, 6}, {BY_FENTRY, CALL_ELEMENT, false, 2, 4},  {BY_PERF_EVENT, CALL_ELEMENT, false, 2, 1},
	{BY_SYSCALL, CALL_ELEMENT, false, 2, 20},   {BY_SYSCALL, CALL_BATCH, false, 2, 15},  {BY_TC, CALL_ELEMENT, true, 2, 8},
	{BY_SYSCALL, CALL_ELEMENT, true, 2, 5},     {BY_SYSCALL, CALL_BATCH, true, 2, 3},
};

struct storm_writer {
	const struct kind *kind;
	const struct map *map;
	uint32_t cpu, steps;
	struct plan *plan;
	struct program *program;
	pthread_t thread;
	enum outcome outcome;
	char reason[REASON_BYTES];
};

static pthread_barrier_t start;

/*
 * The writers of one CPU take turns, some calls each. A writer that another one comes upon in the middle of a capturing
 * program, on a preemptible kernel, makes the kernel skip that program on this CPU until it is running again. A network's
 * own programs are never held up so; tasks are, on a crowded host, and that is a fault to be tested as one.
 */
static struct turns {
	pthread_mutex_t lock;
	pthread_cond_t next;
	uint32_t given, called;
} turns[2] = {{PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, 0}, {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, 0}};

enum { CALLS_IN_A_TURN = 16 };

static __thread struct turns *my_turns;
static __thread uint32_t my_calls;

static void take_turn(void)
{
	pthread_mutex_lock(&my_turns->lock);
	uint32_t mine = my_turns->given++;
	while (my_turns->called != mine)
		pthread_cond_wait(&my_turns->next, &my_turns->lock);
	pthread_mutex_unlock(&my_turns->lock);
}

static void end_turn(void)
{
	pthread_mutex_lock(&my_turns->lock);
	my_turns->called++;
	pthread_cond_broadcast(&my_turns->next);
	pthread_mutex_unlock(&my_turns->lock);
}

static void let_others(void)
{
	if (++my_calls % CALLS_IN_A_TURN)
		return;
	end_turn();
	take_turn();
}

/* One change on a map that nobody watches tells whether this kernel has such programs. */
static bool can_write(enum writer writer, char *reason)
{
	struct shape shape = {BPF_MAP_TYPE_HASH, 24, 64, 16, 0};
	struct map scratch;
	enum outcome outcome = UNSUPPORTED;

	if (!is_program(writer))
		return true;
	int error = create_map(&scratch, "drv_scratch", shape);
	if (error)
		die("cannot create a hash map: %s", errno_name(error));
	struct plan *plan = new_plan(&scratch, writer, CALL_ELEMENT, 1, 1, 0);
	add_put(plan, 0, BPF_ANY, cpu_number(0));
	struct program *program = load_program(&scratch, plan, reason);
	if (program)
		outcome = run_program(program, reason);
	free_program(program);
	free_plan(plan);
	close_map(&scratch);
	return outcome == RAN;
}

static void make_plan(struct storm_writer *writer, uint32_t ordinal, const struct options *options)
{
	bool lru = writer->kind->lru;
	uint32_t keys = lru ? LRU_KEYS : options->shared_keys ? options->shared_keys : OWN_KEYS;
	uint32_t first = options->shared_keys ? 0 : ordinal * LRU_KEYS;
	struct plan *plan = new_plan(writer->map, writer->kind->writer, writer->kind->call, keys, writer->steps,
				     seed_of("storm", options->seed + ordinal));
	bool *present = allocate(keys, sizeof *present), deleting = false;

	plan->batch = 32;
	for (uint32_t key = 0; key < keys; key++)
		make_key(writer->map, first + key, plan_key(plan, key));
	for (uint32_t i = 0; i < writer->steps; i++) {
		uint32_t key = random_below(&plan->random, keys);

		/* Batches are of one kind, so the kind changes only now and then. */
		if (plan->call != CALL_BATCH || i % 16 == 0)
			deleting = !lru && random_below(&plan->random, 10) < 3;
		if (deleting && (present[key] || options->shared_keys)) {
			add_delete(plan, key, writer->cpu);
			present[key] = false;
		} else {
			add_put(plan, key, BPF_ANY, writer->cpu);
			present[key] = true;
		}
	}
	free(present);
	writer->plan = plan;
}

static void *work(void *argument)
{
	struct storm_writer *writer = argument;

	pin_to_cpu(writer->cpu);
	pthread_barrier_wait(&start);
	my_turns = &turns[(int)writer->cpu != cpu_number(0)];
	between_calls = let_others;
	take_turn();
	writer->outcome = writer->program ? run_program(writer->program, writer->reason)
					  : run_syscalls(writer->map, writer->plan, writer->reason);
	end_turn();
	return NULL;
}

/* Shares the changes out among the kinds of writers that this kernel has, on up to two CPUs. */
static int choose_writers(struct storm_writer *writers, const struct map *hash, const struct map *lru, const struct options *options)
{
	uint32_t weights = 0, planned = 0, cpus = cpu_count() < 2 ? 1 : 2;
	int count = 0;

	for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
		const struct kind *kind = &kinds[k];
		const struct map *map = kind->lru ? lru : hash;
		char reason[REASON_BYTES];

		if (kind->lru && options->shared_keys)
			continue;
		if (!can_write(kind->writer, reason)) {
			char way[64];

			snprintf(way, sizeof way, "%s.update", writer_name(kind->writer));
			record_row(map->name, map, UNSUPPORTED, PER_KEY, way, 0, 0, reason);
			continue;
		}
		for (uint32_t cpu = 0; cpu < cpus && cpu < kind->cpus; cpu++) {
			writers[count++] = (struct storm_writer){.kind = kind, .map = map, .cpu = cpu_number(cpu)};
			weights += kind->weight;
		}
	}
	for (int i = 0; i < count; i++) {
		uint32_t steps = (uint64_t)options->count * writers[i].kind->weight / weights;

		/* Samples come at the clock's pace. */
		if (writers[i].kind->writer == BY_PERF_EVENT && steps > MOST_SAMPLES)
			steps = MOST_SAMPLES;
		writers[i].steps = steps;
		planned += steps;
	}
	writers[0].steps += options->count - planned; /* what rounding left */
	return count;
}

int storm_command(const struct options *options)
{
	enum certainty of_hash = options->shared_keys ? UNKNOWN : PER_KEY;
	struct storm_writer *writers = allocate(MAX_WRITERS, sizeof *writers);
	struct map hash, lru;
	char reason[REASON_BYTES];

	const uint32_t map_count = options->shared_keys ? 1 : 2;
	int error = create_map(&hash, options->shared_keys ? "fight" : "storm",
			       (struct shape){BPF_MAP_TYPE_HASH, 24, 64, MAX_WRITERS * OWN_KEYS + options->shared_keys, 0});
	if (!error && map_count == 2)
		error = create_map(&lru, "storm_lru", (struct shape){BPF_MAP_TYPE_LRU_HASH, 24, 64, LRU_KEYS, 0});
	if (error)
		die("cannot create the storm's maps: %s", errno_name(error));
	if (options->pin) {
		pin_map(&hash, options->pin);
		if (map_count == 2)
			pin_map(&lru, options->pin);
	}
	open_record(options->out);
	int count = choose_writers(writers, &hash, &lru, options);
	for (int i = 0; i < count; i++) {
		make_plan(&writers[i], i, options);
		if (is_program(writers[i].kind->writer)) {
			writers[i].program = load_program(writers[i].map, writers[i].plan, reason);
			if (!writers[i].program)
				die("a %s program loaded once and not again: %s", writer_name(writers[i].kind->writer), reason);
		}
	}
	meet(options, "ready");

	double began = seconds_now();
	pthread_barrier_init(&start, NULL, count);
	for (int i = 0; i < count; i++) {
		error = pthread_create(&writers[i].thread, NULL, work, &writers[i]);
		if (error)
			die("cannot start a thread: %s", errno_name(error));
	}
	for (int i = 0; i < count; i++)
		pthread_join(writers[i].thread, NULL);
	double seconds = seconds_now() - began;

	struct model *hash_model = new_model(&hash), *lru_model = map_count == 2 ? new_model(&lru) : NULL;
	uint32_t total = 0;
	for (int i = 0; i < count; i++) {
		struct storm_writer *writer = &writers[i];
		enum certainty certainty = writer->kind->lru ? EVICTING : of_hash;
		uint32_t refused = 0, done;
		char way[64], note[REASON_BYTES + 32];

		free_program(writer->program);
		done = record_changes(writer->map, writer->plan, writer->kind->lru ? lru_model : hash_model, certainty);
		for (uint32_t step = 0; step < writer->plan->step_count; step++)
			refused += writer->plan->steps[step].result < 0;
		if (writer->outcome == RAN && done != writer->steps && !options->shared_keys) {
			snprintf(writer->reason, REASON_BYTES, "%u changes were planned and %u made", writer->steps, done);
			writer->outcome = FAILED;
		}
		/* An element call stands for deletes too. */
		snprintf(way, sizeof way, "%s.%s", writer_name(writer->kind->writer), call_name(writer->plan, STEP_PUT));
		snprintf(note, sizeof note, "cpu %u %s", writer->cpu, writer->reason);
		record_row(writer->map->name, writer->map, writer->outcome == UNSUPPORTED ? FAILED : writer->outcome, certainty, way,
			   done, refused, note);
		total += done;
		free_plan(writer->plan);
	}
	const struct map *const maps[] = {&hash, &lru};
	for (uint32_t i = 0; i < map_count; i++)
		if (!record_dump(maps[i], i ? lru_model : hash_model, i ? EVICTING : of_hash, reason))
			record_row(maps[i]->name, maps[i], FAILED, of_hash, "dump", 0, 0, reason);
	close_record();
	if (!options->stepwise)
		printf("%u changes by %d writers in %.1f s\n", total, count, seconds);
	meet(options, "done");
	free_model(hash_model);
	close_map(&hash);
	if (map_count == 2) {
		free_model(lru_model);
		close_map(&lru);
	}
	free(writers);
	return failed_rows() ? 1 : 0;
}
