/** Which modules a standby may load before the save. */
import { describe, expect, test } from 'vitest';
import { type Links, linksFrom, loadableAhead } from '../../src/build/ahead.ts';
import { openRecently } from '../../src/build/recently.ts';
import type { Module } from '../../src/build/transform.ts';
import { randomOf } from '../random.ts';

const module = (code: string): Module => ({ format: 'module', code, transformed: true });

/** A tree of three children each, as `entry` -> m0. */
const tree = (count: number): Map<string, string[]> => {
  const links = new Map<string, string[]>([['entry', ['m0']]]);
  for (let nth = 0; nth < count; nth++)
    links.set(
      `m${nth}`,
      [1, 2, 3].map((child) => 3 * nth + child).flatMap((child) => (child < count ? [`m${child}`] : [])),
    );
  return links;
};

/** All that is reached from a file, with it. */
const reached = (file: string, links: Links, seen = new Set<string>()): Set<string> => {
  if (seen.has(file)) return seen;
  seen.add(file);
  for (const next of links.get(file) ?? []) reached(next, links, seen);
  return seen;
};

describe('the modules that are loaded ahead', () => {
  test('none of them is edited, or imports what is edited, or is the entry', () => {
    const links = tree(800);
    const cold = loadableAhead('entry', links, ['m799']);
    const way = ['m799', 'm266', 'm88', 'm29', 'm9', 'm2', 'm0', 'entry'];
    expect(way.filter((file) => cold.has(file))).toEqual([]);
    expect(cold.size).toBe(801 - way.length);
  });

  test('in any graph, cycles and all: what they reach is among them', () => {
    for (let seed = 1; seed <= 200; seed++) {
      const random = randomOf(seed);
      const count = 70 + Math.floor(random() * 100);
      const any = (): string => `m${Math.floor(random() * count)}`;
      const links = new Map<string, string[]>([['entry', ['m0', any()]]]);
      for (let nth = 0; nth < count; nth++)
        links.set(`m${nth}`, [`m${nth + 1}`, ...Array.from({ length: Math.floor(random() * 2) }, any)]);
      const edited = Array.from({ length: Math.floor(random() * 4) }, any);
      const cold = loadableAhead('entry', links, [...edited, 'not in the graph']);
      for (const file of cold) {
        const all = reached(file, links);
        expect([...all].filter((each) => links.has(each) && !cold.has(each))).toEqual([]);
        expect(['entry', ...edited].filter((each) => all.has(each))).toEqual([]);
      }
    }
  });

  test('in a small app it is not worth a process', () => {
    expect(loadableAhead('entry', tree(50), []).size).toBe(0);
    expect(loadableAhead('entry', tree(70), []).size).toBe(70);
  });
});

test('the graph is what is loaded with the entry: no package, no file that is not known', () => {
  const modules = new Map([
    ['/entry', module('a b express')],
    ['/a', module('b')],
    ['/b', module('a gone')],
    ['/c', module('a')],
  ]);
  const links = linksFrom('/entry', {
    module: (file) => modules.get(file),
    specifiers: ({ code }) => code.split(' '),
    resolve: (specifier) => (specifier === 'express' ? undefined : `/${specifier}`),
  });
  expect(Object.fromEntries(links)).toEqual({ '/entry': ['/a', '/b'], '/a': ['/b'], '/b': ['/a', '/gone'] });
});

test('what is being edited: the last saves of this session, and the newest files of the day before', () => {
  const recently = openRecently();
  const now = Date.now();
  const known = (file: string, age: number) => ({ file, mtimeMs: now - age, size: 1 });
  const old = Array.from({ length: 30 }, (_, nth) => known(`old${nth}`, 1000 * (nth + 1)));
  recently.saved(['a', 'b']);
  recently.saved(Array.from({ length: 19 }, (_, nth) => `s${nth}`));
  recently.saved(['b']);
  const files = recently.files([...old, known('ancient', 100_000_000)]);
  expect(files.has('a')).toBe(false);
  expect(['b', 's0', 's18', 'old0', 'old19'].every((file) => files.has(file))).toBe(true);
  expect(['old20', 'ancient'].some((file) => files.has(file))).toBe(false);
});
