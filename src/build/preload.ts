/**
 * What a standby may load before its turn: the packages that Node would evaluate before any of the user's own code could
 * matter. The graph is walked as it would be evaluated, and the walk stops at the first module of the project that may
 * influence what follows. So the order of evaluation is the one that it would be without us.
 */
import { isBuiltin } from 'node:module';
import type { Config } from '../config/config.ts';
import type { Preload } from '../runtime/messages.ts';
import { type ImportsOf, openImports } from './imports.ts';
import { leadingRequires } from './leading.ts';
import type { Module } from './transform.ts';

export interface Graph {
  /** A module of the project; undefined for a file that is none, or not known. */
  module(file: string): Module | undefined;
  /** Where a specifier leads: to a file of the project, or to a package as Node has resolved it. Undefined: not known. */
  resolve(specifier: string, parent: string): { readonly file: string } | { readonly preload: Preload } | undefined;
}

/** Packages whose work is to change what others see, or that read what the project sets. */
const INFLUENTIAL =
  /^(?:dotenv|@dotenvx\/|dd-trace|newrelic|elastic-apm-node|applicationinsights|module-alias|tsconfig-paths|source-map-support|ts-node|tsx|esbuild-register|@swc-node\/|@babel\/register|@sentry\/|@opentelemetry\/|@datadog\/|@honeycombio\/|@google-cloud\/(?:trace|profiler|debug)|@appsignal\/|env-cmd|why-is-node-running)/;

/** Code that sets the environment, a global or the working directory. */
const INFLUENCES =
  /\bprocess\s*\.\s*env\s*(?:\.\s*[\w$]+|\[[^\]]*\])?\s*(?:\?\?|\|\||&&|[-+])?=(?!=)|\bassign\(\s*process\.env|\bdelete\s+process\.env|\b(?:globalThis|global)\s*(?:\.\s*[\w$]+|\[[^\]]*\])\s*(?:\?\?|\|\|)?=(?!=)|\bprocess\s*\.\s*(?:chdir|loadEnvFile|title|on|once)\b|\bset(?:Default)?(?:GlobalDispatcher|AutoSelectFamily|ResultOrder)\b/;

/** Of what Node itself has it does not matter when it is loaded. */
const requiresMore = (code: string): boolean =>
  [...code.matchAll(/\b(?:require|import)\s*\((?:\s*(['"])([^'"\n]+)\1\s*\))?/g)].some(
    ([, , specifier]) => specifier === undefined || !isBuiltin(specifier),
  );

/** The package of a specifier. */
const nameOf = (specifier: string): string => /^(?:@[^/]+\/)?[^/]+/.exec(specifier)?.[0] ?? specifier;

export interface Preloads {
  /** In the order of their evaluation. */
  readonly packages: readonly Preload[];
  /** Where the walk has ended; `because` goes on from the name of the file. Null: nowhere. */
  readonly stop: { readonly file: string; readonly because: string } | null;
  /** How many packages all that is imported statically comes from. */
  readonly of: number;
}

export async function preloadsOf(entry: string, graph: Graph, wanted: Config['preload']): Promise<Preloads> {
  if (wanted === 'none') return { packages: [], stop: null, of: 0 };
  const isAuto = wanted === 'auto';
  const isWanted = (specifier: string): boolean => !Array.isArray(wanted) || wanted.includes(nameOf(specifier));
  const importsOf = await openImports();
  const found = new Map<string, Preload>();
  const seen = new Set<string>();

  let stop: Preloads['stop'] = null;
  const stopAt = (file: string, because: string): false => {
    stop = { file, because };
    return false;
  };

  /** False: what follows may be influenced. */
  const visit = (file: string): boolean => {
    if (seen.has(file)) return true;
    seen.add(file);
    const module = graph.module(file);
    if (!module) return !isAuto || stopAt(file, 'is not known');
    if (module.format === 'json') return true;
    const leading = module.format === 'commonjs' && !module.transformed ? leadingRequires(module.code) : null;
    for (const { specifier, isBare } of leading?.imports ?? importsOf(module)) {
      if (isBuiltin(specifier)) continue;
      if (isAuto && INFLUENTIAL.test(specifier))
        return stopAt(file, `imports ${specifier}, which influences other packages`);
      const target = graph.resolve(specifier, file);
      if (target === undefined) {
        if (isAuto) return stopAt(file, `imports ${specifier}, which is not known`);
      } else if ('preload' in target) {
        if (isWanted(specifier)) found.set(target.preload.url, target.preload);
      } else if (isAuto && isBare) return stopAt(file, `imports ${specifier} for its effects`);
      else if (!visit(target.file)) return false;
    }
    if (isAuto && leading && requiresMore(leading.rest)) return stopAt(file, 'requires more further down');
    return !isAuto || !INFLUENCES.test(module.code) || stopAt(file, 'changes the environment, or what is global');
  };
  visit(entry);
  return { packages: [...found.values()], stop, of: packagesOf(entry, graph, importsOf).size };
}

/** The names of all that it may come to, whatever is in the way. */
function packagesOf(entry: string, graph: Graph, importsOf: ImportsOf): Set<string> {
  const names = new Set<string>();
  const files = new Set([entry]);
  for (const file of files) {
    const module = graph.module(file);
    if (!module || module.format === 'json') continue;
    const leading = module.format === 'commonjs' && !module.transformed ? leadingRequires(module.code) : null;
    for (const { specifier } of [...(leading?.imports ?? []), ...importsOf(module)]) {
      const target = isBuiltin(specifier) ? undefined : graph.resolve(specifier, file);
      if (target && 'file' in target) files.add(target.file);
      else if (target) names.add(nameOf(specifier));
    }
  }
  return names;
}
