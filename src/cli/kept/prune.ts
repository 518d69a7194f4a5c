export async function prune(..._: unknown[]): Promise<void> {}
