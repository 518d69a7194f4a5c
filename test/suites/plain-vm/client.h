// A client that asks an ordinary VM of many things, right and wrong, and prints each answer in a line of
// its own: what two kernels answer is then compared by `diff`. It asks nothing whose answer depends on
// the vendor of the CPU, and runs no guest code.
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

// What stands before each line until the next one: the subject.
void about(const char *subject);
// A call's result or errno.
long says(const char *question, long result);
// A value that an answered call gave.
void value(const char *what, uint64_t is);

extern int kvm;
// A fresh one each, with an in-kernel interrupt controller or without.
int new_vm(void);
int new_vm_with_irqchip(void);
int new_vcpu(int vm);
struct kvm_run *run_page_of(int vcpu);
// Zeroed memory of whole pages.
void *pages(size_t count);

#define PAGE 4096ull

void ask_system(void);
void ask_memory(void);
void ask_interrupts(void);
void ask_events(void);
void ask_timers(void);
void ask_vm(void);
void ask_registers(void);
void ask_vcpu(void);
void ask_run(void);
