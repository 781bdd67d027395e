/** Text and a virtual module, by the user's own loader, and what imports them. */
export const TXT = `import text from './greeting.txt'; import it from 'virtual:it'; import { other } from './other.js';
console.log(text, it, other, (await import('./greeting.txt' + '')).default);`;
export const LOADER = `export const resolve = (specifier, context, next) =>
  specifier.startsWith('virtual:') ? { url: specifier, shortCircuit: true } : next(specifier, context);
export const load = async (url, context, next) => {
  if (url.startsWith('virtual:')) return { format: 'module', source: 'export default "virtual"', shortCircuit: true };
  if (!url.endsWith('.txt')) return next(url, context);
  const { source } = await next(url, { ...context, format: 'module' });
  return { format: 'module', source: 'export default ' + JSON.stringify(String(source)), shortCircuit: true };
};`;

/** A loader that is asked for the project's own modules: leads one elsewhere, wraps one, and changes the text of others. */
export const MEDDLER = `export const resolve = async (specifier, context, next) => {
  const found = await next(specifier === './nothing.js' ? './other.js' : specifier, context);
  const wraps = /\\/wrapped\\.[jt]s$/.test(found.url) && !context.parentURL.endsWith('?by-hand');
  return wraps ? { ...found, url: found.url + '?by-hand' } : found;
};
export const load = async (url, context, next) => {
  if (url.endsWith('?by-hand')) {
    const { source } = await next(url.slice(0, -8), context);
    const text = 'import { wrapped as it } from ' + JSON.stringify(url.slice(0, -8)) + '; export const wrapped = it + ", wrapped ' + String(source).includes('export') + '";';
    return { format: 'module', source: text, shortCircuit: true };
  }
  const loaded = await next(url, context);
  return loaded.format === 'module' && /\\/(?:main|other|late)\\.[jt]s$/.test(url) ? { ...loaded, source: String(loaded.source).replaceAll('REPLACED', 'replaced') } : loaded;
};`;
export const MEDDLED = {
  'package.json': '{ "type": "module" }',
  'meddler.mjs': MEDDLER,
  'main.ts': `import { other } from './nothing.js'; import { wrapped } from './wrapped.js'; import old, { named } from './old.cjs'; import data from './data.json' with { type: 'json' };
enum Kind { Main = 'REPLACED' }
console.log(Kind.Main, other, wrapped, old.named === named, named, data, (await import('./' + 'other.js')).other === other, (await import('./old.cjs?again')).named);
console.log(import.meta.resolve('./nothing.js'), import.meta.url);`,
  'other.ts': `export const other: string = 'REPLACED'; export const unused: unknown = undefined;`,
  'wrapped.ts': `enum Kind { Wrapped = 'is' } export const wrapped: string = Kind.Wrapped;`,
  'old.cts': `import inner = require('./inner.cjs'); export const named: unknown[] = [inner, module.id === __filename, __filename in require.cache, typeof require.main];`,
  'inner.cts': `export = module.parent!.filename === __dirname + '/old' + __filename.slice(-4);`,
  'data.json': '{ "data": true }',
};
