/** What the end-to-end tests share: the Nodes to run on, and a project with hotrun on it. */
import { execFileSync } from 'node:child_process';
import { delimiter } from 'node:path';
import {
  answers,
  closeAll,
  commandOf,
  freePort,
  get,
  makeProject,
  markerSource,
  type Project,
  type Started,
  start,
  until,
} from '../rig.ts';

/** From HOTRUN_TEST_NODES, written like PATH; the Node that runs the tests without it. */
export const NODES = (process.env.HOTRUN_TEST_NODES ?? process.execPath).split(delimiter).map((node) => ({
  node,
  version: execFileSync(node, ['-p', 'process.version'], { encoding: 'utf8', env: {} }).trim(),
}));

export interface Begun {
  readonly project: Project;
  readonly hotrun: Started;
  readonly port: number;
  /** Waits until the app answers with this body. */
  answers(body: string, path?: string): Promise<true>;
  /** The body of one answer; throws if the connection fails. */
  ask(path?: string): Promise<string>;
  /** The living processes in which code of the app has run: those that have called themselves TITLE. */
  apps(): number[];
  /** Ctrl-C; waits for the end of hotrun and of all that it started. */
  quit(): Promise<void>;
}

export interface BeginOptions {
  readonly node: string;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Makes what is no file of text, before hotrun starts. */
  before?(project: Project): void;
}

const projects = new Set<Project>();

/** Starts hotrun on a project of these files, with a free port in PORT. */
export async function begin(
  files: Readonly<Record<string, string>>,
  { node, args = ['src/server.ts'], env, before }: BeginOptions,
): Promise<Begun> {
  const project = makeProject(files);
  projects.add(project);
  before?.(project);
  const port = await freePort();
  const hotrun = start(project, args, { node, env: { PORT: String(port), ...env } });
  return {
    project,
    hotrun,
    port,
    answers: (body, path) =>
      answers(port, body, path).catch((error: Error) => {
        throw new Error(`${error.message}; stderr was:\n${hotrun.stderr()}`);
      }),
    async ask(path) {
      const answer = await get(port, path);
      if ('failed' in answer) throw new Error(`the request failed: ${answer.failed}; stderr was:\n${hotrun.stderr()}`);
      return answer.body;
    },
    apps: () => hotrun.processes().filter((pid) => commandOf(pid).startsWith(TITLE)),
    async quit() {
      hotrun.kill('SIGINT');
      const { code, signal } = await hotrun.ended;
      if (code !== 130) throw new Error(`hotrun ended with ${code ?? signal}; stderr was:\n${hotrun.stderr()}`);
      const left = hotrun.processes().filter((pid) => commandOf(pid).includes('node'));
      if (left.length > 0) throw new Error(`hotrun has ended before the processes ${left.join(', ')}`);
      await until('the end of what hotrun started', () => hotrun.processes().length === 0);
    },
  };
}

/** For afterEach. */
export async function endAll(): Promise<void> {
  await closeAll();
  for (const project of projects) project.close();
  projects.clear();
}

/** Tells a generation that runs from a standby. */
const TITLE = 'a generation';
/** A line for the app. */
export const ENTITLE = `process.title = '${TITLE}';`;

/** A server that answers with what `body` comes to. `imports` stand in front. */
export const server = (imports: string, body: string): string => `import { createServer } from 'node:http';
${imports}
${ENTITLE}
createServer((_request, response) => response.end(String(${body}))).listen(Number(process.env.PORT), '127.0.0.1');
`;

/** A server whose answer is the marker in src/marker.ts. */
export const SERVER = {
  'src/server.ts': server(`import { marker } from './marker.ts';`, 'marker'),
  'src/marker.ts': markerSource('m0'),
};

interface Shape {
  readonly shape: string;
  readonly entry: string;
  /** Of the entry and of the module with the marker. */
  readonly ending: string;
  readonly files: Readonly<Record<string, string>>;
  /** A line that takes `name` from another module. */
  take(name: string, from: string): string;
  /** A line that exports `name`. */
  give(name: string, expression: string): string;
}

const typescript = {
  entry: 'src/server.ts',
  ending: '.ts',
  take: (name: string, from: string) => `import { ${name} } from '${from}.ts';\n`,
  give: (name: string, expression: string) => `export const ${name}: string = ${expression};\n`,
};
const javascript = {
  entry: 'src/server.js',
  ending: '.js',
  take: (name: string, from: string) => `import { ${name} } from '${from}.js';\n`,
  give: (name: string, expression: string) => `export const ${name} = ${expression};\n`,
};

/** A server that answers with the marker of another module, for each way that modules are written in. */
export const SHAPES = (
  [
    {
      ...typescript,
      shape: 'TypeScript, ESM',
      files: {
        'package.json': '{ "type": "module" }',
        'src/server.ts': server(`import { marker } from './marker.ts';`, 'marker'),
      },
    },
    {
      ...typescript,
      shape: 'TypeScript without a type in package.json',
      files: { 'package.json': '{}', 'src/server.ts': server(`import { marker } from './marker';`, 'marker') },
    },
    {
      ...javascript,
      shape: 'JavaScript, ESM',
      files: {
        'package.json': '{ "type": "module" }',
        'src/server.js': server(`import { marker } from './marker.js';`, 'marker'),
      },
    },
    {
      ...javascript,
      shape: 'JavaScript, require',
      take: (name, from) => `const { ${name} } = require('${from}');\n`,
      give: (name, expression) => `exports.${name} = ${expression};\n`,
      files: {
        'package.json': '{}',
        'src/server.js': `${ENTITLE}
const { createServer } = require('node:http');
const { marker } = require('./marker');
createServer((_request, response) => response.end(marker)).listen(Number(process.env.PORT), '127.0.0.1');
`,
      },
    },
  ] satisfies Shape[]
).map((shape: Shape) => ({
  ...shape,
  marker: `src/marker${shape.ending}`,
  /** The text of the module with this marker. */
  source: (marker: string): string => shape.give('marker', `'${marker}'`),
}));
