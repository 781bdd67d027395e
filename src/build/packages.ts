/** The package.json that governs a folder, by Node's rules; each file is looked for and parsed once. */
import { readFileSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { type Fault, messageOf } from '../errors.ts';
import { faultOfJson, withoutBom } from './json.ts';

export interface Package {
  readonly file: string;
  readonly type: 'module' | 'commonjs' | null;
  readonly main: string | null;
  /** It cannot be read or parsed; `type` and `main` are null then. */
  readonly fault: Fault | null;
}

export interface Packages {
  /** The package.json in exactly this folder. */
  at(folder: string): Package | null;
  /** The nearest package.json at or above the folder. Never looks above a node_modules, and never in one itself. */
  around(folder: string): Package | null;
  /** Forgets everything that was read. */
  reset(): void;
}

export function openPackages(): Packages {
  const exact = new Map<string, Package | null>();
  const nearest = new Map<string, Package | null>();

  function at(folder: string): Package | null {
    let found = exact.get(folder);
    if (found === undefined) {
      found = read(join(folder, 'package.json'));
      exact.set(folder, found);
    }
    return found;
  }

  function around(folder: string): Package | null {
    let found = nearest.get(folder);
    if (found === undefined) {
      const above = dirname(folder);
      if (basename(folder) === 'node_modules') found = null;
      else found = at(folder) ?? (above === folder ? null : around(above));
      nearest.set(folder, found);
    }
    return found;
  }

  function reset(): void {
    exact.clear();
    nearest.clear();
  }

  return { at, around, reset };
}

/** The keys of a package.json by which modules are found or understood; scripts and versions of its own are not among them. */
const MEANING = [
  'name',
  'type',
  'main',
  'exports',
  'imports',
  'workspaces',
  'dependencies',
  'devDependencies',
  'optionalDependencies',
  'peerDependencies',
  'overrides',
];

/** What a package.json says about modules, as a text that is the same where they mean the same. */
export function meaningOf(text: string): string {
  try {
    const parsed = JSON.parse(withoutBom(text));
    return JSON.stringify(MEANING.map((key) => parsed[key] ?? null));
  } catch {
    // Its fault is told by who reads it.
    return text;
  }
}

function read(file: string): Package | null {
  // A stat that finds nothing costs a tenth of a readFile that throws.
  if (!statSync(file, { throwIfNoEntry: false })?.isFile()) return null;
  let text: string;
  try {
    text = withoutBom(readFileSync(file, 'utf8'));
  } catch (error) {
    return {
      file,
      type: null,
      main: null,
      fault: { text: `It cannot be read: ${messageOf(error)}.`, file },
    };
  }
  const fault = faultOfJson(file, text, 'json');
  const parsed: unknown = fault ? null : JSON.parse(text);
  const { type, main } = (parsed ?? {}) as Record<string, unknown>;
  return {
    file,
    type: type === 'module' || type === 'commonjs' ? type : null,
    main: typeof main === 'string' ? main : null,
    fault,
  };
}
