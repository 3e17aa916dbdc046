import type { Pin } from "../protocol/message";

/**
 * Which messages of a conversation are pinned: as they were at one event of its log,
 * and how that has changed since.
 */
export interface Pins {
  /** The numbers of the pinned messages at event `asOf`, the one pinned first in front. */
  readonly listed: readonly number[];
  readonly asOf: number;
  /** The later changes that are known, in order; others may be missing before them. */
  readonly changes: readonly Pin[];
}

/** The pins of a log before its first event. */
export const NO_PINS: Pins = { listed: [], asOf: 0, changes: [] };

/** The numbers of the pinned messages as far as is known, the one pinned first in front. */
export function pinnedIn(pins: Pins): readonly number[] {
  return pins.changes.reduce(withPin, pins.listed);
}

/** The list after one change. A message that is pinned already keeps its place. */
export function withPin(
  listed: readonly number[],
  { target, on }: Pick<Pin, "target" | "on">,
): readonly number[] {
  if (listed.includes(target) === on) return listed;
  return on ? [...listed, target] : listed.filter((seq) => seq !== target);
}

/** Adds changes; those that are listed or known already change nothing. */
export function withChanges(pins: Pins, changes: readonly Pin[]): Pins {
  const isNew = ({ seq }: Pin) => seq > pins.asOf && pins.changes.every((one) => one.seq !== seq);
  const later = changes.filter(isNew);
  if (later.length === 0) return pins;
  return { ...pins, changes: [...pins.changes, ...later].sort((a, b) => a.seq - b.seq) };
}

/** The server has listed the pins as of an event; an older list changes nothing. */
export function listedAsOf(pins: Pins, listed: readonly number[], asOf: number): Pins {
  const same = asOf === pins.asOf && listed.join() === pins.listed.join();
  if (asOf < pins.asOf || same) return pins;
  return { listed, asOf, changes: pins.changes.filter(({ seq }) => seq > asOf) };
}

/** All changes up to event `end` are known: they become part of the list. */
export function completeTo(pins: Pins, end: number): Pins {
  return end <= pins.asOf ? pins : { listed: pinnedIn(pins), asOf: end, changes: [] };
}
