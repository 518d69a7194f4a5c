/** The program from its modules, each by itself. The package has that of bundled/main.ts. */
import { start } from './start.ts';

process.exitCode = await start(process.argv.slice(2));
