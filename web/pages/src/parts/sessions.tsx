/** The open sessions of a user, each with a button to end it. */

import { useQuery } from "@tanstack/react-query";

import { api } from "../api.js";
import { sessions } from "../queries.js";
import { useTexts } from "../texts/index.js";
import { useAction } from "./action.js";
import { Answer, Badge, Empty } from "./states.js";
import { Time } from "./time.js";

/** Without `username`: the reader's own. */
export function Sessions({ username }: { username?: string }) {
  const { t } = useTexts();
  const result = useQuery(sessions(username));
  const end = useAction(
    (id: string) => api(`sessions/${id}`, { method: "DELETE" }),
    () => t.account.ended,
    ["sessions", "users"],
  );
  return (
    <Answer of={result}>
      {(found) =>
        found.length === 0 ? (
          <Empty>{t.admin.noSessions}</Empty>
        ) : (
          <ul className="lines">
            {found.map((one) => (
              <li key={one.id}>
                <div>
                  <bdi title={one.agent}>{deviceOf(one.agent)}</bdi> {one.current && <Badge kind="healthy">{t.account.current}</Badge>}
                  <p className="note">
                    {t.account.from} <bdi>{one.address}</bdi>
                    {one.created_at && (
                      <>
                        {" · "}
                        {t.account.since} <Time at={one.created_at} />
                      </>
                    )}
                  </p>
                </div>
                {!one.current && (
                  <button type="button" className="quiet small" disabled={end.isPending} onClick={() => end.mutate(one.id)}>
                    {t.account.end}
                  </button>
                )}
              </li>
            ))}
          </ul>
        )
      }
    </Answer>
  );
}

/** Browser and system from a user agent, as far as it names them; else its first word. */
function deviceOf(agent: string): string {
  const browser = /(Firefox|Edg|OPR|Chrome|Safari)\//.exec(agent)?.[1]?.replace("Edg", "Edge").replace("OPR", "Opera");
  const system = /(Windows|Android|iPhone|iPad|Mac OS X|Linux)/.exec(agent)?.[1];
  return [browser, system].filter(Boolean).join(", ") || agent.split(" ")[0] || "?";
}
