/** The change log: where a file went, and what happened in a root. */

import { useQuery } from "@tanstack/react-query";
import type { FormEvent } from "react";

import { ChangeList } from "../parts/changes.js";
import { Choice, Field } from "../parts/field.js";
import { roots } from "../queries.js";
import { go, href, useRoute } from "../router.js";
import { useTexts } from "../texts/index.js";

export function HistoryPage() {
  const { t } = useTexts();
  const { params } = useRoute();
  const known = useQuery(roots).data ?? [];
  const [path, root, kind] = ["path", "root", "kind"].map((name) => params.get(name) ?? "") as [string, string, string];
  const find = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    go(href("history", { path: String(form.get("path")).trim(), root: String(form.get("root")), kind: String(form.get("kind")) }));
  };
  const names = [...new Set([...known.map(({ name }) => name), ...(root ? [root] : [])])];
  return (
    <>
      <h1>{t.history.title}</h1>
      <p className="note">{t.history.lead}</p>
      <form key={String(params)} className="card fields" onSubmit={find}>
        <Field label={t.history.path} name="path" type="search" defaultValue={path} />
        <Choice label={t.history.root} name="root" defaultValue={root}>
          <option value="">{t.history.any}</option>
          {names.map((name) => (
            <option key={name}>{name}</option>
          ))}
        </Choice>
        <Choice label={t.history.kind} name="kind" defaultValue={kind}>
          <option value="">{t.history.any}</option>
          {Object.entries(t.history.kinds).map(([name, words]) => (
            <option key={name} value={name}>
              {words}
            </option>
          ))}
        </Choice>
        <button type="submit">{t.history.find}</button>
      </form>
      <ChangeList wanted={{ path: path || undefined, root: root || undefined, kind: kind || undefined }} empty={t.history.empty} help={t.history.emptyHelp} linked />
    </>
  );
}
