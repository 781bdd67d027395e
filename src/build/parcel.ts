/** Modules as they are sent to a generation: a head that tells where each lies, and one body. */
import type { PackedModule } from '../runtime/messages.ts';
import type { Entry } from './store.ts';

/** Begins the source map, at the end of what esbuild has made. */
const MAP_COMMENT = '//# sourceMappingURL=';

export function parcelOf(entries: Iterable<Entry>): { modules: PackedModule[]; body: Buffer } {
  const modules: PackedModule[] = [];
  const bodies: Buffer[] = [];
  let start = 0;
  for (const { file, module } of entries) {
    const body = module.bytes?.() ?? Buffer.from(module.code);
    const map = module.transformed ? body.lastIndexOf(MAP_COMMENT) : -1;
    const end = start + body.length;
    modules.push({ file, format: module.format, start, map: map < 0 ? end : start + map, end });
    bodies.push(body);
    start = end;
  }
  return { modules, body: Buffer.concat(bodies) };
}
