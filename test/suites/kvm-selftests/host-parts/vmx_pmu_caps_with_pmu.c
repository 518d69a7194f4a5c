/* The whole of x86/vmx_pmu_caps_test, for a KVM that has counters whatever that of this machine has. */
#include "kvm_util.h"
#include "processor.h"
#include "pmu.h"
#define kvm_is_pmu_enabled() true
#include "x86/vmx_pmu_caps_test.c"
