/**
 * What a cluster worker of the app has of the runtime beside its module hooks: it drains when its primary says so, as a
 * generation does, and its primary passes on what it hands over. Its sockets are the primary's.
 */
import { openWorkerChannel } from './channel.ts';
import type { RawHandle } from './connections.ts';
import { drain } from './drain.ts';
import { patchListen } from './listen.ts';

let isDraining = false;
const listening = patchListen(
  null,
  () => {},
  () => {},
);
const channel = openWorkerChannel((message, handle) => {
  if (message.do === 'adopt') {
    const connection = handle as RawHandle;
    if (!listening.adopt(message.key, connection, message.spoke)) connection.close();
  }
  if (message.do !== 'drain' || isDraining) return;
  isDraining = true;
  const tell = ({ tell }: { tell: string }): void => {
    if (tell === 'drained') channel.drained();
  };
  drain(listening, { tell }, channel, [], () => 'more');
});
