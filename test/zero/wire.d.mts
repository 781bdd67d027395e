import type { Socket } from 'node:net';

export interface Answer {
  readonly status: number;
  /** By their names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

export interface Wire {
  readonly socket: Socket;
  /** How it ended: END for a clean end by the server, else the system's error code. */
  readonly ended: Promise<string>;
  /** The local port. */
  readonly connected: Promise<number>;
  readonly unread: number;
  send(data: string | Uint8Array): boolean;
  get(path?: string): Promise<Answer>;
  answer(): Promise<Answer>;
  read(length: number): Promise<Buffer>;
  close(): void;
}

export function openWire(port: number): Wire;
