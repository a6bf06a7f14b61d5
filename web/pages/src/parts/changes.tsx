/** Entries of the change log, the newest first: what happened to a file, a root, a scan. */

import { useInfiniteQuery } from "@tanstack/react-query";

import { api, query } from "../api.js";
import type { Change, ChangePage } from "../answers.js";
import { bytes } from "../format.js";
import type { WantedChanges } from "../queries.js";
import { href } from "../router.js";
import { useTexts, type Texts } from "../texts/index.js";
import { Answer, Empty } from "./states.js";
import { Time } from "./time.js";
import { valueOf } from "./words.js";

const LIMIT = 50;

interface Listed {
  wanted: WantedChanges;
  empty: string;
  help?: string;
  /** Link the entries to the items' pages. */
  linked?: boolean;
}

export function ChangeList({ wanted, empty, help, linked = false }: Listed) {
  const { t } = useTexts();
  const result = useInfiniteQuery({
    queryKey: ["changes", "list", wanted],
    queryFn: ({ pageParam, signal }) => api<ChangePage>(`changes?${query({ ...wanted, limit: LIMIT, cursor: pageParam })}`, { signal }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor ?? undefined,
  });
  return (
    <Answer of={result}>
      {({ pages }) => {
        const all = pages.flatMap((page) => page.changes);
        if (all.length === 0) {
          return <Empty help={help}>{empty}</Empty>;
        }
        return (
          <>
            <ol className="changes">
              {all.map((change) => (
                <Entry key={change.event_id} change={change} linked={linked} />
              ))}
            </ol>
            {result.hasNextPage && (
              <button type="button" className="quiet" disabled={result.isFetchingNextPage} onClick={() => void result.fetchNextPage()}>
                {t.item.more}
              </button>
            )}
          </>
        );
      }}
    </Answer>
  );
}

function Entry({ change, linked }: { change: Change; linked: boolean }) {
  const { t, language } = useTexts();
  const place = placeOf(change);
  return (
    <li data-kind={change.kind}>
      <Time at={change.at} as="moment" />
      <div>
        <b>{String(t.change[change.kind as "created"] ?? change.kind)}</b>{" "}
        {change.state && <span>{stateOf(change, t)} </span>}
        {linked && change.media_id !== undefined && change.media_id !== null ? (
          <a href={href(`item/${change.media_id}`)}>
            <bdi>{place}</bdi>
          </a>
        ) : (
          <bdi>{place}</bdi>
        )}
        <p className="note">{detailsOf(change, t, language).join(" · ")}</p>
      </div>
    </li>
  );
}

function placeOf({ root, path, subtree }: Change): string {
  return [root, path ?? subtree].filter(Boolean).join("/");
}

function stateOf({ kind, state }: Change, t: Texts): string {
  if (kind === "gap_changed") {
    return state === "open" ? t.health.open : t.health.closed;
  }
  return valueOf(state ?? "", t);
}

function detailsOf(change: Change, t: Texts, language: string): string[] {
  const from = change.from_path === undefined ? undefined : [change.from_root ?? change.root, change.from_path].join("/");
  return [
    from && t.change.from(from),
    change.count && t.change.files(change.count),
    change.size ? bytes(change.size, language) : undefined,
    change.matched !== undefined && change.processed !== undefined
      ? t.libraries.progress(change.processed.toLocaleString(language), change.matched.toLocaleString(language))
      : undefined,
    change.reason,
    change.cause && t.change.cause(change.cause),
    change.by && t.change.by(change.by),
    `${t.change.log} ${t.event.at(change.partition, change.offset)}`,
  ].filter((words): words is string => Boolean(words));
}
