import { readFileSync } from 'node:fs';

/** How long a file that is empty or missing is waited for, in ms: editors truncate before they write, and rename in two steps. */
const FILL_MS = 50;

/**
 * The content of a file that may be on its way: one that is empty or missing gets a moment. Null if it stays missing.
 *
 * Read synchronously, as in store.ts: 0.1 ms, where the thread pool takes 0.5 to 1 and the reload waits for it.
 */
export async function filled(file: string, signal: AbortSignal): Promise<string | null> {
  for (const last of [false, true]) {
    const text = textOf(file);
    if (text || last || signal.aborted) return text;
    await new Promise((resolve) => setTimeout(resolve, FILL_MS));
  }
  return null;
}

function textOf(file: string): string | null {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    return null;
  }
}
