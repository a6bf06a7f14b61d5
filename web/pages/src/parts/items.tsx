/** Items as posters or as a table; only those on the screen are in the document. */

import type { MediaItem } from "@catalogizer/client";
import { useEffect, useRef } from "react";

import type { Item } from "../answers.js";
import type { Endless } from "../endless.js";
import { bytes } from "../format.js";
import { href } from "../router.js";
import { useTexts } from "../texts/index.js";
import { Cover } from "./cover.js";
import { Time } from "./time.js";
import { useVirtual, useWidth, type Shown } from "./virtual.js";
import { about, valueOf } from "./words.js";

const GAP = 12;
const CAPTION = 46;
const ROW = 44;

interface Drawn {
  items: { count: number; at(index: number): MediaItem | undefined };
  /** Called when other places are drawn. */
  onRange: (range: { start: number; end: number }) => void;
  /** Of the list, as in `useVirtual`. */
  name: string;
}

function useRange({ start, end }: Pick<Shown, "start" | "end">, perRow: number, onRange: Drawn["onRange"]): void {
  useEffect(() => onRange({ start: start * perRow, end: end * perRow }), [start, end, perRow, onRange]);
}

export function Grid({ items, onRange, name, label }: Drawn & { label?: string }) {
  const { t } = useTexts();
  const box = useRef<HTMLDivElement>(null);
  const width = useWidth(box, "grid"); // the last width, known at once on return, so that the scroll position can be restored
  const least = width < 520 ? 92 : 108;
  const columns = Math.max(2, Math.floor((width + GAP) / (least + GAP)));
  const poster = (width - GAP * (columns - 1)) / columns;
  const height = Math.round(poster * 1.5) + CAPTION + GAP;
  const rows = Math.ceil(items.count / columns);
  const shown = useVirtual(`grid ${name}`, width ? rows : 0, height, 2);
  useRange(shown, columns, onRange);
  const from = shown.start * columns;
  const drawn = Math.min(items.count, shown.end * columns) - from;
  return (
    <div ref={box}>
      <div ref={shown.ref} className="virtual" style={{ height: shown.height }}>
        <ul
          className="grid"
          aria-label={label ?? t.catalogue.results}
          style={{ transform: `translateY(${shown.top}px)`, gridTemplateColumns: `repeat(${columns}, minmax(0, 1fr))`, gridAutoRows: height - GAP, gap: GAP }}
        >
          {Array.from({ length: Math.max(0, drawn) }, (_, index) => (
            <Poster key={items.at(from + index)?.id ?? `place ${from + index}`} item={items.at(from + index)} position={from + index + 1} all={items.count} />
          ))}
        </ul>
      </div>
    </div>
  );
}

function Poster({ item, position, all }: { item: MediaItem | undefined; position: number; all: number }) {
  const { t } = useTexts();
  if (!item) {
    return <li className="poster coming" aria-hidden="true" />;
  }
  return (
    <li className="poster" aria-posinset={position} aria-setsize={all}>
      <a href={href(`item/${item.id}`)} title={item.title}>
        <Cover item={item} />
        <bdi className="subject">{item.title}</bdi>
        <bdi className="note">{about(item, t)}</bdi>
      </a>
    </li>
  );
}

export function Table({ items, onRange, name }: Pick<Drawn, "onRange" | "name"> & { items: Endless }) {
  const { t } = useTexts();
  const shown = useVirtual(`table ${name}`, items.count, ROW, 10);
  useRange(shown, 1, onRange);
  const { column } = t.catalogue;
  return (
    <div role="table" className="table" aria-label={t.catalogue.results} aria-rowcount={items.count + 1}>
      <div role="row" className="row head" aria-rowindex={1}>
        {(["title", "type", "year", "quality", "size", "place", "added"] as const).map((name) => (
          <span key={name} role="columnheader" className={name}>
            {column[name]}
          </span>
        ))}
      </div>
      <div ref={shown.ref} role="rowgroup" className="virtual" style={{ height: shown.height }}>
        <div role="presentation" style={{ transform: `translateY(${shown.top}px)` }}>
          {Array.from({ length: Math.max(0, shown.end - shown.start) }, (_, index) => (
            <Row key={items.at(shown.start + index)?.id ?? `place ${shown.start + index}`} item={items.at(shown.start + index)} position={shown.start + index + 2} />
          ))}
        </div>
      </div>
    </div>
  );
}

function Row({ item, position }: { item: Item | undefined; position: number }) {
  const { t, language } = useTexts();
  if (!item) {
    return <div className="row coming" aria-hidden="true" />;
  }
  const place = `${item.storage_root_name}/${item.path}`;
  return (
    <div role="row" className="row" aria-rowindex={position}>
      <span role="cell" className="title">
        <a href={href(`item/${item.id}`)} title={item.title}>
          <Cover item={item} />
          <bdi className="subject">{item.title}</bdi>
        </a>
      </span>
      <span role="cell" className="type">
        {valueOf(item.category ?? item.media_type, t)}
      </span>
      <span role="cell" className="year">
        {item.year}
      </span>
      <span role="cell" className="quality">
        <bdi>{item.quality}</bdi>
      </span>
      <span role="cell" className="size">
        {item.file_size === undefined ? "" : bytes(item.file_size, language)}
      </span>
      <span role="cell" className="place" title={place}>
        <bdi>{place}</bdi>
      </span>
      <span role="cell" className="added">
        {item.created_at && <Time at={item.created_at} />}
      </span>
    </div>
  );
}
