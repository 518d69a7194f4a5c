/** Records nest a few levels; what reads them is recursive, and the call stack has an end. */
const deepest = 32;

/** Counts every bracket, also those in quotes: a record has few of them. */
export function nestsTooDeep(text: string): boolean {
  let depth = 0;
  for (const char of text) {
    if (char === '[' || char === '{') depth += 1;
    else if (char === ']' || char === '}') depth -= 1;
    if (depth > deepest) return true;
  }
  return false;
}
