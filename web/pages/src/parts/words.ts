/** Events and items as text, in the reader's language. */

import type { EventMessage, MediaItem } from "@catalogizer/client";

import type { Line } from "../live.js";
import type { Texts } from "../texts/index.js";

/** The parts of a line of a list. */
export interface Description {
  kind: string;
  action: string;
  subject: string;
  about: string;
  place: string;
  /** The place in the log, as text; empty if there is none. */
  offset: string;
  /** The item whose page the line links to. */
  media?: number | undefined;
}

/** A value of a closed list, as text. */
export function valueOf(value: string, t: Texts): string {
  return t.value[value] ?? value.replaceAll("_", " ");
}

type DescribedItem = Partial<MediaItem> & { media_type: string };

/** The text beside an item's title. */
export function about(item: DescribedItem, t: Texts): string {
  const kind = valueOf(item.category ?? item.media_type, t);
  const number = item.season === undefined ? undefined : `S${two(item.season)}${item.episode === undefined ? "" : `E${two(item.episode)}`}`;
  const part = item.belongs_to === undefined || item.belongs_to === null ? undefined : t.event.part;
  return [kind, item.artist ?? item.author, number, item.year, item.quality, part].filter(Boolean).join(" · ");
}

function two(value: number): string {
  return String(value).padStart(2, "0");
}

export function describe(line: Line, t: Texts): Description {
  return line.kind === "event" ? describeEvent(line.event, t) : describeGap(line.gap, t);
}

function describeEvent(event: EventMessage, t: Texts): Description {
  return { ...eventText(event, t), offset: t.event.at(event.partition, event.offset) };
}

function eventText(event: EventMessage, t: Texts): Omit<Description, "offset"> {
  switch (event.type) {
    case "media_update": {
      const { action, media, media_id } = event.data;
      return {
        kind: action,
        action: String(t.event[action] ?? action),
        subject: media.title,
        about: about(media, t),
        place: media.storage_root ? `${media.storage_root}/${media.path ?? ""}` : "",
        media: media_id,
      };
    }
    case "system_update": {
      const { status, message, component, action } = event.data;
      return {
        kind: status,
        action: valueOf(status, t),
        subject: message ?? component,
        about: valueOf(action, t),
        place: component,
      };
    }
    case "analysis_complete": {
      const { items_processed, items_identified, items_failed, storage_root } = event.data;
      return {
        kind: items_failed > 0 ? "warning" : "analyzed",
        action: t.event.analysis,
        subject: t.event.analysed(items_processed),
        about: t.event.identified(items_identified, items_failed),
        place: storage_root ?? "",
      };
    }
    case "notification":
      return { kind: event.data.level, action: event.data.type, subject: event.data.title, about: event.data.message, place: "" };
    default:
      return { kind: "info", action: event.type, subject: event.type, about: "", place: "" };
  }
}

function describeGap(gap: { channel: string; reason: string; missed: Record<string, { from: number; to: number | null }> }, t: Texts): Description {
  const ranges = Object.entries(gap.missed).map(([partition, { from, to }]) => t.event.at(partition, `${from} – ${to ?? "?"}`));
  return {
    kind: "gap",
    action: t.event.gap,
    subject: t.event.missing(valueOf(gap.channel, t)),
    about: `${valueOf(gap.reason, t)}; ${ranges.join(", ")}`,
    place: "",
    offset: "",
  };
}

/** The subject of an event: conflation shows only the newest event of each. */
export function subjectOf(line: Line): string {
  if (line.kind === "gap") {
    return line.id;
  }
  const { event } = line;
  switch (event.type) {
    case "media_update":
      return `media ${event.data.media_id}`;
    case "system_update":
      return `system ${event.data.component} ${event.data.action}`;
    case "analysis_complete":
      return `analysis ${event.data.storage_root ?? ""}`;
    default:
      return line.id;
  }
}
