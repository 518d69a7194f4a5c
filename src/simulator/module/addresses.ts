/** Host and guest physical addresses have at most 52 bits, so a number holds them exactly. */
export type Hpa = number;

export type Gpa = number;

export const pageSize = 4096;
