/**
 * The env files of the app. Node reads them itself when a process starts, so its forks read them as well, and all that is
 * said in the files means what it means to node. Here is what has to be known of them before: whether they can be read, and
 * what a command, which is not node, is to find in its environment.
 */
import { readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import type { EnvFile } from '../config/config.ts';
import { codeOf } from '../errors.ts';

export interface Environment {
  /** For node, before the entry. One that may be missing and is leaves no option: node would tell so at every boot. */
  readonly nodeArgs: readonly string[];
  /** What the files say; the shell's own values come before it. */
  readonly variables: NodeJS.Dict<string>;
  /** Why no process can be started with them, in node's words; null if it can. */
  readonly fault: string | null;
}

/** Reads them as they are now, in their order. */
export function readEnvironment(envFiles: readonly EnvFile[]): Environment {
  const nodeArgs: string[] = [];
  let variables: NodeJS.Dict<string> = {};
  for (const { path, file, isOptional } of envFiles) {
    try {
      variables = { ...variables, ...parseEnv(readFileSync(file, 'utf8')) };
      nodeArgs.push(`${isOptional ? '--env-file-if-exists' : '--env-file'}=${path}`);
    } catch (error) {
      // src/node_dotenv.cc: what can be opened and not be read, such as a folder, is no format that it knows.
      const isFolder = codeOf(error) === 'EISDIR';
      if (isFolder || !isOptional)
        return { nodeArgs, variables, fault: `${path}: ${isFolder ? 'invalid format' : 'not found'}` };
    }
  }
  return { nodeArgs, variables, fault: null };
}
