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
