/**
 * esbuild's service, started by the first file that needs it. Loaded by require: 8 ms, where import takes 35 because Node
 * then searches its whole source for export names.
 */
import { createRequire } from 'node:module';
import type { TransformOptions, TransformResult } from 'esbuild';

const require = createRequire(import.meta.url);

export interface Esbuild {
  /** Rejects with esbuild's TransformFailure, or when the service is closed meanwhile. */
  transform(source: string, options: TransformOptions): Promise<TransformResult>;
  /** Ends the process, if it was started. */
  close(): void;
}

export function openEsbuild(): Esbuild {
  let esbuild: typeof import('esbuild') | undefined;
  const pending = new Set<(error: Error) => void>();
  return {
    transform(source, options) {
      esbuild ??= require('esbuild') as typeof import('esbuild');
      const answer = esbuild.transform(source, options);
      return new Promise((resolve, reject) => {
        pending.add(reject);
        answer.then(resolve, reject).finally(() => pending.delete(reject));
      });
    },
    close() {
      void esbuild?.stop();
      // It leaves them without an answer (lib/npm/node.ts: its stdout is destroyed, and never ends).
      for (const reject of pending) reject(new Error('esbuild was stopped'));
      pending.clear();
    },
  };
}
