/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Updates of a hash map by a networking program, 256 at a time between two looks at the clock. The
 * function that updates is hooked in turns not at all, by maplog as its daemon left it pinned, and by
 * the usual design. Both have a reader that drains what they write, on the other CPU.
 */
#define _GNU_SOURCE
#include "costs.h"

#include <dirent.h>
#include <pthread.h>

#define FUNCTION "htab_map_update_elem"
#define MOST_WINDOWS 4096

static struct bpf_object *object;
static volatile bool stopping;
static volatile uint64_t taken[2];	/* records: the ring's, the perf buffer's */

/* --- what drains ------------------------------------------------------------------------------------------ */

static int take_record(void *context, void *data, size_t size)
{
	taken[0]++;
	return 0;
}

static void take_sample(void *context, int cpu, void *data, uint32_t size)
{
	taken[1]++;
}

static void miss_samples(void *context, int cpu, unsigned long long count)
{
}

static void *drain_ring(void *ring)
{
	pin_to_cpu(1);
	while (!stopping)
		if (ring_buffer__consume(ring) == 0)
			usleep(1000);
	return NULL;
}

static void *drain_perf(void *buffer)
{
	pin_to_cpu(1);
	while (!stopping)
		perf_buffer__poll(buffer, 100);
	return NULL;
}

/* --- the hook's links ------------------------------------------------------------------------------------- */

static int pinned(const char *folder, const char *name)
{
	char path[512];

	snprintf(path, sizeof path, "%s/%s", folder, name);
	int fd = bpf_obj_get(path);
	if (fd < 0)
		die("cannot open the pin %s: %s", path, strerror(errno));
	return fd;
}

static int ring_of(const char *folder)
{
	DIR *pins = opendir(folder);
	struct dirent *pin;

	if (!pins)
		die("there is no folder %s", folder);
	while ((pin = readdir(pins)))
		if (!strncmp(pin->d_name, "ring_", 5))
			return pinned(folder, pin->d_name);
	die("no ring is pinned in %s", folder);
}

/* Takes the program out of its pinned link: the link's end is the hook's, until `attach`. */
static int unhook(const char *folder, const char *name)
{
	struct bpf_link_info info = {};
	uint32_t size = sizeof info;
	char path[512];
	int link = pinned(folder, name);

	if (bpf_obj_get_info_by_fd(link, &info, &size))
		die("cannot ask for the link %s: %s", name, strerror(errno));
	int program = bpf_prog_get_fd_by_id(info.prog_id);
	if (program < 0)
		die("cannot open the program of the link %s: %s", name, strerror(errno));
	close(link);
	snprintf(path, sizeof path, "%s/%s", folder, name);
	if (unlink(path))
		die("cannot remove the pin %s: %s", path, strerror(errno));
	return program;
}

static int hook(int program)
{
	int link = bpf_raw_tracepoint_open(NULL, program);

	if (link < 0)
		die("cannot hook " FUNCTION ": %s", strerror(errno));
	return link;
}

/* --- measuring -------------------------------------------------------------------------------------------- */

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* ns an update: the quarter of the windows that others on the machine disturbed least. */
static double measure(const char *name, int windows)
{
	static double ns[MOST_WINDOWS];
	static uint8_t packet[64];
	volatile struct globals *globals = globals_of(object);
	int program = program_of(object, name);

	for (int i = -2; i < windows; i++) {
		LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = packet, .data_size_in = sizeof packet, .repeat = 1);
		if (bpf_prog_test_run_opts(program, &run))
			die("cannot run %s: %s", name, strerror(errno));
		if (i >= 0)
			ns[i] = (double)globals->window_ns / WINDOW;
	}
	qsort(ns, windows, sizeof *ns, by_size);
	return ns[windows / 4];
}

int measure_hook(const char *folder, int rounds, int windows)
{
	pthread_t ring_reader, perf_reader;
	uint64_t before;

	if (windows > MOST_WINDOWS || windows < 1)
		die("from 1 to %d windows", MOST_WINDOWS);
	object = load_programs(false);
	struct ring_buffer *ring = ring_buffer__new(ring_of(folder), take_record, NULL, NULL);
	struct perf_buffer *buffer = perf_buffer__new(bpf_object__find_map_fd_by_name(object, "usual_events"), 1024, take_sample, miss_samples, NULL, NULL);
	if (!ring || !buffer)
		die("cannot open the ring or the perf buffer: %s", strerror(errno));
	pthread_create(&ring_reader, NULL, drain_ring, ring);
	pthread_create(&perf_reader, NULL, drain_perf, buffer);
	pin_to_cpu(0);
	/* The spare first: what is attached last is run first. */
	char first_name[] = "link_" FUNCTION, spare_name[] = "link_spare_" FUNCTION;
	int spare = unhook(folder, spare_name), first = unhook(folder, first_name);

	for (int round = -1; round < rounds; round++) {
		double bare = measure("update_seen", windows);

		int links[] = {hook(spare), hook(first)};
		before = taken[0];
		double other = measure("update_other", windows);
		if (taken[0] - before > 8)
			die("the hook recorded a map that nobody watches");
		double seen = measure("update_seen", windows);
		usleep(20000);
		if (taken[0] - before < (uint64_t)windows * WINDOW / 2)
			die("the hook recorded %lu of %d updates", (unsigned long)(taken[0] - before), windows * WINDOW);
		close(links[1]);
		close(links[0]);

		int empty[] = {hook(program_of(object, "nothing")), hook(program_of(object, "nothing_more"))};
		double nothing = measure("update_other", windows);
		close(empty[1]);
		close(empty[0]);

		struct bpf_link *kprobe = bpf_program__attach(bpf_object__find_program_by_name(object, "usual_update"));
		if (!kprobe)
			die("cannot attach the usual design: %s", strerror(errno));
		before = taken[1];
		double usual = measure("update_seen", windows);
		usleep(20000);
		if (taken[1] == before)
			die("the usual design recorded nothing");
		bpf_link__destroy(kprobe);
		double bare_again = measure("update_seen", windows);
		if (round >= 0)
			printf("hook bare %.1f seen %.1f other %.1f nothing %.1f usual %.1f\n", (bare + bare_again) / 2, seen, other, nothing, usual);
	}
	stopping = true;
	pthread_join(ring_reader, NULL);
	pthread_join(perf_reader, NULL);
	ring_buffer__free(ring);
	perf_buffer__free(buffer);
	bpf_object__close(object);
	return 0;
}
