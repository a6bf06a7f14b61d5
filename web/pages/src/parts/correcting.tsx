/** A form for corrections of an item, which take precedence over what is read from its file. */

import { useState } from "react";

import { api } from "../api.js";
import type { Item } from "../answers.js";
import { useTexts } from "../texts/index.js";
import { Dialog } from "./dialog.js";
import { useAction } from "./action.js";
import { Choice, Field } from "./field.js";
import { valueOf } from "./words.js";

const CATEGORIES = [
  "movie", "tv_show", "trailer", "extra", "sample", "home_video", "music", "audiobook", "photo", "book", "comic",
] as const;

const NUMBERS = ["year", "season", "episode"] as const;

interface Corrections {
  title: string;
  category: string;
  year: string;
  season: string;
  episode: string;
}

export function Correcting({ item, close }: { item: Item; close: () => void }) {
  const { t } = useTexts();
  const before: Corrections = {
    title: item.title,
    category: item.category ?? "",
    year: String(item.year ?? ""),
    season: String(item.season ?? ""),
    episode: String(item.episode ?? ""),
  };
  const [draft, setDraft] = useState(before);
  const set = (name: keyof Corrections, value: string): void => setDraft({ ...draft, [name]: value });
  const write = useAction(
    (body: object) => api(`media/${item.id}`, { method: "PATCH", body }),
    () => {
      close();
      return t.item.correcting;
    },
    ["media", "changes"],
  );
  const changed = changedOf(before, draft);
  return (
    <Dialog title={t.item.correct} close={close}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          write.mutate(changed);
        }}
      >
        <p className="note">{t.item.corrects}</p>
        <Field label={t.item.field["title"] ?? ""} value={draft.title} maxLength={300} onChange={(event) => set("title", event.target.value)} />
        <Choice label={t.item.field["category"] ?? ""} value={draft.category} onChange={(event) => set("category", event.target.value)}>
          <option value="" />
          {CATEGORIES.map((name) => (
            <option key={name} value={name}>
              {valueOf(name, t)}
            </option>
          ))}
        </Choice>
        <div className="fields">
          {NUMBERS.map((name) => (
            <Field
              key={name}
              label={t.item.field[name] ?? ""}
              type="number"
              min={name === "year" ? 1 : 0}
              max={99_999}
              value={draft[name]}
              onChange={(event) => set(name, event.target.value)}
            />
          ))}
        </div>
        <div className="actions">
          <button type="button" className="quiet" onClick={close}>
            {t.cancel}
          </button>
          <button type="submit" disabled={write.isPending || Object.keys(changed).length === 0}>
            {t.save}
          </button>
        </div>
      </form>
    </Dialog>
  );
}

/** The changed fields, as the request needs them; null removes a correction. */
function changedOf(before: Corrections, draft: Corrections): Record<string, string | number | null> {
  const changed: Record<string, string | number | null> = {};
  for (const name of Object.keys(draft) as (keyof Corrections)[]) {
    const value = draft[name].trim();
    if (value !== before[name]) {
      changed[name] = value === "" ? null : (NUMBERS as readonly string[]).includes(name) ? Number(value) : value;
    }
  }
  return changed;
}
