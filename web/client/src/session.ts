/**
 * The session that all tabs share: if one tab renews the token, the others use the new one; signing out in one signs out all.
 * Otherwise a session ends only when the server rejects its refresh token.
 */

import type { Tokens } from "./tokens.js";

const KEY = "catalogizer.session";
const PLAIN_KEY = "auth_token"; // where pages store a token that is not renewed
const EARLY_MS = 90_000; // a token is renewed this long before it expires
const RETRY_MS = 5_000; // after a failed renewal that does not end the session
const REQUEST_MS = 20_000; // a request without an answer fails after this time
const LOCK_MS = 30_000;

/** The stored data of a session. Times in milliseconds since 1970, by this machine's clock. */
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

type KeyValueStore = Pick<Storage, "getItem" | "setItem" | "removeItem">;

function inMemory(): KeyValueStore {
  const kept = new Map<string, string>();
  return {
    getItem: (key) => kept.get(key) ?? null,
    setItem: (key, value) => void kept.set(key, value),
    removeItem: (key) => void kept.delete(key),
  };
}

/** The server rejected a sign-in or a renewal. `status`: the HTTP status. */
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
  /** `localStorage` by default; any other storage is not shared with other tabs. */
  storage?: KeyValueStore;
  fetch?: typeof fetch;
  locks?: Pick<LockManager, "request"> | null;
}

export class Session implements Tokens {
  private readonly listeners = new Set<() => void>();
  private readonly storage: KeyValueStore;
  private readonly fetcher: typeof fetch;
  private readonly locks: Pick<LockManager, "request"> | null;
  private renewing: Promise<string | null> | undefined;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly options: SessionOptions) {
    this.storage = options.storage ?? globalThis.localStorage ?? inMemory();
    this.fetcher = options.fetch ?? globalThis.fetch.bind(globalThis);
    this.locks = options.locks === undefined ? (globalThis.navigator?.locks ?? null) : options.locks;
  }

  /** The session as it is stored now, by any tab; null if there is none. */
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

  /** Throws SignInError with the server's message. */
  async signIn(username: string, password: string): Promise<void> {
    this.keep(await this.post("auth/login", { username, password }));
  }

  /**
   * Ends the session here and at the server. If the server cannot be reached the error is thrown, but the session has ended
   * here. `provider`: the address at which the browser signs out of the provider too, if the user signed in there.
   */
  async signOut(): Promise<{ provider?: string }> {
    const token = this.current();
    this.storage.removeItem(KEY);
    this.changed();
    if (token === null) {
      return {};
    }
    const request = { method: "POST", headers: { Authorization: `Bearer ${token}` } };
    const answer = await this.fetcher(`${this.options.api}/auth/logout`, request);
    const provider = answer.ok ? ((await answer.json()) as { provider_sign_out?: string | null }).provider_sign_out : undefined;
    return provider ? { provider } : {};
  }

  renew(refused: string | null): Promise<string | null> {
    this.renewing ??= this.inTurn(() => this.renewNow(refused)).finally(() => (this.renewing = undefined));
    return this.renewing;
  }

  onChange(listener: () => void): () => void {
    this.listeners.add(listener);
    if (this.listeners.size === 1) {
      globalThis.addEventListener?.("storage", this.onStorage);
      globalThis.addEventListener?.("focus", this.renewIfDue);
      this.schedule();
    }
    return () => {
      this.listeners.delete(listener);
      if (this.listeners.size === 0) {
        globalThis.removeEventListener?.("storage", this.onStorage);
        globalThis.removeEventListener?.("focus", this.renewIfDue);
        clearTimeout(this.timer);
      }
    };
  }

  private readonly onStorage = (change: StorageEvent): void => {
    if (change.key === KEY || change.key === PLAIN_KEY || change.key === null) {
      this.changed();
    }
  };

  private readonly renewIfDue = (): void => {
    const kept = this.kept;
    if (kept && Date.now() >= kept.expires - kept.early) {
      this.renew(kept.token).then(
        () => this.schedule(),
        () => this.schedule(RETRY_MS), // the server cannot be reached: try again later
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
      this.timer = setTimeout(this.renewIfDue, Math.min(wait, 2 ** 31 - 1));
    }
  }

  /** Run in one tab at a time. Without locks (plain http), the server gives all tabs the same new token. */
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
      return work(); // a suspended tab has the lock
    }
  }

  private async renewNow(refused: string | null): Promise<string | null> {
    const kept = this.kept;
    if (!kept || kept.token !== refused) {
      const token = this.current();
      return token === refused ? null : token; // another tab has renewed it, or has signed out
    }
    let answer: SignedIn;
    try {
      answer = await this.post("auth/refresh", { refresh_token: kept.refresh });
    } catch (error) {
      if (!(error instanceof SignInError) || error.status !== 401) {
        throw error;
      }
      return this.refreshRefused(kept);
    }
    if (this.kept === null) {
      return null; // signed out in the meantime
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

  /** Store and use a session that was opened elsewhere, for instance at a provider. */
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

  private async post(path: string, body: object): Promise<SignedIn> {
    const answer = await this.fetcher(`${this.options.api}/${path}`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(REQUEST_MS),
    });
    const content = (await answer.json().catch(() => ({}))) as SignedIn & { message?: string };
    if (!answer.ok) {
      throw new SignInError(answer.status, content.message ?? `HTTP ${answer.status}`);
    }
    return content;
  }
}

const sessions = new Map<string, Session>();

/** The session that the browser stores; without `localStorage` there is none. */
export function storedTokens(api: string): Tokens {
  if (typeof localStorage === "undefined") {
    return { current: () => null };
  }
  const session = sessions.get(api) ?? new Session({ api });
  sessions.set(api, session);
  return session;
}
