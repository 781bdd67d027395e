/** The text of --help, from the table of keys. */
import { allFlags, keys } from './keys.ts';

const COLUMN = 24;
const WIDTH = 80;

/** At most 80 columns and 35 lines, no colours, no newline at the end. */
export function helpText(): string {
  const options = allFlags.map(({ key, flag }) => {
    const names = `  ${flag.short ? `${flag.short}, ` : '    '}${flag.long}${flag.value ? ` ${flag.value}` : ''}`;
    return `${names.padEnd(COLUMN)}${flag.doc ?? key?.doc}`;
  });
  const names = keys.map(({ name }) => name).filter((name) => name !== '$schema');
  return `Usage: hotrun [options] <entry> [args...]
       hotrun [options] -- <command> [args...]

Runs a program, and starts it anew when a file that it uses is saved; no request
is refused meanwhile. Without an entry: that of .hotrc.json, else "main" of
package.json. What follows the entry goes to the app.

Options (others before the entry go to node, as --inspect or --import x):
${options.join('\n')}

${wrap(`Keys of .hotrc.json: ${names.join(', ')}.`)}

Examples:
  hotrun --inspect src/server.ts --port 3000
  hotrun --build "go build -o api ." -w "**/*.go" -- ./api`;
}

function wrap(text: string): string {
  const lines = [''];
  for (const word of text.split(' ')) {
    const line = lines.at(-1) ?? '';
    if (line.length + word.length >= WIDTH) lines.push(word);
    else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`;
  }
  return lines.join('\n');
}
