/** What is to be replayed: of which channel, from where on. What is wrong is said beside it. */

import { useEffect, useState, type FormEvent } from "react";

import type { ChannelState } from "../answers.js";
import { go, href } from "../router.js";
import { useTexts, type Texts } from "../texts/index.js";
import { Choice, Field } from "./field.js";
import { valueOf } from "./words.js";

type Kind = "last" | "time" | "offset" | "earliest";

interface Start {
  kind: Kind;
  last: string;
  time: string;
  partition: string;
  offset: string;
}

interface Asked {
  known: readonly ChannelState[];
  channel: string;
  from: string | undefined;
}

export function ReplayForm({ known, channel, from }: Asked) {
  const { t } = useTexts();
  const [start, setStart] = useState(() => startOf(from));
  const [of, setOf] = useState(channel);
  const [wrong, setWrong] = useState("");
  useEffect(() => {
    setStart(startOf(from));
    setOf(channel);
  }, [from, channel]);
  useEffect(() => {
    if (known.length > 0 && !known.some(({ name }) => name === of)) {
      setOf(known[0]?.name ?? ""); // it may not be followed (any more)
    }
  }, [known, of]);
  const set = (changes: Partial<Start>): void => setStart({ ...start, ...changes });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    try {
      const wanted = wordsFor(start, known.find(({ name }) => name === of), t);
      setWrong("");
      go(href("replay", { channel: of, from: wanted, again: Date.now().toString(36) }));
    } catch (error) {
      setWrong((error as Error).message);
    }
  };
  return (
    <form id="replay-form" className="card fields" onSubmit={submit}>
      <Choice label={t.replay.channel} id="channel" value={of} onChange={(event) => setOf(event.target.value)}>
        {known.map(({ name }) => (
          <option key={name} value={name}>
            {valueOf(name, t)}
          </option>
        ))}
      </Choice>
      <Choice label={t.replay.from} id="start" value={start.kind} onChange={(event) => set({ kind: event.target.value as Kind })}>
        {(["last", "time", "offset", "earliest"] as const).map((kind) => (
          <option key={kind} value={kind}>
            {t.replay.starts[kind]}
          </option>
        ))}
      </Choice>
      {start.kind === "last" && (
        <Field label={t.replay.last} id="last" type="number" min={1} max={10_000} value={start.last} onChange={(event) => set({ last: event.target.value })} />
      )}
      {start.kind === "time" && (
        <Field label={t.replay.time} id="time" type="datetime-local" step={1} value={start.time} onChange={(event) => set({ time: event.target.value })} />
      )}
      {start.kind === "offset" && (
        <>
          <Field
            label={t.replay.partition}
            id="partition"
            type="number"
            min={0}
            value={start.partition}
            onChange={(event) => set({ partition: event.target.value })}
          />
          <Field label={t.replay.offset} id="offset" type="number" min={0} value={start.offset} onChange={(event) => set({ offset: event.target.value })} />
        </>
      )}
      <button type="submit" disabled={known.length === 0}>
        {t.replay.button}
      </button>
      {wrong && (
        <p id="replay-error" className="error" role="alert">
          {wrong}
        </p>
      )}
    </form>
  );
}

/** An address's words as the form's. */
function startOf(from: string | undefined): Start {
  const start: Start = { kind: "last", last: "200", time: "", partition: "0", offset: "0" };
  if (from === undefined) {
    return start;
  }
  if (from === "earliest") {
    return { ...start, kind: "earliest" };
  }
  if (from.startsWith("last:")) {
    return { ...start, last: from.slice(5) };
  }
  const at = new Date(from);
  if (from.includes("-") && !Number.isNaN(at.valueOf())) {
    return { ...start, kind: "time", time: new Date(at.valueOf() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 19) };
  }
  const [partition = "0", offset = "0"] = from.split(",")[0]?.split(":") ?? [];
  return { ...start, kind: "offset", partition, offset };
}

/** The form's words as an address's. Throws an Error that says what is wrong. */
function wordsFor(start: Start, channel: ChannelState | undefined, t: Texts): string {
  switch (start.kind) {
    case "earliest":
      return "earliest";
    case "last":
      return `last:${whole(start.last, 1, t.replay.ask.last)}`;
    case "time": {
      const at = new Date(start.time);
      if (Number.isNaN(at.valueOf())) {
        throw new Error(t.replay.ask.time);
      }
      return at.toISOString();
    }
    case "offset": {
      // one partition from the offset on; the others from now on
      const all = channel?.next_offsets ?? {};
      const partition = String(whole(start.partition, 0, t.replay.ask.partition));
      if (!(partition in all)) {
        throw new Error(t.replay.ask.partitions(channel?.name ?? "", Object.keys(all).length - 1));
      }
      const offset = whole(start.offset, 0, t.replay.ask.offset);
      const others = Object.entries(all).filter(([name]) => name !== partition);
      return [[partition, offset], ...others].map(([name, place]) => `${name}:${place}`).join(",");
    }
  }
}

function whole(text: string, least: number, question: string): number {
  const value = Number(text);
  if (text === "" || !Number.isSafeInteger(value) || value < least) {
    throw new Error(question);
  }
  return value;
}
