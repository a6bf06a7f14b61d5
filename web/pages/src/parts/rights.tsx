/** A role, and what a user may see, as fields of a form. */

import type { Rights } from "../answers.js";
import { useTexts, type Texts } from "../texts/index.js";
import { Choice, Field } from "./field.js";
import { valueOf } from "./words.js";

export const ROLES = ["viewer", "operator", "admin"] as const;

export interface Granted {
  role: string;
  channels: string;
  libraries: string;
  storage_roots: string;
}

export const EVERYTHING: Granted = { role: "viewer", channels: "*", libraries: "", storage_roots: "*" };

export function grantedOf(role: string, rights: Rights): Granted {
  return {
    role,
    channels: rights.channels.join(", "),
    libraries: rights.libraries.join(", "),
    storage_roots: rights.storage_roots.join(", "),
  };
}

export function rightsOf({ channels, libraries, storage_roots }: Granted): Rights {
  return { channels: names(channels), libraries: names(libraries), storage_roots: names(storage_roots) };
}

function names(text: string): string[] {
  return text
    .split(",")
    .map((name) => name.trim())
    .filter(Boolean);
}

export function RightsFields({ granted, set }: { granted: Granted; set: (granted: Granted) => void }) {
  const { t } = useTexts();
  return (
    <>
      <Choice label={t.admin.role} value={granted.role} onChange={(event) => set({ ...granted, role: event.target.value })}>
        {ROLES.map((role) => (
          <option key={role} value={role}>
            {valueOf(role, t)}
          </option>
        ))}
      </Choice>
      <fieldset className="rights">
        <legend>{t.admin.rights}</legend>
        <p className="note">{t.admin.namesHelp}</p>
        <Field label={t.admin.channels} value={granted.channels} onChange={(event) => set({ ...granted, channels: event.target.value })} />
        <Field label={t.admin.libraries} value={granted.libraries} onChange={(event) => set({ ...granted, libraries: event.target.value })} />
        <Field label={t.admin.roots} value={granted.storage_roots} onChange={(event) => set({ ...granted, storage_roots: event.target.value })} />
      </fieldset>
    </>
  );
}

/** What a user may see, as text. */
export function rightsInWords({ channels, libraries, storage_roots }: Rights, t: Texts): string {
  const all = storage_roots.includes("*") || libraries.includes("*");
  const places = all ? t.admin.everything : [...libraries, ...storage_roots].join(", ") || "–";
  const limited = channels.includes("*") ? "" : ` · ${t.admin.channels}: ${channels.map((name) => valueOf(name, t)).join(", ") || "–"}`;
  return `${t.admin.rights} ${places}${limited}`;
}
