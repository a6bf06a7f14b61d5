/** The newest scans. */

import { useQuery } from "@tanstack/react-query";

import type { Scan } from "../answers.js";
import { scans } from "../queries.js";
import { useTexts } from "../texts/index.js";
import { Answer, Badge } from "./states.js";
import { Time } from "./time.js";
import { valueOf } from "./words.js";

const SHOWN = 12;

export function Scans() {
  const { t } = useTexts();
  const result = useQuery(scans(undefined, SHOWN));
  return (
    <section className="card">
      <h2>{t.libraries.scans}</h2>
      <Answer of={result}>
        {(found) =>
          found.length === 0 ? (
            <p className="note">{t.libraries.noScans}</p>
          ) : (
            <ul className="lines">
              {found.map((scan) => (
                <ScanLine key={scan.scan_id} scan={scan} />
              ))}
            </ul>
          )
        }
      </Answer>
    </section>
  );
}

function ScanLine({ scan }: { scan: Scan }) {
  const { t, language } = useTexts();
  const seen = scan.total ?? scan.counts?.["seen"];
  const seconds = scan.started_at && scan.ended_at ? (Date.parse(scan.ended_at) - Date.parse(scan.started_at)) / 1_000 : undefined;
  const counts = Object.entries(scan.counts ?? {}).filter(([name, count]) => count > 0 && name !== "seen");
  const words = [
    t.change.cause(scan.cause.replaceAll("_", " ")),
    seen !== undefined && seen !== null && t.libraries.seen(seen.toLocaleString(language)),
    ...counts.map(([name, count]) => `${count.toLocaleString(language)} ${t.history.kinds[name] ?? name.replaceAll("_", " ")}`),
    seconds !== undefined && t.libraries.took(seconds.toLocaleString(language, { maximumFractionDigits: 1 })),
  ];
  return (
    <li>
      <div>
        <b>
          <bdi>{[scan.root, scan.subtree].filter(Boolean).join("/")}</bdi>
        </b>{" "}
        <Badge kind={scan.state === "finished" ? "healthy" : scan.state === "started" ? "info" : "off"}>{valueOf(scan.state, t)}</Badge>
        <p className="note">{words.filter(Boolean).join(" · ")}</p>
      </div>
      <span className="note">{scan.started_at && <Time at={scan.started_at} />}</span>
    </li>
  );
}
