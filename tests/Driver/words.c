/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "driver.h"

#include <sched.h>
#include <stdarg.h>
#include <time.h>

void die(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	fputs("mapdriver: ", stderr);
	vfprintf(stderr, format, arguments);
	fputc('\n', stderr);
	va_end(arguments);
	exit(1);
}

const char *errno_name(int error)
{
	if (error < 0)
		error = -error;
	if (error == ENOTSUPP_KERNEL)
		return "ENOTSUPP";
	const char *name = strerrorname_np(error);
	return name ? name : "unknown errno";
}

void *allocate(size_t count, size_t size)
{
	void *memory = calloc(count ? count : 1, size ? size : 1);

	if (!memory)
		die("no memory for %zu x %zu bytes", count, size);
	return memory;
}

void write_hex(FILE *file, const void *bytes, size_t count)
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t *from = bytes;
	char line[4096];

	while (count > 0) {
		size_t part = count < sizeof line / 2 ? count : sizeof line / 2;

		for (size_t i = 0; i < part; i++) {
			line[2 * i] = digits[from[i] >> 4];
			line[2 * i + 1] = digits[from[i] & 15];
		}
		fwrite(line, 1, 2 * part, file);
		from += part;
		count -= part;
	}
}

/* FNV-1a of the name, so that each row has numbers of its own and the same ones in every run. */
uint64_t seed_of(const char *name, uint64_t seed)
{
	uint64_t hash = 14695981039346656037ull ^ seed;

	for (; *name; name++)
		hash = (hash ^ (uint8_t)*name) * 1099511628211ull;
	return hash;
}

/* splitmix64 */
uint64_t random64(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15ull;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return z ^ (z >> 31);
}

uint32_t random_below(uint64_t *state, uint32_t bound)
{
	return (uint32_t)(((random64(state) >> 32) * bound) >> 32);
}

void random_bytes(uint64_t seed, void *bytes, size_t count)
{
	uint8_t *to = bytes;

	while (count > 0) {
		uint64_t word = random64(&seed);
		size_t part = count < sizeof word ? count : sizeof word;

		memcpy(to, &word, part);
		to += part;
		count -= part;
	}
}

double seconds_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

/* Asked once, before any thread is pinned. */
static cpu_set_t *usable_cpus(void)
{
	static cpu_set_t cpus;
	static bool known;

	if (!known && sched_getaffinity(0, sizeof cpus, &cpus))
		die("cannot read the CPU affinity: %s", errno_name(errno));
	known = true;
	return &cpus;
}

int cpu_count(void)
{
	return CPU_COUNT(usable_cpus());
}

int cpu_number(int ordinal)
{
	cpu_set_t *cpus = usable_cpus();

	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, cpus) && ordinal-- == 0)
			return cpu;
	die("there is no usable CPU of that ordinal");
}

void pin_to_cpu(int cpu)
{
	static __thread int current = -1;
	cpu_set_t set;

	if (current == cpu)
		return;
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof set, &set))
		die("cannot run on CPU %d: %s", cpu, errno_name(errno));
	current = cpu;
}
