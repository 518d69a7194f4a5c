// @ts-check
/**
 * Makes, of the modules that each page runs in the browser, the one script that the page carries.
 *
 * A page is a single file, so it cannot load modules, and its policy allows no import map of data:
 * URLs. The compiled modules (dist/client/) are therefore put one after the other, in the order in
 * which a browser would run them, without their imports and exports. That means the same as long as
 * no name is declared twice and none is renamed on import; both end the build here.
 * One trap remains: a name of the browser's own (`open`, `name`) that one module declares is taken
 * from all of them.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { Script } from 'node:vm';

const pages = {
  graph: 'src/visualize/html/client/main.js',
  rehearse: 'src/cli/rehearse/page/client/main.js',
  watch: 'src/watch/page/client/main.js',
};
const compiled = new URL('../dist/client/', import.meta.url);
const inlined = new URL('../dist/pages/', import.meta.url);

rmSync(inlined, { recursive: true, force: true });
mkdirSync(inlined);
for (const [page, main] of Object.entries(pages)) {
  const script = `'use strict';\n${flattened(new URL(main, compiled))}`;
  checkScript(page, script);
  writeFileSync(new URL(`${page}.js`, inlined), script);
}
rmSync(compiled, { recursive: true });

/**
 * @param {URL} module
 * @param {Set<string>} taken
 * @returns {string}
 */
function flattened(module, taken = new Set()) {
  if (taken.has(module.href)) return '';
  taken.add(module.href);
  const text = readFileSync(module, 'utf8');
  const imports = /^import (?:\{([^}]*)\} from )?'(\.[^']+)';\n/gm;
  const before = [...text.matchAll(imports)].map(([, names = '', path = '']) => {
    if (/\sas\s/.test(names)) throw new Error(`${module}: an import of a page may not be renamed`);
    return flattened(new URL(path, module), taken);
  });
  const own = text.replace(imports, '').replace(/^export (\{\};\n)?/gm, '');
  return before.join('') + own;
}

/**
 * @param {string} page
 * @param {string} script
 */
function checkScript(page, script) {
  // In a strict block a function may not be declared twice either. Imports that are left end it too.
  new Script(`'use strict';{${script}}`, { filename: `${page}.js` });
  if (/<\/script|<!--/i.test(script)) throw new Error(`${page}: its script would end its element`);
}
