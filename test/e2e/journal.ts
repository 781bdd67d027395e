/** What the apps of a test write down, in the order it happened: one line each, one write each. */
import { existsSync, readFileSync } from 'node:fs';
import { type Project, until } from '../rig.ts';

/** For the top of an ECMAScript module: `log(word)` writes `GENERATION word`, and `released(name)` waits for the test. */
export const JOURNAL = `import { appendFileSync, existsSync } from 'node:fs';
const log = (word) => appendFileSync('journal', process.env.HOTRUN_GENERATION + ' ' + word + '\\n');
const released = async (name) => {
  while (!existsSync(name)) await new Promise((resolve) => setTimeout(resolve, 5));
};
`;

export interface Journal {
  lines(): string[];
  /** Waits until the line is there. */
  has(line: string): Promise<true>;
  /** What followed the word in the first line that begins so: `1 pid 4711`. */
  value(start: string): Promise<string>;
}

export function journalOf(project: Project): Journal {
  const path = project.path('journal');
  const lines = (): string[] => (existsSync(path) ? readFileSync(path, 'utf8').split('\n').slice(0, -1) : []);
  const told = (error: Error): never => {
    throw new Error(`${error.message}; the journal was:\n${lines().join('\n')}`);
  };
  return {
    lines,
    has: (line) => until(`the line ${JSON.stringify(line)}`, () => lines().includes(line) || undefined).catch(told),
    value: (start) =>
      until(`a line that begins with ${JSON.stringify(start)}`, () =>
        lines()
          .find((line) => line.startsWith(`${start} `))
          ?.slice(start.length + 1),
      ).catch(told),
  };
}

/** Whether this process runs; a zombie does not. */
export function runs(pid: number): boolean {
  try {
    const state = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ').pop()?.[0];
    return state !== 'Z' && state !== 'X';
  } catch {
    return false;
  }
}
