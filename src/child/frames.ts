/** hotrun's end of the question descriptor: frames in, frames out. See runtime/messages.ts for their form. */
import type { Duplex } from 'node:stream';
import type { Question, Told } from '../runtime/messages.ts';

/** @param onHead called for each question or message, in order */
export function readFrames(stream: Duplex, onHead: (head: Question | Told) => void): void {
  let waiting: Buffer = Buffer.alloc(0);
  stream.on('data', (data: Buffer) => {
    waiting = waiting.length === 0 ? data : Buffer.concat([waiting, data]);
    while (waiting.length >= 8) {
      const end = 8 + waiting.readUInt32LE(0);
      if (waiting.length < end) return;
      const head = JSON.parse(waiting.toString('utf8', 8, end));
      waiting = waiting.subarray(end);
      onHead(head);
    }
  });
  // A generation may die at any moment, in the middle of a question: its end is told by its exit.
  stream.on('error', () => {});
}

export function writeFrame(stream: Duplex, head: unknown, body: Buffer): void {
  if (stream.destroyed || !stream.writable) return;
  const json = Buffer.from(JSON.stringify(head));
  const lengths = Buffer.allocUnsafe(8);
  lengths.writeUInt32LE(json.length, 0);
  lengths.writeUInt32LE(body.length, 4);
  stream.write(body.length < 65_536 ? Buffer.concat([lengths, json, body]) : Buffer.concat([lengths, json]));
  if (body.length >= 65_536) stream.write(body);
}
