/** The JSON schema of the rc file, from the table of keys. Editors complete and check with it. */
import { type Key, keys } from './keys.ts';
import { stopSignals, timePattern } from './ladder.ts';

/** Draft 7, the one that editors know best. */
export function hotrcSchema(): object {
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: '.hotrc.json, the settings of hotrun',
    type: 'object',
    // Not of the standard: VS Code then takes the file as hotrun does.
    allowComments: true,
    allowTrailingCommas: true,
    additionalProperties: false,
    properties: Object.fromEntries(keys.map((key) => [key.name, property(key)])),
    not: { required: ['entry', 'run'] },
  };
}

function property(key: Key): object {
  return {
    description: sentences(key),
    ...shape(key),
    ...(key.default === null ? {} : { default: key.default }),
    examples: [key.example],
  };
}

const sentences = ({ doc, more }: Key): string =>
  `${doc.charAt(0).toUpperCase()}${doc.slice(1)}.${more === undefined ? '' : ` ${more}`}`;

const text = { type: 'string', pattern: '\\S' };
const words = { type: 'array', items: { type: 'string' } };
const time = {
  anyOf: [
    { type: 'integer', minimum: 1 },
    { type: 'string', pattern: timePattern },
  ],
};

function shape(key: Key): object {
  switch (key.kind) {
    case 'path':
      return text;
    case 'paths':
      return { anyOf: [text, { type: 'array', items: text }] };
    case 'text':
      return { type: 'string' };
    case 'boolean':
      return { type: 'boolean' };
    case 'interval':
      return { anyOf: [{ type: 'boolean' }, ...time.anyOf] };
    case 'choice':
      return { enum: key.choices };
    case 'choice or names':
      return { anyOf: [{ enum: key.choices }, { type: 'array', items: text }] };
    case 'strings':
      return words;
    case 'globs':
      return { type: 'array', items: text };
    case 'command':
      return { anyOf: [text, { ...words, minItems: 1 }] };
    case 'ladder':
      return {
        type: 'object',
        minProperties: 1,
        additionalProperties: false,
        properties: Object.fromEntries(stopSignals.map((signal) => [signal, time])),
      };
  }
}
