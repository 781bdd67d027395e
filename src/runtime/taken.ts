/** A port that cannot be listened on because somebody else does: hotrun can say who. */
import type net from 'node:net';

/**
 * Node tells the app in the next tick, by the event 'error' (lib/net.js, emitErrorNT). A listener of ours would keep an error
 * that nobody handles from ending the app, so the server's next `emit` is looked at instead.
 */
export function whenTaken(server: net.Server, then: (port: number) => void): void {
  // Somebody else looks at it.
  if (Object.hasOwn(server, 'emit')) return;
  const look = (name: string, ...rest: unknown[]): boolean => {
    Reflect.deleteProperty(server, 'emit');
    const { code, port } = (rest[0] ?? {}) as { code?: unknown; port?: unknown };
    if (name === 'error' && code === 'EADDRINUSE' && typeof port === 'number') then(port);
    return server.emit(name, ...rest);
  };
  Object.defineProperty(server, 'emit', { configurable: true, writable: true, value: look });
}
