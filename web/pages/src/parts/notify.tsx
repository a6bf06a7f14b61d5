/** A notification to everybody, a role, a user, or those who see a library. */

import { useState } from "react";

import { api } from "../api.js";
import { useTexts } from "../texts/index.js";
import { useDoing } from "./doing.js";
import { Choice, Field } from "./field.js";
import { ROLES } from "./rights.js";
import { valueOf } from "./words.js";

const LEVELS = ["info", "success", "warning", "error"] as const;
const EMPTY = { title: "", message: "", level: "info", to: "everybody", whom: "" };

export function Notify() {
  const { t } = useTexts();
  const [said, setSaid] = useState(EMPTY);
  const set = (name: keyof typeof EMPTY, value: string): void => setSaid({ ...said, [name]: value });
  const send = useDoing(
    () =>
      api("notifications", {
        body: {
          type: "announcement",
          title: said.title,
          message: said.message,
          level: said.level,
          ...(said.to === "everybody" ? {} : { to: { [said.to]: said.whom } }),
        },
      }),
    () => {
      setSaid(EMPTY);
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
        <Field label={t.admin.title} value={said.title} required maxLength={200} onChange={(event) => set("title", event.target.value)} />
        <Field label={t.admin.message} value={said.message} maxLength={1_000} onChange={(event) => set("message", event.target.value)} />
        <div className="fields">
          <Choice label={t.admin.level} value={said.level} onChange={(event) => set("level", event.target.value)}>
            {LEVELS.map((level) => (
              <option key={level} value={level}>
                {valueOf(level, t)}
              </option>
            ))}
          </Choice>
          <Choice
            label={t.admin.to}
            value={said.to}
            onChange={(event) => setSaid({ ...said, to: event.target.value, whom: event.target.value === "role" ? ROLES[0] : "" })}
          >
            <option value="everybody">{t.admin.everybody}</option>
            <option value="role">{t.admin.aRole}</option>
            <option value="user">{t.admin.aUser}</option>
            <option value="library">{t.admin.aLibrary}</option>
          </Choice>
          {said.to === "role" && (
            <Choice label={t.admin.whom} value={said.whom} onChange={(event) => set("whom", event.target.value)}>
              {ROLES.map((role) => (
                <option key={role} value={role}>
                  {valueOf(role, t)}
                </option>
              ))}
            </Choice>
          )}
          {(said.to === "user" || said.to === "library") && (
            <Field label={t.admin.whom} value={said.whom} required onChange={(event) => set("whom", event.target.value)} />
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
