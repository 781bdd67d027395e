/** PURE: what `tsc --watch --pretty false` prints -> the faults of each check. The same in TypeScript 5, 6 and 7. */
import { resolve } from 'node:path';
import type { Fault } from '../errors.ts';

export interface Report {
  /** Takes a line, without its newline. */
  line(text: string): void;
  /** The faults since the last check ended; for a tsc that has ended without saying so. */
  rest(): readonly Fault[];
}

/** `src/a.ts(2,7): error TS2322: …`, or without a place. */
const FAULT = /^(?:(.+)\((\d+),(\d+)\): )?error (TS\d+: .*)$/;
/** `5:47:51 AM - Found 2 errors. Watching for file changes.` */
const END = / - Found \d+ errors?\. Watching for file changes\.$/;
const BEGIN =
  / - (?:Starting compilation in watch mode|File change detected\. Starting incremental compilation)\.\.\.$/;

/** @param cwd what the paths are relative to @param checked called at the end of each check */
export function openReport(cwd: string, checked: (faults: readonly Fault[]) => void): Report {
  let faults: Fault[] = [];
  const take = (): readonly Fault[] => {
    const taken = faults;
    faults = [];
    return taken;
  };
  return {
    line(text) {
      if (END.test(text)) return checked(take());
      if (BEGIN.test(text)) return void take();
      const [found, file, line, column, message = ''] = FAULT.exec(text) ?? [];
      const last = faults.at(-1);
      if (found !== undefined) {
        const place =
          file === undefined ? {} : { file: resolve(cwd, file), line: Number(line), column: Number(column) };
        faults.push({ text: message, ...place });
        // The chain of reasons is indented.
      } else if (last && /^\s+\S/.test(text)) faults[faults.length - 1] = { ...last, text: `${last.text}\n${text}` };
    },
    rest: take,
  };
}
