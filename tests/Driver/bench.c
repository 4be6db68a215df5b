/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sub-command bench-free: updates by bpf(2) that wait for nobody, at a chosen rate. A value begins
 * with the update's number and the wall clock in ns (little endian, 8 bytes each), so that a reader
 * anywhere knows what is missing and how old it is.
 */
#include "driver.h"

#include <time.h>

static uint64_t wall_clock(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * 1000000000ull + now.tv_nsec;
}

int bench_free_command(const struct options *options)
{
	struct shape shape = {BPF_MAP_TYPE_HASH, options->key_size, options->value_size, options->keys + 1, 0};
	struct timespec tick = {.tv_nsec = 1000000};
	uint64_t random = options->seed;
	double latest = 0;
	struct map map;

	if (options->key_size < 4 || options->value_size < 16)
		die("bench-free needs keys of 4 bytes and values of 16 bytes at least");
	int error = create_map(&map, options->map_name, shape);
	if (error)
		die("cannot create the map %s: %s", options->map_name, errno_name(error));
	if (options->pin)
		pin_map(&map, options->pin);
	uint8_t *keys = allocate(options->keys, shape.key_size), *value = allocate(1, shape.value_size);
	for (uint32_t key = 0; key < options->keys; key++)
		make_key(&map, key, keys + (size_t)key * shape.key_size);
	random_bytes(random, value, shape.value_size);
	meet(options, "ready");

	double began = seconds_now();
	for (uint64_t done = 0; done < options->count; done++) {
		/* Slept in whole ticks: what is due is then made at once. */
		while (options->rate > 0 && done >= (seconds_now() - began) * options->rate)
			nanosleep(&tick, NULL);
		if (options->rate > 0) {
			double late = seconds_now() - began - done / options->rate;

			latest = late > latest ? late : latest;
		}
		uint64_t now = wall_clock();
		memcpy(value, &done, sizeof done);
		memcpy(value + sizeof done, &now, sizeof now);
		error = bpf_map_update_elem(map.fd, keys + (size_t)random_below(&random, options->keys) * shape.key_size, value, BPF_ANY);
		if (error)
			die("update %lu of map %s failed: %s", (unsigned long)done, map.name, errno_name(error));
	}
	double seconds = seconds_now() - began;

	if (options->stepwise)
		meet(options, "done");
	printf("changes %u seconds %.3f per_second %.0f latest_ms %.1f\n", options->count, seconds, options->count / seconds, latest * 1e3);
	free(keys);
	free(value);
	close_map(&map);
	return 0;
}
