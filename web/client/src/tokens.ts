/** Where a connection gets its token from, and a new one when the token is rejected. */

export interface Tokens {
  /** The current token; null if there is none. */
  current(): string | null;
  /** A token in place of one that was rejected or expires soon; the same token if a new one could not be got yet, null if the
   * session has ended. Without this method, a rejected token ends the connection for good. */
  renew?(refused: string | null): Promise<string | null>;
  /** Called whenever the token changes, also if another tab renewed it. Returns a function that removes the listener. */
  onChange?(listener: () => void): () => void;
}

/** The `Tokens` that were passed last: a page that renews tokens itself creates new clients with new tokens. */
export class NewestTokens implements Tokens {
  private listener: (() => void) | undefined;
  private stop: (() => void) | undefined;

  constructor(private newest: Tokens) {}

  use(tokens: Tokens): void {
    if (tokens !== this.newest) {
      this.newest = tokens;
      this.follow();
      this.listener?.();
    }
  }

  current(): string | null {
    return this.newest.current();
  }

  get renew(): Tokens["renew"] {
    return this.newest.renew?.bind(this.newest);
  }

  onChange(listener: () => void): () => void {
    this.listener = listener;
    this.follow();
    return () => {
      this.listener = undefined;
      this.stop?.();
    };
  }

  private follow(): void {
    this.stop?.();
    this.stop = this.listener && this.newest.onChange?.(this.listener);
  }
}

/** A key for the owner of a token: pages of one session share a connection, pages of different ones do not. Reveals no token. */
export function ownerOf(token: string | null): string {
  if (token === null) {
    return "";
  }
  try {
    const claims = JSON.parse(atob((token.split(".")[1] as string).replace(/-/g, "+").replace(/_/g, "/"))) as object;
    const { user_id, sub, session_id } = claims as Record<string, unknown>;
    return [user_id ?? sub, session_id].join(".");
  } catch {
    return `${fingerprint(token)}`; // a machine's token: clients with the same token share
  }
}

/** A 53-bit hash of a text, enough to distinguish a few (two 32-bit FNV-1a with different seeds). */
function fingerprint(text: string): number {
  let [high, low] = [0x811c9dc5, 0x01000193];
  for (const character of text) {
    high = Math.imul(high ^ (character.codePointAt(0) as number), 0x01000193);
    low = Math.imul(low ^ (character.codePointAt(0) as number), 0x85ebca6b);
  }
  return (high >>> 0) * 2 ** 21 + (low >>> 11);
}
