/**
 * The form of the cache file; no I/O.
 *
 *     hotrun-pack-1 <length of header> <length of bodies>\n  header (JSON)  bodies (UTF-8)  \nend\n
 *
 * One parse for the header; a body is decoded when it is asked for.
 */

export interface Cached {
  readonly format: 'module' | 'commonjs' | 'json';
  /** Decoded when first asked for. */
  readonly code: string;
  /** The same, as UTF-8. */
  bytes(): Buffer;
  readonly transformed: boolean;
  /** Of the source, by hashOf. */
  readonly hash: string;
  readonly shape: string;
  /** Whatever was put there: must survive JSON. */
  readonly extra: unknown;
}

/** As in the header; short keys, since there is one of these per module. */
interface Line {
  /** mtimeMs and size; mtime -1 if it proves nothing. */
  m: number;
  s: number;
  /** Hash of the source, index into shapes. */
  h: string;
  p: number;
  f: Cached['format'];
  t: 0 | 1;
  /** Offset and length in the bodies, in bytes. */
  o: number;
  l: number;
  /** Day of the last use, in days since 1970. */
  u: number;
  x?: unknown;
}

interface Header {
  key: string;
  shapes: string[];
  notes: Record<string, unknown>;
  files: Record<string, Line>;
}

/** A module of the pack, or one that will be. */
export interface Entry extends Cached {
  mtimeMs: number;
  size: number;
  usedOn: number;
  usedNow: boolean;
}

const MAGIC = 'hotrun-pack-1';
const END = '\nend\n';

/** The bytes of a pack. */
export function pack(key: string, entries: ReadonlyMap<string, Entry>, notes: Record<string, unknown>): Buffer {
  const shapes = new Map<string, number>();
  const files: Record<string, Line> = {};
  const bodies: Buffer[] = [];
  let offset = 0;
  for (const [path, entry] of entries) {
    const { mtimeMs: m, size: s, hash: h, format: f, usedOn: u, extra } = entry;
    const p = shapes.get(entry.shape) ?? shapes.size;
    shapes.set(entry.shape, p);
    const body = entry.bytes();
    bodies.push(body);
    files[path] = {
      m,
      s,
      h,
      p,
      f,
      t: entry.transformed ? 1 : 0,
      o: offset,
      l: body.length,
      u,
      x: extra,
    };
    offset += body.length;
  }
  const header = Buffer.from(
    JSON.stringify({
      key,
      shapes: [...shapes.keys()],
      notes,
      files,
    } satisfies Header),
  );
  return Buffer.concat([Buffer.from(`${MAGIC} ${header.length} ${offset}\n`), header, ...bodies, Buffer.from(END)]);
}

/** Null if it is a good pack of something else. Throws if it is damaged. */
export function unpack(bytes: Buffer, key: string) {
  const [magic, ...lengths] = bytes.subarray(0, bytes.indexOf(10)).toString('latin1').split(' ');
  const [headerLength = Number.NaN, bodiesLength = Number.NaN] = lengths.map(Number);
  const start = bytes.indexOf(10) + 1 + headerLength;
  const whole =
    start + bodiesLength + END.length === bytes.length && bytes.toString('latin1', start + bodiesLength) === END;
  if (magic !== MAGIC || !whole) throw new Error('it is damaged, or not a pack');
  const header = JSON.parse(bytes.toString('utf8', start - headerLength, start)) as Header;
  if (header.key !== key) return null;
  const entries = new Map<string, Entry>();
  for (const [path, line] of Object.entries(header.files)) {
    const shape = header.shapes[line.p];
    if (shape === undefined || !(line.o >= 0 && line.l >= 0 && line.o + line.l <= bodiesLength))
      throw new Error(`it is damaged at ${path}`);
    entries.set(path, entryOf(line, shape, bytes.subarray(start + line.o, start + line.o + line.l)));
  }
  return { entries, notes: header.notes ?? {} };
}

function entryOf({ m, s, h, f, t, u, x }: Line, shape: string, body: Buffer): Entry {
  let decoded: string | undefined;
  return {
    mtimeMs: m,
    size: s,
    hash: h,
    shape,
    format: f,
    transformed: t === 1,
    extra: x,
    usedOn: u,
    usedNow: false,
    bytes: () => body,
    get code() {
      decoded ??= body.toString();
      return decoded;
    },
  };
}
