/** Accounts: adding them, their roles and rights, disabling them, their open sessions. */

import { useQuery } from "@tanstack/react-query";
import { useState } from "react";

import { api } from "../api.js";
import type { Account } from "../answers.js";
import { users } from "../queries.js";
import { useTexts } from "../texts/index.js";
import { Dialog } from "./dialog.js";
import { useAction } from "./action.js";
import { Field } from "./field.js";
import { EVERYTHING, grantedOf, rightsInWords, rightsOf, RightsFields } from "./rights.js";
import { Sessions } from "./sessions.js";
import { Answer, Badge } from "./states.js";
import { valueOf } from "./words.js";

export function Users() {
  const { t } = useTexts();
  const result = useQuery(users);
  const [adding, setAdding] = useState(false);
  return (
    <section className="card">
      <div className="title-row">
        <h2>{t.admin.users}</h2>
        <button type="button" className="small" onClick={() => setAdding(true)}>
          {t.admin.add}
        </button>
      </div>
      <Answer of={result}>
        {(found) => (
          <ul className="lines">
            {found.map((account) => (
              <User key={account.id} account={account} />
            ))}
          </ul>
        )}
      </Answer>
      {adding && <Adding close={() => setAdding(false)} />}
    </section>
  );
}

function User({ account }: { account: Account }) {
  const { t } = useTexts();
  const [open, setOpen] = useState<"change" | "sessions">();
  const close = (): void => setOpen(undefined);
  const path = `users/${encodeURIComponent(account.username)}`;
  const disable = useAction(
    () => api(path, { method: "PATCH", body: { disabled: !account.disabled } }),
    () => t.admin.changed(account.username),
    ["users"],
  );
  return (
    <li>
      <div>
        <b>
          <bdi>{account.username}</bdi>
        </b>{" "}
        <Badge kind={account.role === "admin" ? "warning" : "info"}>{valueOf(account.role, t)}</Badge>{" "}
        {account.disabled && <Badge kind="off">{t.admin.disabled}</Badge>}
        <p className="note">
          <bdi>{[account.email, account.has_password ? "" : t.admin.elsewhere, rightsInWords(account.rights, t)].filter(Boolean).join(" · ")}</bdi>
        </p>
      </div>
      <div className="actions">
        <button type="button" className="quiet small" onClick={() => setOpen("sessions")}>
          {t.admin.openSessions(account.sessions)}
        </button>
        <button type="button" className="quiet small" aria-label={`${t.admin.change}: ${account.username}`} onClick={() => setOpen("change")}>
          {t.admin.change}
        </button>
        <button type="button" className="quiet small" disabled={disable.isPending} onClick={() => disable.mutate()}>
          {account.disabled ? t.admin.enable : t.admin.disable}
        </button>
      </div>
      {open === "change" && <Changing account={account} path={path} close={close} />}
      {open === "sessions" && (
        <Dialog title={t.admin.sessionsOf(account.username)} close={close}>
          <Sessions username={account.username} />
        </Dialog>
      )}
    </li>
  );
}

function Changing({ account, path, close }: { account: Account; path: string; close: () => void }) {
  const { t } = useTexts();
  const before = grantedOf(account.role, account.rights);
  const [granted, setGranted] = useState(before);
  const [password, setPassword] = useState("");
  const change = useAction(
    (body: object) => api(path, { method: "PATCH", body }),
    () => {
      close();
      return t.admin.changed(account.username);
    },
    ["users", "sessions"],
  );
  const { role: roleBefore, ...rightsBefore } = before;
  const { role, ...rights } = granted;
  const body = {
    ...(role === roleBefore ? {} : { role }), // a change of role ends the sessions: only send a role that is different
    ...(JSON.stringify(rights) === JSON.stringify(rightsBefore) ? {} : { rights: rightsOf(granted) }),
    ...(password ? { password } : {}),
  };
  return (
    <Dialog title={account.username} close={close}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          change.mutate(body);
        }}
      >
        <RightsFields granted={granted} set={setGranted} />
        <Field
          label={t.admin.newPassword}
          type="password"
          autoComplete="new-password"
          minLength={8}
          value={password}
          onChange={(event) => setPassword(event.target.value)}
        />
        <div className="actions">
          <button type="button" className="quiet" onClick={close}>
            {t.cancel}
          </button>
          <button type="submit" disabled={change.isPending || Object.keys(body).length === 0}>
            {t.save}
          </button>
        </div>
      </form>
    </Dialog>
  );
}

function Adding({ close }: { close: () => void }) {
  const { t } = useTexts();
  const [granted, setGranted] = useState(EVERYTHING);
  const [draft, setDraft] = useState({ username: "", email: "", password: "" });
  const add = useAction(
    () =>
      api("users", {
        body: { username: draft.username, password: draft.password, email: draft.email || null, role: granted.role, rights: rightsOf(granted) },
      }),
    () => {
      close();
      return t.admin.added(draft.username);
    },
    ["users"],
  );
  return (
    <Dialog title={t.admin.add} close={close}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          add.mutate();
        }}
      >
        <Field label={t.admin.name} value={draft.username} required maxLength={64} autoComplete="off" onChange={(event) => setDraft({ ...draft, username: event.target.value })} />
        <Field label={t.admin.mail} type="email" value={draft.email} autoComplete="off" onChange={(event) => setDraft({ ...draft, email: event.target.value })} />
        <Field
          label={t.admin.password}
          type="password"
          required
          minLength={8}
          autoComplete="new-password"
          value={draft.password}
          onChange={(event) => setDraft({ ...draft, password: event.target.value })}
        />
        <RightsFields granted={granted} set={setGranted} />
        <div className="actions">
          <button type="button" className="quiet" onClick={close}>
            {t.cancel}
          </button>
          <button type="submit" disabled={add.isPending}>
            {t.admin.add}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
