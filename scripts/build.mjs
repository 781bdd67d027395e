// Builds dist/: the parent's code, with its watch room apart, the runtime as one CommonJS file (and one module for Node 20's
// hook thread), the types, and the schema of the rc file. Packages stay imports.
import { execFileSync } from 'node:child_process';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, transform } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const common = {
  absWorkingDir: root,
  bundle: true,
  platform: 'node',
  target: 'node20.19',
  packages: 'external',
  logLevel: 'warning',
};

/**
 * The parent's code, in parts: what is needed before the app is spawned (cli.cjs), and what is loaded after. CommonJS, to which
 * esbuild alone does not split: what an ES module imports of node, Node first searches for all its exports, 8 ms.
 */
async function parent() {
  const { outputFiles } = await build({
    ...common,
    entryPoints: { cli: 'src/cli.ts', session: 'src/session.ts', terminal: 'src/terminal/index.ts' },
    outdir: 'dist',
    outExtension: { '.js': '.cjs' },
    format: 'esm',
    splitting: true,
    write: false,
    plugins: [
      {
        // Loaded when the app is on its way.
        name: 'watch apart',
        setup({ onResolve }) {
          onResolve({ filter: /\/watch\/index\.ts$/ }, () => ({ path: './watch.js', external: true }));
        },
      },
    ],
  });
  await mkdir(join(root, 'dist'), { recursive: true });
  for (const { path, text } of outputFiles) {
    const { code } = await transform(text, {
      format: 'cjs',
      target: common.target,
      define: { 'import.meta.url': 'moduleUrl' },
      banner: "const moduleUrl = require('node:url').pathToFileURL(__filename).href;",
    });
    await writeFile(path, code);
  }
}

await rm(join(root, 'dist'), { recursive: true, force: true });
await Promise.all([
  parent(),
  build({
    ...common,
    entryPoints: { watch: 'src/watch/index.ts', index: 'src/index.ts' },
    outdir: 'dist',
    format: 'esm',
  }),
  build({
    ...common,
    entryPoints: {
      start: 'src/runtime/start.ts',
      main: 'src/runtime/main.ts',
      offshoot: 'src/runtime/offshoot.ts',
      worker: 'src/runtime/worker.ts',
      unavailable: 'src/runtime/unavailable.ts',
    },
    outdir: 'dist/runtime',
    outExtension: { '.js': '.cjs' },
    format: 'cjs',
  }),
  build({
    ...common,
    entryPoints: { 'hooks-thread': 'src/runtime/hooks-thread.ts' },
    outdir: 'dist/runtime',
    format: 'esm',
  }),
]);

const schema = await build({ ...common, entryPoints: ['src/config/schema.ts'], write: false, format: 'esm' });
const { hotrcSchema } = await import(`data:text/javascript,${encodeURIComponent(schema.outputFiles[0].text)}`);
await writeFile(join(root, 'dist/hotrc.schema.json'), `${JSON.stringify(hotrcSchema(), null, 2)}\n`);

const typescript = dirname(createRequire(import.meta.url).resolve('typescript/package.json'));
execFileSync(process.execPath, [join(typescript, 'bin/tsc'), '-p', 'tsconfig.types.json'], {
  cwd: root,
  stdio: 'inherit',
});
