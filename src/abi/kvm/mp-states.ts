/** By the kernel's names without their prefix KVM_MP_STATE_. */
export const mpStates = {
  RUNNABLE: 0,
  UNINITIALIZED: 1,
  INIT_RECEIVED: 2,
  HALTED: 3,
  AP_RESET_HOLD: 9,
} as const;

export type MpState = keyof typeof mpStates;
