/*
 * A security module's refusal, for one process and single maps: preloaded, it answers bpf(2) with EPERM where a map
 * would be opened whose id stands in the file that REFUSED_MAPS names, or a pin whose path stands there. Of BTF and
 * programs it refuses all ids that stand there behind a letter: b12, p34. The file is read at each call.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

static bool is_listed(const char *name)
{
	const char *path = getenv("REFUSED_MAPS");
	char line[512];
	bool listed = false;
	FILE *file = path ? fopen(path, "re") : NULL;

	while (file && !listed && fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = 0;
		listed = !strcmp(line, name);
	}
	if (file)
		fclose(file);
	return listed;
}

static bool is_refused(long command, const union bpf_attr *attr)
{
	char name[16];

	if (command == BPF_OBJ_GET)
		return is_listed((const char *)(unsigned long)attr->pathname);
	if (command == BPF_MAP_GET_FD_BY_ID)
		snprintf(name, sizeof(name), "%u", attr->map_id);
	else if (command == BPF_BTF_GET_FD_BY_ID)
		snprintf(name, sizeof(name), "b%u", attr->btf_id);
	else if (command == BPF_PROG_GET_FD_BY_ID)
		snprintf(name, sizeof(name), "p%u", attr->prog_id);
	else
		return false;
	return is_listed(name);
}

long syscall(long number, ...)
{
	static long (*next)(long, ...);
	va_list rest;
	long a[6];

	va_start(rest, number);
	for (int i = 0; i < 6; i++)
		a[i] = va_arg(rest, long);
	va_end(rest);
	if (!next)
		next = (long (*)(long, ...))dlsym(RTLD_NEXT, "syscall");
	if (number == __NR_bpf && is_refused(a[0], (const union bpf_attr *)a[1])) {
		errno = EPERM;
		return -1;
	}
	return next(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}
