/**
 * Live connections between two generations. A generation that leaves gives them away unread; hotrun holds them, never
 * reading, until the next one listens, and passes them on. To the client nothing happened.
 */

export interface Connection {
  /** Of the listening socket that it came by. */
  readonly key: string;
  /** It has carried a request before: it is a keep-alive connection between two requests. */
  readonly spoke: boolean;
  readonly handle: { close(): void };
}

/** A generation that listens. */
export interface Receiver {
  /** Calls `sent` when the connection is on its way and ours may be closed; never, if that fails. */
  send(connection: Connection, sent: () => void): void;
}

export interface Held {
  put(connection: Connection): void;
  /** From now on connections of this key go there, and those that wait go first. */
  receive(key: string, receiver: Receiver): void;
  /** It takes no more. `isGone`: what had not reached it yet waits for the next one. */
  leave(receiver: Receiver, isGone: boolean): void;
  /** Nobody will ever listen by this key. */
  drop(key: string): void;
  /** Connections that wait. */
  readonly size: number;
  close(): void;
}

/** More than these are closed: their clients have waited in vain for longer than they would for a restart. */
const MOST = 10_000;
/** How long a connection is held while nobody listens, in ms. */
const PATIENCE_MS = 60_000;

export function openHeld(): Held {
  const receivers = new Map<string, Receiver>();
  const waiting = new Map<Connection, NodeJS.Timeout>();
  const onTheWay = new Map<Connection, Receiver>();

  const deliver = (connection: Connection, receiver: Receiver): void => {
    onTheWay.set(connection, receiver);
    receiver.send(connection, () => {
      if (onTheWay.delete(connection)) connection.handle.close();
    });
  };
  const drop = (connection: Connection): void => {
    clearTimeout(waiting.get(connection));
    waiting.delete(connection);
    connection.handle.close();
  };
  const dropAll = (isMeant: (connection: Connection) => boolean): void => {
    for (const connection of [...waiting.keys()].filter(isMeant)) drop(connection);
  };
  const put = (connection: Connection): void => {
    const receiver = receivers.get(connection.key);
    if (receiver) return deliver(connection, receiver);
    if (waiting.size >= MOST) return connection.handle.close();
    waiting.set(
      connection,
      setTimeout(() => drop(connection), PATIENCE_MS),
    );
  };

  return {
    put,
    receive(key, receiver) {
      receivers.set(key, receiver);
      for (const [connection, timer] of waiting) {
        if (connection.key !== key) continue;
        clearTimeout(timer);
        waiting.delete(connection);
        deliver(connection, receiver);
      }
    },
    leave(receiver, isGone) {
      for (const [key, current] of receivers) if (current === receiver) receivers.delete(key);
      if (!isGone) return;
      for (const [connection, to] of onTheWay) {
        if (to !== receiver) continue;
        onTheWay.delete(connection);
        put(connection);
      }
    },
    drop: (key) => dropAll((connection) => connection.key === key),
    get size() {
      return waiting.size;
    },
    close() {
      dropAll(() => true);
      for (const connection of onTheWay.keys()) connection.handle.close();
      onTheWay.clear();
      receivers.clear();
    },
  };
}
