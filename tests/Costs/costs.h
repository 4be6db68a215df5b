/* SPDX-License-Identifier: Apache-2.0 */
/*
 * costs: what the hook costs, measured in a guest whose kernel allows fentry.
 *
 *   hook.c     updates of a map: bare, with the hook, with the usual design
 *   traffic.c  connections through a program that tracks them
 *   main.c     the rest
 */
#ifndef COSTS_H
#define COSTS_H

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shapes.h"

void die(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));
void pin_to_cpu(int cpu);
double seconds_now(void);

/* The BPF object, loaded: what tracks connections, or all else. */
struct bpf_object *load_programs(bool tracking);
int program_of(struct bpf_object *object, const char *name);
volatile struct globals *globals_of(struct bpf_object *object);

/* Each of `rounds`: the function not hooked, hooked as the pins in `folder` are, hooked the usual way. */
int measure_hook(const char *folder, int rounds, int windows);

/* Serves and connects when it is told to on stdin: "go SECONDS". In the namespaces "client" and "server". */
int run_traffic(const char *server_address);

#endif
