/**
 * The runtime, preloaded by --require into every generation. A guest in someone's app: it imports nothing but `node:`,
 * leaves nothing the app can trip over, and is never the reason that the app fails or hangs.
 */
import nodeModule, { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { makeTurns, ORPHAN_MS, openAsker } from './ask.ts';
import { openChannel } from './channel.ts';
import { openCodeCache } from './codecache.ts';
import type { RawHandle } from './connections.ts';
import { patchDatagrams } from './datagram.ts';
import { closeInspector, openInspector } from './debugger.ts';
import { drain } from './drain.ts';
import { compileEagerly, hasTime } from './eager.ts';
import { whatIsHeld } from './holds.ts';
import { makeHooks } from './hooks.ts';
import type { ThreadData } from './hooks-thread.ts';
import { openInheritance } from './inheritance.ts';
import { installHooks } from './install.ts';
import { patchListen } from './listen.ts';
import { GATE_SYMBOL, openLoader } from './loader.ts';
import { enableSourceMaps, isCovered, openMaps } from './maps.ts';
import { BOOT_VARIABLE, type Boot, type Go, type Holds } from './messages.ts';
import { preload } from './preload.ts';
import { noteReads } from './reads.ts';
import { afterFirstAnswer } from './rehearsal.ts';
import { type KeptPaths, keepPaths } from './unlink.ts';
import { holdUptime } from './uptime.ts';
import { openWorkers } from './workers.ts';

/** An app that does not listen yet, or never will, is up by then, in ms after its entry has been evaluated. */
const UP_MS = 5000;
/** How often it is looked whether the lookup of a host is over, in ms. */
const LOOKUP_MS = 5;

const told = process.env[BOOT_VARIABLE];
delete process.env[BOOT_VARIABLE];
// The app's require.cache is its own.
delete createRequire(__filename).cache[__filename];
if (told) boot(JSON.parse(told));

function boot(options: Boot): void {
  if (hasTime(options)) compileEagerly();
  if (options.nodeOptions !== null) process.env.NODE_OPTIONS = options.nodeOptions;
  const turns = makeTurns();
  const asker = openAsker(options.question, turns);
  const own = pathToFileURL(__filename);
  const preloaded = new Set<string>();
  const loader = openLoader(
    asker,
    options.entry,
    own.href,
    options.inspect || options.early || isCovered() ? null : openMaps(),
    preloaded,
  );

  const beginUptime = hasTime(options) ? holdUptime() : () => {};
  const codeCache = openCodeCache(options.codeCache, options.entry, hasTime(options));

  let overlaps = false;
  let since = 0;
  /** Nothing of the app has run yet. */
  let beginReads = (): void => {
    beginReads = () => {};
    if (options.reads === null) return;
    endReads = noteReads(
      options.reads,
      (file, isWritten, since) => asker.tell({ tell: 'read', file, isWritten, since }),
      (folders) => asker.tell({ tell: 'listed', folders, since }),
    );
  };
  let endReads = (): void => {};
  let ready = false;
  const becomeReady = (): void => {
    if (ready) return;
    ready = true;
    afterFirstAnswer(overlaps, () => {
      asker.tell({ tell: 'ready' });
      codeCache.writeSoon();
    });
  };
  const up = (): void => {
    endReads();
    kept.end();
  };
  /** The entry has been evaluated. A listen that still looks up its host is waited for. */
  const evaluated = (): void => {
    setImmediate(() => {
      if (process.getActiveResourcesInfo().includes('GetAddrInfoReqWrap')) setTimeout(evaluated, LOOKUP_MS).unref();
      else {
        becomeReady();
        setTimeout(up, UP_MS).unref();
      }
    });
  };
  const refuse = (error: unknown): void => {
    const text = error instanceof Error ? error.message : String(error);
    loader.flush();
    asker.ask({ ask: 'refuse', text, stack: (error instanceof Error && error.stack) || text });
    process.exit(1);
  };
  let kept: KeptPaths = { end() {} };
  let opened = false;
  const gate = (): void => {
    if (opened) return;
    opened = true;
    loader.flush();
    const { head } = asker.ask<Go>({ ask: 'gate' });
    process.env.HOTRUN_GENERATION = String(head.generation);
    beginUptime();
    overlaps = head.overlaps;
    speak();
    kept = keepPaths(Object.keys(options.sockets));
    since = Date.now();
    beginReads();
    if (options.inspect) openInspector(options.inspect);
    process.setUncaughtExceptionCaptureCallback(null);
  };

  let draining = false;
  const channel = openChannel(
    (message, handle) => {
      switch (message.do) {
        case 'adopt': {
          const { key, spoke } = message;
          const connection = handle as RawHandle;
          if (!listening.adopt(key, connection, spoke) && !workers.adopt(key, connection, spoke)) connection.close();
          return;
        }
        case 'drop':
          return inheritance.drop(message.key);
        case 'drain':
          if (draining) return;
          draining = true;
          // The process must not end by itself before its handlers for the signal have run.
          channel.hold();
          datagrams.stop();
          if (options.inspect) closeInspector();
          return drain(listening, asker, channel, inheritance.leave(), holds, workers);
      }
    },
    () => setTimeout(() => process.kill(process.pid, 'SIGKILL'), ORPHAN_MS).unref(),
  );
  const inheritance = openInheritance(options.sockets, channel, asker);
  const holds = (): Holds => whatIsHeld(new Set([channel.fd, options.question, ...inheritance.unclaimed()]));
  const onListening = (key: string, where: string): void => {
    endReads();
    asker.tell({ tell: 'listening', key, where });
    becomeReady();
  };
  const workers = openWorkers(onListening);
  const onTaken = (port: number): void => asker.tell({ tell: 'taken', port });
  const listening = patchListen(inheritance, onListening, onTaken, workers.share, (path) => kept.end(path));
  const datagrams = patchDatagrams(inheritance, onListening);

  const { entry, early } = options;
  // Where the user preloads code of the app, the gate comes before that, and the entry's own gate stands open.
  const open = early ? () => {} : gate;
  const key = Symbol.for(GATE_SYMBOL);
  /** A CommonJS entry has no gate module, which would take it away. */
  const forget = (): void => void Reflect.deleteProperty(globalThis, key);
  const main = {
    entry,
    gate() {
      forget();
      open();
      evaluated();
    },
  };
  const hooks = makeHooks(loader, (file) => file === entry, main);
  const intoThread = (): void => {
    const data: ThreadData = { question: options.question, turns, entry, own: own.href };
    nodeModule.register(new URL('./hooks-thread.js', own), { data });
  };
  installHooks(hooks, entry, intoThread, codeCache.run);
  enableSourceMaps();
  sayTypeScript();
  for (const name of options.warm) warm(name);
  const speak = preload(options, asker, preloaded, loader, () => {
    codeCache.write();
    // Else it takes 2 ms of the start on Node 20.
    beginReads();
  });

  process.setUncaughtExceptionCaptureCallback(refuse);
  if (early) gate();
  Object.defineProperty(globalThis, key, {
    configurable: true,
    value: { open, evaluated },
  });
}

/** Loaders of plugins and entities by their names look here before they try a `.ts` file; Node 20 has nothing to say. */
function sayTypeScript(): void {
  const features = process.features as { typescript?: unknown };
  if (features.typescript) return;
  Object.defineProperty(features, 'typescript', { configurable: true, enumerable: true, value: 'transform' });
}

/**
 * Does what an ES module's `import 'node:http'` would have to wait for: Node reads every export, and so loads undici, 40 ms
 * from Node 22 on. The import itself is done at once from Node 24 on.
 */
function warm(name: string): void {
  void Object.values(createRequire(__filename)(name));
  void import(name);
}
