/** The number of events over time, for a channel's whole log; a click begins a replay there. */

import { useQuery } from "@tanstack/react-query";

import { exactly } from "../format.js";
import { density } from "../queries.js";
import { go, href } from "../router.js";
import { useTexts } from "../texts/index.js";
import { Time } from "./time.js";

const HEIGHT = 40;

export function LogTimeline({ channel }: { channel: string }) {
  const { t, language } = useTexts();
  const { data } = useQuery(density(channel));
  if (!data || data.total === 0) {
    return null;
  }
  const { counts, bucket_seconds: length } = data;
  const begins = Date.parse(data.begins_at);
  const most = Math.max(1, ...counts.map((count) => count ?? 0));
  const at = (bucket: number): Date => new Date(begins + bucket * length * 1_000);
  return (
    <figure className="timeline card">
      <figcaption>
        {t.replay.timeline} <span className="note">{t.events(data.total)}</span>
      </figcaption>
      <svg className="density" viewBox={`0 0 ${counts.length} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label={t.replay.timeline}>
        {counts.map((count, bucket) => {
          const tall = count ? 3 + (HEIGHT - 3) * (Math.log1p(count) / Math.log1p(most)) : 0;
          return (
            <g key={bucket} className="bucket" onClick={() => go(href("replay", { channel, from: at(bucket).toISOString() }))}>
              <title>{`${exactly(at(bucket), language)} · ${count === null ? t.replay.unknown : t.events(count)}`}</title>
              <rect className="all" x={bucket} width={1} y={0} height={HEIGHT} />
              <rect className="past" x={bucket + 0.1} width={0.8} y={HEIGHT - tall} height={tall} />
            </g>
          );
        })}
      </svg>
      <p className="ends note">
        <Time at={data.begins_at} as="moment" />
        <Time at={data.ends_at} as="moment" />
      </p>
    </figure>
  );
}
