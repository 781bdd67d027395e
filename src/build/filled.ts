import { readFile } from 'node:fs/promises';

/** How long a file that is empty or missing is waited for, in ms: editors truncate before they write, and rename in two steps. */
const FILL_MS = 50;

/** The content of a file that may be on its way: one that is empty or missing gets a moment. Null if it stays missing. */
export async function filled(file: string, signal: AbortSignal): Promise<string | null> {
  for (const last of [false, true]) {
    const text = await readFile(file, 'latin1').catch(() => null);
    if (text || last || signal.aborted) return text;
    await new Promise((resolve) => setTimeout(resolve, FILL_MS));
  }
  return null;
}
