export { sanitize } from '../../errors/sanitize.ts';
