/** Libraries and their storage roots: their state, scans and analyses, and an operator's actions. */

import { useQuery } from "@tanstack/react-query";
import { useState } from "react";

import { api } from "../api.js";
import type { Root } from "../answers.js";
import { Analyses } from "../parts/analyses.js";
import { Analysing } from "../parts/analysing.js";
import { Dialog } from "../parts/dialog.js";
import { useAction } from "../parts/action.js";
import { Field } from "../parts/field.js";
import { Scans } from "../parts/scans.js";
import { Answer, Badge, Empty } from "../parts/states.js";
import { Time } from "../parts/time.js";
import { valueOf } from "../parts/words.js";
import { roots, stats, useMay } from "../queries.js";
import { bytes } from "../format.js";
import { href } from "../router.js";
import { useTexts } from "../texts/index.js";

export function LibrariesPage() {
  const { t } = useTexts();
  const result = useQuery(roots);
  return (
    <>
      <h1>{t.libraries.title}</h1>
      <p className="note">{t.libraries.lead}</p>
      <Answer of={result}>
        {(known) =>
          known.length === 0 ? (
            <Empty help={t.libraries.emptyHelp}>{t.libraries.empty}</Empty>
          ) : (
            librariesOf(known).map(([library, own]) => (
              <section key={library} className="card">
                <h2>
                  <bdi>{library}</bdi>
                </h2>
                <ul className="lines roots">
                  {own.map((root) => (
                    <RootLine key={root.name} root={root} />
                  ))}
                </ul>
              </section>
            ))
          )
        }
      </Answer>
      <Analyses />
      <Scans />
    </>
  );
}

function librariesOf(known: readonly Root[]): [string, Root[]][] {
  const libraries = new Map<string, Root[]>();
  for (const root of known) {
    libraries.set(root.library, [...(libraries.get(root.library) ?? []), root]);
  }
  return [...libraries];
}

function RootLine({ root }: { root: Root }) {
  const { t, language } = useTexts();
  const may = useMay();
  const size = useQuery(stats).data?.size_by_storage_root[root.name];
  const [open, setOpen] = useState<"scan" | "analyse" | "retire">();
  const close = (): void => setOpen(undefined);
  const retired = root.state === "retired";
  const kind = retired ? "off" : root.state === "lost" ? "error" : root.status === "healthy" || root.connected ? (root.status === "warning" ? "warning" : "healthy") : "error";
  return (
    <li>
      <div>
        <b>
          <bdi>{root.name}</bdi>
        </b>{" "}
        <Badge kind={kind}>{root.state === "lost" || retired ? valueOf(root.state, t) : root.connected ? t.libraries.connected : valueOf(root.status, t)}</Badge>
        <p className="note">
          {valueOf(root.protocol, t)} · <bdi>{root.path}</bdi>
          {root.changed_at && (
            <>
              {" · "}
              {t.libraries.since} <Time at={root.changed_at} />
            </>
          )}
        </p>
        {root.message && (
          <p className="note">
            <bdi>{root.message}</bdi>
          </p>
        )}
      </div>
      <a className="amount" href={href("catalogue", { storage_root: root.name })}>
        {t.items(root.item_count)}
        {size !== undefined && ` · ${bytes(size, language)}`}
      </a>
      <div className="actions">
        <a className="button quiet small" href={href("history", { root: root.name })}>
          {t.nav.history}
        </a>
        {may("request:scans") && !retired && (
          <button type="button" className="quiet small" onClick={() => setOpen("scan")}>
            {t.libraries.scan}
          </button>
        )}
        {may("request:analysis") && !retired && (
          <button type="button" className="quiet small" onClick={() => setOpen("analyse")}>
            {t.libraries.analyse}
          </button>
        )}
        {may("retire:roots") && root.details?.["mode"] === "unwatched" && (
          <button type="button" className="quiet small" onClick={() => setOpen("retire")}>
            {t.libraries.retire}
          </button>
        )}
      </div>
      {open === "retire" && <Retiring root={root} close={close} />}
      {open === "scan" && <Scanning root={root.name} close={close} />}
      {open === "analyse" && <Analysing root={root.name} close={close} />}
    </li>
  );
}

function Retiring({ root, close }: { root: Root; close: () => void }) {
  const { t } = useTexts();
  const retire = useAction(
    () => api(`storage/roots/${encodeURIComponent(root.name)}/retire`, { method: "POST" }),
    () => {
      close();
      return t.libraries.retireRequested(root.name);
    },
    ["roots", "media-stats"],
  );
  return (
    <Dialog title={t.libraries.retireTitle(root.name)} close={close}>
      <p>{t.libraries.retireHelp(root.item_count)}</p>
      <div className="actions">
        <button type="button" className="quiet" onClick={close}>
          {t.cancel}
        </button>
        <button type="button" disabled={retire.isPending} onClick={() => retire.mutate()}>
          {t.libraries.retire}
        </button>
      </div>
    </Dialog>
  );
}

function Scanning({ root, close }: { root: string; close: () => void }) {
  const { t } = useTexts();
  const [subtree, setSubtree] = useState("");
  const scan = useAction(
    () => api("scans", { body: { root, subtree: subtree.trim() } }),
    () => {
      close();
      return t.libraries.scanRequested(root);
    },
    ["scans"],
  );
  return (
    <Dialog title={`${t.libraries.scan}: ${root}`} close={close}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          scan.mutate();
        }}
      >
        <Field label={t.libraries.subtree} value={subtree} onChange={(event) => setSubtree(event.target.value)} />
        <div className="actions">
          <button type="button" className="quiet" onClick={close}>
            {t.cancel}
          </button>
          <button type="submit" disabled={scan.isPending}>
            {t.libraries.scan}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
