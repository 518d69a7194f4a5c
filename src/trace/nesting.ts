/**
 * Records nest only a few levels. Their readers are recursive, and deep input could overflow the call
 * stack.
 */
const deepest = 32;

/** Counts every bracket, including those in quotes, because a record has few of them. */
export function nestsTooDeep(text: string): boolean {
  let depth = 0;
  for (const char of text) {
    if (char === '[' || char === '{') depth += 1;
    else if (char === ']' || char === '}') depth -= 1;
    if (depth > deepest) return true;
  }
  return false;
}
