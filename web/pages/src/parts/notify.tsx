/** A form for a notification to everybody, a role, a user, or all who may see a library. */

import { useState } from "react";

import { api } from "../api.js";
import { useTexts } from "../texts/index.js";
import { useAction } from "./action.js";
import { Choice, Field } from "./field.js";
import { ROLES } from "./rights.js";
import { valueOf } from "./words.js";

const LEVELS = ["info", "success", "warning", "error"] as const;
const EMPTY = { title: "", message: "", level: "info", to: "everybody", whom: "" };

export function Notify() {
  const { t } = useTexts();
  const [draft, setDraft] = useState(EMPTY);
  const set = (name: keyof typeof EMPTY, value: string): void => setDraft({ ...draft, [name]: value });
  const send = useAction(
    () =>
      api("notifications", {
        body: {
          type: "announcement",
          title: draft.title,
          message: draft.message,
          level: draft.level,
          ...(draft.to === "everybody" ? {} : { to: { [draft.to]: draft.whom } }),
        },
      }),
    () => {
      setDraft(EMPTY);
      return t.admin.sent;
    },
    [],
  );
  return (
    <section className="card">
      <h2>{t.admin.notify}</h2>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          send.mutate();
        }}
      >
        <Field label={t.admin.title} value={draft.title} required maxLength={200} onChange={(event) => set("title", event.target.value)} />
        <Field label={t.admin.message} value={draft.message} maxLength={1_000} onChange={(event) => set("message", event.target.value)} />
        <div className="fields">
          <Choice label={t.admin.level} value={draft.level} onChange={(event) => set("level", event.target.value)}>
            {LEVELS.map((level) => (
              <option key={level} value={level}>
                {valueOf(level, t)}
              </option>
            ))}
          </Choice>
          <Choice
            label={t.admin.to}
            value={draft.to}
            onChange={(event) => setDraft({ ...draft, to: event.target.value, whom: event.target.value === "role" ? ROLES[0] : "" })}
          >
            <option value="everybody">{t.admin.everybody}</option>
            <option value="role">{t.admin.aRole}</option>
            <option value="user">{t.admin.aUser}</option>
            <option value="library">{t.admin.aLibrary}</option>
          </Choice>
          {draft.to === "role" && (
            <Choice label={t.admin.whom} value={draft.whom} onChange={(event) => set("whom", event.target.value)}>
              {ROLES.map((role) => (
                <option key={role} value={role}>
                  {valueOf(role, t)}
                </option>
              ))}
            </Choice>
          )}
          {(draft.to === "user" || draft.to === "library") && (
            <Field label={t.admin.whom} value={draft.whom} required onChange={(event) => set("whom", event.target.value)} />
          )}
        </div>
        <div className="actions">
          <button type="submit" disabled={send.isPending}>
            {t.admin.send}
          </button>
        </div>
      </form>
    </section>
  );
}
