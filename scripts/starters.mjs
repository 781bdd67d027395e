// Real apps as the starters of their frameworks make them, unchanged, with hotrun on them: `npm run starters`. They are
// made in a temporary folder (which takes the network, and some minutes), a module of each is saved several times, and a
// table is printed. Where a framework has no starter of its own, the app is that of its introduction; create-hono fetches
// its template from GitHub, so that is given here as well.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { failures, latency, stop } from '../bench/measures.mjs';

/** For one command that makes an app, in ms. */
const MAKING_MS = 240_000;
const NODENEXT = JSON.stringify({ compilerOptions: { module: 'nodenext', target: 'es2022', strict: true } });
const esm = (name, rest = {}) => JSON.stringify({ name, private: true, type: 'module', ...rest });

/**
 * `make`: commands, run in the folder that holds all apps; `files`: written before them. `entry`: what follows `hotrun`.
 * `edit`: a file, words in it, and what takes their place. `first`: what an answer has in it before any edit. `port`: where
 * the app leaves no choice.
 */
const STARTERS = {
  nest: {
    make: [
      ['npx', '--yes', '@nestjs/cli@11.0.24', 'new', 'nest', '--package-manager', 'npm', '--skip-git', '--strict'],
    ],
    entry: ['src/main.ts'],
    edit: ['src/app.controller.ts', 'return this.', (marker) => `return '${marker} ' + this.`],
    first: 'Hello World!',
    packages: ['@nestjs/cli', '@nestjs/core'],
  },
  fastify: {
    make: [['npx', '--yes', 'fastify-cli@8.0.2', 'generate', 'fastify', '--lang=ts'], install('fastify')],
    entry: ['node_modules/.bin/fastify', 'start', 'src/app.ts'],
    edit: ['src/routes/root.ts', 'root: true', (marker) => `root: '${marker}'`],
    first: 'true',
    packages: ['fastify', 'fastify-cli', '@fastify/autoload'],
  },
  express: {
    make: [['npx', '--yes', 'express-generator@4.16.1', '--view=pug', 'express'], install('express')],
    entry: ['bin/www'],
    edit: ['routes/index.js', "'Express'", (marker) => `'${marker}'`],
    first: 'Express',
    packages: ['express', 'pug'],
  },
  hono: {
    files: {
      'package.json': esm('hono'),
      'tsconfig.json': NODENEXT,
      'src/index.ts': `import { serve } from '@hono/node-server'
import { Hono } from 'hono'

const app = new Hono()

app.get('/', (c) => {
  return c.text('Hello Hono!')
})

serve({
  fetch: app.fetch,
  port: 3000
}, (info) => {
  console.log(\`Server is running on http://localhost:\${info.port}\`)
})
`,
    },
    make: [install('hono', 'hono@4', '@hono/node-server@1')],
    entry: ['src/index.ts'],
    edit: ['src/index.ts', 'Hello Hono!', (marker) => marker],
    first: 'Hello Hono!',
    port: 3000,
    packages: ['hono', '@hono/node-server'],
  },
  trpc: {
    files: {
      'package.json': esm('trpc-app'),
      'tsconfig.json': NODENEXT,
      'src/db.ts': `export const users = [{ id: '1', name: 'Katt' }];\n`,
      'src/trpc.ts': `import { initTRPC } from '@trpc/server';
const t = initTRPC.create();
export const router = t.router;
export const publicProcedure = t.procedure;
`,
      'src/index.ts': `import { createHTTPServer } from '@trpc/server/adapters/standalone';
import { z } from 'zod';
import { users } from './db.js';
import { publicProcedure, router } from './trpc.js';

const appRouter = router({
  userList: publicProcedure.query(async () => users),
  userById: publicProcedure.input(z.string()).query(async ({ input }) => users.find(({ id }) => id === input)),
});
export type AppRouter = typeof appRouter;

const server = createHTTPServer({ router: appRouter });
server.listen(Number(process.env.PORT ?? 3000));
`,
    },
    make: [install('trpc', '@trpc/server@11', 'zod@4')],
    entry: ['src/index.ts'],
    edit: ['src/db.ts', 'Katt', (marker) => marker],
    first: 'Katt',
    path: '/userList',
    packages: ['@trpc/server', 'zod'],
  },
  graphql: {
    files: {
      'package.json': esm('graphql-app'),
      'tsconfig.json': NODENEXT,
      'src/schema.ts': `import { createSchema } from 'graphql-yoga';

export const schema = createSchema({
  typeDefs: /* GraphQL */ \`
    type Query {
      hello: String
    }
  \`,
  resolvers: { Query: { hello: () => 'world' } },
});
`,
      'src/main.ts': `import { createServer } from 'node:http';
import { createYoga } from 'graphql-yoga';
import { schema } from './schema.js';

const yoga = createYoga({ schema });
const server = createServer(yoga);
server.listen(Number(process.env.PORT ?? 4000));
`,
    },
    make: [install('graphql', 'graphql-yoga@5', 'graphql@16')],
    entry: ['src/main.ts'],
    edit: ['src/schema.ts', "'world'", (marker) => `'${marker}'`],
    first: 'world',
    path: '/graphql?query=%7Bhello%7D',
    packages: ['graphql-yoga', 'graphql'],
  },
  typeorm: {
    make: [
      ['npx', '--yes', 'typeorm@1.1.1', 'init', '--name', 'typeorm', '--database', 'better-sqlite3', '--express'],
      // The database in WebAssembly: the other one would have to be compiled, once for each Node.js.
      install('typeorm', 'sql.js@1'),
    ],
    change: ['src/data-source.ts', /type: "better-sqlite3",\s*database: .*/, 'type: "sqljs",'],
    entry: ['src/index.ts'],
    edit: ['src/controllers/UserController.ts', 'this.userRepository.find()', (marker) => `['${marker}']`],
    first: 'Timber',
    path: '/users',
    port: 3000,
    packages: ['typeorm', 'sql.js', 'express'],
  },
  workspace: {
    files: {
      'package.json': JSON.stringify({ name: 'shop', private: true, workspaces: ['packages/*'] }),
      'packages/greeting/package.json': esm('@shop/greeting', { version: '1.0.0', exports: './src/index.ts' }),
      'packages/greeting/src/index.ts': `export const greet = (name: string): string => \`hello, \${name}\`;\n`,
      'packages/api/package.json': esm('api', { dependencies: { '@shop/greeting': '^1.0.0', fastify: '^5.0.0' } }),
      'packages/api/src/server.ts': `import { greet } from '@shop/greeting';
import Fastify from 'fastify';

const app = Fastify();
app.get('/', async () => greet('shop'));
await app.listen({ port: Number(process.env.PORT ?? 3000) });
`,
    },
    make: [install('workspace')],
    folder: 'packages/api',
    entry: ['src/server.ts'],
    edit: ['../greeting/src/index.ts', 'hello', (marker) => marker],
    first: 'hello',
    packages: ['fastify'],
  },
};

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: Object.keys(STARTERS).join() },
    /** Of Node.js, with commas: hotrun runs on each of them in turn. */
    node: { type: 'string', default: process.execPath },
    edits: { type: 'string', default: '7' },
    /** Apps that are there are used as they are, and stay. */
    home: { type: 'string' },
  },
});
const hotrun = fileURLToPath(new URL('../bin/hotrun.js', import.meta.url));
const home = values.home ?? mkdtempSync(join(tmpdir(), 'hotrun-starters-'));

/** The command that installs what package.json names, and these. It is run in the app's own folder. */
function install(app, ...packages) {
  return ['npm', 'install', '--prefix', app, '--no-fund', '--no-audit', '--loglevel=error', ...packages];
}

function make(name) {
  const { files = {}, make: commands, change } = STARTERS[name];
  const dir = join(home, name);
  if (existsSync(join(dir, 'node_modules'))) return;
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, file)), { recursive: true });
    writeFileSync(join(dir, file), text);
  }
  for (const [command, ...args] of commands) {
    console.error(`${name}: ${[command, ...args].join(' ')}`);
    const options = { cwd: home, stdio: 'ignore', timeout: MAKING_MS, env: { ...process.env, CI: '1' } };
    execFileSync(command, args, options);
  }
  if (!change) return;
  const [file, from, to] = change;
  writeFileSync(join(dir, file), readFileSync(join(dir, file), 'utf8').replace(from, to));
}

/** The app as the measures want it, as it was made. */
function appOf(name) {
  const { entry, edit, first, path, port, folder = '.' } = STARTERS[name];
  const dir = join(home, name, folder);
  const [file, from, to] = edit;
  const kept = `${join(dir, file)}.made`;
  if (!existsSync(kept)) writeFileSync(kept, readFileSync(join(dir, file)));
  const source = readFileSync(kept, 'utf8');
  let edits = 0;
  const save = (text) => {
    const draft = join(home, 'draft');
    writeFileSync(draft, text);
    renameSync(draft, join(dir, file));
  };
  save(source);
  const app = {
    dir,
    first,
    path,
    port,
    edit() {
      const marker = `marker-${++edits}.`;
      save(source.replace(from, to(marker)));
      return marker;
    },
  };
  return { app, entry };
}

function versionOf(name, dependency) {
  const { folder = '.' } = STARTERS[name];
  const folders = [join(home, name, folder), join(home, name)];
  const manifest = folders.map((at) => join(at, 'node_modules', dependency, 'package.json')).find(existsSync);
  return `${dependency} ${manifest ? JSON.parse(readFileSync(manifest, 'utf8')).version : '?'}`;
}

const tried = async (measure) => {
  try {
    return (await measure()).text;
  } catch (error) {
    return error.message.split('\n')[0];
  }
};

try {
  console.log(
    '| starter | run with | node | save to answer, ms | failed requests in six reloads | Ctrl-C to gone, ms | versions |',
  );
  console.log('|---|---|---|---|---|---|---|');
  for (const name of values.only.split(',')) {
    make(name);
    for (const node of values.node.split(',')) {
      const measured = (measure, ...rest) =>
        tried(() => {
          const { app, entry } = appOf(name);
          return measure({ app, command: [node, hotrun, ...entry] }, ...rest);
        });
      const saved = await measured(latency, Number(values.edits));
      const failed = await measured(failures);
      const stopped = await measured(stop);
      const version = execFileSync(node, ['--version'], { encoding: 'utf8' }).trim();
      const versions = STARTERS[name].packages.map((each) => versionOf(name, each)).join(', ');
      const run = `\`hotrun ${STARTERS[name].entry.join(' ')}\``;
      console.log(`| ${[name, run, version, saved, failed, stopped, versions].join(' | ')} |`);
    }
  }
} finally {
  if (!values.home) rmSync(home, { recursive: true, force: true });
}
