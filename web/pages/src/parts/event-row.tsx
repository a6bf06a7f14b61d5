/** An event as a line of a list, of one height everywhere. */

import { memo } from "react";

import type { Line } from "../live.js";
import { href } from "../router.js";
import { useTexts } from "../texts/index.js";
import { Time } from "./time.js";
import { tell } from "./words.js";

export interface EventRowProps {
  line: Line;
  /** How many older events of the same thing it stands for. */
  times?: number;
  position?: number;
  all?: number;
}

export const EventRow = memo(function EventRow({ line, times = 1, position, all }: EventRowProps) {
  const { t } = useTexts();
  const told = tell(line, t);
  return (
    <div
      className={line.replayed ? "event replayed" : "event"}
      data-kind={told.kind}
      role="listitem"
      aria-posinset={position}
      aria-setsize={all}
    >
      <span className="action">
        {told.action}
        {times > 1 && <span className="times"> · {t.live.times(times)}</span>}
      </span>
      <span className="what">
        <bdi className="subject" title={told.subject}>
          {told.media === undefined || told.kind === "deleted" ? told.subject : <a href={href(`item/${told.media}`)}>{told.subject}</a>}
        </bdi>{" "}
        <bdi className="type">{told.about}</bdi>
      </span>
      <bdi className="root" title={told.place}>
        {told.place}
      </bdi>
      <span className="when">
        {line.replayed && <span className="mark">{t.event.replayed}</span>}
        <Time at={line.at} as="moment" />
        <span className="place" title={t.event.place}>
          {told.offset}
        </span>
      </span>
    </div>
  );
});
