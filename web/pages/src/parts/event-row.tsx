/** An event as a row of a list; all rows have the same height. */

import { memo } from "react";

import type { Line } from "../live.js";
import { href } from "../router.js";
import { useTexts } from "../texts/index.js";
import { Time } from "./time.js";
import { describe } from "./words.js";

export interface EventRowProps {
  line: Line;
  /** How many events of the same subject the row stands for. */
  times?: number;
  position?: number;
  all?: number;
}

export const EventRow = memo(function EventRow({ line, times = 1, position, all }: EventRowProps) {
  const { t } = useTexts();
  const shown = describe(line, t);
  return (
    <div
      className={line.replayed ? "event replayed" : "event"}
      data-kind={shown.kind}
      role="listitem"
      aria-posinset={position}
      aria-setsize={all}
    >
      <span className="action">
        {shown.action}
        {times > 1 && <span className="times"> · {t.live.times(times)}</span>}
      </span>
      <span className="what">
        <bdi className="subject" title={shown.subject}>
          {shown.media === undefined || shown.kind === "deleted" ? shown.subject : <a href={href(`item/${shown.media}`)}>{shown.subject}</a>}
        </bdi>{" "}
        <bdi className="type">{shown.about}</bdi>
      </span>
      <bdi className="root" title={shown.place}>
        {shown.place}
      </bdi>
      <span className="when">
        {line.replayed && <span className="mark">{t.event.replayed}</span>}
        <Time at={line.at} as="moment" />
        <span className="place" title={t.event.place}>
          {shown.offset}
        </span>
      </span>
    </div>
  );
});
