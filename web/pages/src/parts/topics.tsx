/** The topics of the log: how many records they have, their retention time, and the lag of their groups. */

import { useQuery } from "@tanstack/react-query";

import { topics } from "../queries.js";
import { useTexts } from "../texts/index.js";
import { Answer } from "./states.js";

const DAY_SECONDS = 86_400;

export function Topics() {
  const { t, language } = useTexts();
  const result = useQuery(topics);
  return (
    <section className="card">
      <h2>{t.topics.title}</h2>
      <Answer of={result}>
        {(found) => (
          <div className="scrolled" tabIndex={0} role="region" aria-label={t.topics.title}>
            <table>
              <thead>
                <tr>
                  <th scope="col">{t.topics.name}</th>
                  <th scope="col">{t.topics.offsets}</th>
                  <th scope="col">{t.topics.kept}</th>
                  <th scope="col">{t.topics.readers}</th>
                </tr>
              </thead>
              <tbody>
                {found.map((topic) => (
                  <tr key={topic.name}>
                    <th scope="row" title={topic.purpose}>
                      {topic.name}
                    </th>
                    <td>{topic.partitions.reduce((sum, one) => sum + one.end - one.earliest, 0).toLocaleString(language)}</td>
                    <td>{topic.retention_seconds === null ? t.topics.ever : t.topics.days(Math.round(topic.retention_seconds / DAY_SECONDS))}</td>
                    <td>
                      {topic.groups.map(({ group, lag }) => (
                        <div key={group}>
                          {group}: {lag === 0 ? t.topics.atEnd : t.topics.left(lag)}
                        </div>
                      ))}
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        )}
      </Answer>
    </section>
  );
}
