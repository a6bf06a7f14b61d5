/**
 * The session that all tabs share: whoever renews its token, the others take it up; who signs out signs all out. It ends when
 * the server refuses its refresh token, and for no other reason.
 */

import type { Tokens } from "./tokens.js";

const KEY = "catalogizer.session";
const PLAIN_KEY = "auth_token"; // where pages keep a token that nobody renews
const EARLY_MS = 90_000; // before a token's end it is renewed
const AGAIN_MS = 5_000; // after a failure that is not the session's end
const RENEW_MS = 20_000; // longer no answer is waited for
const LOCK_MS = 30_000;

/** What is kept of a session. Times in milliseconds since 1970, by this machine's clock. */
export interface Kept {
  token: string;
  refresh: string;
  expires: number;
  early: number;
  user: string;
}

interface SignedIn {
  session_token: string;
  refresh_token: string;
  expires_in: number;
  user: { username: string };
}

type Keeping = Pick<Storage, "getItem" | "setItem" | "removeItem">;

function inMemory(): Keeping {
  const kept = new Map<string, string>();
  return {
    getItem: (key) => kept.get(key) ?? null,
    setItem: (key, value) => void kept.set(key, value),
    removeItem: (key) => void kept.delete(key),
  };
}

/** The server's answer to who was refused. `status`: HTTP's. */
export class SignInError extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
    this.name = "SignInError";
  }
}

export interface SessionOptions {
  /** Address of `/api/v1`. */
  api: string;
  /** What is not the browser's is this page's alone. */
  storage?: Keeping;
  fetch?: typeof fetch;
  locks?: Pick<LockManager, "request"> | null;
}

export class Session implements Tokens {
  private readonly listeners = new Set<() => void>();
  private readonly storage: Keeping;
  private readonly fetcher: typeof fetch;
  private readonly locks: Pick<LockManager, "request"> | null;
  private renewing: Promise<string | null> | undefined;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly options: SessionOptions) {
    this.storage = options.storage ?? globalThis.localStorage ?? inMemory();
    this.fetcher = options.fetch ?? globalThis.fetch.bind(globalThis);
    this.locks = options.locks === undefined ? (globalThis.navigator?.locks ?? null) : options.locks;
  }

  /** What is kept now, by whichever tab. */
  get kept(): Kept | null {
    try {
      return JSON.parse(this.storage.getItem(KEY) ?? "null") as Kept | null;
    } catch {
      return null;
    }
  }

  current(): string | null {
    return this.kept?.token ?? this.storage.getItem(PLAIN_KEY);
  }

  /** Throws SignInError, with the server's words. */
  async signIn(username: string, password: string): Promise<void> {
    this.keep(await this.ask("auth/login", { username, password }));
  }

  /**
   * Ends the session here and at the server; that it could not be told is thrown, but it has ended here. `provider`: where the
   * browser signs out of the provider too, of somebody who signed in there.
   */
  async signOut(): Promise<{ provider?: string }> {
    const token = this.current();
    this.storage.removeItem(KEY);
    this.changed();
    if (token === null) {
      return {};
    }
    const asked = { method: "POST", headers: { Authorization: `Bearer ${token}` } };
    const answer = await this.fetcher(`${this.options.api}/auth/logout`, asked);
    const said = answer.ok ? ((await answer.json()) as { provider_sign_out?: string | null }).provider_sign_out : undefined;
    return said ? { provider: said } : {};
  }

  renew(refused: string | null): Promise<string | null> {
    this.renewing ??= this.inTurn(() => this.renewNow(refused)).finally(() => (this.renewing = undefined));
    return this.renewing;
  }

  onChange(listener: () => void): () => void {
    this.listeners.add(listener);
    if (this.listeners.size === 1) {
      globalThis.addEventListener?.("storage", this.elsewhere);
      globalThis.addEventListener?.("focus", this.due);
      this.schedule();
    }
    return () => {
      this.listeners.delete(listener);
      if (this.listeners.size === 0) {
        globalThis.removeEventListener?.("storage", this.elsewhere);
        globalThis.removeEventListener?.("focus", this.due);
        clearTimeout(this.timer);
      }
    };
  }

  private readonly elsewhere = (change: StorageEvent): void => {
    if (change.key === KEY || change.key === PLAIN_KEY || change.key === null) {
      this.changed();
    }
  };

  private readonly due = (): void => {
    const kept = this.kept;
    if (kept && Date.now() >= kept.expires - kept.early) {
      this.renew(kept.token).then(
        () => this.schedule(),
        () => this.schedule(AGAIN_MS), // the server is away: the token is renewed when it is back
      );
    } else {
      this.schedule();
    }
  };

  private schedule(least = 0): void {
    clearTimeout(this.timer);
    const kept = this.kept;
    if (kept && this.listeners.size > 0) {
      const wait = Math.max(least, kept.expires - kept.early - Date.now());
      this.timer = setTimeout(this.due, Math.min(wait, 2 ** 31 - 1));
    }
  }

  /** One tab after the other. Where there are no locks (plain http), the server gives all of them the same successor. */
  private async inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (!this.locks) {
      return work();
    }
    let begun = false;
    const once = (): Promise<T> => {
      begun = true;
      return work();
    };
    try {
      return (await this.locks.request(KEY, { signal: AbortSignal.timeout(LOCK_MS) }, once)) as T;
    } catch (error) {
      if (begun) {
        throw error;
      }
      return work(); // a tab that sleeps has the lock
    }
  }

  private async renewNow(refused: string | null): Promise<string | null> {
    const kept = this.kept;
    if (!kept || kept.token !== refused) {
      const token = this.current();
      return token === refused ? null : token; // another tab has done it, or has signed out
    }
    let answer: SignedIn;
    try {
      answer = await this.ask("auth/refresh", { refresh_token: kept.refresh });
    } catch (error) {
      if (!(error instanceof SignInError) || error.status !== 401) {
        throw error;
      }
      return this.refreshRefused(kept);
    }
    if (this.kept === null) {
      return null; // signed out meanwhile
    }
    this.keep(answer);
    return answer.session_token;
  }

  private refreshRefused(used: Kept): string | null {
    const now = this.kept;
    if (now && now.refresh !== used.refresh) {
      return now.token; // another tab was quicker
    }
    this.storage.removeItem(KEY);
    this.changed();
    return null;
  }

  /** Take up a session that was got elsewhere, at a provider's for instance. */
  take(kept: Kept): void {
    this.storage.setItem(KEY, JSON.stringify(kept));
    this.changed();
  }

  private keep(answer: SignedIn): void {
    const life = answer.expires_in * 1_000;
    this.take({
      token: answer.session_token,
      refresh: answer.refresh_token,
      expires: Date.now() + life,
      early: Math.min(EARLY_MS, life / 4),
      user: answer.user.username,
    });
  }

  private changed(): void {
    this.schedule();
    [...this.listeners].forEach((listener) => listener());
  }

  private async ask(path: string, body: object): Promise<SignedIn> {
    const answer = await this.fetcher(`${this.options.api}/${path}`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(RENEW_MS),
    });
    const said = (await answer.json().catch(() => ({}))) as SignedIn & { message?: string };
    if (!answer.ok) {
      throw new SignInError(answer.status, said.message ?? `HTTP ${answer.status}`);
    }
    return said;
  }
}

const sessions = new Map<string, Session>();

/** The session that the browser keeps; where nothing can be kept there is none. */
export function storedTokens(api: string): Tokens {
  if (typeof localStorage === "undefined") {
    return { current: () => null };
  }
  const session = sessions.get(api) ?? new Session({ api });
  sessions.set(api, session);
  return session;
}
