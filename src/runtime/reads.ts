/**
 * Which files of the project the app reads while it starts: schemas, queries, views; and which folders it lists. Node has no event
 * for that, so the functions of node:fs are replaced by proxies of themselves, which keep name, length and util.promisify, until
 * the app is up.
 */
import { resolve, sep } from 'node:path';
import { LISTS, openLists, pathOf } from './lists.ts';
import type { ListedFolder } from './messages.ts';
import { replace, type StandIn } from './stand-ins.ts';

/** What people write and programs only read: not .json, .txt, .log or .db, which apps write too, and would reload by. */
const KIND =
  /(?:\.(?:sql|graphqls?|gql|proto|html?|ejs|hbs|handlebars|mustache|pug|njk|liquid|eta|mjml|ya?ml|toml|ini|properties|prisma|avsc|wsdl|xsd|xsl)|[\\/]\.env(?:\.[\w-]+)*)$/;
/** Not watched because it is read, but in a folder that is listed: so it matters who writes it. */
const MODULE = /\.[cm]?[jt]sx?$|\.json$/;
/** The app may set the clock for its tests. */
const { now } = Date;
const IN_PACKAGE = /[\\/]node_modules[\\/]/;
/** An app that reads so many does not need each of them to be watched. */
const MOST = 500;

/** With the one that is asked before a file is read which need not be there. */
const READS = ['readFile', 'readFileSync', 'open', 'openSync', 'createReadStream', 'existsSync'];
const WRITES = [
  'writeFile',
  'writeFileSync',
  'appendFile',
  'appendFileSync',
  'createWriteStream',
  'rename',
  'renameSync',
  'copyFile',
  'copyFileSync',
];
/** What they write is named second. */
const TO = /^(?:rename|copyFile)/;

/**
 * `told` hears of each file once, and once more if it is written; `listed` hears of all folders, at the end. @returns puts
 * node:fs back, where nobody else has replaced it meanwhile
 */
export function noteReads(
  root: string,
  told: (file: string, isWritten: boolean, since: number) => void,
  listed: (folders: readonly ListedFolder[]) => void,
): () => void {
  const lists = openLists(root);
  const seen = new Set<string>();
  const inside = root.endsWith(sep) ? root : root + sep;
  let isOver = false;

  const note = (path: unknown, isWritten: boolean): void => {
    if (isOver || seen.size >= MOST) return;
    const name = pathOf(path);
    if (name === undefined || IN_PACKAGE.test(name)) return;
    const file = resolve(name);
    if (!file.startsWith(inside) || !(KIND.test(file) || (isWritten && MODULE.test(file)))) return;
    const key = `${isWritten} ${file}`;
    if (seen.has(key)) return;
    seen.add(key);
    told(file, isWritten, now());
  };

  const look: StandIn = (args, name, run) => {
    const isForWriting = /^open/.test(name) && typeof args[1] === 'string' && !/^rs?$/.test(args[1]);
    if (!LISTS.includes(name)) note(args[TO.test(name) ? 1 : 0], isForWriting || WRITES.includes(name));
    else if (!isOver) lists.note(name, args);
    return run();
  };
  const putBack = replace([
    ['fs', [...READS, ...WRITES, ...LISTS], look],
    [
      'promises',
      ['readFile', 'open', 'writeFile', 'appendFile', 'rename', 'copyFile', 'readdir', 'opendir', 'glob'],
      look,
    ],
  ]);
  return () => {
    if (isOver) return;
    isOver = true;
    listed(lists.folders());
    putBack();
  };
}
