/** The catalogue at a place in a replay, as posters. */

import type { MediaItem } from "@catalogizer/client";
import { useMemo, useRef } from "react";

import { CatalogueAt } from "../catalogue-at.js";
import type { Line } from "../live.js";
import { useTexts } from "../texts/index.js";
import { Grid } from "./items.js";
import { Empty } from "./states.js";

export interface CatalogueThenProps {
  lines: readonly Line[];
  /** How many of them have happened. */
  position: number;
  /** Whether the lines begin where the log does; otherwise only what has changed since then is known. */
  whole: boolean;
}

export function CatalogueThen({ lines, position, whole }: CatalogueThenProps) {
  const { t } = useTexts();
  const then = useRef<CatalogueAt>(undefined);
  then.current ??= new CatalogueAt();
  const catalogue = then.current;
  const items = useMemo(() => catalogue.at(lines, position), [catalogue, lines, position]);
  return (
    <section aria-label={t.replay.state}>
      <p id="then" className="note" role="status" data-items={items.length}>
        {t.replay.then(t.items(items.length))} {!whole && t.replay.since}
      </p>
      {items.length === 0 ? (
        <Empty>{t.replay.none}</Empty>
      ) : (
        <Grid items={{ count: items.length, at: (index) => uncovered(items[index]) }} onRange={ignore} name="then" label={t.replay.state} />
      )}
    </section>
  );
}

const ignore = (): void => undefined;

/** Covers are loaded from addresses that REST has signed for a time; those in events are not, and would be refused. */
function uncovered(item: MediaItem | undefined): MediaItem | undefined {
  if (item === undefined) {
    return undefined;
  }
  const { cover_image: _, ...plain } = item;
  return plain;
}
