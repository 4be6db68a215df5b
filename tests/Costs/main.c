/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "costs.h"

#include <sched.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <time.h>

__asm__(".pushsection .rodata\n.global costs_object, costs_object_end\n.balign 8\n"
	"costs_object: .incbin \"" COSTS_OBJECT "\"\ncosts_object_end:\n.popsection\n");
extern const char costs_object[], costs_object_end[];

void die(const char *format, ...)
{
	va_list arguments;

	fputs("costs: ", stderr);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
	exit(1);
}

void pin_to_cpu(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof set, &set))
		die("cannot move to CPU %d: %s", cpu, strerror(errno));
}

double seconds_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

struct bpf_object *load_programs(bool tracking)
{
	struct bpf_object *object = bpf_object__open_mem(costs_object, costs_object_end - costs_object, NULL);
	struct bpf_program *program;
	struct bpf_map *map;

	if (!object)
		die("cannot open the BPF object: %s", strerror(errno));
	bpf_object__for_each_program(program, object)
		bpf_program__set_autoload(program, tracking == !strcmp(bpf_program__name(program), "track"));
	/* A daemon that watches maps of these names must not find two of them. */
	bpf_object__for_each_map(map, object)
		if (!strncmp(bpf_map__name(map), "costs_", 6) && !strstr(bpf_map__name(map), "bss"))
			bpf_map__set_autocreate(map, tracking == !strcmp(bpf_map__name(map), "costs_flows"));
	int error = bpf_object__load(object);
	if (error)
		die("cannot load the BPF programs: %s", strerror(-error));
	return object;
}

int program_of(struct bpf_object *object, const char *name)
{
	struct bpf_program *program = bpf_object__find_program_by_name(object, name);

	if (!program)
		die("there is no BPF program %s", name);
	return bpf_program__fd(program);
}

volatile struct globals *globals_of(struct bpf_object *object)
{
	struct bpf_map *map;

	/* By libbpf's own name for it, which has the object's name before it. */
	bpf_object__for_each_map(map, object) {
		if (!strstr(bpf_map__name(map), ".bss"))
			continue;
		void *memory = mmap(NULL, sysconf(_SC_PAGESIZE), PROT_READ, MAP_SHARED, bpf_map__fd(map), 0);
		if (memory == MAP_FAILED)
			die("cannot map the programs' globals: %s", strerror(errno));
		return memory;
	}
	die("the BPF object has no globals");
}

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc == 5 && !strcmp(argv[1], "hook"))
		return measure_hook(argv[2], atoi(argv[3]), atoi(argv[4]));
	if (argc == 3 && !strcmp(argv[1], "traffic"))
		return run_traffic(argv[2]);
	fputs("costs hook PINS ROUNDS WINDOWS: medians of ns an update, a line for each round\n"
	      "costs traffic ADDRESS: connects to it from the namespace client when stdin says \"go SECONDS\"\n", stderr);
	return 2;
}
