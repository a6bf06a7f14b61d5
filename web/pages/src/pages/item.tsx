/** One item: all that is known about it, its parts, and the history of its file. A deleted item keeps its history. */

import { useQuery } from "@tanstack/react-query";
import { useState } from "react";

import { ApiError } from "../api.js";
import type { Item } from "../answers.js";
import { ChangeList } from "../parts/changes.js";
import { Correcting } from "../parts/correcting.js";
import { Cover } from "../parts/cover.js";
import { Facts, Found } from "../parts/facts.js";
import { Icon } from "../parts/icons.js";
import { Badge, Empty, Failed, Loading } from "../parts/states.js";
import { about } from "../parts/words.js";
import { changes, item as itemOf, searchPage, useMay } from "../queries.js";
import { href, useRoute } from "../router.js";
import { useTexts } from "../texts/index.js";

const PARTS = 50;

export function ItemPage() {
  const { t } = useTexts();
  const { rest } = useRoute();
  const id = Number(rest[0]);
  const result = useQuery(itemOf(id));
  const log = useQuery(changes({ media_id: id }));
  const missing = result.error instanceof ApiError && [404, 422].includes(result.error.status);
  const known = (log.data?.changes.length ?? 0) > 0;
  return (
    <article className="item">
      <p>
        <button type="button" className="plain" onClick={() => history.back()}>
          ← {t.item.back}
        </button>
      </p>
      {missing ? (
        <>
          <h1>{known ? t.item.gone : t.state.absent}</h1>
          {!known && !log.isPending && <Empty>{t.item.never}</Empty>}
        </>
      ) : result.data ? (
        <Whole item={result.data} />
      ) : result.error ? (
        <Failed error={result.error} again={result.refetch} />
      ) : (
        <Loading />
      )}
      {(!missing || known) && (
        <section>
          <h2>{t.item.history}</h2>
          <p className="note">{t.item.historyHelp}</p>
          <ChangeList wanted={{ media_id: id }} empty={t.item.noHistory} />
        </section>
      )}
    </article>
  );
}

function Whole({ item }: { item: Item }) {
  const { t } = useTexts();
  const may = useMay();
  const [correcting, setCorrecting] = useState(false);
  const found = item.analysis?.found;
  const { description } = item;
  return (
    <>
      <div className="hero">
        <Cover item={item} alt={t.item.cover(item.title)} />
        <div>
          <h1>
            <bdi>{item.title}</bdi>
          </h1>
          <p className="note">{about(item, t)}</p>
          <p className="badges">
            {item.corrected?.length ? <Badge kind="info">{t.item.corrected}</Badge> : null}
            {item.analysis?.status === "failed" && <Badge kind="error">{t.item.analysisFailed}</Badge>}
            {item.analysis?.status === "unreadable" && <Badge kind="warning">{t.item.unreadable}</Badge>}
          </p>
          {item.analysis?.reason && (
            <p className="note">
              <bdi>{item.analysis.reason}</bdi>
            </p>
          )}
          {description && (
            <p className="description">
              <bdi>{description}</bdi>
            </p>
          )}
          {item.belongs_to !== undefined && item.belongs_to !== null && <Owner id={item.belongs_to} />}
          {may("correct:media") && (
            <button type="button" className="quiet small" onClick={() => setCorrecting(true)}>
              {t.item.correct}
            </button>
          )}
        </div>
      </div>
      {correcting && <Correcting item={item} close={() => setCorrecting(false)} />}
      {found?.warnings?.length ? (
        <section className="card warnings">
          <h2>
            <Icon name="warning" /> {t.item.warnings}
          </h2>
          <ul>
            {found.warnings.map((words) => (
              <li key={words}>
                <bdi>{words}</bdi>
              </li>
            ))}
          </ul>
        </section>
      ) : null}
      <div className="columns">
        <Facts item={item} />
        {found && <Found found={found} />}
      </div>
      <Parts id={item.id} />
    </>
  );
}

function Owner({ id }: { id: number }) {
  const { t } = useTexts();
  const { data } = useQuery(itemOf(id));
  return (
    <p>
      {t.item.partOf}{" "}
      <a href={href(`item/${id}`)}>
        <bdi>{data?.title ?? id}</bdi>
      </a>
    </p>
  );
}

function Parts({ id }: { id: number }) {
  const { t } = useTexts();
  const { data } = useQuery(searchPage({ belongs_to: String(id), sort_by: "title", sort_order: "asc" }, null, PARTS, ""));
  if (!data?.items.length) {
    return null;
  }
  return (
    <section className="card">
      <h2>{t.item.parts}</h2>
      <ul className="lines">
        {data.items.map((part) => (
          <li key={part.id}>
            <a href={href(`item/${part.id}`)}>
              <bdi>{part.title}</bdi>
            </a>
            <span className="note">
              <bdi>{part.path}</bdi>
            </span>
          </li>
        ))}
      </ul>
      {data.has_next && <a href={href("catalogue", { belongs_to: id })}>{t.home.all}</a>}
    </section>
  );
}
