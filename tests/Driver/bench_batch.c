/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sub-command bench-batch: updates and deletes by bpf(2) in batches, on one map or several in turn,
 * at a chosen rate or as fast as a hook's ring is emptied. Every key is first written once; then a batch
 * is of neighbouring keys from a random one on, and every eighth deletes those of them that are there.
 */
#include "driver.h"

#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

/* Positions of a hook's ring, read only. */
struct ring {
	volatile uint64_t *consumer, *producer;
	uint64_t most;
};

static void *map_page(int fd, off_t at)
{
	void *page = mmap(NULL, getpagesize(), PROT_READ, MAP_SHARED, fd, at);

	if (page == MAP_FAILED)
		die("cannot map the ring's positions: %s", errno_name(errno));
	return page;
}

static struct ring open_ring(const char *pin)
{
	struct bpf_map_info info = {};
	uint32_t size = sizeof info;
	int fd = bpf_obj_get(pin);

	if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &size))
		die("cannot open the ring at %s: %s", pin, errno_name(errno));
	struct ring ring = {.consumer = map_page(fd, 0), .producer = map_page(fd, getpagesize()), .most = info.max_entries / 2};
	close(fd);
	return ring;
}

static void nap(void)
{
	nanosleep(&(struct timespec){.tv_nsec = 500000}, NULL);
}

/* Half of the ring is kept full, the other half is what keeps anything from being lost. */
static void wait_for_room(const struct ring *ring)
{
	while (*ring->producer - *ring->consumer > ring->most)
		nap();
}

struct target {
	struct map map;
	bool *present;
	uint32_t filled, batches;
	uint64_t random;
};

struct work {
	uint8_t *keys, *values;
	uint32_t most;
};

static void check(const struct target *target, int error, const char *doing)
{
	if (error)
		die("cannot %s a batch of map %s: %s", doing, target->map.name, errno_name(error));
}

/* Returns the changes made. */
static uint32_t change(struct target *target, struct work *work, uint32_t keys, uint32_t most)
{
	bool filling = target->filled < keys, deletes = !filling && ++target->batches % 8 == 0;
	uint32_t first = filling ? target->filled : random_below(&target->random, keys), count = 0;
	uint32_t key_size = target->map.shape.key_size, value_size = target->map.shape.value_size;

	for (uint32_t i = 0; i < work->most && i < most && i < keys; i++) {
		uint32_t number = (first + i) % keys;

		if ((deletes && !target->present[number]) || (filling && first + i >= keys))
			continue;
		make_key(&target->map, number, work->keys + (size_t)count * key_size);
		/* Values that differ, at the price of one number. */
		*(uint64_t *)(work->values + (size_t)count * value_size) = random64(&target->random);
		target->present[number] = !deletes;
		count++;
	}
	if (!count)
		return 0;
	uint32_t done = count;
	if (deletes)
		check(target, bpf_map_delete_batch(target->map.fd, work->keys, &done, NULL), "delete");
	else
		check(target, bpf_map_update_batch(target->map.fd, work->keys, work->values, &done, NULL), "write");
	if (filling)
		target->filled += count;
	return count;
}

int bench_batch_command(const struct options *options)
{
	struct shape shape = {BPF_MAP_TYPE_HASH, options->key_size, options->value_size, options->keys, 0};
	struct target *targets = allocate(options->maps, sizeof *targets);
	struct work work = {.most = options->batch};
	struct ring ring = {};
	uint64_t done = 0, filled = 0;

	if (options->key_size < 4 || options->value_size < 8)
		die("bench-batch needs keys of 4 bytes and values of 8 bytes at least");
	work.keys = allocate(work.most, shape.key_size);
	work.values = allocate(work.most, shape.value_size);
	random_bytes(options->seed, work.values, (size_t)work.most * shape.value_size);
	for (uint32_t i = 0; i < options->maps; i++) {
		char name[BPF_OBJ_NAME_LEN];

		snprintf(name, sizeof name, options->maps == 1 ? "%.11s" : "%.11s%u", options->map_name, i);
		int error = create_map(&targets[i].map, name, shape);
		if (error)
			die("cannot create the map %s: %s", name, errno_name(error));
		if (options->pin)
			pin_map(&targets[i].map, options->pin);
		targets[i].present = allocate(options->keys, sizeof *targets[i].present);
		targets[i].random = seed_of(name, options->seed);
	}
	meet(options, "ready");
	if (options->ring)
		ring = open_ring(options->ring);

	/* First every key of every map, not counted as part of the time. */
	for (uint32_t i = 0; i < options->maps; i++)
		while (targets[i].filled < options->keys) {
			if (options->ring)
				wait_for_room(&ring);
			filled += change(&targets[i], &work, options->keys, work.most);
		}
	if (options->stepwise)
		printf("changes %lu\n", (unsigned long)filled);
	meet(options, "filled");

	double began = seconds_now(), now = began;
	for (uint32_t turn = 0; options->seconds > 0 ? now - began < options->seconds : done < options->count; turn++) {
		while (options->rate > 0 && done >= (seconds_now() - began) * options->rate)
			nap();
		if (options->ring)
			wait_for_room(&ring);
		uint64_t left = options->seconds > 0 ? work.most : options->count - done;
		done += change(&targets[turn % options->maps], &work, options->keys, left < work.most ? left : work.most);
		now = seconds_now();
	}
	printf("changes %lu seconds %.3f per_second %.0f\n", (unsigned long)(filled + done), now - began, done / (now - began));
	if (options->stepwise)
		meet(options, "done");
	for (uint32_t i = 0; i < options->maps; i++) {
		close_map(&targets[i].map);
		free(targets[i].present);
	}
	free(targets);
	free(work.keys);
	free(work.values);
	return 0;
}
