/** Requested analyses: their progress and rate; pausing, resuming and cancelling them. */

import { useQuery } from "@tanstack/react-query";

import { api } from "../api.js";
import type { Change } from "../answers.js";
import { changes, useMay } from "../queries.js";
import { useTexts } from "../texts/index.js";
import { useAction } from "./action.js";
import { Answer, Badge } from "./states.js";
import { Time } from "./time.js";
import { valueOf } from "./words.js";

const ENDED: ReadonlySet<string> = new Set(["finished", "cancelled"]);
const SHOWN = 8;
const READ = 200;

interface Request {
  newest: Change;
  started: Change;
}

export function Analyses() {
  const { t } = useTexts();
  const may = useMay();
  const result = useQuery({ ...changes({ kind: "analysis_request_changed" }, READ), refetchInterval: 5_000 });
  const steer = useAction(
    ({ action, ...body }: { action: "pause" | "resume" | "cancel"; library: string; request?: number }) =>
      api(`analysis/${action}`, { body }),
    (_, { action }) => t.libraries.steered[action],
    ["changes"],
  );
  return (
    <section className="card">
      <h2>{t.libraries.analyses}</h2>
      <Answer of={result}>
        {({ changes: found }) => {
          const requests = requestsOf(found);
          if (requests.length === 0) {
            return <p className="note">{t.libraries.noAnalyses}</p>;
          }
          return (
            <ul className="lines">
              {requests.slice(0, SHOWN).map(({ newest, started }) => {
                const { library, request } = newest;
                const open = !ENDED.has(newest.state ?? "");
                return (
                  <li key={request}>
                    <Progress newest={newest} started={started} />
                    {open && may("request:analysis") && (
                      <div className="actions">
                        {(newest.state === "paused" ? (["resume"] as const) : (["pause"] as const)).map((action) => (
                          <button key={action} type="button" className="quiet small" disabled={steer.isPending} onClick={() => steer.mutate({ action, library })}>
                            {t.libraries[action]}
                          </button>
                        ))}
                        <button
                          type="button"
                          className="quiet small"
                          disabled={steer.isPending}
                          onClick={() => steer.mutate({ action: "cancel", library, ...(request === undefined ? {} : { request }) })}
                        >
                          {t.libraries.cancel}
                        </button>
                      </div>
                    )}
                  </li>
                );
              })}
            </ul>
          );
        }}
      </Answer>
    </section>
  );
}

function Progress({ newest, started }: Request) {
  const { t, language } = useTexts();
  const [matched, processed, failed] = [newest.matched ?? 0, newest.processed ?? 0, newest.failed ?? 0];
  const seconds = (Date.parse(newest.at) - Date.parse(started.at)) / 1_000;
  const rate = seconds > 1 && processed / seconds >= 0.05 ? processed / seconds : undefined;
  const open = !ENDED.has(newest.state ?? "");
  const words = [
    t.libraries.progress(processed.toLocaleString(language), matched.toLocaleString(language)),
    rate !== undefined && t.libraries.rate(rate.toLocaleString(language, { maximumFractionDigits: 1 })),
    failed > 0 && t.libraries.failed(failed.toLocaleString(language)),
  ];
  return (
    <div className="grow">
      <b>
        <bdi>{[newest.root, newest.subtree].filter(Boolean).join("/")}</bdi>
      </b>{" "}
      <Badge kind={open ? "info" : newest.state === "finished" ? "healthy" : "off"}>{valueOf(newest.state ?? "", t)}</Badge>
      {open && <progress max={Math.max(1, matched)} value={processed} aria-label={newest.root} />}
      <p className="note">
        {words.filter(Boolean).join(" · ")} · <bdi>{newest.reason}</bdi> · {t.change.by(newest.by ?? "?")} · <Time at={started.at} />
      </p>
    </div>
  );
}

/** For each request, the newest and the first of the changes that were read; the newest request is first. */
function requestsOf(found: readonly Change[]): Request[] {
  const requests = new Map<number, Request>();
  for (const change of found) {
    if (change.request !== undefined) {
      const known = requests.get(change.request);
      requests.set(change.request, { newest: known?.newest ?? change, started: change });
    }
  }
  return [...requests.values()];
}
