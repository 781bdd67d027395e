/**
 * Random edits, as people, editors and tools make them: promise 1 (never two), 2 (no save is lost), 3 (a broken change never
 * takes the app down), 4 (nothing refused, reset or cut) and 6 (nothing left behind). HOTRUN_EDITS: how many; HOTRUN_SEED: those of a run that failed.
 */
import { existsSync, readFileSync, utimesSync } from 'node:fs';
import { setTimeout as after } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import { randomOf } from '../random.ts';
import { type Answer, get, until } from '../rig.ts';
import { ask, openLine, type Where } from '../zero/lines.ts';
import { type Begun, begin, ENTITLE, endAll, NODES } from './begin.ts';

const EDITS = Number(process.env.HOTRUN_EDITS ?? 60);
const SEED = Number(process.env.HOTRUN_SEED ?? Date.now() % 1_000_000);
const MS_PER_EDIT = 3000;
/** Between two requests of a client. */
const PACE_MS = 5;

afterEach(endAll);

const NAMES = ['a', 'b', 'c'] as const;
type Name = (typeof NAMES)[number];

/** What stands in a file: a value that is served, a fault that is found before the old one stops, or one that crashes. */
type Content = { readonly value: string } | { readonly bad: 'refused' | 'crash' };

/** Whether a missing name is found before it is used. */
type Format = 'module' | 'commonjs';

const FILES = {
  'src/server.ts': `import './alone.ts';
import { createServer } from 'node:http';
import { a } from './a.ts';
import { b } from './b.ts';
import { c } from './c.ts';
createServer((_request, response) => response.end([a, b, c].map(String).join())).listen(Number(process.env.PORT), '127.0.0.1');
`,
  // Says so if another generation is alive while this one runs.
  'src/alone.ts': `${ENTITLE}
import { appendFileSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
if (existsSync('pid')) {
  const before = Number(readFileSync('pid', 'utf8'));
  // What the kernel clears away is no more than a zombie: none of its threads runs again (PF_EXITING).
  const orNothing = <T>(look: () => T, nothing: T): T => {
    try {
      return look();
    } catch {
      return nothing;
    }
  };
  const threads = \`/proc/\${before}/task\`;
  const runs = (name: string): boolean =>
    orNothing(() => (Number(readFileSync(\`\${threads}/\${name}/stat\`, 'latin1').split(') ')[1].split(' ')[6]) & 4) === 0, false);
  if (orNothing(() => readdirSync(threads), []).some(runs)) appendFileSync('two', \`\${before} \${process.pid}\\n\`);
}
writeFileSync('pid', String(process.pid));
`,
};

/**
 * Clients that ask all the while, over fresh connections and over kept ones: promise 4. None fails; where nobody can serve
 * after a crash, they are told so.
 */
function askMeanwhile(where: Where) {
  const failures: string[] = [];
  let requests = 0;
  let isOver = false;
  const take = (answer: string): void => {
    requests++;
    if (answer.startsWith('failed') && answer !== 'failed 503') failures.push(answer);
  };
  const fresh = async (): Promise<void> => {
    for (; !isOver; await after(PACE_MS)) take(await ask(where));
  };
  const kept = async (): Promise<void> => {
    let line = openLine(where);
    for (; !isOver; await after(PACE_MS)) {
      take(await line.ask());
      if (!line.isOver) continue;
      line.socket.destroy();
      line = openLine(where);
    }
    line.socket.destroy();
  };
  const loops = Promise.all([fresh(), fresh(), kept(), kept(), kept()]);
  return {
    async stop(): Promise<number> {
      isOver = true;
      await loops;
      expect(failures).toEqual([]);
      return requests;
    },
  };
}

/** The project and what may be served, from the point of view of someone who edits it. */
class Editor {
  readonly disk: Record<Name, Content>;
  /** What each file may stand for in an answer: what it held at any time since the last settled state. */
  private may: Record<Name, Set<string>>;
  private mayCrash = false;
  private number = 0;
  readonly log: string[] = [];
  private readonly begun: Begun;
  private readonly random: () => number;
  private readonly format: Format;

  constructor(begun: Begun, random: () => number, format: Format) {
    this.begun = begun;
    this.random = random;
    this.format = format;
    this.disk = { a: { value: 'a0' }, b: { value: 'b0' }, c: { value: 'c0' } };
    this.may = { a: new Set(['a0']), b: new Set(['b0']), c: new Set(['c0']) };
  }

  private pick<T>(choices: readonly T[]): T {
    return choices[Math.floor(this.random() * choices.length)] as T;
  }
  private pause = (most: number): Promise<void> => after(this.random() * most);

  private note(what: string, name: Name, content: Content): void {
    this.log.push(`${what} ${name} ${'value' in content ? content.value : content.bad}`);
    this.disk[name] = content;
    if ('value' in content) this.may[name].add(content.value);
    else if (content.bad === 'crash') this.mayCrash = true;
  }

  /** What a module without the name comes to. */
  private nameless(): Content {
    return this.format === 'module' ? { bad: 'refused' } : { value: 'undefined' };
  }

  private put(name: Name, what: string, text: string, content: Content): void {
    const { project } = this.begun;
    const file = `src/${name}.ts`;
    const isAtomic = this.random() < 0.5;
    // Saved in place it is empty for a moment.
    if (!isAtomic) this.note('(opened)', name, this.nameless());
    this.note(what, name, content);
    if (isAtomic) project.replace(file, text);
    else project.write(file, text);
  }

  private good(name: Name): { text: string; content: Content } {
    const value = `${name}${++this.number}`;
    return { text: `export const ${name}: string = '${value}';\n`, content: { value } };
  }

  /** A good save. */
  save(name: Name = this.pick(NAMES)): void {
    const { text, content } = this.good(name);
    this.put(name, 'save', text, content);
  }

  private readonly bad: readonly ((name: Name) => void)[] = [
    (name) => this.put(name, 'syntax error', `export const ${name} = ${++this.number} +* 2;\n`, { bad: 'refused' }),
    (name) => this.put(name, 'missing export', `export const other = ${++this.number};\n`, this.nameless()),
    (name) => {
      const from = `./missing${++this.number}.ts`;
      this.put(name, 'missing file', `import { x } from '${from}';\nexport const ${name} = x;\n`, { bad: 'refused' });
    },
    (name) =>
      this.put(name, 'crash', `export const ${name} = 1;\nthrow new Error('crash ${++this.number}');\n`, {
        bad: 'crash',
      }),
    (name) => {
      if (!existsSync(this.begun.project.path(`src/${name}.ts`))) return this.save(name);
      this.note('remove', name, { bad: 'refused' });
      this.begun.project.remove(`src/${name}.ts`);
    },
  ];

  /** One random edit, or a burst; several files may be bad when it is done. */
  async edit(): Promise<void> {
    const { project } = this.begun;
    const name = this.pick(NAMES);
    const file = `src/${name}.ts`;
    const kind = this.random();
    if (kind < 0.25) return this.save(name);
    if (kind < 0.5) return this.pick(this.bad)(name);
    if (kind < 0.6) {
      const { text, content } = this.good(name);
      this.note('truncate', name, this.nameless());
      project.write(file, '');
      await this.pause(120);
      this.note('fill', name, content);
      project.write(file, text);
    } else if (kind < 0.7) {
      const before = this.disk[name];
      if ('bad' in before) return this.save(name);
      const text = readFileSync(project.path(file), 'utf8');
      this.note('remove', name, { bad: 'refused' });
      project.remove(file);
      await this.pause(80);
      this.note('restore', name, before);
      project.write(file, text);
    } else if (kind < 0.8) {
      // Several files within a few ms, the last state of each being good or bad.
      const count = 2 + Math.floor(this.random() * 5);
      for (let done = 0; done < count; done++) {
        if (this.random() < 0.8) this.save();
        else this.pick(this.bad)(this.pick(NAMES));
        if (this.random() < 0.5) await this.pause(5);
      }
    } else if (kind < 0.9) {
      // While a reload is under way, at any moment of it.
      this.save();
      await this.pause(150);
      this.save();
    } else if ('value' in this.disk[name] && this.disk[name].value !== 'undefined') {
      this.log.push(`the same again ${name}`);
      const now = new Date();
      if (this.random() < 0.5) utimesSync(project.path(file), now, now);
      else project.replace(file, readFileSync(project.path(file), 'utf8'));
    } else this.save(name);
  }

  state(): 'good' | 'refused' | 'crash' {
    const bad = NAMES.flatMap((name) => ('bad' in this.disk[name] ? [this.disk[name].bad] : []));
    return bad.includes('refused') ? 'refused' : bad.includes('crash') ? 'crash' : 'good';
  }

  /** Makes every bad file good again. */
  mend(): void {
    for (const name of NAMES) if ('bad' in this.disk[name]) this.save(name);
  }

  /** Waits for what has to come of the state on the disk, and judges what does not need to be waited for. */
  async settle(): Promise<void> {
    const { hotrun, port, apps } = this.begun;
    const state = this.state();
    if (state === 'good') {
      const body = NAMES.map((name) => ('value' in this.disk[name] ? this.disk[name].value : '')).join();
      await until(`the answer ${body}`, async () => {
        const answer = await get(port);
        this.judge(answer);
        return 'body' in answer && answer.body === body;
      });
      await until('one generation', () => apps().length === 1);
      for (const [index, name] of NAMES.entries()) this.may[name] = new Set([body.split(',')[index] ?? '']);
      this.mayCrash = false;
    } else if (state === 'refused') {
      await hotrun.seen(/not touched|waiting for a change/);
      if (!this.mayCrash) this.judge(await get(port));
    } else {
      await hotrun.seen(/crashed with exit code 1/);
      await until('the end of all generations', () => apps().length === 0);
      // Who comes now is answered by the next good state.
      const held = get(port);
      this.mend();
      await this.settle();
      this.judge(await held);
    }
  }

  private judge(answer: Answer): void {
    if ('failed' in answer) throw new Error(`the request failed: ${answer.failed}`);
    const values = answer.body.split(',');
    for (const [index, name] of NAMES.entries())
      if (!this.may[name].has(values[index] ?? ''))
        throw new Error(`${answer.body} was served, but ${name} has been ${[...this.may[name]].join(' and ')} lately`);
  }
}

describe.each(NODES)('on Node $version', ({ node }) => {
  test.each<Format>(['module', 'commonjs'])(
    `${EDITS} random edits of a %s, seed ${SEED}`,
    async (format) => {
      const begun = await begin(
        {
          ...FILES,
          'package.json': format === 'module' ? '{ "type": "module" }' : '{}',
          ...Object.fromEntries(
            NAMES.map((name) => [`src/${name}.ts`, `export const ${name}: string = '${name}0';\n`]),
          ),
        },
        { node, args: process.env.HOTRUN_TRACE ? ['--trace', 'src/server.ts'] : ['src/server.ts'] },
      );
      const editor = new Editor(begun, randomOf(SEED), format);
      try {
        await begun.answers('a0,b0,c0');
        const load = askMeanwhile({ port: begun.port, host: '127.0.0.1' });
        for (let edits = 0; edits < EDITS; edits++) {
          await editor.edit();
          await editor.settle();
        }
        editor.mend();
        await editor.settle();
        expect(begun.apps()).toHaveLength(1);
        expect(await load.stop()).toBeGreaterThan(EDITS);
        await begun.quit();
        expect(() => readFileSync(begun.project.path('two'), 'utf8')).toThrow('ENOENT');
      } catch (error) {
        throw new Error(
          `${(error as Error).message.split('\n')[0]}\nseed ${SEED}; the last edits were\n  ${editor.log.slice(-20).join('\n  ')}\nstderr ends with\n${begun.hotrun.stderr().slice(-6000)}`,
          { cause: error },
        );
      }
    },
    20_000 + EDITS * MS_PER_EDIT,
  );
});
