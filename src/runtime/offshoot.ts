/**
 * The runtime in a fork or a worker thread of the app, preloaded by the --require that it inherits. It does one thing: the
 * project's modules are loaded as the app itself loads them. It has no gate, and nothing to tell of sockets; for cluster
 * workers there is worker.ts.
 */
import nodeModule, { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { isMainThread, parentPort } from 'node:worker_threads';
import { type Desk, deskOf } from './call.ts';
import { installCommonJsHooks } from './hooks-cjs.ts';
import type { ThreadData } from './hooks-thread.ts';
import { installHooks } from './install.ts';
import { enableSourceMaps, isCovered, type Maps, openMaps } from './maps.ts';
import { makeOffshootHooks } from './offshoot-hooks.ts';

const desk = deskOf(process.execArgv);
// Node's own threads, such as that of hooks, have no port to a parent. What is required before the entry, is there too.
if (desk && (isMainThread || parentPort !== null)) help(desk);
else if (desk)
  installCommonJsHooks(
    makeOffshootHooks(desk, pathToFileURL(__filename).href, null, () => {}),
    '',
    { resolve: 'first' },
  );

// Cluster is set up before us, and listens beside Node's channel (lib/internal/cluster/child.js). Its variable is gone.
if (isMainThread && process.listenerCount('internalMessage') > 1) {
  const require = createRequire(__filename);
  const path = require.resolve('./worker.cjs');
  require(path);
  delete require.cache[path];
}

function help(desk: Desk): void {
  const own = pathToFileURL(__filename);
  let loadsProject = false;
  let opened: Maps | undefined;
  // Most workers of packages load nothing of the project, and need no maps.
  const maps: Maps = {
    keep(url, comment) {
      opened ??= openMaps();
      return opened.keep(url, comment);
    },
  };
  const hooks = makeOffshootHooks(desk, own.href, desk.isInspected || isCovered() ? null : maps, () => {
    if (loadsProject) return;
    loadsProject = true;
    enableSourceMaps();
  });
  installHooks(hooks, '', () => {
    const data: ThreadData = { desk, own: own.href };
    nodeModule.register(new URL('./hooks-thread.js', own), { data });
  });
}
