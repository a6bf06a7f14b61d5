/** A long list of events; only the rows on the screen are in the document. */

import type { Line } from "../live.js";
import { EventRow } from "./event-row.js";
import { useVirtual } from "./virtual.js";
import { useEffect, useState } from "react";

const NARROW = "(max-width: 47.99rem)";
const ROW = { narrow: 78, wide: 44 };

export interface EventListProps {
  /** In the order in which they are shown. */
  lines: readonly Line[];
  label: string;
  times?: ReadonlyMap<string, number>;
}

export function EventList({ lines, label, times }: EventListProps) {
  const narrow = useMedia(NARROW);
  const shown = useVirtual(label, lines.length, narrow ? ROW.narrow : ROW.wide, 12);
  return (
    <div ref={shown.ref} className="feed virtual" role="list" aria-label={label} style={{ height: shown.height }}>
      <div role="presentation" style={{ transform: `translateY(${shown.top}px)` }}>
        {lines.slice(shown.start, shown.end).map((line, index) => (
          <EventRow key={line.id} line={line} times={times?.get(line.id) ?? 1} position={shown.start + index + 1} all={lines.length} />
        ))}
      </div>
    </div>
  );
}

function useMedia(query: string): boolean {
  const [matches, setMatches] = useState(() => matchMedia(query).matches);
  useEffect(() => {
    const media = matchMedia(query);
    const look = (): void => setMatches(media.matches);
    media.addEventListener("change", look);
    return () => media.removeEventListener("change", look);
  }, [query]);
  return matches;
}
