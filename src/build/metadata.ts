/**
 * What `emitDecoratorMetadata` asks for: the types of what is decorated, as values that the app reads by Reflect. esbuild
 * cannot emit them, so oxc-transform goes before it, for those files alone that have decorators. (The project's own
 * TypeScript could do it up to version 6; 7 has no such interface.)
 */
import { createRequire } from 'node:module';
import { extname } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { TransformOptions } from 'oxc-transform';
import type { Fault } from '../errors.ts';
import { placeAt } from './json.ts';

const require = createRequire(import.meta.url);

/** Of the compiler options of a tsconfig.json. */
interface CompilerOptions {
  readonly emitDecoratorMetadata?: boolean;
  readonly experimentalDecorators?: boolean;
  readonly alwaysStrict?: boolean;
  readonly jsxFactory?: string;
  readonly jsxFragmentFactory?: string;
  readonly strictNullChecks?: boolean;
  readonly target?: string;
  readonly useDefineForClassFields?: boolean;
  readonly verbatimModuleSyntax?: boolean;
  readonly preserveValueImports?: boolean;
}

/** JavaScript with decorators and types taken out, JSX left in, and an inline source map. */
export type Emitted = { readonly code: string } | { readonly fault: Fault };

/** A decorator; what a comment says behind a star or slashes is none. */
const DECORATOR = /(?<!\*[ \t]*|\/\/[ \t]*|[\w$"'`])@[\p{ID_Start}$_(]/u;

/**
 * `let A = class A`: esbuild would call the inner one A2, and that would be its name to the app. Without it the class gets
 * its name from the `let`; oxc has no use for the inner one.
 */
const NAMED_TWICE = /^(?:export )?let ([\w$]+) = class \1(?= extends | ?\{)/gmu;
const INNER = /[\w$]+$/u;

/** How oxc writes a type that is a name: `typeof A === "undefined" ? Object : A`, and so for each part of `a.B`. */
const NAMED_TYPE =
  /(?:typeof [\w$.]+ === "undefined" \|\| )*typeof ([\w$.]+) === "undefined" \? Object : \1(?![\w$.])/gu;

/** Without loading oxc itself. */
export const oxcVersion = (): string => (require('oxc-transform/package.json') as { version: string }).version;

/** @param raw as esbuild gets it; whether it asks for metadata */
export function wantsMetadata(raw: string): boolean {
  if (!raw.includes('"emitDecoratorMetadata":true')) return false;
  return optionsOf(raw).experimentalDecorators === true;
}

export const hasDecorators = (source: string): boolean => DECORATOR.test(source);

const optionsOf = (raw: string): CompilerOptions =>
  (JSON.parse(raw) as { compilerOptions: CompilerOptions }).compilerOptions;

/** @param raw the tsconfig as esbuild gets it */
export async function emitMetadata(file: string, source: string, raw: string): Promise<Emitted> {
  const oxc = await import('oxc-transform');
  const options = optionsOf(raw);
  const settings = settingsOf(file, options);
  const decorator = { legacy: true, strictNullChecks: options.strictNullChecks ?? false };
  const [made, plain] = await Promise.all([
    oxc.transform(file, source, { ...settings, decorator: { ...decorator, emitDecoratorMetadata: true } }),
    oxc.transform(file, source, { ...settings, decorator, sourcemap: false }),
  ]);
  const [error] = made.errors.filter(({ severity }) => severity === 'Error');
  if (error) return { fault: faultOf(file, source, error) };
  const code = withTypesApart(made.code, plain.code).replace(NAMED_TWICE, (all, name: string) =>
    all.replace(INNER, ' '.repeat(name.length)),
  );
  const hashbang = /^#!.*\n/.exec(code)?.[0] ?? '';
  const strict = options.alwaysStrict ? '"use strict";' : '';
  // One more line in front.
  const map = { ...made.map, sources: [pathToFileURL(file).href], mappings: `;${made.map?.mappings ?? ''}` };
  delete (map as { sourcesContent?: unknown }).sourcesContent;
  const comment = Buffer.from(JSON.stringify(map)).toString('base64');
  return {
    code: `${hashbang}${strict}${HELPERS}\n${code.slice(hashbang.length)}\n//# sourceMappingURL=data:application/json;base64,${comment}`,
  };
}

function settingsOf(file: string, options: CompilerOptions): TransformOptions {
  // As esbuild has it: a tsconfig without a target means the newest.
  const year = /^es(\d+)$/i.exec(options.target ?? 'esnext')?.[1];
  const defines = options.useDefineForClassFields ?? (year === undefined || Number(year) >= 2022);
  return {
    lang: extname(file) === '.tsx' ? 'tsx' : 'ts',
    sourcemap: true,
    target: 'esnext',
    jsx: 'preserve',
    // The helpers are properties of `babelHelpers`, which is for us to bring.
    helpers: { mode: 'External' as never },
    assumptions: { setPublicClassFields: !defines },
    typescript: {
      // What JSX will need of the imports.
      jsxPragma: options.jsxFactory?.split('.')[0] ?? 'React',
      jsxPragmaFrag: options.jsxFragmentFactory?.split('.')[0] ?? 'React',
      removeClassFieldsWithoutInitializer: !defines,
      onlyRemoveTypeImports: options.verbatimModuleSyntax ?? options.preserveValueImports ?? false,
    },
  };
}

/** Labels count UTF-16 units. */
function faultOf(
  file: string,
  source: string,
  { message, labels }: { message: string; labels: readonly { start: number; end: number }[] },
): Fault {
  const text = /[.!?]$/.test(message) ? message : `${message}.`;
  const [label] = labels;
  return label ? { text, file, ...placeAt(source, label.start, Math.max(1, label.end - label.start)) } : { text, file };
}

/**
 * `import { User } from './user.ts'` where nothing but metadata uses User: it may be an interface, and to import a name that
 * is not there is an error. So it is looked for in the namespace of the module, where it is undefined then.
 *
 * @param plain the same without metadata, where such imports are left out
 */
function withTypesApart(code: string, plain: string): string {
  const used = new Set(importsIn(plain).flatMap(({ names }) => names.map(({ local }) => local)));
  const places = new Map<string, string>();
  let result = code;
  for (const [index, { text, head, names, from }] of importsIn(code).entries()) {
    const types = names.filter(({ imported, local }) => !used.has(local) && !imported.startsWith('"'));
    if (types.length === 0) continue;
    for (const { imported, local } of types) places.set(local, `__types${index}.${imported}`);
    const kept = names.filter((name) => !types.includes(name)).map(({ imported, local }) => `${imported} as ${local}`);
    const clause = [head, kept.length > 0 ? `{ ${kept.join(', ')} }` : ''].filter(Boolean).join(', ');
    const rest = clause ? `import ${clause} from ${from};` : '';
    result = result.replace(text, () => `${rest}import * as __types${index} from ${from};`);
  }
  if (places.size === 0) return code;
  return result.replace(NAMED_TYPE, (all) => all.replace(/(?<=typeof |: )[\w$]+/g, (name) => places.get(name) ?? name));
}

interface ImportLine {
  readonly text: string;
  /** A namespace, with or without a default import beside it: it is left as it is. */
  readonly head: string;
  readonly names: readonly { readonly imported: string; readonly local: string }[];
  /** In quotes. */
  readonly from: string;
}

/** As oxc prints them: each in a line. */
function importsIn(code: string): ImportLine[] {
  const lines = code.matchAll(/^import (?:([^{"\n]+?)(?:, )?)?(?:\{ (.*) \})? from ("[^"\n]*");$/gm);
  return [...lines].map(([text, first = '', list = '', from = '']) => {
    const isDefault = first !== '' && !first.includes('*');
    const names = list
      .split(', ')
      .filter((name) => name !== '')
      .map((name) => {
        const [imported = '', local = imported] = name.split(' as ');
        return { imported, local };
      });
    return {
      text,
      head: isDefault ? '' : first,
      names: isDefault ? [{ imported: 'default', local: first }, ...names] : names,
      from,
    };
  });
}

/**
 * TypeScript's helpers under the names that oxc calls them by. One thing is better known here than by a compiler that sees
 * a single file: an enum, whose type is String or Number to tsc.
 */
const HELPERS = [
  'var babelHelpers={',
  'decorate(d,t,k,p){var c=arguments.length,r=c<3?t:p===null?p=Object.getOwnPropertyDescriptor(t,k):p,f;',
  'if(typeof Reflect.decorate==="function")r=Reflect.decorate(d,t,k,p);',
  'else for(var i=d.length-1;i>=0;i--)if(f=d[i])r=(c<3?f(r):c>3?f(t,k,r):f(t,k))||r;',
  'return c>3&&r&&Object.defineProperty(t,k,r),r},',
  'decorateParam(i,d){return(t,k)=>d(t,k,i)},',
  'decorateMetadata(k,v){if(typeof Reflect.metadata==="function")',
  'return Reflect.metadata(k,Array.isArray(v)?v.map(babelHelpers.type):babelHelpers.type(v))},',
  'type(v){if(typeof v==="function"||v===void 0)return v;',
  'var s=typeof v!=="object"||v===null?[v]:Object.keys(v).filter(k=>isNaN(k)).map(k=>v[k]),',
  'a=T=>s.length>0&&s.every(x=>typeof x===typeof T());return a(String)?String:a(Number)?Number:Object}};',
].join('');
