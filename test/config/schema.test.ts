import { describe, expect, test } from 'vitest';
import { type Key, keys, type RcFile } from '../../src/config/keys.ts';
import { readRc } from '../../src/config/rcfile.ts';
import { hotrcSchema } from '../../src/config/schema.ts';

type Schema = Readonly<Record<string, unknown>>;

const typeOf = (value: unknown): string =>
  Array.isArray(value) ? 'array' : Number.isInteger(value) ? 'integer' : value === null ? 'null' : typeof value;

/** As much of JSON schema as ours uses; throws for the rest, so that nothing goes unchecked. */
function isValid(schema: Schema, value: unknown): boolean {
  const members = Object.entries((value ?? {}) as object);
  return Object.entries(schema).every(([word, wanted]) => {
    const known = (schema.properties ?? {}) as Record<string, Schema>;
    switch (word) {
      case 'type':
        return typeOf(value) === wanted;
      case 'enum':
        return (wanted as unknown[]).includes(value);
      case 'pattern':
        return typeof value !== 'string' || new RegExp(wanted as string, 'u').test(value);
      case 'minimum':
        return typeof value !== 'number' || value >= (wanted as number);
      case 'minItems':
        return !Array.isArray(value) || value.length >= (wanted as number);
      case 'minProperties':
        return typeOf(value) !== 'object' || members.length >= (wanted as number);
      case 'items':
        return !Array.isArray(value) || value.every((item) => isValid(wanted as Schema, item));
      case 'anyOf':
        return (wanted as Schema[]).some((each) => isValid(each, value));
      case 'not':
        return !isValid(wanted as Schema, value);
      case 'required':
        return (wanted as string[]).every((name) => name in (value as object));
      case 'properties':
        return (
          typeOf(value) !== 'object' || members.every(([name, member]) => !known[name] || isValid(known[name], member))
        );
      case 'additionalProperties':
        return wanted === true || members.every(([name]) => name in known);
      case '$schema':
      case 'title':
      case 'description':
      case 'default':
      case 'examples':
      case 'allowComments':
      case 'allowTrailingCommas':
        return true;
      default:
        throw new Error(`the test does not know ${word}`);
    }
  });
}

const schema = hotrcSchema() as Schema & { properties: Record<string, Schema> };
const isRead = (value: unknown): boolean => {
  try {
    readRc(JSON.stringify(value), '/p/.hotrc.json', '/p');
    return true;
  } catch {
    return false;
  }
};

test('has every key with a description, its default and a valid example', () => {
  expect(Object.keys(schema.properties)).toEqual(keys.map(({ name }) => name));
  for (const key of keys satisfies readonly Key[]) {
    const { description, examples, default: value } = schema.properties[key.name] ?? {};
    expect(description).toMatch(/^[A-Z].+\.$/);
    expect(examples).toEqual([key.example]);
    expect(isValid(schema, { [key.name]: key.example })).toBe(true);
    expect(value).toEqual(key.default ?? undefined);
    if (key.default !== null) expect(isValid(schema, { [key.name]: key.default })).toBe(true);
  }
});

test('is plain JSON', () => {
  expect(JSON.parse(JSON.stringify(schema))).toEqual(schema);
});

describe('says what hotrun says', () => {
  test.each<[value: unknown, isRight: boolean]>([
    [{}, true],
    [{ entry: 'a', args: [''], nodeArgs: [] } satisfies RcFile, true],
    [{ stop: { SIGTERM: '1.5s', SIGKILL: 1 }, handover: 'overlap', trace: false } satisfies RcFile, true],
    [{ run: ['a'], build: 'b', watch: ['c'], log: 'quiet', $schema: '' } satisfies RcFile, true],
    [[], false],
    [{ wach: [] }, false],
    [{ entry: '' }, false],
    [{ entry: ' ' }, false],
    [{ entry: null }, false],
    [{ args: [1] }, false],
    [{ args: 'a' }, false],
    [{ watch: [''] }, false],
    [{ run: [] }, false],
    [{ run: '' }, false],
    [{ stop: {} }, false],
    [{ stop: { SIGSTOP: 1 } }, false],
    [{ stop: { SIGINT: 0 } }, false],
    [{ stop: { SIGINT: 1.5 } }, false],
    [{ stop: { SIGINT: '5' } }, false],
    [{ stop: 'SIGINT' }, false],
    [{ handover: 'both' }, false],
    [{ trace: 'yes' }, false],
  ])('%j: %s', (value, isRight) => {
    expect(isValid(schema, value)).toBe(isRight);
    expect(isRead(value)).toBe(isRight);
  });

  test('entry and run do not go together', () => {
    expect(isValid(schema, { entry: 'a', run: 'b' })).toBe(false);
  });
});
