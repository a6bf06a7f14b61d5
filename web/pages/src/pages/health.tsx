/** The state of the platform: the gateway, reports of processes and roots, dead letters, lag, gaps, and the log's topics. */

import { useQuery } from "@tanstack/react-query";

import type { EventMessage } from "@catalogizer/client";

import { Icon } from "../parts/icons.js";
import { ChangeList } from "../parts/changes.js";
import { Letters } from "../parts/letters.js";
import { Answer, Badge, Empty } from "../parts/states.js";
import { Time } from "../parts/time.js";
import { Topics } from "../parts/topics.js";
import { valueOf } from "../parts/words.js";
import { channels, health, lag, newestEvents, useMay } from "../queries.js";
import { useTexts } from "../texts/index.js";

const REPORTS = 500;

export function HealthPage() {
  const { t } = useTexts();
  const may = useMay();
  const follows = useQuery(channels).data?.some(({ name }) => name === "system_updates") ?? false;
  return (
    <>
      <h1>{t.health.title}</h1>
      <Gateway />
      {follows && <Reports />}
      {may("manage:dead_letters") && <Letters />}
      <Lag />
      <section className="card">
        <h2>{t.health.gaps}</h2>
        <p className="note">{t.health.gapsHelp}</p>
        <ChangeList wanted={{ kind: "gap_changed" }} empty={t.health.noGaps} />
      </section>
      {may("inspect:gateway") && <Topics />}
    </>
  );
}

function Gateway() {
  const { t } = useTexts();
  const result = useQuery(health);
  return (
    <Answer of={result}>
      {({ status, version, problems }) => (
        <section className="attention">
          {status === "healthy" ? (
            <p className="fine">
              <Icon name="fine" /> {t.health.good} <span className="note">{t.health.version(version)}</span>
            </p>
          ) : (
            <p className="problem" data-kind={status === "starting" ? "info" : "error"}>
              <Icon name="warning" /> {status === "starting" ? t.health.starting : t.health.bad} {t.health.version(version)}
            </p>
          )}
          {Object.entries(problems).map(([name, words]) => (
            <p key={name} className="problem" data-kind="error">
              <Icon name="warning" />
              <span>
                <b>{name}</b>: <bdi>{words}</bdi>
              </span>
            </p>
          ))}
        </section>
      )}
    </Answer>
  );
}

type Report = Extract<EventMessage, { type: "system_update" }>;

function Reports() {
  const { t } = useTexts();
  const result = useQuery(newestEvents("system_updates", REPORTS));
  return (
    <section className="card">
      <h2>{t.health.processes}</h2>
      <Answer of={result}>
        {({ events }) => {
          const reports = newestOf(events);
          if (reports.length === 0) {
            return <Empty>{t.health.noReports}</Empty>;
          }
          return (
            <div className="scrolled" tabIndex={0} role="region" aria-label={t.health.processes}>
              <table>
                <thead>
                  <tr>
                    <th scope="col">{t.health.component}</th>
                    <th scope="col">{t.health.status}</th>
                    <th scope="col">{t.health.message}</th>
                    <th scope="col">{t.health.when}</th>
                  </tr>
                </thead>
                <tbody>
                  {reports.map(({ data, timestamp, id }) => (
                    <tr key={id}>
                      <th scope="row">
                        <bdi>{data.component}</bdi>
                      </th>
                      <td>
                        <Badge kind={data.status}>{valueOf(data.status, t)}</Badge>
                      </td>
                      <td>
                        <bdi>{data.message}</bdi>
                      </td>
                      <td>
                        <Time at={timestamp} />
                      </td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
          );
        }}
      </Answer>
    </section>
  );
}

/** The newest report of each process and root; problems first. */
function newestOf(events: readonly EventMessage[]): Report[] {
  const newest = new Map<string, Report>();
  for (const event of events) {
    if (event.type === "system_update") {
      newest.set(event.data.component, event);
    }
  }
  const weight = { error: 0, warning: 1, healthy: 2 };
  return [...newest.values()].sort(
    (one, other) => weight[one.data.status] - weight[other.data.status] || one.data.component.localeCompare(other.data.component),
  );
}

function Lag() {
  const { t } = useTexts();
  const result = useQuery(lag);
  return (
    <section className="card">
      <h2>{t.health.lag}</h2>
      <p className="note">{t.health.lagHelp}</p>
      <Answer of={result}>
        {(found) => (
          <ul className="numbers">
            {Object.entries(found).map(([channel, partitions]) => {
              const behind = Object.values(partitions).reduce((sum, one) => sum + one, 0);
              return (
                <li key={channel} title={Object.entries(partitions).map(([name, count]) => `${name}: ${count}`).join(", ")}>
                  {valueOf(channel, t)} <b>{behind === 0 ? t.health.noLag : t.health.records(behind)}</b>
                </li>
              );
            })}
          </ul>
        )}
      </Answer>
    </section>
  );
}
