/** Open sessions of somebody, each of which can be ended. */

import { useQuery } from "@tanstack/react-query";

import { api } from "../api.js";
import { sessions } from "../queries.js";
import { useTexts } from "../texts/index.js";
import { useDoing } from "./doing.js";
import { Answer, Badge, Empty } from "./states.js";
import { Time } from "./time.js";

/** Without `username`: one's own. */
export function Sessions({ username }: { username?: string }) {
  const { t } = useTexts();
  const asked = useQuery(sessions(username));
  const end = useDoing(
    (id: string) => api(`sessions/${id}`, { method: "DELETE" }),
    () => t.account.ended,
    ["sessions", "users"],
  );
  return (
    <Answer of={asked}>
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

/** Browser and system out of a user agent, as far as they are told; else its first word. */
function deviceOf(agent: string): string {
  const browser = /(Firefox|Edg|OPR|Chrome|Safari)\//.exec(agent)?.[1]?.replace("Edg", "Edge").replace("OPR", "Opera");
  const system = /(Windows|Android|iPhone|iPad|Mac OS X|Linux)/.exec(agent)?.[1];
  return [browser, system].filter(Boolean).join(", ") || agent.split(" ")[0] || "?";
}
