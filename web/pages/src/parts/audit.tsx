/** The audit log: sign-ins, rejected requests, and the actions of users. */

import { useInfiniteQuery } from "@tanstack/react-query";

import { api, query } from "../api.js";
import type { AuditPage } from "../answers.js";
import { useTexts } from "../texts/index.js";
import { Answer } from "./states.js";
import { Time } from "./time.js";

const LIMIT = 25;

export function Audit() {
  const { t } = useTexts();
  const result = useInfiniteQuery({
    queryKey: ["audit"],
    queryFn: ({ pageParam, signal }) => api<AuditPage>(`audit?${query({ from: pageParam, limit: LIMIT })}`, { signal }),
    initialPageParam: undefined as number | undefined,
    getNextPageParam: (page) => page.next ?? undefined,
  });
  return (
    <section className="card">
      <h2>{t.audit.title}</h2>
      <p className="note">{t.audit.help}</p>
      <Answer of={result}>
        {({ pages }) => (
          <>
            <ol className="changes">
              {pages
                .flatMap((page) => page.events)
                .map((event) => (
                  <li key={event.offset}>
                    <Time at={event.at} as="moment" />
                    <div>
                      <b>{event.action.replaceAll("_", " ")}</b> <bdi>{event.subject}</bdi>
                      <p className="note">
                        <bdi>
                          {[event.by && t.change.by(event.by), event.address, event.way, event.why, event.permission, event.method && `${event.method} ${event.path}`]
                            .filter(Boolean)
                            .join(" · ")}
                        </bdi>
                      </p>
                    </div>
                  </li>
                ))}
            </ol>
            {result.hasNextPage && (
              <button type="button" className="quiet" disabled={result.isFetchingNextPage} onClick={() => void result.fetchNextPage()}>
                {t.item.more}
              </button>
            )}
          </>
        )}
      </Answer>
    </section>
  );
}
