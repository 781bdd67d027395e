#!/usr/bin/env node
import module from 'node:module';

// 8 ms of 30 until the app is spawned, from the second start on; Node 22.1 and newer.
module.enableCompileCache?.();
await import('../dist/cli.js');
