/** Sign in by name and password, or at a provider. */

import { useQuery } from "@tanstack/react-query";
import { useRef, useState, type FormEvent } from "react";

import { Icon } from "../parts/icons.js";
import { providers } from "../queries.js";
import { signIn, signInAt, whySignedOut } from "../session.js";
import { useTexts } from "../texts/index.js";

export function SignInPage() {
  const { t } = useTexts();
  const [busy, setBusy] = useState(false);
  const [failed, setFailed] = useState("");
  const password = useRef<HTMLInputElement>(null);
  const why = whySignedOut();
  const words = failed || (why && t.signIn.why[why]);
  const submit = async (event: FormEvent<HTMLFormElement>): Promise<void> => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    setBusy(true);
    setFailed("");
    try {
      await signIn(String(form.get("name")), String(form.get("password")));
    } catch (error) {
      setFailed(error instanceof TypeError ? t.state.unreachable : (error as Error).message);
      password.current?.focus();
    } finally {
      setBusy(false);
    }
  };
  return (
    <main className="sign-in">
      <h1 className="brand">
        <Icon name="catalogue" />
        <span>{t.name}</span>
      </h1>
      <form className="card" onSubmit={(event) => void submit(event)}>
        <h2>{t.signIn.title}</h2>
        <div className="field">
          <label htmlFor="name">{t.signIn.name}</label>
          <input id="name" name="name" autoComplete="username" autoCapitalize="none" required autoFocus />
        </div>
        <div className="field">
          <label htmlFor="password">{t.signIn.password}</label>
          <input id="password" name="password" type="password" autoComplete="current-password" required ref={password} />
        </div>
        {words && (
          <p className="error" role="alert">
            {words}
          </p>
        )}
        <button type="submit" disabled={busy}>
          {t.signIn.button}
        </button>
        <Providers />
      </form>
    </main>
  );
}

function Providers() {
  const { t } = useTexts();
  const { data } = useQuery(providers);
  if (!data?.length) {
    return null;
  }
  return (
    <div className="providers" role="group" aria-label={t.signIn.elsewhere}>
      {data.map(({ id, name, start }) => (
        <button key={id} type="button" className="quiet" onClick={() => signInAt(start)}>
          {t.signIn.with(name)}
        </button>
      ))}
    </div>
  );
}
