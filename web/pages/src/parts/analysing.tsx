/** Request the analysis of known files: choose which, count them, then send the request. */

import { useState } from "react";

import { api } from "../api.js";
import { useTexts } from "../texts/index.js";
import { Dialog } from "./dialog.js";
import { useAction } from "./action.js";
import { Field } from "./field.js";
import { valueOf } from "./words.js";

const TYPES = ["video", "audio", "image", "book"] as const;
const STANDINGS = ["failed", "unreadable", "none", "done"] as const;

interface RequestAnswer {
  matched: number;
  waits: string | null;
  request: number | null;
}

export function Analysing({ root, close }: { root: string; close: () => void }) {
  const { t } = useTexts();
  const [subtree, setSubtree] = useState("");
  const [types, setTypes] = useState<readonly string[]>([]);
  const [statuses, setStatuses] = useState<readonly string[]>([]);
  const [counted, setCounted] = useState<RequestAnswer>();
  const request = useAction(
    (dry: boolean) =>
      api<RequestAnswer>("analysis/requests", { body: { root, subtree: subtree.trim(), media_types: types, statuses, dry_run: dry } }),
    (answer, dry) => {
      if (dry) {
        setCounted(answer);
        return "";
      }
      close();
      return t.libraries.analyseRequested(answer.matched);
    },
    ["changes"],
  );
  const changed = <T,>(set: (value: T) => void) => (value: T): void => {
    setCounted(undefined);
    set(value);
  };
  return (
    <Dialog title={t.libraries.analyseTitle(root)} close={close}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          request.mutate(counted === undefined);
        }}
      >
        <Field label={t.libraries.subtree} value={subtree} onChange={(event) => changed(setSubtree)(event.target.value)} />
        <Checks legend={t.libraries.types} names={TYPES} words={(name) => valueOf(name, t)} chosen={types} choose={changed(setTypes)} />
        <Checks
          legend={t.libraries.standing}
          names={STANDINGS}
          words={(name) => t.libraries.standings[name] ?? name}
          chosen={statuses}
          choose={changed(setStatuses)}
        />
        <p role="status">
          {counted && t.libraries.matched(counted.matched)} {counted?.waits && t.libraries.waits[counted.waits]}
        </p>
        <div className="actions">
          <button type="button" className="quiet" onClick={close}>
            {t.cancel}
          </button>
          <button type="submit" disabled={request.isPending || counted?.matched === 0}>
            {counted === undefined ? t.libraries.count : t.libraries.request}
          </button>
        </div>
      </form>
    </Dialog>
  );
}

interface Choices {
  legend: string;
  names: readonly string[];
  words: (name: string) => string;
  chosen: readonly string[];
  choose: (names: readonly string[]) => void;
}

function Checks({ legend, names, words, chosen, choose }: Choices) {
  return (
    <fieldset className="checks">
      <legend>{legend}</legend>
      {names.map((name) => (
        <label key={name} className="check">
          <input
            type="checkbox"
            checked={chosen.includes(name)}
            onChange={(event) => choose(event.target.checked ? [...chosen, name] : chosen.filter((one) => one !== name))}
          />
          {words(name)}
        </label>
      ))}
    </fieldset>
  );
}
