/* The whole of x86/hyperv_cpuid, for a host with hyper-threading whatever the CPUs of this machine have. */
#include "kvm_util.h"
#define is_smt_possible() true
#include "x86/hyperv_cpuid.c"
