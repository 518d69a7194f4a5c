// @ts-check
/** The addon's loader as it was built, with the types of its source. */
const built = new URL('../build/modules/native/index.js', import.meta.url).href;

/** @type {typeof import('../native/index.ts')} */
export const { loadAddon } = await import(built);
