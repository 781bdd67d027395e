/** What a program may import from hotrun: for now, the types of its configuration. */
export type { RcFile } from './config/keys.ts';
