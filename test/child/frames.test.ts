import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { readFrames, writeFrame } from '../../src/child/frames.ts';
import type { Question, Told } from '../../src/runtime/messages.ts';

const NOTHING = Buffer.alloc(0);
/** What the other end would read. */
function written(head: unknown, body: Buffer): Buffer {
  const stream = new PassThrough();
  writeFrame(stream, head, body);
  const parts: Buffer[] = [];
  for (let part = stream.read(); part !== null; part = stream.read()) parts.push(part);
  return Buffer.concat(parts);
}

test('a frame is two lengths, the head as JSON, and the body', () => {
  const frame = written({ a: 'é' }, Buffer.from('body'));
  expect(frame.readUInt32LE(0)).toBe(Buffer.byteLength('{"a":"é"}'));
  expect(frame.readUInt32LE(4)).toBe(4);
  expect(frame.toString('utf8', 8)).toBe('{"a":"é"}body');
});

test('a large body is written whole', () => {
  const body = Buffer.alloc(300_000, 'x');
  const frame = written({}, body);
  expect(frame.readUInt32LE(4)).toBe(body.length);
  expect(frame.subarray(10).equals(body)).toBe(true);
});

test.each([1, 3, 8, 64, 100_000])('frames are read however they are cut: %i bytes at a time', (size) => {
  const heads: (Question | Told)[] = [
    { ask: 'pack' },
    { tell: 'loaded', files: ['/ä/ö.ts', `/${'x'.repeat(500)}.ts`] },
    { ask: 'load', file: '/a b.ts' },
    { ask: 'gate' },
  ];
  const bytes = Buffer.concat(heads.map((head) => written(head, NOTHING)));
  const stream = new PassThrough();
  const got: unknown[] = [];
  readFrames(stream, (head) => got.push(head));
  for (let at = 0; at < bytes.length; at += size) stream.emit('data', bytes.subarray(at, at + size));
  expect(got).toEqual(heads);
});

test('an end that has gone is no error, neither for who reads nor for who writes', () => {
  const stream = new PassThrough();
  readFrames(stream, () => {});
  stream.emit('error', new Error('EPIPE'));
  stream.destroy();
  expect(() => writeFrame(stream, {}, NOTHING)).not.toThrow();
});
