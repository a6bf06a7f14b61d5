/** Replay: the log from any point, read in pages; it can be played at a speed or moved through by hand, and continues live. */

import { useQuery } from "@tanstack/react-query";
import { useEffect, useMemo, useState } from "react";

import { followed, useFeed, type Line } from "../live.js";
import { CatalogueThen } from "../parts/catalogue-then.js";
import { EventList } from "../parts/event-list.js";
import { Empty } from "../parts/states.js";
import { LogTimeline } from "../parts/log-timeline.js";
import { Player } from "../parts/player.js";
import { ReplayForm } from "../parts/replay-form.js";
import { wordsOf } from "../parts/states.js";
import { valueOf } from "../parts/words.js";
import { channels } from "../queries.js";
import { useReplay } from "../replaying.js";
import { go, href, replace, useRoute } from "../router.js";
import { useTexts } from "../texts/index.js";

const CATALOGUE = "media_updates"; // the channel whose events make the catalogue

export function ReplayPage() {
  const { t } = useTexts();
  const { params } = useRoute();
  const known = useQuery(channels).data ?? [];
  const channel = params.get("channel") ?? "media_updates";
  const from = params.get("from") ?? undefined;
  const again = params.get("again") ?? "";
  return (
    <>
      <h1>{t.replay.title}</h1>
      <p className="note">{t.replay.lead}</p>
      <ReplayForm known={known.filter(({ name }) => followed(known).includes(name))} channel={channel} from={from} />
      <LogTimeline channel={channel} />
      {from === undefined ? (
        <Empty>{t.replay.begin}</Empty>
      ) : (
        <Read key={`${channel} ${from} ${again}`} channel={channel} from={from} asCatalogue={params.get("view") === "catalogue"} />
      )}
    </>
  );
}

function Read({ channel, from, asCatalogue }: { channel: string; from: string; asCatalogue: boolean }) {
  const { t, language } = useTexts();
  const replay = useReplay(channel, from);
  const live = useLiveAfter(channel, replay.head, replay.state === "complete");
  const all = useMemo(() => [...replay.lines, ...live], [replay.lines, live]);
  const [position, setPosition] = useState<number>(); // undefined: stay at the end as events arrive
  const shown = useMemo(() => all.slice(0, position ?? all.length).reverse(), [all, position]);
  useEffect(() => void scrollTo(0, 0), [channel, from]);
  const name = valueOf(channel, t);
  const count = t.events(replay.lines.length);
  return (
    <>
      <div className="bar">
        <p id="replay-state" className="note" role="status" data-events={replay.lines.length}>
          {replay.state === "reading" && `${t.replay.reading} ${replay.lines.length > 0 ? replay.lines.length.toLocaleString(language) : ""}`}
          {replay.state === "partly" && t.replay.partly(name, count)}
          {replay.state === "complete" && t.replay.complete(name, count)}
        </p>
        {replay.state === "partly" && (
          <>
            <button type="button" className="quiet small" onClick={() => replay.more(false)}>
              {t.replay.readMore}
            </button>
            <button type="button" className="quiet small" onClick={() => replay.more(true)}>
              {t.replay.readAll}
            </button>
          </>
        )}
        {replay.state === "reading" && replay.lines.length > 0 && (
          <button type="button" className="quiet small" onClick={() => replay.stop()}>
            {t.replay.stop}
          </button>
        )}
        <button type="button" className="quiet small" onClick={() => go(href("live", { channel }))}>
          {t.replay.back}
        </button>
      </div>
      {replay.state === "failed" && (
        <p id="replay-error" className="error" role="alert">
          {wordsOf(replay.error, t)}
        </p>
      )}
      {replay.lost && <p className="problem" data-kind="warning">{t.replay.lost}</p>}
      {all.length > 0 && <Player lines={all} position={position ?? all.length} setPosition={setPosition} />}
      {channel === CATALOGUE && all.length > 0 && <ViewSwitch asCatalogue={asCatalogue} />}
      {all.length === 0 && replay.state === "complete" ? (
        <Empty>{t.live.empty}</Empty>
      ) : asCatalogue && channel === CATALOGUE ? (
        <CatalogueThen lines={all} position={position ?? all.length} whole={from === "earliest" && !replay.lost} />
      ) : (
        <EventList lines={shown} label={t.live.list} />
      )}
    </>
  );
}

/** The events of the replay, or the catalogue that they make. */
function ViewSwitch({ asCatalogue }: { asCatalogue: boolean }) {
  const { t } = useTexts();
  const { params } = useRoute();
  const choose = (view: string): void => {
    const next = new URLSearchParams(params);
    next.set("view", view);
    replace(href("replay", next));
  };
  return (
    <div className="switch words" role="group" aria-label={t.catalogue.view}>
      <button type="button" aria-pressed={!asCatalogue} onClick={() => choose("events")}>
        {t.replay.asEvents}
      </button>
      <button type="button" aria-pressed={asCatalogue} onClick={() => choose("catalogue")}>
        {t.replay.asCatalogue}
      </button>
    </div>
  );
}

/** The events that have arrived since the replay was complete. */
function useLiveAfter(channel: string, head: Readonly<Record<string, number>>, complete: boolean): readonly Line[] {
  const { lines } = useFeed();
  return useMemo(
    () =>
      complete
        ? lines.filter(
            (line) => line.kind === "event" && line.event.channel === channel && line.event.offset >= (head[line.event.partition] ?? Infinity),
          )
        : [],
    [lines, channel, head, complete],
  );
}
