/** The pauses before reconnection attempts. Pure: this module knows nothing of connections. */

/** The contract's table, by attempt, beginning with the first; from the fifth on the last value is used. */
export const PAUSES_MS = [1_000, 2_000, 4_000, 8_000, 16_000] as const;

/**
 * Milliseconds before an attempt (the first is 1). The table has the longest pause; `jitter` (0 to 1) is the part of it that
 * `random` (0 to 1) may subtract, so that not all clients of a restarted gateway reconnect at the same moment.
 */
export function pauseBefore(attempt: number, jitter: number, random: number): number {
  const longest = PAUSES_MS[Math.min(Math.max(attempt, 1), PAUSES_MS.length) - 1] as number;
  return longest * (1 - jitter * random);
}
