/** The path `/a/b` gives `/a/b`, `/a` and `/`. */
export function* cgroupLineage(path: string): IterableIterator<string> {
  for (let at = path; at !== '/' && at !== ''; at = at.slice(0, at.lastIndexOf('/'))) yield at;
  yield '/';
}
