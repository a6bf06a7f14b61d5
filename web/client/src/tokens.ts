/** Where a connection gets its token from, and a new one when it is refused. */

export interface Tokens {
  /** The token now; null: there is none. */
  current(): string | null;
  /** A token in place of one that is refused or ends soon; the same one where none could be had yet, null where the session
   * has ended. Without this, a refused token is the end. */
  renew?(refused: string | null): Promise<string | null>;
  /** Called whenever the token is another one, by whomever it was renewed. Returns how to stop it. */
  onChange?(listener: () => void): () => void;
}

/** Those that were given last: a page that renews tokens itself makes clients with new ones. */
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

/** Whose token it is: pages of the same session share a connection, those of different ones do not. Tells no token. */
export function holderOf(token: string | null): string {
  if (token === null) {
    return "";
  }
  try {
    const claims = JSON.parse(atob((token.split(".")[1] as string).replace(/-/g, "+").replace(/_/g, "/"))) as object;
    const { user_id, sub, session_id } = claims as Record<string, unknown>;
    return [user_id ?? sub, session_id].join(".");
  } catch {
    return `${fingerprint(token)}`; // of a machine: who has the same shares
  }
}

/** 53 bits of a text, good to tell a few apart (two FNV-1a of 32 bits with different seeds). */
function fingerprint(text: string): number {
  let [high, low] = [0x811c9dc5, 0x01000193];
  for (const character of text) {
    high = Math.imul(high ^ (character.codePointAt(0) as number), 0x01000193);
    low = Math.imul(low ^ (character.codePointAt(0) as number), 0x85ebca6b);
  }
  return (high >>> 0) * 2 ** 21 + (low >>> 11);
}
