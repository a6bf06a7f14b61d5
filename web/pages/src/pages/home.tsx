/** The home page: what needs attention, what is new, and figures of the catalogue. */

import { useQuery } from "@tanstack/react-query";

import type { Root, Scan } from "../answers.js";
import { bytes } from "../format.js";
import { useConnection, useFeed } from "../live.js";
import { Cover } from "../parts/cover.js";
import { EventRow } from "../parts/event-row.js";
import { Icon } from "../parts/icons.js";
import { Answer, Empty } from "../parts/states.js";
import { Time } from "../parts/time.js";
import { about, valueOf } from "../parts/words.js";
import { health, recent, roots, scans, stats } from "../queries.js";
import { href } from "../router.js";
import { useTexts } from "../texts/index.js";

const NEW = 18;
const EVENTS = 5;

export function HomePage() {
  const { t } = useTexts();
  const fresh = useQuery(recent(NEW));
  return (
    <>
      <h1 className="unseen">{t.nav.home}</h1>
      <Attention />
      <section>
        <div className="title-row">
          <h2>{t.home.fresh}</h2>
          <a href={href("catalogue", { sort: "created" })}>{t.home.all}</a>
        </div>
        <Answer of={fresh}>
          {(items) =>
            items.length === 0 ? (
              <Empty help={t.home.emptyHelp}>{t.home.empty}</Empty>
            ) : (
              <ul className="shelf" tabIndex={0} aria-label={t.home.fresh}>
                {items.map((item) => (
                  <li key={item.id} className="poster">
                    <a href={href(`item/${item.id}`)} title={item.title}>
                      <Cover item={item} />
                      <bdi className="subject">{item.title}</bdi>
                      <bdi className="note">{about(item, t)}</bdi>
                    </a>
                  </li>
                ))}
              </ul>
            )
          }
        </Answer>
      </section>
      <Numbers />
      <Happened />
    </>
  );
}

/** Roots and services with problems, and running scans; or a line that everything is well. */
function Attention() {
  const { t } = useTexts();
  const connection = useConnection();
  const known = useQuery(roots);
  const gateway = useQuery(health);
  const running = useQuery(scans(undefined, 20)).data?.filter(({ state }) => state === "started") ?? [];
  const wrong = known.data?.filter(isWrong) ?? [];
  const problems = Object.entries(gateway.data?.problems ?? {});
  const fine = wrong.length === 0 && problems.length === 0;
  if (!known.data || !gateway.data) {
    return null;
  }
  return (
    <section aria-label={t.home.wrong} className="attention">
      {fine && connection === "live" && known.data.length > 0 && (
        <p className="fine">
          <Icon name="fine" /> {t.home.fine}
        </p>
      )}
      {wrong.map((root) => (
        <a key={root.name} className="problem" data-kind={root.state === "lost" ? "error" : root.status} href={href("libraries")}>
          <Icon name="warning" />
          <span>
            <b>
              <bdi>{root.name}</bdi>
            </b>{" "}
            {root.state === "lost" ? t.home.problem.lost : root.status === "error" ? t.home.problem.error : t.home.problem.warning}
            {root.message && (
              <>
                : <bdi>{root.message}</bdi>
              </>
            )}
          </span>
          {root.changed_at && <Time at={root.status_at ?? root.changed_at} />}
        </a>
      ))}
      {problems.map(([name, words]) => (
        <a key={name} className="problem" data-kind="error" href={href("health")}>
          <Icon name="warning" />
          <span>
            <b>{name}</b>: <bdi>{words}</bdi>
          </span>
        </a>
      ))}
      {running.map((scan) => (
        <Running key={scan.scan_id} scan={scan} />
      ))}
    </section>
  );
}

function isWrong({ state, status }: Root): boolean {
  return state !== "retired" && (state === "lost" || status === "error" || status === "warning");
}

function Running({ scan }: { scan: Scan }) {
  const { t } = useTexts();
  return (
    <a className="problem" data-kind="info" href={href("libraries")}>
      <Icon name="live" />
      <span>
        {t.history.kinds["scan_changed"]}: <bdi>{scan.root}</bdi> · {valueOf(scan.state, t)}
      </span>
      {scan.started_at && <Time at={scan.started_at} />}
    </a>
  );
}

function Numbers() {
  const { t, language } = useTexts();
  const { data } = useQuery(stats);
  if (!data?.total_items) {
    return null;
  }
  const types = Object.entries(data.by_type).sort(([, one], [, other]) => other - one);
  return (
    <section>
      <h2>{t.home.numbers}</h2>
      <ul className="numbers">
        <li>
          <a href={href("catalogue")}>
            <b>{data.total_items.toLocaleString(language)}</b> {t.home.inCatalogue}
          </a>
        </li>
        <li>
          <a href={href("catalogue", { sort: "created" })}>
            <b>{data.recent_additions.toLocaleString(language)}</b> {t.home.lastWeek}
          </a>
        </li>
        <li>
          <a href={href("libraries")}>
            <b>{bytes(data.total_size, language)}</b> {t.home.size}
          </a>
        </li>
        {types.map(([name, count]) => (
          <li key={name}>
            <a href={href("catalogue", { media_type: name })}>
              <b>{count.toLocaleString(language)}</b> {valueOf(name, t)}
            </a>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Happened() {
  const { t } = useTexts();
  const { lines } = useFeed();
  if (lines.length === 0) {
    return null;
  }
  return (
    <section>
      <div className="title-row">
        <h2>{t.home.happened}</h2>
        <a href={href("live")}>{t.home.seeLive}</a>
      </div>
      <div className="feed" role="list">
        {lines
          .slice(-EVENTS)
          .reverse()
          .map((line) => (
            <EventRow key={line.id} line={line} />
          ))}
      </div>
    </section>
  );
}
