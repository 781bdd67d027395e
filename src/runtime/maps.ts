/** Source maps: the project's are used by Node for stack traces, those of packages are left alone. */
import nodeModule from 'node:module';

const COMMENT = '//# sourceMappingURL=';
const NO_COMMENT = '//  sourceMappingURL=';
const HASH = COMMENT.indexOf('#');
const SPACE = ' '.charCodeAt(0);

const { setSourceMapsSupport } = nodeModule as unknown as {
  setSourceMapsSupport?(enabled: boolean, options: { nodeModules: boolean; generatedCode: boolean }): void;
};

/** Node 22.14 and 23.7 can tell packages apart. */
export function enableSourceMaps(): void {
  if (setSourceMapsSupport) setSourceMapsSupport(true, { nodeModules: false, generatedCode: false });
  else process.setSourceMapsEnabled(true);
}

/**
 * Older Node reads and parses the map of every module when it is loaded, packages' too (150 ms for Express and an S3
 * client): the comment that names it is blanked.
 */
export function withoutMap<T extends { source: unknown }>(loaded: T): T {
  const { source } = loaded;
  if (!Buffer.isBuffer(source)) return loaded;
  for (let at = source.lastIndexOf(COMMENT); at >= 0; at = source.lastIndexOf(COMMENT, at)) source[at + HASH] = SPACE;
  return loaded;
}

export const textWithoutMap = (source: string): string =>
  source.includes(COMMENT) ? source.replaceAll(COMMENT, NO_COMMENT) : source;
