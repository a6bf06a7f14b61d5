/** How long to wait before a connection is tried again. Knows nothing of connections. */

/** The contract's table, by attempt from the first; after the fifth it goes on at its last value. */
export const PAUSES_MS = [1_000, 2_000, 4_000, 8_000, 16_000] as const;

/**
 * Milliseconds before an attempt (from 1 on). The table says the longest pause; `jitter` (0 to 1) is the part of it that
 * `random` (0 to 1) may take away, so that the clients of a gateway that restarts do not come back as one.
 */
export function pauseBefore(attempt: number, jitter: number, random: number): number {
  const longest = PAUSES_MS[Math.min(Math.max(attempt, 1), PAUSES_MS.length) - 1] as number;
  return longest * (1 - jitter * random);
}
