/**
 * The signed-in user. All tabs share one session (the client's `Session`); unless the user signs out, only the server ends it.
 */

import { Session, type Kept } from "@catalogizer/client";
import { useSyncExternalStore } from "react";

const beside = (path: string): string => new URL(path, document.baseURI.split("#")[0]).href;

export const API = beside("api/v1");
const EARLY_MS = 90_000;
const EXCHANGE_MS = 20_000;

interface SignedIn {
  session_token: string;
  refresh_token: string;
  expires_in: number;
  user: { username: string };
}

/** Why the sign-in page is shown: a key of the texts; empty: nobody was signed in, or the user signed out. */
export type Why = "" | "ended" | "unfinished" | "declined" | "no_rights" | "no_account" | "disabled" | "signed_out" | "refused";

let why: Why = "";
let leaving = false;

export const session = new Session({ api: API });

let user = session.kept?.user;

session.onChange(() => {
  const now = session.kept?.user;
  if (user !== undefined && now !== undefined && now !== user) {
    location.reload(); // another user has signed in in another tab
  }
  if (user !== undefined && now === undefined && !leaving) {
    why = "ended";
  }
  user = now;
});

/** Renew the token of a tab that was suspended or offline before it is used. */
function renewIfDue(): void {
  const kept = session.kept;
  if (kept && Date.now() >= kept.expires - kept.early) {
    session.renew(kept.token).catch(() => undefined); // the server cannot be reached: the session's own timer tries again
  }
}

addEventListener("pageshow", renewIfDue);
addEventListener("online", renewIfDue);
document.addEventListener("visibilitychange", renewIfDue);

/** The name of the signed-in user; undefined if nobody is signed in. */
export function useUser(): string | undefined {
  return useSyncExternalStore(
    (listener) => session.onChange(listener),
    () => session.kept?.user,
  );
}

export function whySignedOut(): Why {
  return why;
}

/** Throws SignInError with the server's message. */
export async function signIn(name: string, password: string): Promise<void> {
  await session.signIn(name, password);
  why = "";
}

export async function signOut(): Promise<void> {
  leaving = true;
  why = "";
  try {
    const { provider } = await session.signOut(); // it has ended here even if the server cannot be reached
    if (provider !== undefined) {
      location.assign(provider);
    }
  } catch {
    return;
  } finally {
    leaving = false;
  }
}

const REFUSALS: ReadonlySet<string> = new Set(["declined", "no_rights", "no_account", "disabled", "signed_out"]);

/** Finish a sign-in at a provider: the fragment has a code or a refusal, and is removed from the address at once. */
export async function finishSignIn(): Promise<void> {
  const fragment = new URLSearchParams(location.hash.slice(1));
  const code = fragment.get("signed-in");
  const refusal = fragment.get("sign-in-refused");
  if (code === null && refusal === null) {
    return;
  }
  const wanted = sessionStorage.getItem(WANTED) ?? "";
  sessionStorage.removeItem(WANTED);
  history.replaceState(null, "", location.pathname + location.search + wanted);
  if (refusal !== null) {
    why = REFUSALS.has(refusal) ? (refusal as Why) : "refused";
  } else if (code !== null) {
    await exchange(code);
  }
}

const WANTED = "catalogizer.wanted";

/** Go to a provider's sign-in page; afterwards the page that was requested here is opened. */
export function signInAt(start: string): void {
  sessionStorage.setItem(WANTED, location.hash);
  location.assign(start);
}

async function exchange(code: string): Promise<void> {
  try {
    const answer = await fetch(`${API}/auth/oidc/exchange`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ code }),
      signal: AbortSignal.timeout(EXCHANGE_MS),
    });
    if (!answer.ok) {
      why = "unfinished"; // a forged code must not end an existing session
      return;
    }
    session.take(keptOf((await answer.json()) as SignedIn));
  } catch {
    why = "unfinished";
  }
}

function keptOf(answer: SignedIn): Kept {
  const life = answer.expires_in * 1_000;
  return {
    token: answer.session_token,
    refresh: answer.refresh_token,
    expires: Date.now() + life,
    early: Math.min(EARLY_MS, life / 4),
    user: answer.user.username,
  };
}
